"""The REST resources of trust: the untrusted cache and the trust store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import PAGES, ApiView, Pagination, unknown_filters
from core.errors import invalid
from core.parsers import StrictJSONParser, StrictMultiPartParser
from core.usage import usage
from steng.x509 import MAX_INPUT
from untrusted_cache import selectors, services
from untrusted_cache.choices import Kind, Status
from untrusted_cache.models import CachedCertificate, TrustEntry
from untrusted_cache.serializers import (
    CachedCertificateSerializer,
    EditRequestSerializer,
    ImportedSerializer,
    ImportRequestSerializer,
    RejectRequestSerializer,
    TrustEntrySerializer,
    TrustRequestSerializer,
    certificate_to_json,
    entry_to_json,
    read_body,
)

_TAGS = ["trust"]
_LOOK = {"get": "trust.view"}
_IMPORTED = PolymorphicProxySerializer(
    component_name="TrustImport",
    serializers=[TrustEntrySerializer, ImportedSerializer],
    resource_type_field_name=None,
)
_DECISION = ("as", "reason", "endpoint", "scope", "expires")


class CachedCertificates(ApiView):
    """Certificates that servers presented."""

    acts = _LOOK

    @extend_schema(
        tags=_TAGS,
        operation_id="untrusted_cache_list",
        parameters=[
            OpenApiParameter("status", enum=Status.values),
            OpenApiParameter("host"),
            OpenApiParameter("fingerprint"),
            OpenApiParameter("q"),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=CachedCertificateSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what was met, latest first."""
        filters = _filters(request, ("status", "host", "fingerprint", "q"), {"status": Status.values})
        pages = Pagination()
        page = pages.paginate_queryset(selectors.certificates(timezone.now(), **filters), request, self) or []
        met = selectors.presentations(page)
        return pages.get_paginated_response([certificate_to_json(found, met[found.pk]) for found in page])


class CachedCertificateDetail(ApiView):
    """One certificate that a server presented."""

    acts = {**_LOOK, "delete": "trust.decide"}

    @extend_schema(tags=_TAGS, operation_id="untrusted_cache_read", responses=CachedCertificateSerializer)
    def get(self, request: Request, key: uuid.UUID) -> Response:  # noqa: ARG002
        """Show it."""
        return Response(_shown(key))

    @extend_schema(tags=_TAGS, operation_id="untrusted_cache_forget", responses={204: None})
    def delete(self, request: Request, key: uuid.UUID) -> Response:  # noqa: ARG002
        """Forget it and the chains it stood in; the next test that meets it remembers it again."""
        services.forget(_certificate(key))
        return Response(status=204)


class TrustCertificate(ApiView):
    """The decision to trust a certificate of the cache."""

    acts = {"post": "trust.decide"}

    @extend_schema(
        tags=_TAGS,
        operation_id="untrusted_cache_trust",
        request=TrustRequestSerializer,
        responses={200: TrustEntrySerializer, 201: TrustEntrySerializer},
    )
    def post(self, request: Request, key: uuid.UUID) -> Response:
        """Trust it as anchor or pin: 201 with the entry, 200 where it was trusted in this way already."""
        body = read_body(request.data, (*_DECISION, "fingerprint"))
        outcome = services.trust(
            _certificate(key),
            as_=body.get("as"),
            fingerprint=body.get("fingerprint"),
            reason=body.get("reason"),
            endpoint=body.get("endpoint"),
            scope=body.get("scope"),
            expires=body.get("expires"),
            user=request.user.get_username(),
            now=timezone.now(),
        )
        return _created(_entry_to_json(outcome.entry), outcome.entry, created=outcome.created)


class RejectCertificate(ApiView):
    """The decision to reject a certificate of the cache."""

    acts = {"post": "trust.decide", "delete": "trust.decide"}

    @extend_schema(
        tags=_TAGS,
        operation_id="untrusted_cache_reject",
        request=RejectRequestSerializer,
        responses=CachedCertificateSerializer,
    )
    def post(self, request: Request, key: uuid.UUID) -> Response:
        """Reject it wherever it stands in a chain."""
        body = read_body(request.data, ("reason",))
        services.reject(
            _certificate(key), reason=body.get("reason", ""), user=request.user.get_username(), now=timezone.now()
        )
        return Response(_shown(key))

    @extend_schema(tags=_TAGS, operation_id="untrusted_cache_unreject", responses=CachedCertificateSerializer)
    def delete(self, request: Request, key: uuid.UUID) -> Response:  # noqa: ARG002
        """Withdraw the rejection: the certificate is untrusted again, no more."""
        services.unreject(_certificate(key), now=timezone.now())
        return Response(_shown(key))


class TrustEntries(ApiView):
    """The trust store."""

    acts = {**_LOOK, "post": "trust.decide"}
    parser_classes: list[type[BaseParser]] = [StrictJSONParser, StrictMultiPartParser]

    @extend_schema(
        tags=_TAGS,
        operation_id="trust_store_list",
        parameters=[
            OpenApiParameter("as", enum=Kind.values),
            OpenApiParameter("host"),
            OpenApiParameter("fingerprint"),
            OpenApiParameter("q"),
            OpenApiParameter("limit", int),
            OpenApiParameter("offset", int),
        ],
        responses=TrustEntrySerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """List what is trusted, by name."""
        filters = _filters(request, ("as", "host", "fingerprint", "q"), {"as": Kind.values})
        filters["kind"] = filters.pop("as", "")
        pages = Pagination()
        page = pages.paginate_queryset(selectors.entries(**filters), request, self) or []
        return pages.get_paginated_response([_entry_to_json(entry) for entry in page])

    @extend_schema(
        tags=_TAGS,
        operation_id="trust_store_import",
        request={"application/json": ImportRequestSerializer, "multipart/form-data": ImportRequestSerializer},
        responses={200: _IMPORTED, 201: _IMPORTED},
    )
    def post(self, request: Request) -> Response:
        """Import: one certificate is answered with its entry, several with `entries`; 200 where all were known."""
        data, body = _import(request)
        outcomes = services.import_certificates(
            data,
            as_=body.get("as"),
            reason=body.get("reason"),
            endpoint=body.get("endpoint"),
            scope=body.get("scope"),
            expires=body.get("expires"),
            user=request.user.get_username(),
            now=timezone.now(),
        )
        shown = [_entry_to_json(outcome.entry) for outcome in outcomes]
        created = any(outcome.created for outcome in outcomes)
        if len(shown) == 1:
            return _created(shown[0], outcomes[0].entry, created=created)
        return Response({"entries": shown}, status=201 if created else 200)


class TrustEntryDetail(ApiView):
    """One entry of the trust store."""

    acts = {**_LOOK, "patch": "trust.decide", "delete": "trust.decide"}

    @extend_schema(tags=_TAGS, operation_id="trust_store_read", responses=TrustEntrySerializer)
    def get(self, request: Request, key: uuid.UUID) -> Response:  # noqa: ARG002
        """Show it."""
        return Response(_entry_to_json(_entry(key)))

    @extend_schema(
        tags=_TAGS, operation_id="trust_store_edit", request=EditRequestSerializer, responses=TrustEntrySerializer
    )
    def patch(self, request: Request, key: uuid.UUID) -> Response:
        """Change name, scope, dates or reason; what only a read shows may come back unchanged."""
        entry = _entry(key)
        entry = services.edit(entry, _without_echo(request.data, entry), now=timezone.now())
        return Response(_entry_to_json(entry))

    @extend_schema(tags=_TAGS, operation_id="trust_store_remove", responses={204: None})
    def delete(self, request: Request, key: uuid.UUID) -> Response:  # noqa: ARG002
        """Withdraw the trust."""
        services.remove(_entry(key), now=timezone.now())
        return Response(status=204)


def _filters(request: Request, known: Collection[str], choices: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the filters of a list; raise ValidationError."""
    found = {name: value for name, value in request.query_params.dict().items() if name not in PAGES}
    problems = unknown_filters(request, PAGES.union(known))
    for name, allowed in choices.items():
        if found.get(name) and found[name] not in allowed:
            problems[name] = [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=list(allowed))]
    if problems:
        raise ValidationError(problems)
    return found


def _import(request: Request) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes to import and the other values, of a JSON body or of a form with a file."""
    if isinstance(request.data, QueryDict):
        body = read_body(request.data.dict(), (*_DECISION, "file"))
        upload = body.pop("file", None)
        # A form knows only texts: hosts are separated by commas or blanks, an empty field is an absent one.
        body["scope"] = body.get("scope", "").replace(",", " ").split()
        return upload.read(MAX_INPUT + 1) if isinstance(upload, UploadedFile) else b"", body
    body = read_body(request.data, (*_DECISION, "certificate"))
    content = body.pop("certificate", None)
    if not isinstance(content, str | None):
        raise ValidationError({"certificate": [invalid("invalid_type", "Expected a text.")]})
    return (content or "").encode(), body


def _without_echo(data: Any, entry: TrustEntry) -> dict[str, Any]:
    """Return the body without read-only members that say what is so anyway; a changed one stays, to be refused."""
    shown = json.loads(JSONRenderer().render(_entry_to_json(entry)))
    return {
        name: value
        for name, value in data.items()
        if name in services.EDITABLE or name not in shown or (name != "used_by" and shown[name] != value)
    }


def _created(shown: dict[str, Any], entry: TrustEntry, *, created: bool) -> Response:
    location = reverse("api-trust-entry", args=[entry.id])
    return Response(shown, status=201 if created else 200, headers={"Location": location})


def _entry_to_json(entry: TrustEntry) -> dict[str, Any]:
    return entry_to_json(entry, usage("trust", entry))


def _certificate(key: uuid.UUID) -> CachedCertificate:
    found = selectors.certificates(timezone.now()).filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def _shown(key: uuid.UUID) -> dict[str, Any]:
    certificate = _certificate(key)
    return certificate_to_json(certificate, selectors.presentations([certificate])[certificate.pk])


def _entry(key: uuid.UUID) -> TrustEntry:
    found = selectors.entries().filter(pk=key).first()
    if found is None:
        raise Http404
    return found
