"""The page of the audit log."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from core.audit import filters, selectors, shown
from core.audit.acts import ACTS, DOORS, GROUPS, KINDS, group_of
from core.permissions import ActMixin, may

PAGE_SIZE = 50


class AuditLogView(ActMixin, View):
    """What was done, newest first, with its filters in the address so that it can be sent to somebody.

    Context: `rows`, `older` and `newer` (places or None), `searched_on`, `any`, `count`, `chosen` (the filters as they
    are), `acts` (group, label and its acts), `kinds`, `doors`, `filtered`.
    """

    acts = {"get": "audit.view"}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show a page of events; what cannot be a filter is left out, and said."""
        chosen = {name: request.GET.get(name, "").strip() for name in (*filters.NAMES, "older", "newer")}
        wanted = _read(request, chosen)
        older, newer = (_place(chosen[name]) for name in ("older", "newer"))
        page = selectors.page(wanted, PAGE_SIZE, older=older, newer=newer)
        context = {
            "rows": shown.rows(page.events, partial(may, request.user)),
            "page": page,
            "count": selectors.count(wanted),
            "chosen": chosen,
            "filtered": any(chosen[name] for name in filters.NAMES),
            "acts": _acts(),
            "kinds": KINDS,
            "doors": list(DOORS.items()),
        }
        return render(request, "core/audit.html", context)


def _read(request: HttpRequest, chosen: dict[str, str]) -> filters.Filters:
    try:
        return filters.read(chosen)
    except ValidationError as error:
        # An address that was typed or has aged: what cannot match anything is left out, and said.
        messages.warning(request, f"Not a filter of this log: {', '.join(sorted(error.error_dict))}.")
        chosen |= dict.fromkeys(error.error_dict, "")
        return filters.read(chosen)


def _place(text: str) -> selectors.Place | None:
    try:
        return selectors.read_place(text)
    except ValidationError:
        return None  # the newest events answer an address that has lost its place


def _acts() -> list[tuple[str, str, list[tuple[str, str]]]]:
    grouped: list[tuple[str, str, list[tuple[str, str]]]] = []
    for group, label in GROUPS.items():
        acts = [(act, act.partition(".")[2].replace("_", " ")) for act in ACTS if group_of(act) == group]
        grouped.append((group, label, acts))
    return grouped
