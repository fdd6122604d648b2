"""Addresses that fail in every way there is: what tests of problems and of `Idempotency-Key` ask."""

from types import SimpleNamespace

from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import OperationalError
from django.http import Http404
from django.urls import path
from rest_framework import exceptions
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from console.urls import handler400, handler403, handler404, handler500
from console.urls import urlpatterns as real_patterns
from core.api import ApiView
from core.errors import Refused, invalid
from core.etags import etag, expected_version
from core.parsers import StrictJSONParser
from core.permissions import LOGGED_IN
from core.versions import require_version

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

RAISED = {
    "field": lambda: ValidationError(
        {
            "port": [invalid("out_of_range", "Between 1 and 65,535.", limit=65_535, value=70_000)],
            "a/b~c": [invalid("unknown_field", "No such field.")],
        }
    ),
    "whole": lambda: ValidationError("Both cannot be.", code="conflicting"),
    "percent": lambda: ValidationError({"name": [ValidationError("100%(all) of %s", code="x", params={"value": 1})]}),
    "suggestion": lambda: ValidationError(
        {"host": [invalid("host_has_port", "Split it.", suggestion={"host": "h", "connection_security": None})]}
    ),
    "rest": lambda: exceptions.ValidationError(
        {"outer": {"inner": [exceptions.ErrorDetail("Too long.", "max_length")]}, "list": [{}, {"x": ["No."]}]}
    ),
    "gone": Http404,
    "denied": lambda: PermissionDenied("You may not fly."),
    "busy": lambda: OperationalError("database is locked"),
    "slow-down": lambda: exceptions.Throttled(wait=41.2),
    "in-use": lambda: Refused("in_use", "Two connections use it.", used_by=[{"id": 1}, {"id": 2}]),
    "choose": lambda: Refused("cluster_required", "Name a cluster."),
    "odd": lambda: Refused("a_new_code", "Something else."),
    "suspicious": lambda: SuspiciousOperation("secret detail"),
    "bug": lambda: RuntimeError("password=geheim"),
    "changed": lambda: Refused("precondition_failed", "It was changed.", changed=["port"]),
}  # fmt: skip


class Failing(ApiView):
    """Raise what the address names."""

    acts = {"get": LOGGED_IN}

    def get(self, request, name):
        problem = RAISED[name]()
        raise problem


class Counter(ApiView):
    """Count the POSTs that were carried out; a body with `fail` is refused."""

    acts = {"post": "connections.test"}
    count = 0

    def post(self, request):
        if request.data.get("fail"):
            raise Refused("conflict", "Not now.")
        type(self).count += 1
        return Response({"count": self.count, "got": request.data}, status=201, headers={"Location": "/somewhere/"})


class Upload(ApiView):
    """Take a file or JSON."""

    acts = {"post": LOGGED_IN}
    parser_classes = (StrictJSONParser, MultiPartParser)

    def post(self, request):
        return Response({"size": request.data["file"].size})


class Versioned(ApiView):
    """A thing in version 3."""

    acts = {"get": LOGGED_IN, "put": "connections.edit"}

    def get(self, request):
        return Response({}, headers={"ETag": etag(3)})

    def put(self, request):
        expected = expected_version(request)
        require_version(SimpleNamespace(version=3, field_versions={"name": 1, "port": 3}), expected, "thing")
        return Response({"expected": expected})


class Forgetful(ApiView):
    """A view that does not say what its POST takes."""

    def post(self, request):
        return Response({})


def broken_page(request):
    """Fail like a page with a bug."""
    raise RuntimeError("password=geheim")


def closed_page(request):
    """Refuse."""
    raise PermissionDenied("You may not fly.")


urlpatterns = [
    path("api/v1/fail/<str:name>/", Failing.as_view()),
    path("api/v1/counter/", Counter.as_view()),
    path("api/v1/upload/", Upload.as_view()),
    path("api/v1/versioned/", Versioned.as_view()),
    path("api/v1/forgetful/", Forgetful.as_view()),
    path("api/v1/plain/", broken_page),
    path("broken/", broken_page),
    path("closed/", closed_page),
    *real_patterns,
]
