"""The pages of one SMTP connection: form, delete, test, and the answer to one changed field.

Each view translates the request, makes one domain call and translates the answer back. Every page works
without a script; htmx asks for fragments of the same templates.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control

from cluster.models import Cluster, Job
from cluster.selectors import job_by_id
from connections import rules, selectors, services, testing
from connections.candidate import build
from connections.forms import SmtpForm, applied, as_texts, usual_ports
from connections.models import SmtpConnection
from core.errors import Refused
from core.models import User
from core.permissions import either, may, needs, require

_FORM = either("connections.edit", "connections.draft", note="who may only test drafts saves nothing")
_TEST = either("connections.draft", "connections.test", note="who may not test drafts tests what is saved")


@needs(get=_FORM, post=_FORM)
def smtp_new(request: HttpRequest) -> HttpResponse:
    """Show an empty form, or save it as a new connection."""
    return _form(request, None)


@needs(get="connections.view", post=_FORM)
def smtp_edit(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a saved connection, or save what was changed."""
    return _form(request, get_object_or_404(selectors.smtp_connections(), pk=pk))


def _form(request: HttpRequest, connection: SmtpConnection | None) -> HttpResponse:
    if request.method == "GET":
        return _show(request, connection)
    if "apply" in request.POST or "prefer" in request.POST:
        form = SmtpForm(applied(request.POST), connection=connection)
        _judge(form, connection, shown=set())
        return _page(request, form, connection)
    require(request, "connections.edit")
    return _save(request, connection)


def _show(request: HttpRequest, connection: SmtpConnection | None) -> HttpResponse:
    job = _asked_job(request, connection)
    saved = as_texts(SmtpForm(connection=connection).initial)
    tested = job.definition if job is not None and "test" in request.GET else None
    if (
        tested is not None
        and connection is not None
        and as_texts(tested) == {name: saved[name] for name in as_texts(tested)}
    ):
        tested = None
    form = SmtpForm(connection=connection, tested=tested)
    if connection is not None and tested is None:
        form.advise(connection.advisories())
    return _page(request, form, connection, job=job, tested=tested is not None)


def _asked_job(request: HttpRequest, connection: SmtpConnection | None) -> Job | None:
    """Return the test that the address names, else the latest one of the connection."""
    if "test" not in request.GET:
        return connection.last_test.job if connection is not None else None
    try:
        key = uuid.UUID(request.GET["test"])
    except ValueError:
        return None
    job = job_by_id(key, request.user)
    # A test of another connection says nothing about this one, and neither its values nor those of somebody's
    # draft belong here: a sent link would put a foreign host beside the request to type the password.
    own = connection.pk if connection is not None else None
    return job if job is not None and own in {job.connection_id, job.draft_of} else None


def _save(request: HttpRequest, connection: SmtpConnection | None) -> HttpResponse:
    form = SmtpForm(request.POST, connection=connection)
    try:
        saved = services.save_smtp(
            connection,
            form.values,
            user=_user(request),
            expected_version=_version(request) if connection is not None else None,
        )
    except ValidationError as error:
        form.refuse(error)
        _advise_anyway(form, connection)
        return _page(request, form, connection, status=422)
    except Refused as refusal:
        form.add_error(None, f"{refusal.detail} What you typed is still here; saving again overwrites the change.")
        return _page(request, form, connection, status=409)
    _tell(request, saved)
    if request.POST.get("then") == "another":
        return redirect("connections:smtp-new")
    return redirect("connections:smtp-edit", pk=saved.connection.pk)


def _tell(request: HttpRequest, saved: services.Saved) -> None:
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
            messages.warning(request, f"{SmtpForm().fields[problem.field].label}: {problem.detail}")


@needs(get="connections.edit", post="connections.edit")
def smtp_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask whether the connection is to be deleted, and delete it."""
    connection = get_object_or_404(selectors.smtp_connections(), pk=pk)
    if request.method == "GET":
        return render(request, "connections/smtp_delete.html", {"connection": connection})
    try:
        services.delete(connection, expected_version=_version(request))
    except Refused as refusal:
        messages.error(request, refusal.detail)
        if refusal.code == "not_found":
            return redirect("connections:list")
        return redirect("connections:smtp-edit", pk=pk)
    messages.success(request, f"{connection.name} is deleted.")
    return redirect("connections:list")


@needs(post="connections.draft")
def smtp_test_draft(request: HttpRequest) -> HttpResponse:
    """Test what is on the screen of a new connection."""
    return _test(request, None)


@needs(post=_TEST)
def smtp_test(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Test what is on the screen of a saved connection, or with `saved` the connection as it is."""
    connection = get_object_or_404(selectors.smtp_connections(), pk=pk)
    return _test_saved(request, connection) if "saved" in request.POST else _test(request, connection)


def _test_saved(request: HttpRequest, connection: SmtpConnection) -> HttpResponse:
    """Test where the last test ran, so that "test again" on another page repeats it."""
    require(request, "connections.test")
    last = connection.last_test.job
    target = testing.Target({"id": str(last.cluster_id)} if last is not None and last.cluster_id else None)
    address = reverse("connections:smtp-edit", args=[connection.pk])
    try:
        job = testing.request_test(connection, target, user=_user(request))
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect(f"{address}#test")
    return redirect(f"{address}?test={job.pk}#test")


def _test(request: HttpRequest, connection: SmtpConnection | None) -> HttpResponse:
    form = SmtpForm(request.POST, connection=connection)
    target = testing.Target(request.POST.get("test_cluster") or None, request.POST.get("test_steng") or None)
    try:
        if connection is not None and not may(request.user, "connections.draft"):
            # Whoever may test saved connections only tests this one as it is saved, whatever the page holds.
            job = testing.request_test(connection, target, user=_user(request))
        else:
            job = testing.request_draft_test(form.values, connection, target, user=_user(request))
    except ValidationError as error:
        form.refuse(error)
        _advise_anyway(form, connection)
        return _not_tested(request, form, connection, [])
    except Refused as refusal:
        return _not_tested(request, form, connection, [("test_cluster", "Cluster", refusal.detail)])
    if _is_htmx(request):
        return render(
            request, "connections/_tested.html", {"job": job, "in_form": True, "announce": True, "form": form}
        )
    address = reverse("connections:smtp-edit", args=[connection.pk]) if connection else reverse("connections:smtp-new")
    return redirect(f"{address}?test={job.pk}#test")


def _not_tested(
    request: HttpRequest, form: SmtpForm, connection: SmtpConnection | None, problems: list[tuple[str, str, str]]
) -> HttpResponse:
    problems = problems + form.summary() + [("", "", str(text)) for text in form.non_field_errors()]
    if _is_htmx(request):
        context = {"form": form, "test_problems": problems}
        return render(request, "connections/_tested.html", context, status=422)
    return _page(
        request,
        form,
        connection,
        status=422,
        test_problems=problems,
        summary_title="Not tested: please look at these fields",
    )


@needs(post=_FORM)
def smtp_check(request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
    """Answer a changed field with the notes of every field; errors only where somebody was already."""
    connection = get_object_or_404(selectors.smtp_connections(), pk=pk) if pk is not None else None
    form = SmtpForm(request.POST, connection=connection)
    _judge(form, connection, shown=set(request.POST.get("_shown", "").split(",")))
    return render(request, "connections/_checked.html", {"form": form})


def _judge(form: SmtpForm, connection: SmtpConnection | None, *, shown: set[str]) -> None:
    """Put errors (of the fields in `shown`, and of secrets that must be typed again) and advice on the form."""
    try:
        candidate = build(form.values, connection, partial=False)
    except ValidationError as error:
        kept = {
            name: problems
            for name, problems in error.error_dict.items()
            if name in shown or any(problem.code == "secret_must_be_retyped" for problem in problems)
        }
        if kept:
            form.refuse(ValidationError(kept))
        _advise_anyway(form, connection)
    else:
        form.advise(candidate.advisories)


def _advise_anyway(form: SmtpForm, connection: SmtpConnection | None) -> None:
    """Give advice on a definition that has errors elsewhere; a value that does not convert is left out."""
    values = {name: value for name, value in form.values.items() if name not in form.errors}
    values.setdefault("authentication_type", "BASIC")

    def is_set(name: str) -> bool:
        if name in values:
            return bool(values[name])
        return connection is not None and connection.secret_is_set(name)

    form.advise(problem for problem in rules.advisories(values, is_set) if problem.field not in form.errors)


@needs(get="connections.view")
@cache_control(private=True, max_age=3600)
def conditions(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Return the stylesheet that hides conditional fields where no script does, made from the one declaration."""
    lines = []
    for condition in dict.fromkeys(rules.CONDITIONS.values()):
        if condition.minimum is not None:
            # CSS compares no numbers: an empty control hides the field, a typed 0 is left to the server.
            lines.append(
                f'form:has([name="{condition.controller}"]:placeholder-shown) '
                f'[data-show-if="{condition.attribute}"]{{display:none}}'
            )
            continue
        chosen = ",".join(f'[name="{condition.controller}"][value="{value}"]:checked' for value in condition.values)
        lines.append(f'form:not(:has({chosen})) [data-show-if="{condition.attribute}"]{{display:none}}')
    return HttpResponse("\n".join(lines) + "\n", content_type="text/css; charset=utf-8")


def _page(
    request: HttpRequest,
    form: SmtpForm,
    connection: SmtpConnection | None,
    *,
    job: Job | None = None,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    stengs = dict(form.fields["steng"].options)  # type: ignore[attr-defined]
    clusters = list(Cluster.objects.values_list("name", flat=True).order_by("name_key"))
    asked: Mapping[str, Any] = request.POST if form.is_bound else {}
    key = [connection.pk] if connection is not None else []
    kind = "" if connection is not None else "-draft"
    return render(
        request,
        "connections/smtp_form.html",
        {
            "form": form,
            "connection": connection,
            "version": connection.version if connection is not None else "",
            "shown": ",".join(form.errors),
            "action": reverse("connections:smtp-edit", args=key) if key else reverse("connections:smtp-new"),
            "check_url": reverse("connections:smtp-check" if key else "connections:smtp-check-draft", args=key),
            "test_url": reverse(f"connections:smtp-test{kind}", args=key),
            "usual_ports": usual_ports(),
            "clusters": clusters,
            "only_cluster": len(clusters) == 1,
            "stengs": list(stengs.items()),
            "test_cluster": asked.get("test_cluster") or (job.cluster_name if job else form["cluster"].value()),
            "test_steng": asked.get("test_steng") or (job.steng_name if job else form["steng"].value()),
            "job": job,
            "in_form": True,
            "again": _again(request, job) if job is not None and not job.is_final else "",
            **extra,
        },
        status=status,
    )


def _again(request: HttpRequest, job: Job) -> str:
    """Return the address by which the page reloads itself where no script does.

    The turn makes it another address each time: one that differs in nothing but `#test` would be a jump, not a load.
    """
    turn = request.GET.get("turn", "")
    number = int(turn) + 1 if turn.isascii() and turn.isdigit() and len(turn) < 6 else 1
    return f"?test={job.pk}&turn={number}#test"


def _version(request: HttpRequest) -> int | None:
    """Return the version that the page was made from, None where it says none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _user(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)
    return user


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
