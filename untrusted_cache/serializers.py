"""The JSON forms of cache and trust store; values that come in are handed on as they came, the services judge them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from rest_framework import serializers

from core.errors import refuse_unknown
from untrusted_cache.choices import Kind, Role, Status
from untrusted_cache.models import CachedCertificate, Chain, ChainLink, TrustEntry
from untrusted_cache.selectors import Presentations


def certificate_to_json(certificate: CachedCertificate, met: Presentations) -> dict[str, Any]:
    """Return a cached certificate; it and what was met come from `selectors`."""
    latest = met.links[0] if met.links else None
    return {
        "id": str(certificate.id),
        "status": certificate.status,  # type: ignore[attr-defined]  # annotated by the selector
        "role": latest.role.value if latest else None,
        "code": latest.chain.code if latest else None,
        **_facts(certificate),
        "malformed": certificate.malformed,
        "rejected": None
        if certificate.rejected_at is None
        else {
            "by": certificate.rejected_by,
            "at": certificate.rejected_at,
            "reason": certificate.rejected_reason,
        },
        "endpoints": _endpoints(met.links),
        "chain": [str(member) for member in met.chain],
    }


def entry_to_json(entry: TrustEntry, used_by: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an entry of the trust store; `not_before` and `expires` are of the trust, not of the certificate."""
    facts = _facts(entry)
    validity = {"not_before": facts.pop("not_before"), "not_after": facts.pop("not_after")}
    return {
        "id": str(entry.id),
        "name": entry.name,
        "as": entry.kind,
        "endpoint": entry.endpoint or None,
        "scope": entry.scope or None,
        "not_before": entry.starts,
        "expires": entry.expires,
        "reason": entry.reason,
        **facts,
        "validity": validity,
        "trusted_by": entry.trusted_by,
        "trusted_at": entry.trusted_at,
        "used_by": used_by,
    }


def read_body(data: Any, known: Collection[str]) -> dict[str, Any]:
    """Return the values of an object; raise ValidationError `unknown_field` for each key that does not exist."""
    refuse_unknown(data, known, "There is no such field.")
    return {name: data[name] for name in data}


def _facts(certificate: CachedCertificate | TrustEntry) -> dict[str, Any]:
    return {
        "fingerprint": certificate.fingerprint,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "names": certificate.names,
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "key": certificate.key,
        "signature": certificate.signature,
        "is_ca": certificate.is_ca,
        "self_signed": certificate.self_signed,
        "pem": certificate.pem,
    }


def _endpoints(links: Iterable[ChainLink]) -> list[dict[str, Any]]:
    """Sum up the presentations of each endpoint; they come latest first."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for link in links:
        chain = link.chain
        known = found.get((chain.host, chain.port))
        if known is None:
            found[chain.host, chain.port] = _endpoint(chain)
        else:
            known["count"] += chain.count
            known["first_seen"] = min(known["first_seen"], chain.first_seen)
    return list(found.values())


def _endpoint(chain: Chain) -> dict[str, Any]:
    return {
        "host": chain.host,
        "port": chain.port,
        "first_seen": chain.first_seen,
        "last_seen": chain.last_seen,
        "count": chain.count,
        "steng": chain.steng or None,
        "connection": _connection(chain.connection_id, chain.connection_kind, chain.connection_name),
        "requested_by": chain.last_by or None,
        "chain_id": str(chain.id),
    }


def _connection(key: uuid.UUID | None, kind: str, name: str) -> dict[str, str] | None:
    return None if key is None else {"id": str(key), "kind": kind, "name": name}


class _FactsSerializer(serializers.Serializer[Any]):
    """What every certificate says of itself, for the schema."""

    fingerprint = serializers.CharField(help_text="SHA-256, lower-case hex.")
    subject = serializers.CharField()
    issuer = serializers.CharField()
    serial = serializers.CharField(help_text="Hex.")
    names = serializers.ListField(child=serializers.CharField())
    key = serializers.CharField()
    signature = serializers.CharField()
    is_ca = serializers.BooleanField()
    self_signed = serializers.BooleanField()
    pem = serializers.CharField()


class ConnectionRefSerializer(serializers.Serializer[Any]):
    """A connection, for the schema."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    name = serializers.CharField()


class EndpointSerializer(serializers.Serializer[Any]):
    """What one endpoint presented, for the schema."""

    host = serializers.CharField()
    port = serializers.IntegerField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    count = serializers.IntegerField()
    steng = serializers.CharField(allow_null=True)
    connection = ConnectionRefSerializer(allow_null=True)
    requested_by = serializers.CharField(allow_null=True)
    chain_id = serializers.UUIDField()


class RejectionSerializer(serializers.Serializer[Any]):
    """A rejection, for the schema."""

    by = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class CachedCertificateSerializer(_FactsSerializer):
    """An entry of the untrusted cache, for the schema."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Status.choices)
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    code = serializers.CharField(allow_null=True, help_text="Why the chain was not trusted, last time.")
    not_before = serializers.DateTimeField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    malformed = serializers.BooleanField()
    rejected = RejectionSerializer(allow_null=True)
    endpoints = EndpointSerializer(many=True)
    chain = serializers.ListField(child=serializers.UUIDField(), help_text="The latest chain, leaf first.")


class ValiditySerializer(serializers.Serializer[Any]):
    """The dates of a certificate, for the schema."""

    not_before = serializers.DateTimeField()
    not_after = serializers.DateTimeField()


class TrustEntrySerializer(_FactsSerializer):
    """An entry of the trust store, for the schema."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=128)
    endpoint = serializers.CharField(allow_null=True, help_text="host:port of a pin.")
    scope = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text="Hosts of an anchor.")
    not_before = serializers.DateTimeField(allow_null=True, help_text="When the trust starts.")
    expires = serializers.DateTimeField(allow_null=True, help_text="When the trust ends.")
    reason = serializers.CharField(max_length=2048)
    validity = ValiditySerializer(help_text="The dates of the certificate itself.")
    trusted_by = serializers.CharField()
    trusted_at = serializers.DateTimeField()
    used_by = ConnectionRefSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the field whose name is a word of Python."""
        return {**super().get_fields(), "as": serializers.ChoiceField(choices=Kind.choices)}


class ImportedSerializer(serializers.Serializer[Any]):
    """The answer to a file with several certificates, for the schema."""

    entries = TrustEntrySerializer(many=True)


class _DecisionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2048)
    endpoint = serializers.CharField(required=False, allow_null=True, help_text="host:port, for a pin.")
    scope = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    expires = serializers.DateTimeField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the field whose name is a word of Python."""
        return {**super().get_fields(), "as": serializers.ChoiceField(choices=Kind.choices)}


class TrustRequestSerializer(_DecisionSerializer):
    """The body of trusting a cached certificate, for the schema."""

    fingerprint = serializers.CharField(
        help_text="Repeat the certificate's SHA-256; case, blanks, colons do not count."
    )


class ImportRequestSerializer(_DecisionSerializer):
    """The body of an import, for the schema; a file comes as multipart part `file` instead of `certificate`."""

    certificate = serializers.CharField(help_text="PEM text, or base64 of DER or PKCS#7.")


class RejectRequestSerializer(serializers.Serializer[Any]):
    """The body of a rejection, for the schema."""

    reason = serializers.CharField(max_length=2048)


class EditRequestSerializer(serializers.Serializer[Any]):
    """What can be changed of an entry, for the schema."""

    name = serializers.CharField(max_length=128, required=False)
    scope = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)
    not_before = serializers.DateTimeField(required=False, allow_null=True)
    expires = serializers.DateTimeField(required=False, allow_null=True)
    reason = serializers.CharField(max_length=2048, required=False)
