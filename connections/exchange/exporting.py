"""The export of definitions: which ones, and the record that they left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import transaction

from connections import selectors
from connections.exchange import writing
from connections.exchange.document import Format
from core import audit


def export(format_: Format, filters: Mapping[str, str]) -> Iterator[str]:
    """Return the file of the connections that match, piece by piece; raise ValidationError for a filter at once.

    Its order is by name, so that two of them can be compared.
    It is recorded before the first piece leaves: who breaks off has seen something already.
    """
    used = {name: value for name, value in filters.items() if value}
    matches = selectors.connection_list(used)
    with transaction.atomic():
        audit.record(
            "definitions.exported",
            audit.Thing("definitions", "", "Definitions"),
            format=format_.value,
            count=matches.count(),
            filters=used,
        )
    return writing.write(format_, matches.definitions())
