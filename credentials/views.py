"""The pages of credentials: list, form, delete, and what the form of a connection asks while a name is typed.

Each view translates the request, makes one domain call and translates the answer back. Every page works
without a script; htmx asks for fragments of the same templates.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.generic import View

from core.definition_pages import judge, shown_of, stored, tell
from core.errors import Refused
from core.permissions import ActMixin
from core.requests import user_of, version_of
from core.rules import stylesheet
from core.usage import usage, usage_counts
from credentials import rules, selectors, services
from credentials.candidate import build
from credentials.choices import CredentialKind
from credentials.forms import CredentialForm
from credentials.models import Credential

PAGE_SIZE = 50

_VIEW, _MANAGE = "credentials.view", "credentials.manage"
_KINDS = [(str(value), str(label)) for value, label in CredentialKind.choices]


class Page(ActMixin, View):
    """A page of credentials."""

    http_method_names = ("get", "head", "post", "options")


class ListView(Page):
    """The list of credentials, with its filters in the address so that it can be sent to somebody."""

    acts = {"get": _VIEW}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the credentials that match."""
        chosen = {name: request.GET.get(name, "") for name in selectors.FILTERS}
        try:
            rows = selectors.credential_list(chosen)
        except ValidationError as error:
            # An address that was typed or has aged: what cannot match anything is left out, and said.
            messages.warning(request, f"Not a filter of this list: {', '.join(sorted(error.error_dict))}.")
            chosen |= dict.fromkeys(error.error_dict, "")
            rows = selectors.credential_list(chosen)
        page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "rows": _rows(list(page.object_list)),
            "any": bool(page.paginator.count) or Credential.objects.exists(),
            "today": timezone.localdate(),
            "chosen": chosen,
            "kinds": _KINDS,
            "chips": _chips(request, chosen),
        }
        return render(request, "credentials/list.html", context)


def _rows(found: list[Credential]) -> list[dict[str, Any]]:
    counts, today = usage_counts(services.KIND, found), timezone.localdate()
    return [
        {
            "credential": row,
            "secret_set": row.secret_is_set(rules.SECRET_OF[row.kind]),
            "secret_changed": getattr(row, f"{rules.SECRET_OF[row.kind]}_changed_at"),
            "used_by": counts[row.pk],
            "expiry": next((item for item in row.advisories(today) if item.code == "secret_expires_soon"), None),
        }
        for row in found
    ]


def _chips(request: HttpRequest, chosen: Mapping[str, str]) -> list[tuple[str, str]]:
    labels = {"kind": "Type", "q": "Search"}
    chips = []
    for name in selectors.FILTERS:
        if chosen[name]:
            query = request.GET.copy()
            for gone in (name, "page"):
                query.pop(gone, None)
            words = dict(_KINDS).get(chosen[name], chosen[name])
            chips.append((f"{labels[name]}: {words}", f"{request.path}?{query.urlencode()}"))
    return chips


class NewView(Page):
    """An empty form, and what it saves."""

    acts = {"get": _MANAGE, "post": _MANAGE}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form; the address may name the kind."""
        kind = request.GET.get("kind", "")
        return _page(request, CredentialForm(kind=kind if kind in CredentialKind.values else ""), None)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save a new credential."""
        return _save(request, None)


class EditView(Page):
    """A saved credential: to read for who may see it, to change for who manages credentials."""

    acts = {"get": _VIEW, "post": _MANAGE}

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show the credential."""
        credential = _existing(pk)
        form = CredentialForm(credential=credential)
        form.advise(credential.advisories(timezone.localdate()))
        return _page(request, form, credential)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Save what was changed."""
        return _save(request, _existing(pk))


def _save(request: HttpRequest, credential: Credential | None) -> HttpResponse:
    form = CredentialForm(request.POST, credential=credential)
    version = version_of(request) if credential is not None else None
    saved = stored(
        form, lambda: services.save(credential, form.values, user=user_of(request), expected_version=version)
    )
    if isinstance(saved, HTTPStatus):
        return _page(request, form, credential, status=saved)
    row = saved.credential
    tell(request, form, saved, row.advisories(timezone.localdate()))
    if request.POST.get("then") == "another":
        return redirect(f"{reverse('credentials:new')}?kind={row.kind}")
    return redirect("credentials:edit", pk=row.pk)


class DeleteView(Page):
    """Ask whether a credential is to be deleted, and delete it."""

    acts = {"get": _MANAGE, "post": _MANAGE}

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Ask; where connections use it, name them instead."""
        return self._ask(request, _existing(pk))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Delete it, unless something uses it."""
        credential = _existing(pk)
        try:
            services.delete(credential, expected_version=version_of(request))
        except Refused as refusal:
            if refusal.code != "in_use":
                messages.error(request, refusal.detail)
                return redirect("credentials:list")
            return self._ask(request, credential, HTTPStatus.CONFLICT)
        messages.success(request, f"{credential.name} is deleted.")
        return redirect("credentials:list")

    def _ask(self, request: HttpRequest, credential: Credential, status: int = HTTPStatus.OK) -> HttpResponse:
        context = {"credential": credential, "used_by": usage(services.KIND, credential)}
        return render(request, "credentials/delete.html", context, status=status)


class CheckView(Page):
    """Answer a changed field with the notes of every field; errors only where somebody was already."""

    acts = {"post": _MANAGE}

    def post(self, request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
        """Judge what is on the screen, save nothing."""
        credential = _existing(pk) if pk is not None else None
        form = CredentialForm(request.POST, credential=credential)
        today = timezone.localdate()
        judge(
            form,
            lambda: build(form.values, credential, partial=False).advisories(today),
            shown=shown_of(request),
        )
        return render(request, "credentials/_checked.html", {"form": form})


class SearchView(Page):
    """The options of a field that takes the name of a credential, while it is typed.

    The form of a connection sends its own fields: `credential` for `q`, `authentication_type` for `kind`, whose
    words are the same.
    """

    acts = {"get": _VIEW}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the options that match."""
        text = request.GET.get("q", request.GET.get("credential", ""))
        kind = request.GET.get("kind", request.GET.get("authentication_type", ""))
        return render(request, "credentials/_options.html", {"credentials": selectors.search(text, kind or None)})


@method_decorator(cache_control(private=True, max_age=3600), name="dispatch")
class ConditionsView(Page):
    """The stylesheet that hides the fields of the other kind where no script does, made from the one declaration."""

    acts = {"get": _VIEW}

    def get(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002
        """Return the stylesheet."""
        return HttpResponse(stylesheet(rules.CONDITIONS.values()), content_type="text/css; charset=utf-8")


def _existing(pk: uuid.UUID) -> Credential:
    credential = selectors.whole().filter(pk=pk).first()
    if credential is None:
        raise Http404
    return credential


def _page(
    request: HttpRequest, form: CredentialForm, credential: Credential | None, status: int = HTTPStatus.OK
) -> HttpResponse:
    key = [credential.pk] if credential is not None else []
    context = {
        "form": form,
        "credential": credential,
        "version": credential.version if credential is not None else "",
        "shown": ",".join(form.errors),
        "check_url": reverse("credentials:check" if key else "credentials:check-draft", args=key),
        "used_by": usage(services.KIND, credential) if credential is not None else [],
    }
    return render(request, "credentials/form.html", context, status=status)
