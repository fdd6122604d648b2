"""Which account a test signs in to, and with which secret, as digests: equal for equal, and telling nothing else.

Both are HMACs under a random key of their own that the vault seals, so that a stolen database offers nothing to try
passwords against, and a rotation of the vault's keys changes no digest (docs/decisions/0010).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

from django.db import IntegrityError, transaction

from cluster.models import AccountKey
from core.net import canonical_host
from core.text import comparison_key
from credentials import vault
from steng.secret import Secret
from steng.wire import Authentication, Depth, ProbeRequest, Purpose

SEALED_FIELD = "account key"
"""The field name that the vault binds into the sealed key."""

_KEY_BYTES = 32
_SIGNING_IN = frozenset({Depth.LOGIN, Depth.FULL})


class SignIn(NamedTuple):
    """Where a request signs in, as whom, and with what."""

    host: str
    username: str
    secret: Secret


class Identity(NamedTuple):
    """The digests of an account and of a secret on it; both empty for a request that does not sign in."""

    account: str
    secret: str


def sign_in_of(request: ProbeRequest) -> SignIn | None:
    """Return what a request signs in with, None where it never sends a credential.

    POP before SMTP has its place here: the host and the user of its POP3 login are the account that could be locked.
    """
    if request.depth not in _SIGNING_IN and request.purpose is not Purpose.FOLDERS:
        return None
    if request.authentication is Authentication.BASIC and request.login is not None:
        return SignIn(_host_key(request.host), request.login.username, request.login.password)
    return None


def identify(request: ProbeRequest) -> Identity:
    """Return the digests of what a request signs in with; raise VaultUnavailable, SecretUnreadable."""
    sign_in = sign_in_of(request)
    if sign_in is None:
        return Identity("", "")
    key = _key()
    # Servers that tell "Orders" from "orders" are rare; two accounts that wait for each other there lose a moment.
    account = (sign_in.host, comparison_key(sign_in.username))
    return Identity(_digest(key, "account", *account), _digest(key, "secret", *account, sign_in.secret.reveal()))


def _digest(key: bytes, *parts: str) -> str:
    # Each part behind its length: ("ab", "c") must not equal ("a", "bc").
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    text = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def _host_key(host: str) -> str:
    """Return the one spelling of a host; what is no host gets nowhere near a login, and is only a key here."""
    try:
        return canonical_host(host)
    except ValueError:
        return host.rstrip(".").casefold()


def _key() -> bytes:
    row = AccountKey.objects.first() or _new_key()
    return bytes.fromhex(vault.open_(row.sealed, row.pk, SEALED_FIELD).reveal())


def _new_key() -> AccountKey:
    sealed = vault.seal(secrets.token_hex(_KEY_BYTES), AccountKey.ONLY, SEALED_FIELD)
    try:
        with transaction.atomic():
            return AccountKey.objects.create(sealed=sealed)
    except IntegrityError:
        # Another process made it in the same moment; the constraint decided which one counts.
        return AccountKey.objects.get()
