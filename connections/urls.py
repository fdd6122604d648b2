"""The pages of this app."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from connections.kinds import ANY
from connections.views import bulk, conditions, definition, exchange, listing, tests


class KindConverter(StringConverter):
    """The kinds of connections."""

    regex = ANY


class FolderKindConverter(StringConverter):
    """The kinds that have folders."""

    regex = "mailbox"


register_converter(KindConverter, "kind")
register_converter(FolderKindConverter, "folderkind")

app_name = "connections"
urlpatterns = [
    path("connections/", listing.connection_list, name="list"),
    path("connections/export/", exchange.export, name="export"),
    path("connections/import/", exchange.import_, name="import"),
    path("connections/bulk/", bulk.bulk_act, name="bulk"),
    path("connections/conditions.css", conditions.conditions, name="conditions"),
    path("connections/<kind:kind>/new/", definition.new, name="new"),
    path("connections/<kind:kind>/test/", tests.test_draft, name="test-draft"),
    path("connections/<kind:kind>/check/", definition.check, name="check-draft"),
    path("connections/<folderkind:kind>/folders/", tests.folders_draft, name="folders-draft"),
    path("connections/<kind:kind>/<uuid:pk>/", definition.edit, name="edit"),
    path("connections/<kind:kind>/<uuid:pk>/test/", tests.test, name="test"),
    path("connections/<kind:kind>/<uuid:pk>/check/", definition.check, name="check"),
    path("connections/<folderkind:kind>/<uuid:pk>/folders/", tests.folders, name="folders"),
    path("connections/<kind:kind>/<uuid:pk>/delete/", definition.remove, name="delete"),
]
