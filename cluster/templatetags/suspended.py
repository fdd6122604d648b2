"""What every page shows of suspended sign-ins: how many wait for somebody."""

from __future__ import annotations

from django import template

from cluster.accounts import selectors

register = template.Library()


@register.simple_tag
def suspended_count() -> int:
    """Return the number of sign-ins that are suspended and that no other secret has overtaken."""
    return selectors.suspended_count()
