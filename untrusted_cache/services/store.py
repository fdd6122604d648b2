"""Trust a certificate, from the cache or from a file; change and withdraw that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core import audit
from core.errors import Refused, invalid, unknown_fields
from core.moments import read_moment
from core.net import endpoint as endpoint_text
from core.text import comparison_key, first_forbidden, normalise
from steng import x509
from untrusted_cache.choices import Kind
from untrusted_cache.models import MAX_DER, CachedCertificate, Chain, ChainLink, TrustEntry
from untrusted_cache.services.changes import note_entry
from untrusted_cache.services.facts import columns
from untrusted_cache.services.vouchers import link_entry
from untrusted_cache.validators import read_endpoint, read_fingerprint, read_kind

MAX_IMPORT = 100
"""Certificates of one file: a person answers for each of them."""

EDITABLE = ("name", "scope", "not_before", "expires", "reason")
"""What can be changed of an entry; for another certificate, kind or endpoint another decision is made."""

Value = TypeVar("Value")
Problems = dict[str, list[ValidationError]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The entry that trusts a certificate, and whether it is new or was known already."""

    entry: TrustEntry
    created: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    """How to trust, as it was asked for and read."""

    kind: Kind
    # As they came: the fields of the model judge them.
    reason: Any
    endpoint: tuple[str, int] | None
    scope: Any
    expires: dt.datetime | None
    user: str
    now: dt.datetime


def trust(
    certificate: CachedCertificate,
    *,
    as_: object,
    fingerprint: object,
    reason: object,
    user: str,
    now: dt.datetime,
    endpoint: object = None,
    scope: object = None,
    expires: object = None,
) -> Outcome:
    """Trust a certificate of the cache as anchor or as pin; in force with the next test.

    `fingerprint` repeats the certificate's, `endpoint` (host:port) may be left out where one endpoint alone
    presented it as its leaf. Trusting it again in the same way changes nothing.
    Raises ValidationError with `fingerprint_mismatch`, `not_a_ca`, `not_available`, `certificate_unreadable` and the
    codes of single values; Refused `conflict` for a rejected certificate or one that is trusted otherwise.
    """
    problems: Problems = {}
    kind = _read(problems, "as", lambda: read_kind(as_))
    _read(problems, "fingerprint", lambda: _repeat(certificate, fingerprint))
    at = _read(problems, "endpoint", lambda: read_endpoint(endpoint))
    until = _read(problems, "expires", lambda: _future(read_moment(expires, end_of_day=True), now))
    _require_reason(problems, reason)
    if certificate.malformed:
        problems["certificate"] = [
            invalid("certificate_unreadable", "A certificate that cannot be read is not trusted.")
        ]
    with transaction.atomic():
        current = CachedCertificate.objects.select_for_update().filter(pk=certificate.pk).first()
        if current is None:
            raise Refused("not_found", "This certificate is no longer in the untrusted cache.")
        if kind is Kind.PIN and "endpoint" not in problems:
            at = _read(problems, "endpoint", lambda: _presented_at(current, at))
        elif kind is Kind.ANCHOR:
            _read(problems, "as", lambda: _check_anchor(current))
        if problems or kind is None:
            raise ValidationError(problems)
        wish = _Wish(kind, reason, at, scope, until, user, now)
        return _store(x509.describe(bytes(current.der)), wish, "trust.trusted")


def import_certificates(
    data: bytes,
    *,
    as_: object,
    reason: object,
    user: str,
    now: dt.datetime,
    endpoint: object = None,
    scope: object = None,
    expires: object = None,
) -> list[Outcome]:
    """Trust the certificates of a PEM, DER or PKCS#7 file, all or none; known ones stay as they are.

    Raises ValidationError with `certificate_unreadable`, `too_long`, `not_a_ca` and the codes of single values;
    Refused `conflict` for a rejected certificate or one that is trusted otherwise.
    """
    problems: Problems = {}
    kind = _read(problems, "as", lambda: read_kind(as_))
    at = _read(problems, "endpoint", lambda: read_endpoint(endpoint))
    until = _read(problems, "expires", lambda: _future(read_moment(expires, end_of_day=True), now))
    _require_reason(problems, reason)
    found = _read(problems, "certificate", lambda: _unpack(data))
    if kind is Kind.PIN and at is None and "endpoint" not in problems:
        problems["endpoint"] = [invalid("required", "A pin names its endpoint, as host:port.")]
    if found is not None and kind is not None:
        _read(problems, "certificate", lambda: _check_fit(found, kind))
    if problems or found is None or kind is None:
        raise ValidationError(problems)
    wish = _Wish(kind, reason, at, scope, until, user, now)
    with transaction.atomic():
        return [_store(facts, wish, "trust.imported") for facts in found]


def edit(entry: TrustEntry, values: Mapping[str, object], *, now: dt.datetime) -> TrustEntry:
    """Change name, scope, dates or reason of an entry; raise ValidationError, Refused `not_found` where it is gone."""
    with transaction.atomic():
        current = _locked(entry)
        before, shown = (current.scope, current.starts, current.expires), audit.snapshot(current)
        problems: Problems = unknown_fields(values, EDITABLE, "This cannot be changed.")
        for name in ("name", "scope", "reason"):
            if name in values:
                setattr(current, name, values[name])
        if "not_before" in values:
            current.starts = _read(problems, "not_before", lambda: read_moment(values["not_before"]))
        if "expires" in values:
            current.expires = _read(problems, "expires", lambda: read_moment(values["expires"], end_of_day=True))
        _validate(current, problems)
        current.updated = now
        current.save()
        reason = str(values["reason"]) if "reason" in values else ""
        audit.record("trust.changed", current, before=shown, after=audit.snapshot(current), reason=reason, now=now)
        if before != (current.scope, current.starts, current.expires):
            note_entry(current, now, before[0])
    return current


def remove(entry: TrustEntry, *, now: dt.datetime) -> None:
    """Withdraw trust; the next test of whatever relied on it is red again. An entry that is gone stays gone."""
    with transaction.atomic():
        current = TrustEntry.objects.select_for_update().filter(pk=entry.pk).first()
        if current is not None:
            subject, before = audit.thing(current), audit.snapshot(current)
            current.delete()
            audit.record("trust.removed", subject, before=before, now=now)
            note_entry(current, now)


def _store(facts: x509.CertificateFacts, wish: _Wish, act: str) -> Outcome:
    host, port = wish.endpoint or ("", None)
    if wish.kind is Kind.ANCHOR and wish.endpoint is not None:
        raise ValidationError({"endpoint": [invalid("not_available", "An anchor has a scope of hosts, no endpoint.")]})
    if CachedCertificate.objects.filter(fingerprint=facts.fingerprint, rejected_at__isnull=False).exists():
        raise Refused("conflict", f"{x509.title(facts)[:100]} is rejected: withdraw the rejection first.")
    entry = TrustEntry(
        **columns(facts),
        name=_free_name(facts),
        kind=wish.kind,
        host=host,
        port=port,
        scope=wish.scope,
        expires=wish.expires,
        reason=wish.reason,
        trusted_by=wish.user[:150],
        trusted_at=wish.now,
        updated=wish.now,
    )
    known = (
        TrustEntry.objects.select_for_update()
        .filter(kind=wish.kind, fingerprint=facts.fingerprint, host=host, port=port)
        .first()
    )
    _validate(entry, {}, constraints=known is None)
    if known is not None:
        _require_same(known, entry, wish.now)
        return Outcome(known, created=False)
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError:
        raise Refused("conflict", "Somebody else trusted this certificate just now: look at the trust store.") from None
    audit.record(act, entry, after=audit.snapshot(entry), reason=entry.reason, now=wish.now)
    link_entry(entry)
    note_entry(entry, wish.now)
    return Outcome(entry, created=True)


def _require_same(known: TrustEntry, wished: TrustEntry, now: dt.datetime) -> None:
    """Refuse to answer "known" where the stored entry would not do what was asked for."""
    out_of_force = (known.expires is not None and known.expires <= now) or (
        known.starts is not None and known.starts > now
    )
    other_scope = bool(wished.scope) and sorted(wished.scope) != sorted(known.scope)
    other_end = wished.expires is not None and wished.expires != known.expires
    if out_of_force or other_scope or other_end:
        raise Refused(
            "conflict",
            f"This certificate is in the trust store already, as {known.name}, with other dates or another scope: "
            "change that entry.",
            entry={"id": str(known.id), "name": known.name},
        )


def _validate(entry: TrustEntry, problems: Problems, *, constraints: bool = True) -> None:
    try:
        # `clean` compares the name itself, with our code.
        entry.full_clean(exclude={"name_key"}, validate_constraints=constraints)
    except ValidationError as error:
        renamed = {"starts": "not_before", "kind": "as"}
        for name, found in error.error_dict.items():
            problems.setdefault(renamed.get(name, name), []).extend(found)
    if problems:
        raise ValidationError(problems)


def _locked(entry: TrustEntry) -> TrustEntry:
    current = TrustEntry.objects.select_for_update().filter(pk=entry.pk).first()
    if current is None:
        raise Refused("not_found", "This entry is no longer in the trust store.")
    return current


def _read(problems: Problems, name: str, read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except ValidationError as error:
        problems.setdefault(name, []).extend(error.error_list)
        return None


def _require_reason(problems: Problems, reason: object) -> None:
    if reason is None or (isinstance(reason, str) and not reason.strip()):
        problems["reason"] = [invalid("required", "Say why: whoever looks at this next year will ask.")]


def _future(moment: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    if moment is not None and moment <= now:
        raise invalid("out_of_range", "This time is past.")
    return moment


def _repeat(certificate: CachedCertificate, fingerprint: object) -> None:
    if fingerprint is None or fingerprint == "":
        raise invalid("required", "Repeat the SHA-256 fingerprint that the partner gave you.")
    if not isinstance(fingerprint, str):
        raise invalid("invalid_type", "Expected a text.")
    if read_fingerprint(fingerprint) != certificate.fingerprint:
        raise invalid("fingerprint_mismatch", "This is not the fingerprint of this certificate.")


def _presented_at(certificate: CachedCertificate, at: tuple[str, int] | None) -> tuple[str, int]:
    """Return the endpoint to pin for: the named one, or the only one that presented the certificate as its leaf."""
    leaves = Chain.objects.filter(links__certificate=certificate, links__position=0)
    endpoints = sorted(set(leaves.values_list("host", "port")))
    if at is None and len(endpoints) == 1:
        return endpoints[0]
    if not endpoints:
        raise invalid("not_available", "No server presented this as its own certificate, so there is nothing to pin.")
    if at is None:
        raise invalid("required", f"{len(endpoints)} endpoints present this certificate: name one as host:port.")
    if at not in endpoints:
        raise invalid("not_available", f"{endpoint_text(*at)} never presented this as its own certificate.")
    return at


def _check_anchor(certificate: CachedCertificate) -> None:
    if not certificate.is_ca:
        raise invalid("not_a_ca", "This certificate is no authority: it can be trusted as a pin only.")
    places = ChainLink.objects.filter(certificate=certificate)
    as_leaf = places.filter(position=0).exists()
    if as_leaf and (certificate.self_signed or not places.exclude(position=0).exists()):
        # A default self-signed certificate says CA:TRUE; as an anchor it could vouch for any other host. Where else
        # it stood says nothing: whoever answers chooses what to send, and in which order.
        raise invalid("not_available", "A server presented this as its own certificate: trust it as a pin.")


def _unpack(data: bytes) -> list[x509.CertificateFacts]:
    if not data.strip():
        raise invalid("required", "Give a certificate: PEM, DER or PKCS#7.")
    if len(data) > x509.MAX_INPUT:
        raise invalid("too_long", f"At most {x509.MAX_INPUT:,} bytes.", limit=x509.MAX_INPUT, value=len(data))
    try:
        found = [x509.describe(der) for der in x509.read_certificates(data)]
    except x509.UnreadableCertificate as error:
        raise invalid("certificate_unreadable", f"No certificate could be read: {error}") from None
    if not found:
        raise invalid("certificate_unreadable", "There is no certificate in it.")
    if len(found) > MAX_IMPORT:
        raise invalid("too_long", f"At most {MAX_IMPORT} certificates.", limit=MAX_IMPORT, value=len(found))
    return found


def _check_fit(found: list[x509.CertificateFacts], kind: Kind) -> None:
    for facts in found:
        if len(facts.der) > MAX_DER:
            raise invalid("too_long", f"At most {MAX_DER:,} bytes a certificate.", limit=MAX_DER, value=len(facts.der))
        if kind is Kind.ANCHOR and not facts.is_ca:
            raise invalid("not_a_ca", f"{x509.title(facts)[:100]} is no authority: it can be trusted as a pin only.")
    if kind is Kind.PIN and len(found) > 1:
        raise invalid("not_available", f"A pin is one certificate; here are {len(found)}.")


def _free_name(facts: x509.CertificateFacts) -> str:
    """Return a name for a new entry that follows the rules of names, whatever the certificate calls itself."""
    text = normalise(x509.title(facts))[:100]
    while (found := first_forbidden(text, lambda character: character.isspace() or character in "'\"|,")) is not None:
        text = text[: found[1]] + "-" + text[found[1] + 1 :]
    base = f"{text}-{facts.fingerprint[:8]}"
    alike = TrustEntry.objects.filter(name_key__startswith=comparison_key(base))
    taken = set(alike.values_list("name_key", flat=True))
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if comparison_key(name) not in taken)
