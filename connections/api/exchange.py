"""The REST resources of definitions in files: export them, import them, or ask what an import would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from connections.api.listing import FILTER_PARAMETERS
from connections.exchange import document, plan, secret_sources
from connections.exchange.document import Format
from connections.exchange.download import file_response
from connections.exchange.foreign.systems import OURS, SYSTEMS
from connections.exchange.plan import Plan
from connections.exchange.schema import PLAN
from connections.selectors import FILTERS
from core.api import ApiView, refuse_unknown_filters
from core.errors import Refused, invalid, refuse_unknown
from core.parsers import StrictMultiPartParser
from core.requests import user_of

_MOST_ERRORS = 500
"""Errors in one problem; the others are counted, and the plan of a dry run lists more of them, by row."""

_SWITCHES = ("dry_run", "partial")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came, and what is known of its format."""

    data: bytes = field(repr=False)
    format: Format | None


class _FileParser(BaseParser):
    """Read the body as a file, at most a byte more than is accepted: its size is judged with everything else."""

    format_: Format

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Return the bytes with their format."""
        return Upload(stream.read(document.MAX_BYTES + 1), self.format_)


def _parser(name: str, type_: str, format_: Format) -> type[_FileParser]:
    return type(name, (_FileParser,), {"media_type": type_, "format_": format_})


_PARSERS = (
    _parser("YamlParser", "application/yaml", Format.YAML),
    _parser("OldYamlParser", "application/x-yaml", Format.YAML),
    _parser("TextYamlParser", "text/yaml", Format.YAML),
    _parser("JsonFileParser", "application/json", Format.JSON),
    _parser("CsvParser", "text/csv", Format.CSV),
    StrictMultiPartParser,
)


class _AnythingIsAccepted(BaseContentNegotiation):
    """Let `?format=` say what is wanted; a problem is JSON whatever the caller would rather have."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002
        """Return none: nothing is sent to an export."""
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:  # noqa: ARG002
        """Return the renderer of problems."""
        return renderers[0], renderers[0].media_type


class ExportView(ApiView):
    """Definitions as a file."""

    acts = {"get": "connections.view"}
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = _AnythingIsAccepted

    @extend_schema(
        operation_id="connections_export",
        parameters=[
            OpenApiParameter("format", str, enum=[each.value for each in Format], default=Format.YAML.value),
            *(parameter for parameter in FILTER_PARAMETERS if parameter.name != "ordering"),
        ],
        responses={
            (200, "application/yaml"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Export the connections that match, whole and by name, in a form that an import takes; never a secret."""
        refuse_unknown_filters(request, {*FILTERS, "format"})
        given = request.query_params.dict()
        return file_response(_format(given.pop("format", Format.YAML.value)), given)


class ImportView(ApiView):
    """Definitions from a file."""

    acts = {"post": "connections.edit"}
    parser_classes = _PARSERS

    @extend_schema(
        operation_id="connections_import",
        parameters=[
            OpenApiParameter("dry_run", bool, description="Answer what would be done, and do nothing."),
            OpenApiParameter("partial", bool, description="Apply what is sound although other rows are refused."),
            OpenApiParameter("system", str, enum=[OURS, *SYSTEMS], description="In whose words the file is written."),
        ],
        request={
            "application/yaml": OpenApiTypes.STR,
            "application/json": OpenApiTypes.OBJECT,
            "text/csv": OpenApiTypes.STR,
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
        },
        responses=PLAN,
    )
    def post(self, request: Request) -> Response:
        """Create and change the connections that a file defines, by name: all of them or none.

        The second identical call changes nothing. A row that is refused is an error at `/connections/3/port`.
        """
        given = {name: request.query_params[name] for name in request.query_params}
        refuse_unknown(given, {*_SWITCHES, "system"}, "There is no parameter “{}”.")
        dry_run, partial = (_switch(given, name) for name in _SWITCHES)
        upload = _upload(request)
        read, user = document.read(upload.data, upload.format), user_of(request)
        made = plan.make(read, secret_sources.as_it_stands, user=user, system=given.get("system"))
        if not dry_run:
            plan.apply(made, user=user, partial=partial)
            if not made.applied:
                raise _refusal(made)
        return Response(made.to_json())


def _refusal(made: Plan) -> Refused:
    errors = made.errors()[:_MOST_ERRORS]
    rows = len(made.refused)
    said = "One connection is" if rows == 1 else f"{rows} connections are"
    more = {"more": made.error_count - len(errors)} if made.error_count > len(errors) else {}
    return Refused(
        "validation_failed",
        f"{said} not valid, so nothing was changed.",
        errors=errors,
        counts=made.counts,
        **more,
    )


def _upload(request: Request) -> Upload:
    data: Any = request.data
    if isinstance(data, Upload):
        return data
    if isinstance(data, QueryDict):
        file: Any = data.get("file")
        if isinstance(file, UploadedFile):
            return Upload(file.read(document.MAX_BYTES + 1), document.format_of_name(file.name or ""))
        raise ValidationError({"file": [invalid("required", "Send the file as the part `file`.")]})
    return Upload(b"", None)  # no body at all: an empty file, which is no document


def _switch(given: Mapping[str, str], name: str) -> bool:
    value = given.get(name, "false")
    if value not in {"true", "false"}:
        raise ValidationError({name: [invalid("invalid_type", "Expected true or false.")]})
    return value == "true"


def _format(text: str) -> Format:
    try:
        return Format(text)
    except ValueError:
        allowed = [each.value for each in Format]
        sentence = f"Choose one of {', '.join(allowed)}."
        raise ValidationError({"format": [invalid("invalid_choice", sentence, allowed=allowed)]}) from None
