"""The small parts that every page is made of: navigation, icons of state, times, durations, fingerprints, fields.

`{% load postern %}` and use them; each renders a template of `templates/components/` or plain escaped text.
They know no app: what they show is handed to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField
from django.template import RequestContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import wording

register = template.Library()

_ICONS = {
    "ok": ("check-circle", "Passed"),
    "success": ("check-circle", "Successful"),
    "warning": ("exclamation-triangle", "Warning"),
    "failed": ("exclamation-circle", "Failed"),
    "failure": ("exclamation-circle", "Failed"),
    "stopped": ("minus-circle", "No verdict"),
    "skipped": (None, "Not run"),
    "pending": (None, "Waiting"),
    "running": (None, "Running"),
}
_STATES = {
    "success": "ok",
    "ok": "ok",
    "warning": "warning",
    "failure": "failed",
    "failed": "failed",
    "skipped": "skipped",
    "running": "running",
}
_UNITS = ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600))


@register.inclusion_tag("components/nav_item.html", takes_context=True)
def nav_item(context: RequestContext, label: str, icon: str, view: str, count: int | str = "") -> dict[str, Any]:
    """Show one entry of the navigation; nothing where the page does not exist."""
    try:
        url = reverse(view)
    except NoReverseMatch:
        return {"url": ""}
    request = context.get("request")
    here = request is not None and (request.path == url or (url != "/" and request.path.startswith(url)))
    return {"url": url, "label": label, "icon": icon, "count": count, "here": here}


@register.inclusion_tag("components/state_icon.html")
def state_icon(state: str, size: int = 20, *, silent: bool = False) -> dict[str, Any]:
    """Show the icon of a verdict or of the outcome of a stage, with its word for those who do not see it.

    `silent` leaves the word out where it stands beside the icon anyway.
    """
    icon, word = _ICONS.get(state, _ICONS["stopped"])
    return {"icon": icon, "word": "" if silent else word, "state": state_class(state), "size": size}


@register.filter
def state_class(state: str | None) -> str:
    """Return the name of the state class (`is-…`) of a verdict or an outcome."""
    return _STATES.get(state or "", "stopped")


@register.filter
def duration(milliseconds: float | None) -> str:
    """Return a duration for people: `0.4 ms`, `38 ms`, `2.41 s`; empty where there is none."""
    if milliseconds is None:
        return ""
    if milliseconds < 1:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 10_000 and round(milliseconds) < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s"


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """Show a moment with its zone as a `<time>`; empty where there is none."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return format_html(
        '<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), _written(local, "%d %b %Y %H:%M:%S %Z")
    )


@register.filter
def day(moment: datetime | None) -> SafeString | str:
    """Show the day of a moment as a `<time>`: `3 Nov 2026`."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    written = _written(local, "%d %b %Y")
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), written)


@register.filter
def minute(moment: datetime | None) -> str:
    """Return a moment to the minute, for a sentence: `3 Nov 2026 10:12 UTC`."""
    return "" if moment is None else _written(timezone.localtime(moment), "%d %b %Y %H:%M %Z")


@register.filter
def age(moment: datetime | None, now: datetime | None = None) -> SafeString | str:
    """Show how long ago a moment was (`4 min ago`), the exact moment in the title."""
    if moment is None:
        return ""
    seconds = max(0, int(((now or timezone.now()) - moment).total_seconds()))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        _written(timezone.localtime(moment), "%d %b %Y %H:%M:%S %Z"),
        _ago(seconds),
    )


def _ago(seconds: int) -> str:
    if seconds < 10:
        return "just now"
    for limit, unit, size in _UNITS:
        if seconds < limit:
            return f"{seconds // size} {unit} ago"
    days = seconds // 86_400
    if days < 60:
        return "yesterday" if days == 1 else f"{days} days ago"
    return f"{days // 30} months ago" if days < 730 else f"{days // 365} years ago"


def _written(moment: datetime, pattern: str) -> str:
    # English month names whatever the locale of the host, and no leading zero of the day.
    return moment.strftime(pattern).lstrip("0")


@register.filter
def fingerprint(text: str) -> SafeString:
    """Show a SHA-256 fingerprint in two lines of colon-separated pairs; copying it gives one string without breaks."""
    pairs = [text[place : place + 2].upper() for place in range(0, len(text), 2)]
    half = (len(pairs) + 1) // 2
    return format_html(
        '<span class="fingerprint" data-fingerprint="{}"><span>{}:</span><span>{}</span></span>',
        text,
        ":".join(pairs[:half]),
        ":".join(pairs[half:]),
    )


@register.inclusion_tag("components/field.html", takes_context=True)
def field(
    context: RequestContext, bound: BoundField, span: str = "", look: str = "", mark: bool | None = None
) -> dict[str, Any]:
    """Show one field of a form: label and mark, control, help, error, advice and condition, all tied together.

    `span` is `half`, `third` or `two-thirds` of the row, empty is the whole row. A form field may
    say more about itself: `look` (which control), `mark` (mandatory; else as `required` says), `show_if`,
    `marked_if`, `advice`, `input_type`.
    """
    about = bound.field
    look = look or getattr(about, "look", "plain")
    return {
        "request": context.get("request"),
        "field": bound,
        "about": about,
        "span": span,
        "look": look,
        # Django's own widget, told where our notes stand.
        "widget": bound.as_widget(attrs={"aria-describedby": f"{bound.auto_id}-notes"}) if look == "plain" else "",
        "control": f"components/control_{look}.html",
        "group": look in {"radios", "names", "suites", "checks"},
        "marked": getattr(about, "mark", about.required) if mark is None else mark,
    }


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: RequestContext, page: Page[Any], noun: str = "rows") -> dict[str, Any]:
    """Show which rows of how many are on this page, and the links to the neighbours; filters stay in the URL."""
    return {"page": page, "noun": noun, "request": context.get("request")}


@register.filter
def as_query(values: Mapping[str, object]) -> str:
    """Return proposed values as the query string that an apply button carries."""
    return urlencode(values, doseq=True)


@register.filter
def as_words(values: Mapping[str, object]) -> str:
    """Return proposed values for people: `port 587, STARTTLS`."""
    return wording.proposal(values)


@register.filter
def field_labels(names: Iterable[str]) -> str:
    """Return names of fields for people: `match server hostname, password`."""
    return ", ".join(map(wording.label_of, names))


@register.filter
def error_lines(form: BaseForm) -> list[tuple[str, str, str]]:
    """Return (id to jump to, label, sentence) of every field error of a form, as the error summary shows them."""
    return [
        (bound.id_for_label or bound.auto_id, str(bound.label), str(text)) for bound in form for text in bound.errors
    ]
