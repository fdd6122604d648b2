"""Who may do what: every view, page of the admin and command declares the act that it takes, and asks here.

The acts and the roles stand in `core.acts`; `docs/roles.md` is made from them and from the declarations. Closed by
default: what declares no act for a method is refused, reading included.

Who may not see the things of an area is told that there are none: an address of one thing answers 404, as for a
thing that does not exist. A list answers 403 with a sentence, because everybody knows that there are lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from rest_framework import permissions
from rest_framework.request import Request

from core.acts import ACTS, ADMINISTRATOR, ROLES, Act, codename_of
from core.choices import Scope

if TYPE_CHECKING:
    # REST framework reads its settings, which name this module, while it loads its views.
    from rest_framework.views import APIView

__all__ = [
    "ACTS",
    "ADMINISTRATOR",
    "ANYONE",
    "HOST",
    "LOGGED_IN",
    "ROLES",
    "Act",
    "ActMixin",
    "ActionPermission",
    "Declared",
    "Need",
    "acts_of",
    "admit",
    "codename_of",
    "either",
    "has",
    "hide",
    "is_detail",
    "may",
    "need_of",
    "needs",
    "outranks",
    "owner_or",
    "parts",
    "require",
    "visible",
]

P = ParamSpec("P")
User = AbstractBaseUser | AnonymousUser

ANYONE = "anyone"
"""Declared by what answers strangers too: the log-in page and health."""
LOGGED_IN = "logged in"
"""Declared by what is everybody's own: the account, the theme, the description of the API."""

HOST = "host"
"""Declared by commands that keep the console itself running: nothing that a user of it could do."""

_NO_THING = frozenset({"kind", "wish"})
"""Parts of an address that choose a kind of page; every other part names a thing."""

_SCOPES: Mapping[str, frozenset[Scope]] = {
    Scope.READ: frozenset({Scope.READ}),
    Scope.TEST: frozenset({Scope.READ, Scope.TEST}),
    Scope.FULL: frozenset(Scope),
}
_REFUSED = "You may not do this."


@dataclass(frozen=True, slots=True)
class Need:
    """What a method takes: one of `acts`; with `owner`, seeing the thing is enough for who asked for it.

    Where there is more than one act, or an owner, the view decides the rest; `note` says in the role table what. The
    first act opens everything, unless each of them opens a part only.
    """

    acts: tuple[str, ...]
    owner: bool = False
    parts: bool = False
    note: str = ""


Declared = str | Need


def either(*acts: str, note: str) -> Need:
    """Declare that each of several acts opens a method; `note` says how far each goes, which the view enforces."""
    return Need(acts, note=note)


def parts(*acts: str, note: str) -> Need:
    """Declare that each of several acts opens a part of a method, as `note` says and the view enforces."""
    return Need(acts, parts=True, note=note)


def owner_or(act: str, note: str) -> Need:
    """Declare that a method takes an act, unless the thing is the user's own, which the view finds out."""
    return Need((act,), owner=True, note=note)


def may(user: User, act: str) -> bool:
    """Tell whether a user, with the token he came with, may do an act of the table; KeyError for one not in it."""
    return has(user, act) and _reaches(user, _scope(act))


def has(user: User, act: str) -> bool:
    """Tell whether a user was given an act, however far his token goes: so is decided what there is for him to see."""
    if act == ANYONE:
        return True
    if act == LOGGED_IN:
        return bool(user.is_authenticated)
    if act not in ACTS:
        raise KeyError(act)
    return bool(user.is_active) and user.has_perm(f"core.{codename_of(act)}")  # type: ignore[union-attr]


def acts_of(user: User) -> frozenset[str]:
    """Return every act that a user may do."""
    return frozenset(act for act in ACTS if may(user, act))


def outranks(user: User, other: User) -> bool:
    """Tell whether a user may do whatever another may: only then he may hold the other's account in his hands."""
    if getattr(user, "is_superuser", False):
        return True
    return not getattr(other, "is_superuser", False) and _granted(other) <= acts_of(user)


def _granted(user: User) -> frozenset[str]:
    """Return the acts that were given to a user, who may be inactive at present: whoever wakes him up has them."""
    if user.pk is None:
        return frozenset()
    given = Permission.objects.filter(Q(user=user.pk) | Q(group__user=user.pk), content_type__app_label="core")
    names = set(given.values_list("codename", flat=True))
    return frozenset(act for act in ACTS if codename_of(act) in names)


def require(request: HttpRequest | Request, act: str) -> None:
    """Raise PermissionDenied, with a sentence, unless the user of a request (and its token) may do an act."""
    refusal = _refusal(request, Need((act,)))
    if refusal:
        raise PermissionDenied(refusal)


def visible(user: User, act: str) -> None:
    """Raise Http404 unless a user may do an act: to who may not see a thing, there is none."""
    if not may(user, act):
        raise Http404


def needs(
    **acts: Declared,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """Declare what the methods of a page take: `@needs(get="tests.view", post="tests.cancel")`; no other is answered.

    `head` is answered where `get` is the only one: a view that asks "is it GET, or not?" would otherwise take the
    question of a browser, or of a site that it was lured to, for the act.
    """
    declared = {**acts, "head": acts["get"]} if set(acts) == {"get"} else dict(acts)

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            method = (request.method or "").lower()
            if method not in declared:
                return HttpResponseNotAllowed([name.upper() for name in declared])
            admit(request, _need(declared[method]), kwargs)
            return view(request, *args, **kwargs)

        guarded.acts = declared  # type: ignore[attr-defined]
        return guarded

    return decorate


class ActMixin:
    """A page of a class: `acts` says what each of its methods (in lower case) takes; `head` takes what `get` does."""

    acts: Mapping[str, Declared] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or raise PermissionDenied with a sentence, or Http404 for a thing that must not be known."""
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):  # type: ignore[attr-defined]
            # Here and not in the view: some of Django's answer before they look at the method.
            return self.http_method_not_allowed(request, *args, **kwargs)  # type: ignore[attr-defined,no-any-return]
        need = need_of(self.acts, method)
        if need is None:
            raise PermissionDenied(_REFUSED)
        admit(request, need, kwargs)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc,no-any-return]


class ActionPermission(permissions.BasePermission):
    """Let a user do what the view's `acts` name, and he is permitted.

    `acts` maps the action of a viewset, or the method in lower case, to what it takes. What is not in it is
    refused: a view that forgot to say what it takes is closed, not open.
    """

    message = _REFUSED

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Decide by user and, where a token was used, by its scope too; a refused request says what it lacks."""
        if not request.user.is_authenticated:
            return False
        method = request.method or ""
        if method not in view.allowed_methods and method != "OPTIONS":
            return True  # the answer is 405, which the view gives itself
        need = need_of(getattr(view, "acts", {}), method, getattr(view, "action", None) or "")
        if need is None:
            return False
        hide(request.user, need, view.kwargs)
        refusal = _refusal(request, need)
        if refusal:
            self.message = refusal
        return not refusal


def need_of(acts: Mapping[str, Declared], method: str, action: str = "") -> Need | None:
    """Return what a declaration says about a method, or an action of a viewset; None where it says nothing."""
    method = method.lower()
    if action and action in acts:
        return _need(acts[action])
    if method == "head" and "head" not in acts:
        method = "get"
    if method == "options" and "options" not in acts:
        # What may be asked of an address is no secret for who may ask any of it.
        return Need(tuple(act for declared in acts.values() for act in _seeing(_need(declared)))) if acts else None
    return _need(acts[method]) if method in acts else None


def admit(request: HttpRequest, need: Need, address: Mapping[str, Any]) -> None:
    """Raise PermissionDenied, or Http404 where the address is that of a thing that must not be known."""
    if ANYONE in need.acts:
        return  # who asks is not even looked up: health has to answer while the database does not
    hide(request.user, need, address)
    refusal = _refusal(request, need)
    if refusal:
        raise PermissionDenied(refusal)


def hide(user: User, need: Need, address: Mapping[str, Any]) -> None:
    """Raise Http404 where an address names a thing of an area that the user may not see."""
    if is_detail(address) and not any(has(user, act) for act in _seeing(need)):
        raise Http404


def is_detail(address: Iterable[str]) -> bool:
    """Tell whether an address, by the names of its variable parts, is that of one thing."""
    return any(name not in _NO_THING for name in address)


def _reaches(user: User, needed: Scope) -> bool:
    return needed in _SCOPES[_scope_of(user)]


def _scope_of(user: User) -> Scope:
    return getattr(user, "token_scope", Scope.FULL)


def _need(declared: Declared) -> Need:
    return declared if isinstance(declared, Need) else Need((declared,))


def _seeing(need: Need) -> list[str]:
    """Return the acts by which the things exist that a method is about."""
    return [ACTS[act].sees if act in ACTS else act for act in need.acts]


def _refusal(request: HttpRequest | Request, need: Need) -> str:
    """Return in a sentence why a request may not do what it takes, empty where it may."""
    enough = _seeing(need) if need.owner else list(need.acts)
    permitted = [act for act in enough if has(request.user, act)]
    if not permitted:
        return f"You may not {' or '.join(_phrase(act) for act in need.acts)}."
    # Where one's own things are spared the act, a token is not spared its scope.
    scopes = [_scope(act) for act in (need.acts if need.owner else permitted)]
    if not any(_reaches(request.user, scope) for scope in scopes):
        return f"The scope of this token, {_scope_of(request.user)}, does not allow this: {scopes[0]} is needed."
    return ""


def _phrase(act: str) -> str:
    return ACTS[act].phrase if act in ACTS else "do this"


def _scope(act: str) -> Scope:
    return ACTS[act].scope if act in ACTS else Scope.READ


class _Allowed:
    """The acts of one area for templates: `may.connections.edit`."""

    def __init__(self, user: User, area: str = "") -> None:
        self._user = user
        self._area = area

    def __getitem__(self, name: str) -> _Allowed | bool:
        return may(self._user, f"{self._area}.{name}") if self._area else _Allowed(self._user, name)


def context(request: HttpRequest) -> dict[str, Any]:
    """Offer `may` to every template (a context processor)."""
    return {"may": _Allowed(getattr(request, "user", AnonymousUser()))}
