"""The closed catalogue of what is recorded: each act with a sentence for people.

An act is never renamed and its name never used for another: what is stored for years is searched by it.
The part before the dot is its group.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.audit.actors import Door

ACTS: Mapping[str, str] = {
    "connection.created": "A connection was created.",
    "connection.changed": "The definition of a connection was changed.",
    "connection.deleted": "A connection was deleted.",
    "connection.enabled": "A connection was enabled.",
    "connection.disabled": "A connection was disabled.",
    "credential.created": "A credential was created.",
    "credential.changed": "A credential was changed.",
    "credential.deleted": "A credential was deleted.",
    "trust.trusted": "A certificate was trusted.",
    "trust.imported": "A certificate from a file was trusted.",
    "trust.changed": "An entry of the trust store was changed.",
    "trust.removed": "Trust in a certificate was withdrawn.",
    "trust.rejected": "A certificate was rejected.",
    "trust.unrejected": "The rejection of a certificate was withdrawn.",
    "trust.forgotten": "A certificate was removed from the untrusted cache.",
    "cluster.created": "A cluster was created.",
    "cluster.changed": "A cluster was changed.",
    "cluster.deleted": "A cluster was deleted.",
    "steng.created": "A STENG was created.",
    "steng.changed": "A STENG was changed.",
    "steng.deleted": "A STENG was deleted.",
    "steng.enabled": "A STENG was allowed to take work.",
    "steng.disabled": "A STENG was told to take no more work.",
    "steng.drained": "A STENG was told to finish its work and take nothing new.",
    "user.created": "A user was created.",
    "user.changed": "A user was changed.",
    "user.deleted": "A user was deleted.",
    "user.password_changed": "The password of a user was changed.",
    "role.created": "A role was created.",
    "role.changed": "A role was changed.",
    "role.deleted": "A role was deleted.",
    "token.created": "An API token was made.",
    "token.revoked": "An API token was revoked.",
    "session.logged_in": "Somebody logged in.",
    "session.failed": "A log-in was refused.",
    "session.logged_out": "Somebody logged out.",
    "login.suspended": "A mail server refused a sign-in, so it is not tried again.",
    "login.lifted": "A suspended sign-in may be tried again.",
    "test.requested": "A test was asked for.",
    "test.cancelled": "A test was cancelled.",
    "batch.started": "A bulk run was started.",
    "batch.cancelled": "A bulk run was cancelled.",
    "vault.prepared": "The vault was set up.",
    "vault.rotated": "The key of the vault was changed.",
    "vault.pruned": "Old keys were taken out of the vault.",
    "definitions.imported": "Definitions were imported.",
    "definitions.exported": "Definitions were exported.",
}

GROUPS: Mapping[str, str] = {
    "connection": "Connections",
    "credential": "Credentials",
    "trust": "Trust",
    "cluster": "Clusters",
    "steng": "STENGs",
    "user": "Users",
    "role": "Roles",
    "token": "API tokens",
    "session": "Log-ins",
    "login": "Suspended sign-ins",
    "test": "Tests",
    "batch": "Bulk runs",
    "vault": "Vault",
    "definitions": "Import and export",
}
"""The groups of acts, as people call them."""

KINDS: Mapping[str, str] = {
    "connection": "Connection",
    "credential": "Credential",
    "trust": "Trust-store entry",
    "certificate": "Certificate",
    "cluster": "Cluster",
    "steng": "STENG",
    "user": "User",
    "role": "Role",
    "token": "API token",
    "suspended_login": "Suspended sign-in",
    "test": "Test",
    "batch": "Bulk run",
    "vault": "Vault",
    "definitions": "Definitions",
}
"""The kinds of things that acts are done to, as people call them."""

DOORS: Mapping[str, str] = {
    Door.PAGE: "Page",
    Door.API: "API",
    Door.ADMIN: "Support pages",
    Door.COMMAND: "Command line",
    Door.SYSTEM: "The console itself",
}
"""The doors, as people call them."""


def group_of(act: str) -> str:
    """Return the group of an act: `connection` of `connection.created`."""
    return act.partition(".")[0]
