"""Who may do what: one table of acts, each with the permission and the token scope that it takes.

Whoever is logged in may read. Everything else is an act of this table, asked for by the same name
in pages, in the API and in templates (`{% if may.connections.edit %}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import permissions
from rest_framework.request import Request

from core.models import ApiToken, Scope

if TYPE_CHECKING:
    # REST framework reads its settings, which name this module, while it loads its views.
    from rest_framework.views import APIView

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Act:
    """Something a user may be permitted to do; `phrase` completes "You may not …"."""

    permission: str
    scope: Scope
    phrase: str


ACTS: Mapping[str, Act] = {
    "connections.edit": Act("connections.change_connection", Scope.FULL, "change connections"),
    "connections.test": Act("connections.test_connection", Scope.TEST, "run tests"),
    "trust.decide": Act("untrusted_cache.decide_trust", Scope.FULL, "decide which certificates are trusted"),
    "clusters.manage": Act("cluster.change_cluster", Scope.FULL, "change clusters and STENGs"),
    "users.manage": Act("core.change_user", Scope.FULL, "change users"),
}

ROLES: Mapping[str, tuple[str, ...]] = {
    "viewer": (),
    "operator": ("connections.test",),
    "admin": tuple(ACTS),
}
"""The groups that `core.services.ensure_roles` makes; an installation may make others."""

_SCOPES: Mapping[str, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.TEST: frozenset({Scope.READ, Scope.TEST}),
    Scope.FULL: frozenset(Scope),
}


def may(user: AbstractBaseUser | AnonymousUser, act: str) -> bool:
    """Tell whether a user may do an act of the table; KeyError for an act that is not in it."""
    permission = ACTS[act].permission
    return bool(user.is_active) and user.has_perm(permission)  # type: ignore[union-attr]


def require(user: AbstractBaseUser | AnonymousUser, act: str) -> None:
    """Raise PermissionDenied with a sentence where a user may not do an act."""
    if not may(user, act):
        raise PermissionDenied(f"You may not {ACTS[act].phrase}.")


def scope_allows(token: ApiToken, needed: Scope) -> bool:
    """Tell whether the scope of a token covers the one that is needed."""
    return needed in _SCOPES[token.scope]


class ActionPermission(permissions.BasePermission):
    """Let who is logged in read, and do what the view's `acts` name and the user is permitted.

    `acts` maps the action of a viewset, or the method in lower case, to an act of the table, or to ""
    for what changes nothing that needs permission. An unsafe method that is not in it is refused: a
    view that forgot to say what it takes is closed, not open.
    """

    message = "You may not do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Decide by user and, where a token was used, by its scope too; a refused request says what it lacks."""
        if not request.user.is_authenticated:
            return False
        if request.method not in view.allowed_methods and request.method != "OPTIONS":
            return True  # the answer is 405, which the view gives itself
        act = _declared(view, getattr(view, "action", None) or "", request.method or "")
        needed = ACTS[act].scope if act else Scope.READ
        if act is None:
            return False
        if isinstance(request.auth, ApiToken) and not scope_allows(request.auth, needed):
            self.message = f"The scope of this token, {request.auth.scope}, does not allow this: {needed} is needed."
            return False
        if act and not may(request.user, act):
            self.message = f"You may not {ACTS[act].phrase}."
            return False
        return True


class ActMixin:
    """Let a page do what its `acts` (method in lower case -> act) name and the user is permitted; reading is free."""

    acts: Mapping[str, str] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or raise PermissionDenied with a sentence."""
        act = _declared(self, "", request.method or "")
        if act is None:
            raise PermissionDenied("You may not do this.")
        if act and not may(request.user, act):
            raise PermissionDenied(f"You may not {ACTS[act].phrase}.")
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]


class _Allowed:
    """The acts of one area for templates: `may.connections.edit`."""

    def __init__(self, user: AbstractBaseUser | AnonymousUser, area: str = "") -> None:
        self._user = user
        self._area = area

    def __getitem__(self, name: str) -> _Allowed | bool:
        return may(self._user, f"{self._area}.{name}") if self._area else _Allowed(self._user, name)


def context(request: HttpRequest) -> dict[str, Any]:
    """Offer `may` to every template (a context processor)."""
    return {"may": _Allowed(getattr(request, "user", AnonymousUser()))}


def _declared(view: object, action: str, method: str) -> str | None:
    """Return the act that a view declares for a request; "" where it takes none, None where nothing was said."""
    acts: Mapping[str, str] = getattr(view, "acts", {})
    if action and action in acts:
        return acts[action]
    if method.lower() in acts:
        return acts[method.lower()]
    return "" if method in SAFE_METHODS else None
