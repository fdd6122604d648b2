"""Log-in and out, the password, the theme, health, and the pages of errors."""

from __future__ import annotations

import logging
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.generic import View

from core import health, login_guard, sessions
from core.forms import NewPasswordForm
from core.middleware import is_api
from core.models import User
from core.permissions import ANYONE, LOGGED_IN, ActMixin, acts_of, may, needs
from core.problems import problem, problem_response

logger = logging.getLogger(__name__)

THEMES = ("light", "dark", "system")
_YEAR = 365 * 24 * 3600


class LogInView(ActMixin, LoginView):
    """The log-in page, with a brake on guessing."""

    acts = {"get": ANYONE, "post": ANYONE}
    http_method_names = ("get", "head", "post", "options")
    template_name = "core/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: str, **kwargs: object) -> HttpResponse:
        """Log in; after too many failures answer 429 without looking at the password."""
        username, address = request.POST.get("username", ""), login_guard.address_of(request)
        seconds = login_guard.book(username, address, timezone.now())
        if seconds:
            logger.warning("Log-in from %s refused: too many failures", address)
            response = self.render_to_response(
                self.get_context_data(form=self.form_class(request), wait_minutes=-(-seconds // 60)),
                status=HTTPStatus.TOO_MANY_REQUESTS,
            )
            response["Retry-After"] = str(seconds)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Strike out the failures and go where the person wanted to."""
        login_guard.forget(self.request.POST.get("username", ""), login_guard.address_of(self.request))
        with transaction.atomic():
            sessions.note_log_in(form.get_user())
            return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the page again; what was typed as the name stays, the password does not."""
        sessions.note_failure(str(form.cleaned_data.get("username", "")))
        return self.render_to_response(self.get_context_data(form=form), status=HTTPStatus.UNPROCESSABLE_ENTITY)


class LogOutView(ActMixin, LogoutView):  # type: ignore[misc]  # stricter about what it answers, no more
    """End the session (POST only)."""

    acts = {"post": LOGGED_IN}
    http_method_names = ("post", "options")

    def post(self, request: HttpRequest, *args: str, **kwargs: object) -> HttpResponse:
        """End it, and record that it was ended; who has none has nothing to end."""
        with transaction.atomic():
            if isinstance(request.user, User):
                sessions.note_log_out(request.user)
            return super().post(request, *args, **kwargs)


class PasswordView(ActMixin, PasswordChangeView):
    """Change one's own password; who must do it sees nothing else before."""

    acts = {"get": LOGGED_IN, "post": LOGGED_IN}
    http_method_names = ("get", "head", "post", "options")
    template_name = "core/password_change.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("home")

    def form_valid(self, form: NewPasswordForm) -> HttpResponse:  # type: ignore[override]
        """Store the password; this session goes on, all others of the user end."""
        response = super().form_valid(form)
        messages.success(self.request, "Your password is changed.")
        return response

    def form_invalid(self, form: NewPasswordForm) -> HttpResponse:  # type: ignore[override]
        """Show what is wrong; nothing that was typed stays."""
        return self.render_to_response(self.get_context_data(form=form), status=HTTPStatus.UNPROCESSABLE_ENTITY)


class HomeView(ActMixin, View):
    """Lead to the page that most people work on; who may not open it is told what to do about it."""

    acts = {"get": LOGGED_IN}
    http_method_names = ("get", "head", "options")
    act = pattern_name = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Redirect, or show the page for who has no role yet."""
        if may(request.user, self.act):
            return HttpResponseRedirect(reverse(self.pattern_name))
        return render(request, "core/no_role.html", {"acts": acts_of(request.user)})


@needs(post=LOGGED_IN)
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the choice of light, dark or system in a cookie and go back to the page."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = HttpResponseRedirect(target)
    choice = request.POST.get("theme", "")
    if choice in THEMES:
        response.set_cookie(
            "theme", choice, max_age=_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
    return response


@needs(get=ANYONE)
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say that the process answers; the database is not asked."""
    return HttpResponse("ok\n", content_type="text/plain")


@needs(get=ANYONE)
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Say whether all that is needed works: 200, or 503 with the names of what does not."""
    failing = health.failing()
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    return JsonResponse({"status": "unavailable" if failing else "ok", "failing": failing}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer what cannot be read."""
    return _error(request, "malformed", "The request cannot be read.")


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what may not be done, with the sentence of who refused it."""
    return _error(request, "permission_denied", str(exception or "") or "You may not do this.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  the reason is for developers
    """Answer a form that does not belong to this session: it was open too long, or another site sent it."""
    sentence = "This page was open for too long, or cookies are switched off. Go back, load it again and repeat."
    return _error(request, "permission_denied", sentence)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """Answer an address that does not exist, or must not be known."""
    return _error(request, "not_found", "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after an error of ours; the log has it, the answer does not."""
    return _error(request, "internal_error", "Something went wrong in the console; its log says what.")


def _error(request: HttpRequest, code: str, sentence: str) -> HttpResponse:
    if is_api(request):
        return problem_response(code, sentence)
    facts = problem(code, sentence)
    try:
        # Without the request's context processors: what they ask (the session, the database) may be what broke.
        content = get_template("core/error.html").render({**facts, "request": request})
    except Exception:
        logger.exception("The page of errors cannot be shown")
        content = f"{facts['title']}\n\n{sentence}\n"
        return HttpResponse(content, status=facts["status"], content_type="text/plain; charset=utf-8")
    return HttpResponse(content, status=facts["status"])
