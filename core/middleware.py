"""The doors of the console: who is not logged in sees the log-in page and nothing else.

Closed by default and by address, before any view is looked for, so that a view that forgets to ask, or an
address that does not exist, tells a stranger nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.authentication import REFUSED, sent_token, token_text
from core.problems import problem_response

GetResponse = Callable[[HttpRequest], HttpResponse]

OPEN_PATHS = frozenset({"/login/", "/healthz", "/readyz"})
"""All that answers a stranger, besides the static files that the log-in page is made of."""

_API = "/api"
# A page for browsers, although it stands under /api/.
_API_PAGES = frozenset({"/api/v1/docs/"})
_WITH_OLD_PASSWORD = frozenset({"/password/", "/logout/", "/theme/"})


def is_open(request: HttpRequest) -> bool:
    """Tell whether a path answers without a log-in."""
    return request.path_info in OPEN_PATHS or request.path_info.startswith(f"/{settings.STATIC_URL.strip('/')}/")


def is_api(request: HttpRequest) -> bool:
    """Tell whether a path is answered with JSON, so that its errors are problems and not pages."""
    path = request.path_info
    return (path == _API or path.startswith(f"{_API}/")) and path not in _API_PAGES


class NoStoreMiddleware:
    """Let no browser and no proxy keep an answer that does not say itself for how long.

    What was shown to somebody is not to be found by the next one at the same computer. The static files never
    come this way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Mark the answer."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class LogInRequiredMiddleware:
    """Send strangers to the log-in page; scripts get 401."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or answer it."""
        if is_open(request):
            return self.get_response(request)
        if is_api(request):
            return self._api(request)
        if request.user.is_authenticated:
            return self.get_response(request)
        if _is_fragment(request):
            return lead_to(request, f"{reverse(settings.LOGIN_URL)}?{urlencode({'next': _page_of(request)})}")
        # A POST cannot be repeated after the log-in, so there is nothing to come back to.
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")

    def _api(self, request: HttpRequest) -> HttpResponse:
        if token_text(request) is not None:
            if sent_token(request) is None:
                return problem_response("not_authenticated", REFUSED)
        elif not request.user.is_authenticated:
            return problem_response("not_authenticated", "Send a token, or log in with the browser.")
        return self.get_response(request)


class MustChangePasswordMiddleware:
    """Lead who still has a password made by others to the page that changes it.

    Tokens are not concerned: whoever made one had the command line of the console's host.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or answer it."""
        if is_open(request) or request.path_info in _WITH_OLD_PASSWORD:
            return self.get_response(request)
        if not getattr(request.user, "must_change_password", False):
            return self.get_response(request)
        if is_api(request):
            return problem_response("permission_denied", "Change your password first, in the browser.")
        return lead_to(request, reverse("core:password-change"))


def lead_to(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect a page; a fragment that htmx asked for takes its whole page along instead of swapping the other in."""
    if _is_fragment(request):
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _page_of(request: HttpRequest) -> str:
    """Return the path of the page that a fragment belongs to; the log-in view checks that it is ours."""
    address = urlsplit(request.headers.get("HX-Current-URL", "/"))
    return address.path + (f"?{address.query}" if address.query else "")
