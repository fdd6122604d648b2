"""The pages of definitions in files: the import with its plan, and the export of a list."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from connections.exchange import carrying, document, plan, secret_sources
from connections.exchange.carrying import Carried
from connections.exchange.document import Format
from connections.exchange.download import file_response
from connections.exchange.forms import ImportForm
from connections.exchange.plan import Action, Entry, Plan
from connections.selectors import FILTERS
from core.errors import Refused, invalid
from core.models import User
from core.permissions import needs
from core.requests import user_of

_MOST_ROWS = 300
"""Rows of a plan that a page shows; what is refused and what changes comes first."""

_ORDER = (Action.REFUSED, Action.CREATE, Action.UPDATE, Action.UNCHANGED)


@needs(get="connections.view")
def export(request: HttpRequest) -> HttpResponseBase:
    """Send the connections that match the filters in the address as a file."""
    filters = {name: request.GET.get(name, "") for name in FILTERS}
    try:
        return file_response(Format(request.GET.get("format", Format.YAML.value)), filters)
    except (ValidationError, ValueError):
        # An address that was typed or has aged; the list says what is no filter of it.
        messages.warning(request, "This cannot be exported: the address names no such format or filter.")
        return redirect("connections:list")


@needs(get="connections.edit", post="connections.edit")
def import_(request: HttpRequest) -> HttpResponse:
    """Take a file and show what it would do; apply it at the second button."""
    if request.method != "POST":
        return _page(request, ImportForm())
    sent: Carried | None = None
    try:
        sent = _sent(request)
        made = _planned(sent, user_of(request))
    except ValidationError as error:
        return _refused(request, sent, error, HTTPStatus.UNPROCESSABLE_ENTITY)
    except Refused as refusal:
        status = HTTPStatus.CONFLICT if refusal.code == "conflict" else HTTPStatus.UNPROCESSABLE_ENTITY
        return _refused(request, sent, invalid(refusal.code, refusal.detail), status)
    if request.POST.get("step") in {"apply", "partial"}:
        plan.apply(made, user=user_of(request), partial=request.POST["step"] == "partial")
        if made.applied and not made.refused:
            messages.success(request, _sentence(made))
            return redirect("connections:list")
    return _shown(request, sent, made)


def _sent(request: HttpRequest) -> Carried:
    if "carried" in request.POST:
        return carrying.unpack(request.POST["carried"], user_of(request).pk, timezone.now())
    return ImportForm(request.POST, request.FILES).carried()


def _planned(sent: Carried, user: User) -> Plan:
    read = document.read(sent.data, sent.format)
    return plan.make(read, secret_sources.as_it_stands, user=user, system=sent.system)


def _shown(request: HttpRequest, sent: Carried, made: Plan) -> HttpResponse:
    rows = sorted(made.entries, key=lambda entry: (_ORDER.index(entry.action), entry.place))
    context = {
        "plan": made,
        "rows": [_row(entry) for entry in rows[:_MOST_ROWS]],
        "more": max(0, len(rows) - _MOST_ROWS),
        "more_errors": made.error_count - sum(len(entry.errors) for entry in rows[:_MOST_ROWS]),
        "work": sum(entry.is_work for entry in rows),
        "sentence": _sentence(made),
    }
    form = ImportForm.again(sent, request.POST)
    try:
        context["carried"] = carrying.pack(sent, user_of(request).pk, timezone.now())
    except Refused as refusal:
        form.refuse(invalid(refusal.code, refusal.detail))
    sound = not made.refused or made.applied
    return _page(request, form, HTTPStatus.OK if sound else HTTPStatus.UNPROCESSABLE_ENTITY, **context)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry,
        "errors": [
            {"field": error["pointer"].lstrip("/"), "code": error["code"], "detail": error["detail"]}
            for error in entry.errors
        ],
    }


def _sentence(made: Plan) -> str:
    """Return what was done, or would be, in one sentence."""
    words = ("created", "changed") if made.applied else ("to create", "to change")
    counts = made.counts
    said = dict(zip((*words, "unchanged", "refused"), counts.values(), strict=True))
    if not counts[Action.REFUSED]:
        del said["refused"]
    return ", ".join(f"{count} {word}" for word, count in said.items()) + "."


def _refused(request: HttpRequest, sent: Carried | None, error: ValidationError, status: HTTPStatus) -> HttpResponse:
    form = ImportForm.again(sent, request.POST)
    form.refuse(error)
    return _page(request, form, status)


def _page(request: HttpRequest, form: ImportForm, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
    return render(request, "connections/exchange/import.html", {"form": form, **context}, status=status)
