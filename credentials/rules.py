"""The rules between the fields of a credential: pure functions, values in, problems out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from core.rules import Condition, IsSet, Problem, Term, Values, advice, required, when
from credentials.choices import CredentialKind
from credentials.destinations import permitted, widened

if TYPE_CHECKING:
    from credentials.models import Credential

EXPIRES_SOON = timedelta(days=30)
"""How long before its end a client secret is spoken of."""

_BASIC = when(Term("kind", (CredentialKind.BASIC.value,)))
_OAUTH2 = when(Term("kind", (CredentialKind.OAUTH2_CLIENT_CREDENTIAL.value,)))

CONDITIONS: dict[str, Condition] = {
    **dict.fromkeys(("username", "password"), _BASIC),
    **dict.fromkeys(
        ("client_id", "client_secret", "token_endpoint", "scope", "client_auth", "secret_expires"), _OAUTH2
    ),
}
"""The one declaration of which field belongs to which kind."""

_MANDATORY: dict[str, tuple[str, ...]] = {
    CredentialKind.BASIC.value: ("username",),
    CredentialKind.OAUTH2_CLIENT_CREDENTIAL.value: ("client_id", "token_endpoint"),
}
SECRET_OF: dict[str, str] = {
    CredentialKind.BASIC.value: "password",
    CredentialKind.OAUTH2_CLIENT_CREDENTIAL.value: "client_secret",
}
"""The one secret of each kind."""

_BOUND_TO: dict[str, tuple[str, ...]] = {
    "password": ("username",),
    "client_secret": ("client_id", "token_endpoint"),
}
"""What a secret was typed for: changed, the stored secret would serve somebody else or go elsewhere."""


def hidden(values: Values) -> set[str]:
    """Return the fields that do not belong to the kind."""
    return {name for name, condition in CONDITIONS.items() if not condition.holds(values)}


def missing(values: Values, is_set: IsSet) -> Iterator[Problem]:
    """Yield `required` for what the kind makes mandatory; `is_set` tells whether a secret is there."""
    kind = values.get("kind", "")
    for name in _MANDATORY.get(kind, ()):
        if not values.get(name):
            yield required(name, "This field is mandatory.")
    secret = SECRET_OF.get(kind)
    if secret is not None and not is_set(secret):
        yield required(secret, "A credential without its secret is of no use.")


def advisories(values: Values, is_set: IsSet, today: date) -> list[Problem]:
    """Return what is allowed and yet worth knowing, in the order of the form."""
    return [*_destination_advisories(values), *_secret_advisories(values, is_set), *_expiry_advisories(values, today)]


def _destination_advisories(values: Values) -> Iterator[Problem]:
    if not values.get("destinations"):
        yield advice(
            "destinations",
            "any_destination",
            "Without destinations a connection to any server may use this credential, and send its secret there.",
        )


def _secret_advisories(values: Values, is_set: IsSet) -> Iterator[Problem]:
    for secret in SECRET_OF.values():
        if is_set(secret) and not CONDITIONS[secret].holds(values):
            yield advice(secret, "field_ignored", "A stored secret is kept but not used with this kind of credential.")


def _expiry_advisories(values: Values, today: date) -> Iterator[Problem]:
    expires = values.get("secret_expires")
    if not isinstance(expires, date) or expires - today > EXPIRES_SOON:
        return
    days = (expires - today).days
    when = (
        "expired" if days < 0 else "expires today" if days == 0 else f"expires in {days} day{'' if days == 1 else 's'}"
    )
    yield advice("secret_expires", "secret_expires_soon", f"The client secret {when}: ask its provider for a new one.")


def redirected(secret: str, old: Values, new: Values) -> list[str]:
    """Return the fields by which a stored secret would be used for somebody else, or could be sent elsewhere."""
    moved = [name for name in _BOUND_TO[secret] if old.get(name) != new.get(name)]
    if widened(old.get("destinations") or (), new.get("destinations") or ()):
        moved.append("destinations")
    return moved


def permits(credential: Credential, host_canonical: str, port: int) -> bool:
    """Tell whether a credential may be used for this canonical host and port."""
    patterns: Any = credential.destinations
    return permitted(patterns, host_canonical, port)
