"""Whom a shared credential may be led to, and by whom.

Who edits connections may use a credential without knowing its secret. So it must not be in his hands where the secret
goes: that is said by its destinations, and a credential that has none is pointed at servers only by who manages
credentials. Nor is it in his hands how well it is protected on the way: a use that is there already gets no looser, and
a new one, which nobody allowed to be loose, is not.
"""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import ValidationError

from connections import rules
from connections.models import Connection
from core.errors import invalid
from core.models import User
from core.permissions import may
from credentials.models import Credential

_CODE = "secret_not_for_destination"

REMEDIES = {
    "connection_security": "Choose STARTTLS or SSL/TLS",
    "match_server_hostname": "Switch this on",
    "ssl_protocols": "Allow no older versions",
    "cipher_suites": "Allow no weak or additional suites",
}
"""What takes less protection away again, by the field that does it."""

MODES = {"ssl_protocols": "ssl_protocol_mode", "cipher_suites": "cipher_suite_mode"}
"""Where it shows that a list was given up."""


def may_know(user: User | None, credential: Credential, before: Connection | None) -> bool:
    """Tell whether there is such a credential for a user: he may see them all, or the connection uses it already."""
    return user is None or may(user, "credentials.view") or _using(credential, before) is not None


def refusals(
    row: Connection, before: Connection | None, user: User | None, broken: Collection[str]
) -> dict[str, ValidationError]:
    """Return by field why a user may not have the credential of a definition used as it is used there.

    Fields in `broken` are not judged: what they will say is not known. None is who has the console's host, and with it
    every secret already.
    """
    credential = row.credential
    if credential is None or user is None or may(user, "credentials.manage"):
        return {}
    old, new = _using(credential, before), row.values()
    moved, loosened = True, set[str]()
    if old is not None:
        changes = rules.redirected("password", old.values(), new)
        loosened = {"host" if name == "host_canonical" else name for name in changes}.difference(broken)
        moved = not loosened.isdisjoint({"host", "port"})
    if moved and not credential.destinations:
        sentence = (
            f"“{credential.name}” has no destinations, so only who manages credentials may say for which server it is "
            "used. Ask them to enter this server there."
        )
        return {"credential": invalid(_CODE, sentence)}
    if moved:
        loosened = set(rules.unprotected("password", new)).difference(broken)
    who = f"ask who manages credentials: nobody else may use “{credential.name}” with less protection on its way."
    return {
        name if rules.applies(name, new) else MODES[name]: invalid(_CODE, f"{remedy}, or {who}")
        for name, remedy in REMEDIES.items()
        if name in loosened
    }


def _using(credential: Credential, before: Connection | None) -> Connection | None:
    return before if before is not None and before.credential_id == credential.pk else None
