"""Tests from the page of a connection: of what is on the screen, of what is saved, and for the folders of a mailbox."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst

from cluster.choices import JobKind
from cluster.models import Job
from connections import testing
from connections.forms import ConnectionForm
from connections.kinds import KINDS
from connections.models import Connection, MailboxConnection
from connections.views.page import address_of, existing, page, remember_depth
from core.definition_pages import advise_anyway
from core.errors import Refused
from core.models import User
from core.permissions import either, may, needs, require
from core.requests import is_htmx, user_of
from core.wording import sentence_of

_TEST = either("connections.draft", "connections.test", note="who may not test drafts tests what is saved")


@needs(post="connections.draft")
def test_draft(request: HttpRequest, kind: str) -> HttpResponse:
    """Test what is on the screen of a new connection."""
    return _test(request, kind, None)


@needs(post=_TEST)
def test(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Test what is on the screen of a saved connection, or with `saved` the connection as it is."""
    connection = existing(kind, pk)
    return _test_saved(request, connection) if "saved" in request.POST else _test(request, kind, connection)


@needs(post="connections.draft")
def folders_draft(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask the server on the screen of a new mailbox for its folders."""
    return _test(request, kind, None, JobKind.FOLDER_LIST)


@needs(post=_TEST)
def folders(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Ask the server on the screen of a saved mailbox for its folders."""
    return _test(request, kind, existing(kind, pk), JobKind.FOLDER_LIST)


def _test_saved(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Test where the last test ran, so that "test again" on another page repeats it."""
    require(request, "connections.test")
    last = connection.last_test.job
    target = testing.Target({"id": str(last.cluster_id)} if last is not None and last.cluster_id else None)
    address = address_of(connection, connection.KIND)
    try:
        job = testing.request_test(connection, target, user=user_of(request))
    except (Refused, ValidationError) as error:
        # What was sound when it was saved need not be now: its credential may have been kept for other servers since.
        messages.error(request, capfirst(sentence_of(error)))
        return redirect(f"{address}#test")
    return redirect(f"{address}?test={job.pk}#test")


def _test(
    request: HttpRequest,
    kind: str,
    connection: Connection | None,
    kind_of_job: JobKind = JobKind.CONFIGURATION_TEST,
) -> HttpResponse:
    form = ConnectionForm(KINDS[kind], request.POST, connection=connection)
    try:
        target = testing.Target(
            request.POST.get("test_cluster") or None,
            request.POST.get("test_steng") or None,
            testing.parse_depth(request.POST.get("test_depth") or "full"),
            subject="test_subject" in request.POST and may(request.user, "connections.subject"),
        )
        if connection is not None and not may(request.user, "connections.draft"):
            # Whoever may test saved connections only tests this one as it is saved, whatever the page holds.
            job = _as_saved(connection, target, kind_of_job, user_of(request))
        else:
            job = testing.request_draft_test(
                form.model, form.values, connection, target, user=user_of(request), kind=kind_of_job
            )
    except ValidationError as error:
        form.refuse(error)
        advise_anyway(form)
        return _not_tested(request, form, [])
    except Refused as refusal:
        return _not_tested(request, form, [("test_cluster", "Cluster", refusal.detail)])
    if kind_of_job == JobKind.CONFIGURATION_TEST:
        remember_depth(request, kind, target.depth.value)
    if is_htmx(request):
        return render(
            request, "connections/_tested.html", {"job": job, "in_form": True, "announce": True, "form": form}
        )
    return redirect(f"{address_of(connection, kind)}?test={job.pk}#test")


def _as_saved(connection: Connection, target: testing.Target, kind_of_job: JobKind, user: User) -> Job:
    if kind_of_job == JobKind.FOLDER_LIST and isinstance(connection, MailboxConnection):
        return testing.request_folders(connection, target, user=user)
    return testing.request_test(connection, target, user=user)


def _not_tested(request: HttpRequest, form: ConnectionForm, problems: list[tuple[str, str, str]]) -> HttpResponse:
    problems = problems + form.summary() + [("", "", str(text)) for text in form.non_field_errors()]
    if is_htmx(request):
        context = {"form": form, "test_problems": problems}
        return render(request, "connections/_tested.html", context, status=422)
    return page(
        request,
        form,
        status=422,
        test_problems=problems,
        summary_title="Not tested: please look at these fields",
    )
