"""The OpenAPI description, and a page to try it out that loads nothing from elsewhere."""

from __future__ import annotations

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from core.permissions import LOGGED_IN


class SchemaView(SpectacularAPIView):
    """The description of the API in OpenAPI 3.1, as JSON, or as YAML where that is asked for."""

    acts = {"get": LOGGED_IN}
    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]


# Swagger UI writes style attributes and shows its icons from data: addresses; here only, and no scripts.
@method_decorator(csp_update({"style-src": ["'unsafe-inline'"], "img-src": ["data:"]}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """The page to read and to try the API."""

    acts = {"get": LOGGED_IN}
    http_method_names = ["get", "head"]
    url_name = "api-schema"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the token in OpenAPI."""

    target_class = "core.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        """Return the security scheme."""
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token pst_…`"}


class BrowserSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describe the browser's log-in in OpenAPI."""

    target_class = "core.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        """Return the security scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
