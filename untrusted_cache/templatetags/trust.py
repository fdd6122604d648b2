"""What every page shows of trust: how many chains wait for a decision."""

from __future__ import annotations

from django import template

from untrusted_cache import selectors

register = template.Library()


@register.simple_tag
def untrusted_count() -> int:
    """Return the number of presented chains that nobody has decided on yet."""
    return selectors.untrusted_count()
