"""The two ways to say who one is under /api/: a token, or the browser's own log-in."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from core.models import ApiToken, User
from core.tokens import find_token, touch

SCHEME = "Token"
REFUSED = "This token is not known, ran out, or belongs to a user who is not active."
_FOUND = "postern_token"


def token_text(request: HttpRequest | Request) -> str | None:
    """Return what stands behind `Authorization: Token`, None where the request has no such header."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return text.strip() if scheme.lower() == SCHEME.lower() else None


def sent_token(request: HttpRequest | Request) -> ApiToken | None:
    """Return the token that a request was sent with, None where there is none or it is no good.

    It is looked up once and kept on the request: the middleware and the view behind it ask for the same one.
    A view sees the middleware's request through its own, so it finds there what was kept.
    """
    if not hasattr(request, _FOUND):
        text = token_text(request)
        setattr(request, _FOUND, None if text is None else find_token(text))
    found: ApiToken | None = getattr(request, _FOUND)
    return found


class TokenAuthentication(BaseAuthentication):
    """Know a user by `Authorization: Token pst_…`; a token that is no good is 401, whatever else was sent."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return user and token, None where no token was sent; raise AuthenticationFailed for a bad one."""
        if token_text(request) is None:
            return None
        token = sent_token(request)
        if token is None:
            raise AuthenticationFailed(REFUSED)
        touch(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Return what a 401 says in `WWW-Authenticate`."""
        return f'{SCHEME} realm="postern"'


class BrowserSession(SessionAuthentication):
    """Know a user by the session of the browser, with its CSRF token on every unsafe request."""
