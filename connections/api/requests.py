"""What the REST views of definitions read out of a request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.request import Request

from connections import testing
from connections.models import Connection
from connections.selectors import FILTERS, find
from connections.testing import Target
from core.api import PAGES, refuse_unknown_filters
from core.errors import invalid
from core.permissions import require

_CHECKS = frozenset({"subject"})


def filters_of(request: Request, known: Collection[str] = (*FILTERS, "ordering")) -> dict[str, str]:
    """Return the filters of a list; raise `unknown_field`."""
    refuse_unknown_filters(request, PAGES.union(known))
    return request.query_params.dict()


@dataclass(frozen=True, slots=True)
class Asked:
    """How a test is to run: the target, and whether every STENG of it runs one."""

    target: Target
    everywhere: bool

    def targets(self, default: Connection | None) -> list[Target]:
        """Return one target for each test."""
        return testing.every_steng(self.target, default) if self.everywhere else [self.target]


def asked_of(request: Request, body: Mapping[str, Any], where: Mapping[str, Any]) -> Asked:
    """Return how a test is to run; `where` holds cluster and STENG. To see a subject takes an act of its own."""
    target = Target(
        cluster=where.get("cluster"),
        steng=where.get("steng"),
        depth=testing.parse_depth(body.get("depth", "full")),
        subject=_checks(body.get("checks")),
    )
    if target.subject:
        require(request, "connections.subject")
    everywhere = body.get("all_stengs", False)
    if not isinstance(everywhere, bool):
        raise ValidationError({"all_stengs": [invalid("invalid_type", "Expected true or false.")]})
    return Asked(target, everywhere)


def based_on(reference: Any, kind: str) -> Connection | None:
    """Return the connection whose stored secrets a draft may use; raise `not_found`."""
    if reference is None:
        return None
    if isinstance(reference, Mapping):
        reference = reference.get("id")
    row = find(reference, kind) if isinstance(reference, str) else None
    if row is None:
        raise ValidationError({"connection": [invalid("not_found", "There is no such connection.")]})
    return row


def _checks(value: Any) -> bool:
    if value is None:
        return False
    if not isinstance(value, Mapping):
        raise ValidationError({"checks": [invalid("invalid_type", "Expected an object.")]})
    unknown = sorted(set(value) - _CHECKS)
    if unknown:
        raise ValidationError({"checks": [invalid("not_available", f"There is no check “{unknown[0][:80]}” here.")]})
    wanted = value.get("subject", False)
    if not isinstance(wanted, bool):
        raise ValidationError({"checks": [invalid("invalid_type", "subject: expected true or false.")]})
    return wanted
