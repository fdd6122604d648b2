"""The pages of users and roles."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from django.views.generic import View

from core.errors import Refused
from core.models import User
from core.permissions import ActMixin, acts_of, outranks
from core.requests import user_of
from core.users import selectors, services
from core.users.forms import RolesForm, UserForm

PAGE_SIZE = 50
_BOTH = {"get": "users.manage", "post": "users.manage"}


class UsersView(ActMixin, View):
    """Everybody who has an account, with roles and last log-in. Context: `page`, `q`."""

    acts = {"get": "users.manage"}
    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the list."""
        q = request.GET.get("q", "").strip()
        page = Paginator(selectors.users(q), PAGE_SIZE).get_page(request.GET.get("page"))
        return render(request, "core/users.html", {"page": page, "q": q})


class NewUserView(ActMixin, View):
    """Somebody new, with a password for the first log-in. Context: `form`; then, once, `made` and `password`."""

    acts = _BOTH
    http_method_names = ("get", "head", "post", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        return self._show(request, UserForm(may_give=acts_of(request.user)))

    @method_decorator(sensitive_variables("password"))
    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the user and show the password: it is not stored, so the answer is a page and not a redirect."""
        form = UserForm(request.POST, may_give=acts_of(request.user))
        texts = {name: request.POST.get(name, "") for name in ("username", "email")}
        try:
            made, password = services.create(**texts, roles=form.chosen, by=user_of(request))
        except ValidationError as error:
            form.refuse(error)
            return self._show(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        return render(request, "core/user_made.html", {"made": made, "password": password})

    def _show(self, request: HttpRequest, form: UserForm, status: int = HTTPStatus.OK) -> HttpResponse:
        return render(request, "core/user_new.html", {"form": form}, status=status)


class UserView(ActMixin, View):
    """One user: roles, and whether he may log in. Context: `person`, `form`, `stronger`, `own`."""

    acts = _BOTH
    http_method_names = ("get", "head", "post", "options")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the user."""
        person = _person(pk)
        form = RolesForm(initial={"roles": [role.name for role in person.groups.all()]}, may_give=acts_of(request.user))
        return self._show(request, person, form)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Store the roles, or with `active` let the user in (`on`) or keep him out (`off`)."""
        person = _person(pk)
        form = RolesForm(request.POST, may_give=acts_of(request.user))
        wish: dict[str, Any] = {"roles": form.chosen}
        if "active" in request.POST:
            wish = {"is_active": request.POST["active"] == "on"}
        try:
            changed = services.change(person, by=user_of(request), **wish)
        except ValidationError as error:
            form.refuse(error)
            return self._show(request, person, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        except Refused as refusal:
            messages.error(request, refusal.detail)
            return redirect("core:user", pk=pk)
        if changed:
            messages.success(request, f"{person.username} is saved; it counts from the next click on.")
        else:
            messages.info(request, "Nothing was changed.")
        return redirect("core:user", pk=pk)

    def _show(self, request: HttpRequest, person: User, form: RolesForm, status: int = HTTPStatus.OK) -> HttpResponse:
        stronger = not outranks(request.user, person)
        form.fields["roles"].frozen = stronger  # type: ignore[attr-defined]
        context = {
            "person": person,
            "form": form,
            "stronger": stronger,
            "own": person.pk == request.user.pk,
        }
        return render(request, "core/user.html", context, status=status)


def _person(pk: int) -> User:
    person = selectors.users().filter(pk=pk).first()
    if person is None:
        raise Http404
    return person
