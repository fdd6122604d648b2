"""What the pages of trust share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.generic import View

from core.errors import Refused
from core.permissions import ActMixin, Declared
from untrusted_cache import selectors
from untrusted_cache.forms import DecisionForm
from untrusted_cache.models import CachedCertificate, Chain, TrustEntry
from untrusted_cache.outdated import outdated

LOOK = {"get": "trust.view"}
DECIDE = {"get": "trust.decide", "post": "trust.decide"}


class Page(ActMixin, View):
    """A page that may be read by whoever may see what is trusted."""

    acts: Mapping[str, Declared] = LOOK
    http_method_names = ("get", "head", "post", "options")


class Confirmation(Page):
    """A page that asks before it acts: what is wrong comes back with 422, what was typed stays."""

    acts = DECIDE
    template_name = ""

    def show(self, request: HttpRequest, context: dict[str, Any], status: int = HTTPStatus.OK) -> HttpResponse:
        """Return the page."""
        return render(request, self.template_name, context, status=status)

    def refused(
        self, request: HttpRequest, form: DecisionForm, error: ValidationError | Refused, context: dict[str, Any]
    ) -> HttpResponse:
        """Return the page with what the service said."""
        if isinstance(error, Refused):
            form.full_clean()
            form.add_error(None, error.detail)
            return self.show(request, context | {"form": form}, HTTPStatus.CONFLICT)
        form.refuse(error)
        return self.show(request, context | {"form": form}, HTTPStatus.UNPROCESSABLE_ENTITY)


def certificate_or_404(key: uuid.UUID) -> CachedCertificate:
    """Return a certificate of the cache with its status; raise Http404."""
    found = selectors.certificates(timezone.now()).filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def entry_or_404(key: uuid.UUID) -> TrustEntry:
    """Return an entry of the trust store; raise Http404."""
    found = selectors.entries().filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def asked_chain(request: HttpRequest, certificate: CachedCertificate | None = None) -> Chain | None:
    """Return the chain that the address names, where it exists (and holds the certificate), else None."""
    try:
        key = uuid.UUID(request.GET.get("chain", ""))
    except ValueError:
        return None
    chains = selectors.chains(timezone.now())
    if certificate is not None:
        chains = chains.filter(links__certificate=certificate)
    return chains.filter(pk=key).first()


def back_to(chain: Chain | None, status: str = "") -> HttpResponseRedirect:
    """Lead to the card of a chain, else to the tab of a status."""
    if chain is not None:
        return HttpResponseRedirect(chain.get_absolute_url())
    query = f"?status={status}" if status else ""
    return HttpResponseRedirect(reverse("untrusted_cache:cache") + query)


def tell_changed(request: HttpRequest, sentence: str) -> None:
    """Say what became of a change of trust, and where the verdicts that it left behind are tested again."""
    messages.success(request, sentence)
    for count, address in outdated():
        words = "verdict is" if count == 1 else "verdicts are"
        link = format_html('<a href="{}">Look at them and test again</a>', address)
        messages.info(request, format_html("{} {} out of date now. {}", count, words, link))


def gone(request: HttpRequest, refusal: Refused, chain: Chain | None = None) -> HttpResponse:
    """Say that the act was refused, on the page where the caller came from."""
    messages.error(request, refusal.detail)
    return back_to(chain)
