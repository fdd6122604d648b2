"""The words in which people read the results of a batch."""

from __future__ import annotations

from django import template

from cluster.batches.choices import Action, ItemState, Rank
from cluster.batches.models import Batch, BatchItem
from cluster.choices import Verdict
from cluster.templatetags.stages import code_words

register = template.Library()

_DONE = {
    Action.ENABLE: "Enabled",
    Action.DISABLE: "Disabled",
    Action.TEST: "Tested",
    Action.DELETE: "Deleted",
}
_DOING = {
    Action.ENABLE: "Enabling",
    Action.DISABLE: "Disabling",
    Action.TEST: "Testing",
    Action.DELETE: "Deleting",
}
_STATES = {
    Rank.FAILED: "failure",
    Rank.SKIPPED: "stopped",
    Rank.CANCELLED: "stopped",
    Rank.WARNING: "warning",
    Rank.RUNNING: "running",
    Rank.WAITING: "pending",
    Rank.DONE: "success",
}


@register.simple_tag
def item_result(item: BatchItem, batch: Batch) -> dict[str, str]:
    """Return the state (for `state_icon`) and the words of a result."""
    return {"state": _STATES[Rank(item.rank)], "text": _words(item, Action(batch.action))}


def _words(item: BatchItem, action: Action) -> str:
    if item.state == ItemState.DONE and item.verdict == Verdict.SUCCESS:
        return code_words(item.code) if item.code else "Successful"
    if item.state == ItemState.DONE and not item.verdict:
        return "Nothing to do" if item.code == "unchanged" else _DONE[action]
    if item.state == ItemState.RUNNING:
        return "Testing"
    return code_words(item.code) if item.code else item.get_state_display()


@register.filter
def headline(batch: Batch) -> str:
    """Return what a batch did, does or should have done: `Testing 120 connections`."""
    return f"{_DOING[Action(batch.action)]} {_things(batch)}"


def _things(batch: Batch) -> str:
    return f"{batch.total:,} {batch.kind if batch.total == 1 else batch.kind + 's'}"


@register.filter
def rank_words(ranks: dict[Rank, int]) -> str:
    """Return counts as words, what needs attention first: `3 failed, 97 done`."""
    return ", ".join(f"{count:,} {rank.label.lower()}" for rank, count in ranks.items() if count)
