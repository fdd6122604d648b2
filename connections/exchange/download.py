"""An export as the answer to a request, for the page and the API."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import StreamingHttpResponse

from connections.exchange import exporting, writing
from connections.exchange.document import Format


def file_response(format_: Format, filters: Mapping[str, str]) -> StreamingHttpResponse:
    """Return an export as a download, sent piece by piece; raise ValidationError for a filter before it begins."""
    return StreamingHttpResponse(
        exporting.export(format_, filters),
        content_type=writing.CONTENT_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="connections.{format_.value}"'},
    )
