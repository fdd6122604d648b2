"""Bulk acts from the list: who is chosen, a page that asks before much is done, and the start of the batch."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from cluster.batches.choices import Action
from cluster.batches.services import Thing
from connections import bulk
from core.permissions import needs, parts, require
from core.requests import user_of

WITHOUT_ASKING = 50
"""Connections that are enabled, disabled or tested at once without a question: as many as a page shows."""

NAMED = 100
"""Names that the question lists; nobody reads more, and their number stands beside them."""


@needs(post=parts(*dict.fromkeys(bulk.ACTS.values()), note="each action takes its own act"))
def bulk_act(request: HttpRequest) -> HttpResponse:
    """Start what was asked for and lead to its progress; ask first where it deletes, or is more than a page.

    What is posted: `action`; `ids`, or `all` with the `filters` of the list as they were shown; `query`, the address
    of the list to come back to. The question posts the same once more, with `confirmed`: how many it had named.
    """
    if request.POST.get("action") not in Action.values:
        messages.error(request, "Choose what is to be done.")
        return _back(request)
    action = Action(request.POST["action"])
    require(request, bulk.ACTS[action])
    try:
        things = _things(request)
        if not things:
            messages.warning(request, "No connection was chosen. Tick some of them, or all that match.")
            return _back(request)
        confirmed = request.POST.get("confirmed", "")
        if confirmed != str(len(things)) and (confirmed or action == Action.DELETE or len(things) > WITHOUT_ASKING):
            return _ask(request, action, things, counted=confirmed)
        batch = bulk.request(action, things, user=user_of(request), reason=request.POST.get("reason", "").strip())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return _back(request)
    return redirect("cluster:batch", batch.pk)


def _things(request: HttpRequest) -> list[Thing]:
    if request.POST.get("all"):
        return bulk.by_filter(_filters(request))
    keys: dict[uuid.UUID, None] = {}
    for text in request.POST.getlist("ids"):
        try:
            keys[uuid.UUID(text)] = None
        except ValueError:
            continue  # no page of ours sends such a thing
    return bulk.by_ids(list(keys))


def _filters(request: HttpRequest) -> Mapping[str, str]:
    return QueryDict(request.POST.get("filters", "")).dict()  # of a repeated one the last


def _ask(request: HttpRequest, action: Action, things: list[Thing], *, counted: str) -> HttpResponse:
    context = {
        "action": action,
        "count": len(things),
        "counted": counted,
        "names": [thing.name for thing in things[:NAMED] if thing.name],
        "unnamed": max(0, len(things) - NAMED),
        "ids": [] if request.POST.get("all") else [thing.id for thing in things],
        "filters": request.POST.get("filters", ""),
        "query": request.POST.get("query", ""),
        "reason": request.POST.get("reason", ""),
        "back": _list_address(request),
    }
    # What was counted before has changed: it is a conflict, and the question is put again.
    status = HTTPStatus.CONFLICT if counted else HTTPStatus.OK
    return render(request, "connections/bulk.html", context, status=status)


def _back(request: HttpRequest) -> HttpResponse:
    return redirect(_list_address(request))


def _list_address(request: HttpRequest) -> str:
    query = QueryDict(request.POST.get("query", "")).urlencode()
    return reverse("connections:list") + (f"?{query}" if query else "")
