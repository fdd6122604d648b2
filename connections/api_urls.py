"""What this app answers under `/api/v1/`."""

from collections.abc import Iterator

from django.urls import URLPattern, path

from connections.api.bulk import BulkView
from connections.api.exchange import ExportView, ImportView
from connections.api.kinds import views_of
from connections.api.listing import ConnectionListView
from connections.kinds import KINDS
from connections.models import Connection


def _of_kind(kind: str, model: type[Connection]) -> Iterator[URLPattern]:
    base, views = f"connections/{kind}/", views_of(model)
    addresses = {
        "list": "",
        "draft": "test/",
        "draft-folders": "folders/",
        "by-name": "by-name/<path:name>/",
        "detail": "<uuid:pk>/",
        "test": "<uuid:pk>/test/",
        "folders": "<uuid:pk>/folders/",
    }
    names = {"detail": f"api-{kind}", "draft": f"api-{kind}-test-draft"}
    for word, address in addresses.items():
        if word in views:
            yield path(base + address, views[word].as_view(), name=names.get(word, f"api-{kind}-{word}"))


urlpatterns = [
    path("connections/", ConnectionListView.as_view(), name="api-connections"),
    path("connections/export/", ExportView.as_view(), name="api-connections-export"),
    path("connections/import/", ImportView.as_view(), name="api-connections-import"),
    path("connections/bulk/", BulkView.as_view(), name="api-connections-bulk"),
    *(pattern for kind, model in KINDS.items() for pattern in _of_kind(kind, model)),
]
