"""The form of one connection: show, save, delete, and answer one changed field.

Each view translates the request, makes one domain call and translates the answer back. Every page works
without a script; htmx asks for fragments of the same templates.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cluster.models import Job
from cluster.selectors import job_by_id, live_jobs_about
from connections import services
from connections.candidate import build
from connections.forms import ConnectionForm, applied
from connections.kinds import KINDS
from connections.models import Connection
from connections.views.page import existing, page, previews_of
from core.definition_pages import judge, shown_of, stored, tell
from core.errors import Refused
from core.permissions import either, needs, require
from core.requests import user_of, version_of
from core.usage import usage

FORM = either("connections.edit", "connections.draft", note="who may only test drafts saves nothing")


@needs(get=FORM, post=FORM)
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Show an empty form, or save it as a new connection."""
    return _form(request, kind, None)


@needs(get="connections.view", post=FORM)
def edit(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Show a saved connection, or save what was changed."""
    return _form(request, kind, existing(kind, pk))


def _form(request: HttpRequest, kind: str, connection: Connection | None) -> HttpResponse:
    if request.method == "GET":
        return _show(request, kind, connection)
    if "apply" in request.POST or "prefer" in request.POST:
        form = ConnectionForm(KINDS[kind], applied(KINDS[kind], request.POST), connection=connection)
        _judge(request, form, ())
        return page(request, form, job=_known_job(request, connection, request.POST.get("_test", "")))
    require(request, "connections.edit")
    return _save(request, kind, connection)


def _show(request: HttpRequest, kind: str, connection: Connection | None) -> HttpResponse:
    job = _asked_job(request, connection)
    form, tested = ConnectionForm(KINDS[kind], connection=connection), False
    if job is not None and "test" in request.GET:
        values = {name: value for name, value in job.definition.items() if name in form.names}
        shown = ConnectionForm(KINDS[kind], connection=connection, tested=values)
        if connection is None or any(form.initial[name] != text for name, text in shown.initial.items()):
            form, tested = shown, True
    if connection is not None and not tested:
        form.advise(connection.advisories())
    return page(request, form, job=job, tested=tested)


def _asked_job(request: HttpRequest, connection: Connection | None) -> Job | None:
    """Return the test that the address names, else the latest one of the connection."""
    if "test" not in request.GET:
        return connection.last_test.job if connection is not None else None
    return _known_job(request, connection, request.GET["test"])


def _known_job(request: HttpRequest, connection: Connection | None, reference: str) -> Job | None:
    try:
        key = uuid.UUID(reference)
    except ValueError:
        return None
    job = job_by_id(key, request.user)
    # A test of another connection says nothing about this one, and neither its values nor those of somebody's
    # draft belong here: a sent link would put a foreign host beside the request to type the password.
    own = connection.pk if connection is not None else None
    return job if job is not None and own in {job.connection_id, job.draft_of} else None


def _save(request: HttpRequest, kind: str, connection: Connection | None) -> HttpResponse:
    form = ConnectionForm(KINDS[kind], request.POST, connection=connection)
    version = version_of(request) if connection is not None else None
    saved = stored(
        form,
        lambda: services.save(form.model, connection, form.values, user=user_of(request), expected_version=version),
    )
    if isinstance(saved, HTTPStatus):
        return page(request, form, status=saved)
    another = request.POST.get("then") == "another"
    hint = " Press Test to see whether it works." if saved.created and not another else ""
    row = saved.connection
    tell(request, form, saved, row.advisories(), hint)
    return redirect("connections:new", kind) if another else redirect("connections:edit", kind, row.pk)


@needs(get="connections.edit", post="connections.edit")
def remove(request: HttpRequest, kind: str, pk: uuid.UUID) -> HttpResponse:
    """Ask whether the connection is to be deleted, and delete it."""
    connection = existing(kind, pk)
    if request.method == "GET":
        context = {
            "connection": connection,
            "used_by": usage("connection", connection),
            "under_way": live_jobs_about(connection.pk),
        }
        return render(request, "connections/delete.html", context)
    try:
        services.delete(connection, expected_version=version_of(request))
    except Refused as refusal:
        messages.error(request, refusal.detail)
        if refusal.code == "not_found":
            return redirect("connections:list")
        return redirect("connections:edit", kind, pk)
    messages.success(request, f"{connection.name} is deleted.")
    return redirect("connections:list")


@needs(post=FORM)
def check(request: HttpRequest, kind: str, pk: uuid.UUID | None = None) -> HttpResponse:
    """Answer a changed field with the notes of every field; errors only where somebody was already."""
    connection = existing(kind, pk) if pk is not None else None
    form = ConnectionForm(KINDS[kind], request.POST, connection=connection)
    _judge(request, form, shown_of(request))
    return render(request, "connections/_checked.html", {"form": form, "previews": previews_of(form)})


def _judge(request: HttpRequest, form: ConnectionForm, shown: Collection[str]) -> None:
    user, values = user_of(request), form.values
    judge(form, lambda: build(form.model, values, form.connection, user=user, partial=False).advisories, shown=shown)
