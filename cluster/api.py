"""The REST resources of clusters, STENGs and jobs: translate, make one domain call, translate back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cluster import dispatch, selectors, services
from cluster.choices import JobState, Verdict
from cluster.models import Cluster, Job, Steng
from cluster.references import as_uuid
from cluster.representation import job_to_json, jobs_to_json
from cluster.serializers import (
    ClusterSerializer,
    JobSerializer,
    StengSerializer,
    TranscriptSerializer,
    cluster_to_json,
    read_cluster,
    read_steng,
    steng_to_json,
)
from cluster.visibility import CANCEL, require_cancel
from cluster.waiting import wait_for
from core.api import PAGES, ApiView, Pagination, refuse_unknown_filters, unknown_filters
from core.errors import invalid
from core.moments import read_moment

JOB_RESPONSES = {200: JobSerializer, 202: JobSerializer}
"""The answers to a request for a test: 200 with a final state, 202 not yet."""

MAX_WAIT = 60
Thing = TypeVar("Thing")

_MANAGE = {"get": "clusters.view", **dict.fromkeys(("post", "put", "patch", "delete"), "clusters.manage")}
_LOOK = {"get": "tests.view"}
_JOB_FILTERS = PAGES | {"state", "verdict", "code", "connection", "steng", "since"}


def wait_seconds(request: Request) -> int:
    """Return the seconds that `?wait=` asks for, 0 without it; raise ValidationError for what is no number up to 60."""
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValidationError({"wait": [invalid("invalid_type", f"“{text[:40]}” is not a whole number of seconds.")]})
    seconds = int(text)
    if seconds > MAX_WAIT:
        sentence = f"Must be between 0 and {MAX_WAIT}."
        raise ValidationError({"wait": [invalid("out_of_range", sentence, limit=MAX_WAIT, value=seconds)]})
    return seconds


def job_response(jobs: Sequence[Job], seconds: int, *, batch: bool = False) -> Response:
    """Answer with the job (or all of a batch): 200 once everything is final within `seconds`, else 202.

    `Location` leads to the (first) job.
    """
    keys = [job.pk for job in jobs]
    if seconds and keys:
        wait_for(keys, seconds)
    current = {job.pk: job for job in selectors.jobs().filter(pk__in=keys)}
    shown = [current[key] for key in keys]
    over = all(job.is_final for job in shown)
    body = jobs_to_json(shown)
    response = Response({"jobs": body} if batch else body[0], status=200 if over else 202)
    if keys:
        response["Location"] = reverse("api-job", args=[keys[0]])
    return response


class ClusterListView(ApiView):
    """Clusters."""

    acts = _MANAGE

    @extend_schema(operation_id="clusters_list", responses=ClusterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List clusters by name."""
        refuse_unknown_filters(request, PAGES)
        now = timezone.now()
        return _page(self, request, selectors.clusters(), lambda rows: [cluster_to_json(row, now) for row in rows])

    @extend_schema(operation_id="clusters_create", request=ClusterSerializer, responses={201: ClusterSerializer})
    def post(self, request: Request) -> Response:
        """Create a cluster."""
        saved = services.save_cluster(Cluster(), read_cluster(request.data), timezone.now())
        shown = cluster_to_json(_cluster(saved.pk), timezone.now())
        return Response(shown, status=201, headers={"Location": reverse("api-cluster", args=[saved.pk])})


class ClusterDetailView(ApiView):
    """One cluster."""

    acts = _MANAGE

    @extend_schema(operation_id="clusters_read", responses=ClusterSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Read a cluster."""
        return Response(cluster_to_json(_cluster(pk), timezone.now()))

    @extend_schema(operation_id="clusters_change", request=ClusterSerializer(partial=True), responses=ClusterSerializer)
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent."""
        services.save_cluster(_cluster(pk), read_cluster(request.data), timezone.now())
        return Response(cluster_to_json(_cluster(pk), timezone.now()))

    @extend_schema(operation_id="clusters_delete", responses={204: None})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Delete a cluster that nothing uses."""
        services.delete_cluster(_cluster(pk))
        return Response(status=204)


class StengListView(ApiView):
    """STENGs."""

    acts = _MANAGE

    @extend_schema(operation_id="stengs_list", responses=StengSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List STENGs by name."""
        refuse_unknown_filters(request, PAGES)
        now = timezone.now()
        return _page(self, request, selectors.stengs(), lambda rows: [steng_to_json(row, now) for row in rows])

    @extend_schema(operation_id="stengs_create", request=StengSerializer, responses={201: StengSerializer})
    def post(self, request: Request) -> Response:
        """Create a STENG in a cluster; it runs nothing until its process has been seen."""
        saved = services.save_steng(Steng(), _with_cluster(read_steng(request.data)), timezone.now())
        shown = steng_to_json(_steng(saved.pk), timezone.now())
        return Response(shown, status=201, headers={"Location": reverse("api-steng", args=[saved.pk])})


class StengDetailView(ApiView):
    """One STENG."""

    acts = _MANAGE

    @extend_schema(operation_id="stengs_read", responses=StengSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Read a STENG."""
        return Response(steng_to_json(_steng(pk), timezone.now()))

    @extend_schema(operation_id="stengs_change", request=StengSerializer(partial=True), responses=StengSerializer)
    def patch(self, request: Request, pk: uuid.UUID) -> Response:
        """Change the fields that are sent."""
        services.save_steng(_steng(pk), read_steng(request.data), timezone.now())
        return Response(steng_to_json(_steng(pk), timezone.now()))

    @extend_schema(operation_id="stengs_delete", responses={204: None})
    def delete(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Delete a STENG that nothing uses."""
        services.delete_steng(_steng(pk))
        return Response(status=204)


class _StengWishView(ApiView):
    """A wish about one STENG; making it twice is making it once."""

    acts = _MANAGE

    def answer(self, pk: uuid.UUID, wish: Callable[[Steng], Steng]) -> Response:
        """Note the wish and show the STENG."""
        wish(_steng(pk))
        return Response(steng_to_json(_steng(pk), timezone.now()))


class StengEnableView(_StengWishView):
    """Let a STENG take work."""

    @extend_schema(operation_id="stengs_enable", request=None, responses=StengSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Let a STENG take work again, whatever stopped it."""
        return self.answer(pk, services.enable)


class StengDisableView(_StengWishView):
    """Let a STENG take no more work."""

    @extend_schema(operation_id="stengs_disable", request=None, responses=StengSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Let a STENG take no more work until it is enabled."""
        return self.answer(pk, services.disable)


class StengDrainView(_StengWishView):
    """Let a STENG finish what it runs and take nothing new."""

    @extend_schema(operation_id="stengs_drain", request=None, responses=StengSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:  # noqa: ARG002
        """Let a STENG finish what it runs and take nothing new."""
        return self.answer(pk, services.drain)


class JobListView(ApiView):
    """Jobs."""

    acts = _LOOK

    @extend_schema(
        operation_id="jobs_list",
        parameters=[
            OpenApiParameter("state", str, enum=JobState.values),
            OpenApiParameter("verdict", str, enum=Verdict.values),
            OpenApiParameter("code", str),
            OpenApiParameter("connection", str, description="Name or id."),
            OpenApiParameter("steng", str, description="Name or id."),
            OpenApiParameter("since", str, description="RFC 3339 time with its zone, or a date (UTC)."),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=JobSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List jobs, latest first."""
        return _page(self, request, _job_list(request), jobs_to_json)


class JobDetailView(ApiView):
    """One job."""

    acts = _LOOK

    @extend_schema(
        operation_id="jobs_read",
        parameters=[
            OpenApiParameter("wait", int, description="Wait up to this many seconds (60) for the final state.")
        ],
        responses=JobSerializer,
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read a job; with `?wait=` as soon as it is final, or when the time is up."""
        job, seconds = _job(request, pk), wait_seconds(request)
        if seconds and not job.is_final:
            wait_for([pk], seconds)
            job = _job(request, pk)
        return Response(job_to_json(job))


class JobCancelView(ApiView):
    """The end of a job that nobody wants any more."""

    acts = {"post": CANCEL}

    @extend_schema(operation_id="jobs_cancel", request=None, responses=JobSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Cancel a job; one that is over already stays what it is, and its state says so."""
        require_cancel(request, _job(request, pk))
        try:
            dispatch.cancel(pk, timezone.now())
        except Job.DoesNotExist:
            raise Http404 from None
        return Response(job_to_json(_job(request, pk)))


class JobTranscriptView(ApiView):
    """The conversation of a test."""

    acts = _LOOK

    @extend_schema(operation_id="jobs_transcript", responses=TranscriptSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read the redacted transcript; it is empty until the test has finished."""
        return Response({"lines": _job(request, pk).transcript})


def _page(
    view: ApiView, request: Request, rows: QuerySet[Any], show: Callable[[Sequence[Any]], list[dict[str, Any]]]
) -> Response:
    paginator = Pagination()
    page = paginator.paginate_queryset(rows, request, view=view) or []
    return paginator.get_paginated_response(show(page))


def _job_list(request: Request) -> QuerySet[Job]:
    filters = {name: request.query_params[name] for name in request.query_params if request.query_params[name]}
    errors = unknown_filters(request, _JOB_FILTERS)
    for name, allowed in (("state", JobState.values), ("verdict", Verdict.values)):
        if name in filters and filters[name] not in allowed:
            errors[name] = [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=list(allowed))]
    since = None
    try:
        since = read_moment(filters.get("since"))
    except ValidationError as error:
        errors["since"] = error.error_list
    if errors:
        raise ValidationError(errors)
    connection, steng = filters.get("connection", ""), filters.get("steng", "")
    return selectors.job_list(
        request.user,
        state=filters.get("state", ""),
        verdict=filters.get("verdict", ""),
        code=filters.get("code", ""),
        connection=as_uuid(connection) or connection,
        steng=as_uuid(steng) or steng,
        since=since,
    )


def _with_cluster(values: dict[str, Any]) -> dict[str, Any]:
    if "cluster" not in values:
        raise ValidationError({"cluster": [invalid("required", "This field is mandatory.")]})
    return values


def _cluster(key: uuid.UUID) -> Cluster:
    return _or_404(selectors.clusters().filter(pk=key).first())


def _steng(key: uuid.UUID) -> Steng:
    return _or_404(selectors.stengs().filter(pk=key).first())


def _job(request: Request, key: uuid.UUID) -> Job:
    return _or_404(selectors.job_by_id(key, request.user))


def _or_404(thing: Thing | None) -> Thing:
    if thing is None:
        raise Http404
    return thing
