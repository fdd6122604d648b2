"""Every door: the methods of each address, the actions of the admin, the commands; each with what it declares."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.actions import delete_selected
from django.urls import reverse

from core.admin_base import ActAdmin
from core.admin_site import SUPPORT
from core.permissions import LOGGED_IN, Need, either, is_detail, need_of
from tests.routes import Route, all_routes

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
APPS = ("connections", "credentials", "untrusted_cache", "cluster", "core", "console")
NOT_FOUND = "api-not-found"

_STOCK_PAGES = frozenset({"changelist_view", "add_view", "change_view", "delete_view", "history_view"})


@dataclass(frozen=True)
class Door:
    """One method of one address, or one action of the admin; all of `needs` must be met."""

    kind: str
    name: str
    shown: str
    path: str
    method: str
    needs: tuple[Need, ...]
    action: str = ""

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.shown}{f' {self.action}' if self.action else ''}"

    @property
    def act(self) -> str:
        """Return what it takes, in words."""
        return " and ".join(dict.fromkeys(" or ".join(need.acts) for need in self.needs))

    @property
    def note(self) -> str:
        """Return what the act alone does not say."""
        return "; ".join(need.note for need in self.needs if need.note)

    @property
    def is_detail(self) -> bool:
        """Tell whether the address is that of one thing."""
        return is_detail(part.partition(">")[0] for part in self.shown.split("<")[1:])


def doors() -> list[Door]:
    """Return every door that opens for somebody."""
    return [*_methods(), *_actions()]


def undeclared() -> list[str]:
    """Return what says not what it takes, and so opens for nobody."""
    silent = [route.shown for route in all_routes() if not _acts_of(route) and not _is_read_only(route)]
    return [*silent, *_silent_actions()]


def _methods() -> Iterator[Door]:
    for route in all_routes():
        acts = _acts_of(route)
        for method in METHODS:
            need = need_of(acts, method) if _answers(route, method, acts) else None
            if need is not None:
                yield Door(_kind(route), route.name, route.shown, route.path, method, (*_support(route), need))


def _kind(route: Route) -> str:
    if route.path.startswith("/admin/"):
        return "admin"
    return "api" if f"{route.path}/".startswith("/api/") else "page"


def _acts_of(route: Route) -> Mapping[str, Any]:
    """Return what the view behind a route declares, empty where it declares nothing."""
    if route.name == NOT_FOUND:
        return dict.fromkeys(METHODS, Need((LOGGED_IN,), note="there is nothing at such an address, which is a 404"))
    owner, page = _page_of_admin(route.view)
    if isinstance(owner, ActAdmin):
        return owner.acts_of_page(page)
    if owner is not None:
        return _SEVERAL[page]() if page in _SEVERAL else owner.pages.get(page, {})
    view = getattr(route.view, "cls", None) or getattr(route.view, "view_class", None) or route.view
    return getattr(view, "acts", {})


def _app_index() -> dict[str, Need]:
    # The sample address is that of core.
    acts = {one.view_act for model, one in admin.site._registry.items() if model._meta.app_label == "core"}
    return {"get": either(*sorted(acts), note="here of `core`: what shows one of the models of an app")}


def _autocomplete() -> dict[str, Need]:
    return {"get": Need(("users.manage",), note="here of users: what shows the model that is searched")}


_SEVERAL = {"app_index": _app_index, "autocomplete_view": _autocomplete}
"""Pages of the admin that take what the models take that they are about."""


def _support(route: Route) -> tuple[Need, ...]:
    """Return what every page of the admin takes beside its own act."""
    owner, page = _page_of_admin(route.view)
    return (Need((SUPPORT,)),) if isinstance(owner, ActAdmin) or page in _SEVERAL else ()


def _is_read_only(route: Route) -> bool:
    """Tell whether a route is one of the admin's pages to write that a model closes by naming no act."""
    owner, page = _page_of_admin(route.view)
    return isinstance(owner, ActAdmin) and bool(owner.view_act) and page in _STOCK_PAGES


def _answers(route: Route, method: str, acts: Mapping[str, Any]) -> bool:
    view = getattr(route.view, "cls", None)
    if view is not None:
        return method in view.http_method_names and (
            hasattr(view, method) or (method == "head" and hasattr(view, "get"))
        )
    view = getattr(route.view, "view_class", None)
    if view is not None:
        return method in view.http_method_names and (hasattr(view, method) or method == "head")
    return method in acts or (method == "head" and "get" in acts and _page_of_admin(route.view)[0] is not None)


def _page_of_admin(view: Any) -> tuple[Any, str]:
    """Return whose page of the admin a view is, a model's or the site's, and the method that answers it."""
    while view is not None and getattr(view, "__self__", None) is None:
        view = getattr(view, "__wrapped__", None)
    if isinstance(getattr(view, "__self__", None), (ActAdmin, admin.AdminSite)):
        return view.__self__, view.__name__
    return None, ""


def _actions() -> Iterator[Door]:
    for model, owner in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        path = reverse(name)
        offered = {action: getattr(function, "act", "") for action, function in _own_actions(owner)}
        if owner.delete_act:
            offered |= {word: owner.delete_act for word, function in admin.site.actions if function is delete_selected}
        for action, act in offered.items():
            needs = (Need((SUPPORT,)), Need((owner.view_act,)), Need((act,)))
            yield Door("action", name, path, path, "post", needs, action)


def _own_actions(owner: Any) -> Iterator[tuple[str, Any]]:
    for action in owner.actions or ():
        function, name, _ = owner.get_action(action)
        yield name, function


def _silent_actions() -> list[str]:
    own = (pair for owner in admin.site._registry.values() for pair in _own_actions(owner))
    site = ((name, function) for name, function in admin.site.actions if function is not delete_selected)
    return [f"action {name}" for name, function in (*own, *site) if not getattr(function, "act", "")]


def commands() -> Iterator[tuple[str, str, str]]:
    """Return every management command of ours: its name, the word that chooses what it does, and its act."""
    for app in APPS:
        try:
            package = importlib.import_module(f"{app}.management.commands")
        except ModuleNotFoundError:
            continue
        for _, name, _ in sorted(pkgutil.iter_modules(package.__path__)):
            command = importlib.import_module(f"{package.__name__}.{name}").Command()
            for word in _words_of(command):
                yield name, word, getattr(command, "acts", {}).get(word, "")


def _words_of(command: Any) -> list[str]:
    """Return the words that a command chooses what to do by, [""] where there is one thing only."""
    for argument in command.create_parser("manage.py", "")._actions:
        # A positional argument with choices is a choice of what to do; options refine it.
        if argument.choices and not argument.option_strings:
            return list(argument.choices)
    return [""]
