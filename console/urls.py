"""Every address of the console: the pages and the REST resources of each app, in a fixed list.

An app's `urls` says where its pages are, its `api_urls` what it answers under `/api/v1/`.
"""

from django.contrib import admin
from django.urls import include, path, re_path

from core.api import NotFoundView
from core.schema import DocsView, SchemaView
from core.views import HomeView

urlpatterns = [
    path("", HomeView.as_view(act="connections.view", pattern_name="connections:list"), name="home"),
    path("", include("core.urls")),
    path("", include("connections.urls")),
    path("", include("credentials.urls")),
    path("", include("untrusted_cache.urls")),
    path("", include("cluster.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/v1/docs/", DocsView.as_view(), name="api-docs"),
    path("api/v1/", include("core.api_urls")),
    path("api/v1/", include("connections.api_urls")),
    path("api/v1/", include("credentials.api_urls")),
    path("api/v1/", include("untrusted_cache.api_urls")),
    path("api/v1/", include("cluster.api_urls")),
    # Django's own 404 is a page; a script that misspells an address gets a problem instead.
    re_path(r"^api(?:/.*)?$", NotFoundView.as_view(), name="api-not-found"),
]

handler400 = "core.views.bad_request"
handler403 = "core.views.permission_denied"
handler404 = "core.views.page_not_found"
handler500 = "core.views.server_error"
