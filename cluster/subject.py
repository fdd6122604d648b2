"""The subject of the message that a job would take: shown once, to who asked for the test, and kept nowhere."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import View
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cluster import asides, selectors
from cluster.models import Job
from core.api import ApiView
from core.permissions import ActMixin, either
from core.requests import is_htmx

ACT = "connections.subject"
TAKES = either(ACT, note="of a test that one asked for oneself")

SUBJECT = "subject"
"""What a test calls it where it tells it aside."""


class SubjectSerializer(serializers.Serializer[Any]):
    """The subject, decoded, as far as the server gave one."""

    subject = serializers.CharField()


@method_decorator(never_cache, name="dispatch")
class SubjectView(ActMixin, View):
    """The subject in the panel of a test, or alone on a page where no script asks."""

    acts = {"post": TAKES}
    http_method_names = ("post", "options")

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show it. Context: `job`, `subject` (None where it is not to be had, or not any more)."""
        job = _own_job(pk, request.user)
        context = {"job": job, "subject": asides.take(job.pk).get(SUBJECT)}
        return render(request, "cluster/_subject.html" if is_htmx(request) else "cluster/subject.html", context)


class JobSubjectView(ApiView):
    """The subject of the message that a job would take."""

    acts = {"post": TAKES}
    # An answer that may be given again would have to be kept.
    idempotent = False

    @extend_schema(operation_id="jobs_subject", request=None, responses=SubjectSerializer)
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Read it, once, within a minute after the test; 404 where there is none (any more), or it is not one's own."""
        subject = asides.take(_own_job(pk, request.user).pk).get(SUBJECT)
        if subject is None:
            raise Http404
        return Response({"subject": subject})


def _own_job(pk: uuid.UUID, user: AbstractBaseUser | AnonymousUser) -> Job:
    """Return a job that this user asked for; somebody else's has the answer of one that does not exist."""
    job = selectors.job_by_id(pk, user)
    if job is None or job.requested_by_id != user.pk:
        raise Http404
    return job
