"""The table of acts and roles: what there is to be permitted, and who is, unless an installation decides otherwise.

An act is asked for by the same name in pages, in the API, in the admin and in templates
(`{% if may.connections.edit %}`). Each is one permission of `core.models.Right`; what holds several is a
role, and a role is a group. A new act is a line here, and a migration that gives it to the roles that exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.choices import Scope


@dataclass(frozen=True, slots=True)
class Act:
    """Something a user may be permitted to do.

    `phrase` completes "You may not …". `scope` is what a token needs for it. `sees` is the act without which the
    things that this one is done to do not exist for a user: their addresses answer 404.
    """

    phrase: str
    scope: Scope
    sees: str


ACTS: Mapping[str, Act] = {
    "connections.view": Act("see connections", Scope.READ, "connections.view"),
    "connections.edit": Act("change connections", Scope.FULL, "connections.view"),
    "connections.enable": Act("enable or disable connections", Scope.FULL, "connections.view"),
    "connections.test": Act("run tests", Scope.TEST, "connections.view"),
    "connections.draft": Act("test values that are not saved", Scope.TEST, "connections.view"),
    "connections.subject": Act("see the subject of a message", Scope.TEST, "connections.view"),
    "tests.view": Act("see tests", Scope.READ, "tests.view"),
    "tests.cancel": Act("cancel the tests of others", Scope.TEST, "tests.view"),
    "logins.lift": Act("let a suspended sign-in be tried again", Scope.FULL, "tests.view"),
    "credentials.view": Act("see credentials", Scope.READ, "credentials.view"),
    "credentials.manage": Act("change credentials", Scope.FULL, "credentials.view"),
    "trust.view": Act("see which certificates are trusted", Scope.READ, "trust.view"),
    "trust.decide": Act("decide which certificates are trusted", Scope.FULL, "trust.view"),
    "clusters.view": Act("see clusters and STENGs", Scope.READ, "clusters.view"),
    "clusters.manage": Act("change clusters and STENGs", Scope.FULL, "clusters.view"),
    "audit.view": Act("see the audit log", Scope.READ, "audit.view"),
    "users.manage": Act("see and change users and roles", Scope.FULL, "users.manage"),
    "support.open": Act("open the support pages", Scope.FULL, "support.open"),
}

_VIEWER = ("connections.view", "tests.view", "trust.view", "clusters.view")

ADMINISTRATOR = "administrator"

ROLES: Mapping[str, tuple[str, ...]] = {
    "viewer": _VIEWER,
    "operator": (*_VIEWER, "connections.test", "connections.enable", "tests.cancel", "logins.lift"),
    "editor": (
        *_VIEWER,
        "connections.edit",
        "connections.draft",
        "connections.test",
        "connections.enable",
        "connections.subject",
        "credentials.view",
    ),
    "security officer": (
        *_VIEWER,
        "credentials.view",
        "credentials.manage",
        "trust.decide",
        "audit.view",
        "connections.test",
    ),
    "support": (*_VIEWER, "support.open", "connections.test", "credentials.view", "audit.view"),
    ADMINISTRATOR: tuple(ACTS),
}
"""The groups that a migration makes; an installation may change them and make others."""


def codename_of(act: str) -> str:
    """Return the name of an act's permission, which stands behind `core.`."""
    return act.replace(".", "_")
