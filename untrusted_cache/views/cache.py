"""The pages of the untrusted cache: what was met, and the decisions about it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from core.errors import Refused
from untrusted_cache import selectors, services
from untrusted_cache.cards import cards, validity
from untrusted_cache.choices import Kind, Status
from untrusted_cache.forms import ReasonForm, TrustForm
from untrusted_cache.models import CachedCertificate, Chain
from untrusted_cache.views.base import Confirmation, Page, asked_chain, back_to, certificate_or_404, gone, tell_changed

PAGE_SIZE = 20
_TABS = ((Status.UNTRUSTED, "Untrusted"), (Status.TRUSTED, "Trusted now"), (Status.REJECTED, "Rejected"))


class CacheView(Page):
    """Presented chains by what became of them; the chain that the address names stands first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show one tab, or the asked chain above the tab it belongs to."""
        now = timezone.now()
        chain = asked_chain(request)
        if chain is None and request.GET.get("chain"):
            messages.info(
                request, "That chain is no longer in the cache. The next test that meets it remembers it again."
            )
        status = _status(request, chain)
        q = request.GET.get("q", "").strip()
        counts = selectors.status_counts(now)
        context: dict[str, Any] = {
            "status": status.value,
            "tabs": [(value.value, label, counts[value.value]) for value, label in _TABS],
            "q": q,
            "focus": self._focus(chain, request.GET.get("fingerprint", "")),
        }
        if status is Status.REJECTED:
            rows = selectors.certificates(now, status=status.value, q=q)
            rejected = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
            found = list(rejected)
            met = selectors.presentations(found)
            context["page"] = rejected
            context["rejected"] = [
                {"certificate": row, "met": met[row.pk], "validity": validity(row, now)} for row in found
            ]
        else:
            listed = selectors.chains_matching(now, status, q)
            if chain is not None:
                listed = listed.exclude(pk=chain.pk)
            page = Paginator(selectors.with_members(listed, now), PAGE_SIZE).get_page(request.GET.get("page"))
            context["page"] = page
            context["cards"] = cards(list(page), now)
        return render(request, "untrusted_cache/cache.html", context)

    def _focus(self, chain: Chain | None, typed: str) -> Any:
        if chain is None:
            return None
        now = timezone.now()
        found = selectors.with_members(selectors.chains(now).filter(pk=chain.pk), now)
        return next(iter(cards(found, now, typed)), None)


class TrustView(Confirmation):
    """Confirm trust in one certificate, as pin or as anchor."""

    template_name = "untrusted_cache/trust.html"

    def get(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Say what this trust means, and ask for fingerprint and reason."""
        certificate = certificate_or_404(key)
        context = self._context(request, certificate)
        return self.show(request, context | {"form": self._form(context)})

    def post(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Trust it, and lead back to the chain, where the test can be repeated."""
        certificate = certificate_or_404(key)
        context = self._context(request, certificate)
        form = self._form(context, request)
        try:
            outcome = services.trust(
                certificate,
                as_=context["kind"],
                fingerprint=form.text("fingerprint"),
                reason=form.text("reason"),
                endpoint=form.text("endpoint"),
                scope=form.names("scope"),
                expires=form.text("expires"),
                user=request.user.get_username(),
                now=timezone.now(),
            )
        except (ValidationError, Refused) as error:
            return self.refused(request, form, error, context)
        if outcome.created:
            tell_changed(request, f"{certificate} is trusted as {outcome.entry.kind}, from the next test on.")
        else:
            messages.info(request, f"{certificate} was trusted in this way already; nothing was changed.")
        return back_to(context["chain"], Status.TRUSTED.value)

    def _context(self, request: HttpRequest, certificate: CachedCertificate) -> dict[str, Any]:
        chain = asked_chain(request, certificate)
        kind = request.GET.get("as", "")
        return {
            "certificate": certificate,
            "chain": chain,
            "kind": kind if kind in Kind.values else Kind.ANCHOR.value if certificate.is_ca else Kind.PIN.value,
            "endpoints": [leading.endpoint for leading in selectors.leaf_endpoints(certificate)],
            "validity": validity(certificate, timezone.now()),
        }

    def _form(self, context: dict[str, Any], request: HttpRequest | None = None) -> TrustForm:
        chain: Chain | None = context["chain"]
        endpoint = chain.endpoint if chain is not None and chain.endpoint in context["endpoints"] else ""
        return TrustForm(context["kind"], context["endpoints"], request.POST if request else None, endpoint)


class RejectView(Confirmation):
    """Confirm the rejection of one certificate."""

    template_name = "untrusted_cache/reject.html"

    def get(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Say what a rejection means, and ask for the reason."""
        return self.show(request, self._context(request, key) | {"form": ReasonForm()})

    def post(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Reject it."""
        context = self._context(request, key)
        form = ReasonForm(request.POST)
        try:
            services.reject(
                context["certificate"],
                reason=form.text("reason"),
                user=request.user.get_username(),
                now=timezone.now(),
            )
        except (ValidationError, Refused) as error:
            return self.refused(request, form, error, context)
        tell_changed(request, f"{context['certificate']} is rejected wherever it stands in a chain.")
        return back_to(context["chain"], Status.REJECTED.value)

    def _context(self, request: HttpRequest, key: uuid.UUID) -> dict[str, Any]:
        certificate = certificate_or_404(key)
        entries = selectors.entries(fingerprint=certificate.fingerprint)
        return {"certificate": certificate, "chain": asked_chain(request, certificate), "entries": list(entries)}


class UnrejectView(Confirmation):
    """Confirm the withdrawal of a rejection."""

    template_name = "untrusted_cache/unreject.html"

    def get(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Ask."""
        certificate = certificate_or_404(key)
        return self.show(request, {"certificate": certificate, "chain": asked_chain(request, certificate)})

    def post(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Withdraw it."""
        certificate = certificate_or_404(key)
        chain = asked_chain(request, certificate)
        try:
            services.unreject(certificate, now=timezone.now())
        except Refused as refusal:
            return gone(request, refusal, chain)
        tell_changed(request, f"{certificate} is no longer rejected; it is not trusted either.")
        return back_to(chain)


class ForgetView(Confirmation):
    """Confirm that a certificate and its chains are to be forgotten."""

    template_name = "untrusted_cache/forget.html"

    def get(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Ask."""
        certificate = certificate_or_404(key)
        context = {
            "certificate": certificate,
            "chain": asked_chain(request, certificate),
            "count": certificate.chains.count(),
        }
        return self.show(request, context)

    def post(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Forget it."""
        certificate = certificate_or_404(key)
        try:
            services.forget(certificate)
        except Refused as refusal:
            return gone(request, refusal, asked_chain(request, certificate))
        messages.success(request, f"{certificate} is forgotten, with the chains it stood in.")
        return back_to(None)


def _status(request: HttpRequest, chain: Chain | None) -> Status:
    asked = request.GET.get("status", "")
    if asked in Status.values:
        return Status(asked)
    return Status(getattr(chain, "status", Status.UNTRUSTED.value))
