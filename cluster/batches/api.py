"""The REST resources of batches: follow one, read its results, cancel it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param

from cluster.api import wait_seconds
from cluster.batches import selectors, services
from cluster.batches.choices import ItemState
from cluster.batches.models import Batch
from cluster.batches.serializers import BatchDetailSerializer, BatchSerializer, batch_to_json, item_to_json
from cluster.waiting import wait_until
from core.api import PAGES, ApiView, Pagination, refuse_unknown_filters
from core.errors import invalid
from core.permissions import owner_or, require

BATCH_RESPONSES = {200: BatchDetailSerializer, 202: BatchDetailSerializer}
"""The answers to what starts a batch: 200 when it is over, 202 not yet."""

WAIT = OpenApiParameter("wait", int, description="Wait up to this many seconds (60) for the end of the batch.")
_PAGES = (OpenApiParameter("limit", int), OpenApiParameter("offset", int))
_RESULTS = (OpenApiParameter("outcome", str, enum=ItemState.values), *_PAGES)


def seconds_to_wait(request: Request) -> int:
    """Return what `?wait=` asks for where a batch is about to be started; raise ValidationError for anything else."""
    refuse_unknown_filters(request, {"wait"})
    return wait_seconds(request)


def batch_response(view: ApiView, request: Request, batch: Batch, seconds: int) -> Response:
    """Answer what has started a batch: with its first results, 200 once it is over within `seconds`, else 202."""
    _wait(batch, seconds)
    current = _batch(batch.pk)
    body = _detail(view, request, current)
    headers = {"Location": reverse("api-batch", args=[batch.pk])}
    return Response(body, status=200 if current.is_final else 202, headers=headers)


class BatchListView(ApiView):
    """Batches."""

    acts = {"get": "tests.view"}

    @extend_schema(operation_id="batches_list", parameters=[*_PAGES], responses=BatchSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List batches, latest first, without their results."""
        refuse_unknown_filters(request, PAGES)
        paginator = Pagination()
        page = paginator.paginate_queryset(selectors.batches(), request, view=self) or []
        counts = selectors.counts_of_many(page)
        return paginator.get_paginated_response([batch_to_json(batch, counts[batch.pk]) for batch in page])


class BatchDetailView(ApiView):
    """One batch."""

    acts = {"get": "tests.view"}

    @extend_schema(operation_id="batches_read", parameters=[WAIT, *_RESULTS], responses=BatchDetailSerializer)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        """Read a batch with a page of its results, failures first; with `?wait=` once it is over or time is up."""
        batch, seconds = _batch(pk), wait_seconds(request)
        refuse_unknown_filters(request, PAGES | {"outcome", "wait"})
        _wait(batch, seconds)
        return Response(_detail(self, request, _batch(pk)))


class BatchCancelView(ApiView):
    """The end of a batch that nobody wants any more."""

    acts = {"post": owner_or("tests.cancel", note="one's own batch may always be cancelled")}

    @extend_schema(operation_id="batches_cancel", request=None, responses=BatchDetailSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Cancel what is not done yet; what is done is not undone, and a batch that is over stays what it is."""
        batch = _batch(pk)
        if batch.requested_by_id != request.user.pk:
            require(request, "tests.cancel")
        services.cancel(pk, timezone.now())
        return Response(_detail(self, request, _batch(pk)))


def _detail(view: ApiView, request: Request, batch: Batch) -> dict[str, Any]:
    outcome = request.query_params.get("outcome", "")
    if outcome and outcome not in ItemState.values:
        allowed = ItemState.values
        sentence = f"Choose one of {', '.join(allowed)}."
        raise ValidationError({"outcome": [invalid("invalid_choice", sentence, allowed=allowed)]})
    # Counted before the rows are read: an item may end in between, and progress must not run ahead of the results.
    counts = selectors.counts_of(batch)
    paginator = _ResultPages(reverse("api-batch", args=[batch.pk]))
    page = paginator.paginate_queryset(selectors.items(batch, outcome=outcome), request, view=view) or []
    results: dict[str, Any] = paginator.get_paginated_response([item_to_json(item) for item in page]).data
    return {**batch_to_json(batch, counts), **results}


class _ResultPages(Pagination):
    """Pages of results, whose links lead to the batch also where another address has answered with it."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_next_link(self) -> str | None:
        """Return the link to the next page."""
        return self._at_home(super().get_next_link())

    def get_previous_link(self) -> str | None:
        """Return the link to the page before."""
        return self._at_home(super().get_previous_link())

    def _at_home(self, link: str | None) -> str | None:
        if link is None:
            return None
        assert self.request is not None
        query = remove_query_param(link, "wait").partition("?")[2]
        home: str = self.request.build_absolute_uri(self._address)
        return f"{home}?{query}" if query else home


def _wait(batch: Batch, seconds: int) -> None:
    if seconds and not batch.is_final:
        wait_until(lambda: not Batch.objects.filter(pk=batch.pk, finished__isnull=True).exists(), seconds)


def _batch(key: uuid.UUID) -> Batch:
    batch = selectors.batch_by_id(key)
    if batch is None:
        raise Http404
    return batch
