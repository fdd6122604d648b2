"""Bind who acts for the time of a request."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from core.audit.actors import STRANGER, Actor, Door, acting
from core.authentication import sent_token, token_text
from core.login_guard import address_of
from core.middleware import GetResponse, is_api, is_open

_ADMIN = "/admin/"


class ActorMiddleware:
    """Say who sent the request, from where and through which door, to all that is recorded while it is answered."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on with its actor bound."""
        with acting(actor_of(request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """Return who sent a request: the user of its token under /api/, else of its session, else a stranger."""
    door, address = _door(request), address_of(request)
    token = sent_token(request) if door is Door.API and token_text(request) is not None else None
    if token is not None:
        return Actor(token.user_id, token.user.get_username(), door, address, token.name or str(token))
    # What answers everybody does not ask for the session: that would be a query for every look at the health.
    if not is_open(request) and request.user.is_authenticated:
        return Actor(request.user.pk, request.user.get_username(), door, address)
    return Actor(None, STRANGER, door, address)


def _door(request: HttpRequest) -> Door:
    if is_api(request):
        return Door.API
    return Door.ADMIN if request.path_info.startswith(_ADMIN) else Door.PAGE
