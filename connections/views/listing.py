"""The list of connections, with its filters in the address so that it can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connections import selectors
from connections.bulk import ACTS
from connections.choices import Kind, Security, Status
from connections.exchange.document import Format
from connections.models import Connection
from core.permissions import may, needs

PAGE_SIZE = 50
FAILURES_FIRST = "verdict"

_COLUMNS = (
    ("Name", "name"),
    ("Type", ""),
    ("Host", "host"),
    ("Security", "security"),
    ("Status", "status"),
    ("Last test", "verdict"),
)
_FILTERS: tuple[tuple[str, str, list[tuple[str, str]]], ...] = (
    ("kind", "Type", [(str(value), str(label)) for value, label in Kind.choices]),
    ("security", "Security", [(str(value), str(label)) for value, label in Security.choices]),
    ("verdict", "Last test", list(selectors.OUTCOMES)),
    ("status", "Status", [(str(value), str(label)) for value, label in Status.choices]),
)
_FILTER_NAMES = (*(name for name, _, _ in _FILTERS), "q", "name", "stale", "tag", "partner", "cluster", "host")


@needs(get="connections.view")
def connection_list(request: HttpRequest) -> HttpResponse:
    """Show the connections that match the filters in the address, failures first."""
    chosen = {name: request.GET.get(name, "") for name in (*_FILTER_NAMES, "ordering")}
    try:
        rows = selectors.connection_list({**chosen, "ordering": chosen["ordering"] or FAILURES_FIRST})
    except ValidationError as error:
        # An address that was typed or has aged: what cannot match anything is left out, and said.
        messages.warning(request, f"Not a filter of this list: {', '.join(sorted(error.error_dict))}.")
        chosen |= dict.fromkeys(error.error_dict, "")
        rows = selectors.connection_list({**chosen, "ordering": chosen["ordering"] or FAILURES_FIRST})
    # A count and slices are all that is asked of a list; the stubs would have a length too.
    paginator: Paginator[Connection] = Paginator(rows, PAGE_SIZE)  # type: ignore[arg-type]
    page = paginator.get_page(request.GET.get("page"))
    return render(
        request,
        "connections/list.html",
        {
            "page": page,
            "any": bool(page.paginator.count) or Connection.objects.exists(),
            "chosen": chosen,
            "filters": [
                {"name": name, "label": label, "options": options, "value": chosen[name]}
                for name, label, options in _FILTERS
            ],
            "chips": _chips(request, chosen),
            "export_formats": [format_.value for format_ in Format],
            "columns": _columns(request, chosen["ordering"] or FAILURES_FIRST),
            "filter_query": urlencode({name: chosen[name] for name in _FILTER_NAMES if chosen[name]}),
            "may_bulk": any(may(request.user, act) for act in ACTS.values()),
        },
    )


def _chips(request: HttpRequest, chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    words = {name: dict(options) for name, _, options in _FILTERS}
    labels = {name: label for name, label, _ in _FILTERS} | {"q": "Search"}
    chips = []
    for name in _FILTER_NAMES:
        if chosen[name]:
            value = words.get(name, {}).get(chosen[name], chosen[name])
            chips.append((f"{labels.get(name, name.capitalize())}: {value}", _address(request, **{name: None})))
    return chips


def _columns(request: HttpRequest, ordering: str) -> list[dict[str, str]]:
    columns = []
    for label, name in _COLUMNS:
        sort = {name: "ascending", f"-{name}": "descending"}.get(ordering, "") if name else ""
        url = _address(request, ordering=f"-{name}" if sort == "ascending" else name) if name else ""
        columns.append({"label": label, "url": url, "sort": sort})
    return columns


def _address(request: HttpRequest, **changes: str | None) -> str:
    query = request.GET.copy()
    query.pop("page", None)
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"{request.path}?{query.urlencode()}" if query else request.path
