"""The form of one connection: show, save, delete, and answer one changed field.

Each view translates the request, makes one domain call and translates the answer back. Every page works
without a script; htmx asks for fragments of the same templates.
"""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cluster.models import Job
from cluster.selectors import job_by_id, live_jobs_about
from connections import rules, services
from connections.candidate import build
from connections.forms import ConnectionForm, applied
from connections.kinds import KINDS
from connections.models import Connection
from connections.views.page import existing, page
from core.errors import Refused
from core.models import User
from core.permissions import either, needs, require
from core.requests import user_of, version_of
from core.usage import usage

FORM = either("connections.edit", "connections.draft", note="who may only test drafts saves nothing")

_AT_ONCE = frozenset({"secret_must_be_retyped", "not_available", "secret_not_for_destination", "wrong_kind"})
"""Errors that a change of one field causes at another: nobody has to have been there to be told."""


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
        judge(form, user_of(request), shown=set())
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
    try:
        saved = services.save(
            form.model,
            connection,
            form.values,
            user=user_of(request),
            expected_version=version_of(request) if connection is not None else None,
        )
    except ValidationError as error:
        form.refuse(error)
        advise_anyway(form)
        return page(request, form, status=422)
    except Refused as refusal:
        form.add_error(None, f"{refusal.detail} What you typed is still here; saving again overwrites the change.")
        return page(request, form, status=409)
    _tell(request, form, saved)
    if request.POST.get("then") == "another":
        return redirect("connections:new", kind)
    return redirect("connections:edit", kind, saved.connection.pk)


def _tell(request: HttpRequest, form: ConnectionForm, saved: services.Saved) -> None:
    if not saved.changed:
        messages.info(request, "Nothing was changed.")
    elif saved.created:
        hint = "" if request.POST.get("then") == "another" else " Press Test to see whether it works."
        messages.success(request, f"{saved.connection.name} is saved.{hint}")
    else:
        messages.success(request, f"{saved.connection.name} is saved.")
    standing = {(problem.field, problem.code) for problem in saved.connection.advisories()}
    for problem in saved.advisories:
        if (problem.field, problem.code) not in standing:
            messages.warning(request, f"{form.fields[problem.field].label}: {problem.detail}")


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
    judge(form, user_of(request), shown=set(request.POST.get("_shown", "").split(",")))
    return render(request, "connections/_checked.html", {"form": form})


def judge(form: ConnectionForm, user: User, *, shown: set[str]) -> None:
    """Put errors (of the fields in `shown`, and those that another field brings about) and advice on the form."""
    try:
        candidate = build(form.model, form.values, form.connection, user=user, partial=False)
    except ValidationError as error:
        kept = {
            name: problems
            for name, problems in error.error_dict.items()
            if name in shown or any(problem.code in _AT_ONCE for problem in problems)
        }
        if kept:
            form.refuse(ValidationError(kept))
        advise_anyway(form)
    else:
        form.advise(candidate.advisories)


def advise_anyway(form: ConnectionForm) -> None:
    """Give advice on a definition that has errors elsewhere; a value that does not convert is left out."""
    values = {name: value for name, value in form.values.items() if name not in form.errors}
    values |= {"kind": form.model.KIND, "authentication_type": values.get("authentication_type", "BASIC")}

    def is_set(name: str) -> bool:
        if name in values:
            return bool(values[name])
        return form.connection is not None and form.connection.secret_is_set(name)

    form.advise(problem for problem in rules.advisories(values, is_set) if problem.field not in form.errors)
