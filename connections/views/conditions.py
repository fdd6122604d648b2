"""The stylesheet that hides conditional fields where no script does, made from the one declaration."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from connections.kinds import KINDS
from connections.rules import CONDITIONS, HAS_FOLDERS, TAKEN_AGAIN
from core.permissions import needs
from core.rules import stylesheet


@needs(get="connections.view")
@cache_control(private=True, max_age=3600)
def conditions(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Return one rule for each condition of each kind's form."""
    fields = (condition.within(model.writable()) for model in KINDS.values() for condition in CONDITIONS.values())
    return HttpResponse(stylesheet((*fields, HAS_FOLDERS, TAKEN_AGAIN)), content_type="text/css; charset=utf-8")
