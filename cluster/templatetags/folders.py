"""The words in which people read what a mailbox holds: its folder, the next message, its folders, its subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.template import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString

from cluster import asides
from cluster.models import Job
from cluster.subject import ACT, SUBJECT
from cluster.templatetags.stages import store_type
from core.permissions import may
from core.templatetags.postern import minute

register = template.Library()

_UNREAD = frozenset({"GET_FIRST_UNREAD_MESSAGE", "GET_LAST_UNREAD_MESSAGE"})
_THEN = {"SEEN": "mark messages as read", "DELETE": "delete messages"}
"""What a disposition does with what was taken; KEEP needs no right."""

_RIGHTS = {
    "s": "s (mark messages as read)",
    "t": "t (mark messages as deleted)",
    "e": "e (remove what is marked as deleted)",
}
"""The rights of RFC 4314 that a disposition can need."""

_FEW = 12
"""Folders that are found at a glance; among more there is a search."""

_SIZES = ((1_000, "bytes", 1), (1_000_000, "kB", 1_000), (1_000_000_000, "MB", 1_000_000))


@register.simple_tag
def folder_facts(stage: Mapping[str, Any], job: Job) -> list[SafeString | str]:
    """Return in sentences what the stage `folder` saw: what is in it, what a poll would take, what may be done."""
    facts = stage.get("evidence") or {}
    if stage.get("outcome") == "failed":
        return [_separated(facts["separator"])] if facts.get("separator") and not facts.get("nearest") else []
    if facts.get("messages") is None:
        return []
    lines: list[SafeString | str] = [_holds(facts, job), _next(facts)]
    return lines + ([_rights(facts)] if store_type(job) == "IMAP" and facts.get("disposition") in _THEN else [])


@register.simple_tag
def folder_list(job: Job) -> dict[str, Any]:
    """Return the folders that a job has listed, how many the server has, and how many are not among them."""
    for stage in job.stages:
        folders = (stage.get("evidence") or {}).get("folders")
        if folders is not None:
            total = stage["evidence"].get("listed") or len(folders)
            shown = sorted(folders, key=lambda folder: (folder["name"].upper() != "INBOX", folder["name"].casefold()))
            return {"folders": shown, "total": total, "left_out": total - len(folders), "many": len(folders) > _FEW}
    return {}


@register.filter
def suggestions(stage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a stage proposes, best first: each is put into the form by one click."""
    facts = stage.get("evidence") or {}
    if facts.get("nearest"):
        return [{"folder": name} for name in facts["nearest"]]
    return [facts["suggestion"]] if facts.get("suggestion") else []


@register.simple_tag(takes_context=True)
def may_apply(context: RequestContext) -> bool:
    """Tell whether what a test proposes can be put into a form: it stands beside, and the user may change or try it."""
    user = context.get("user") or AnonymousUser()
    return bool(context.get("in_form")) and (may(user, "connections.edit") or may(user, "connections.draft"))


@register.filter
def use_folder(name: str) -> dict[str, str]:
    """Return a folder's name as proposed values."""
    return {"folder": name}


@register.simple_tag
def subject_state(job: Job, stage: Mapping[str, Any], user: AbstractBaseUser | AnonymousUser) -> str:
    """Return what becomes of the subject that was asked for: `waiting`, `gone`, `none`; empty where there is no say.

    It is for who asked for the test, and may see subjects, only: to everybody else it does not exist.
    """
    told = (stage.get("evidence") or {}).get("subject_available")
    if told is None or not job.is_final or job.requested_by_id != user.pk or not may(user, ACT):
        return ""
    if not told:
        return "none"
    return "waiting" if asides.waits(job.pk, SUBJECT) else "gone"


@register.filter
def moment(text: Any) -> datetime | None:
    """Return a moment that a report tells as ISO 8601; None where it is none."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


@register.filter
def size(number: int | None) -> str:
    """Return a number of bytes for people: `812 bytes`, `1.4 kB`, `14 kB`, `2.3 MB`."""
    if number is None:
        return ""
    for limit, unit, of in _SIZES:
        if number < limit or unit == "MB":
            value = number / of
            return f"{value:,.1f} {unit}" if of > 1 and value < 10 else f"{value:,.0f} {unit}"
    raise AssertionError


def _holds(facts: Mapping[str, Any], job: Job) -> SafeString:
    number = facts["messages"]
    holds = f"{number:,} message{'' if number == 1 else 's'}"
    if facts.get("unread") is not None:
        holds += f", {facts['unread']:,} unread"
    if number and facts.get("size") is not None:
        holds += f", {size(facts['size'])} in all"
    if store_type(job) == "POP3":
        return format_html("{}.", holds)
    return format_html("<bdi>{}</bdi>: {}.", facts.get("folder", ""), holds)


def _next(facts: Mapping[str, Any]) -> str:
    message = facts.get("would_take")
    if message:
        return f"A poll would take {_message(message)}."
    if not facts["messages"]:
        return "No message to take: it is empty."
    if facts.get("searched"):
        return f"No message to take among the {facts['searched']:,} that were looked at: none of them is unread."
    if facts.get("pull") in _UNREAD and not facts.get("unread"):
        return "No message to take: none is unread."
    return "The server does not tell which message a poll would take."


def _message(message: Mapping[str, Any]) -> str:
    uid, number = message.get("uid"), message.get("number")
    name = f"UID {uid}" if number is None else f"message {number}" + (f" (UID {uid})" if uid else "")
    came = minute(moment(message.get("date")))
    return ", ".join(part for part in (name + (f" of {came}" if came else ""), size(message.get("size"))) if part)


def _rights(facts: Mapping[str, Any]) -> str:
    act = _THEN[facts["disposition"]]
    missing = facts.get("rights_missing")
    if missing:
        return f"Missing rights: {_listed(_RIGHTS.get(right, right) for right in missing)}."
    if facts.get("rights") is None:
        return f"Whether the account may {act} is not known: this server does not tell rights."
    return f"The account may {act} here."


def _separated(separator: str) -> SafeString:
    return format_html("This server separates the parts of a name with <bdi>{}</bdi>", separator)


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
