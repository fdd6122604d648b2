"""The pages of the trust store."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from core.errors import Refused
from core.usage import usage
from untrusted_cache import selectors, services
from untrusted_cache.cards import validity
from untrusted_cache.choices import Kind
from untrusted_cache.forms import EntryForm, ImportForm
from untrusted_cache.models import TrustEntry
from untrusted_cache.views.base import LOOK, Confirmation, Page, asked_chain, entry_or_404, tell_changed

PAGE_SIZE = 50


class StoreView(Page):
    """The list of what is trusted."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the entries that match the filters in the address."""
        now = timezone.now()
        chosen = {name: request.GET.get(name, "").strip() for name in ("q", "as", "host")}
        kind = chosen["as"] if chosen["as"] in Kind.values else ""
        found = selectors.entries(q=chosen["q"], kind=kind, host=chosen["host"])
        page = Paginator(found.defer("der"), PAGE_SIZE).get_page(request.GET.get("page"))
        rows = [
            {"entry": entry, "validity": validity(entry, now), "force": _force(entry)} for entry in page.object_list
        ]
        context = {
            "page": page,
            "rows": rows,
            "chosen": chosen,
            "filtered": any(chosen.values()),
            "kinds": Kind.choices,
        }
        return render(request, "untrusted_cache/store.html", context)


class ImportView(Confirmation):
    """Import certificates from a file or a pasted text."""

    template_name = "untrusted_cache/import.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        return self.show(request, {"form": ImportForm(initial={"as_": Kind.ANCHOR.value})})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Import, and lead to the entry, or to the list where there are several."""
        form = ImportForm(request.POST, request.FILES)
        try:
            outcomes = services.import_certificates(
                form.content(),
                as_=form.text("as_"),
                reason=form.text("reason"),
                endpoint=form.text("endpoint"),
                scope=form.names("scope"),
                expires=form.text("expires"),
                user=request.user.get_username(),
                now=timezone.now(),
            )
        except (ValidationError, Refused) as error:
            return self.refused(request, form, error, {})
        for outcome in outcomes:
            if not outcome.created:
                messages.info(request, f"{outcome.entry.name} was in the trust store already; nothing was changed.")
        new = [outcome.entry.name for outcome in outcomes if outcome.created]
        if new:
            who = f"{new[0]} is" if len(new) == 1 else f"{len(new)} certificates are"
            tell_changed(request, f"{who} trusted from the next test on.")
        chain = asked_chain(request)
        if chain is not None:
            # Back to the chain that asked for this import: there stands the button that tests again.
            return redirect(chain)
        if len(outcomes) == 1:
            return redirect(outcomes[0].entry)
        return redirect("untrusted_cache:trust-store")


class EntryView(Confirmation):
    """One entry: its facts for everybody, its form for who may decide."""

    template_name = "untrusted_cache/entry.html"
    acts = {**LOOK, "post": "trust.decide"}

    def get(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Show the entry."""
        entry = entry_or_404(key)
        return self.show(request, self._context(entry) | {"form": EntryForm(entry)})

    def post(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Change it."""
        entry = entry_or_404(key)
        form = EntryForm(entry, request.POST)
        try:
            saved = services.edit(entry, form.values(), now=timezone.now())
        except (ValidationError, Refused) as error:
            return self.refused(request, form, error, self._context(entry))
        tell_changed(request, f"{saved.name} is saved.")
        return redirect(saved)

    def _context(self, entry: TrustEntry) -> dict[str, Any]:
        return {
            "entry": entry,
            "validity": validity(entry, timezone.now()),
            "force": _force(entry),
            "used_by": usage("trust", entry),
        }


class RemoveView(Confirmation):
    """Confirm that trust is withdrawn."""

    template_name = "untrusted_cache/remove.html"

    def get(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Say what relies on the entry, and ask."""
        entry = entry_or_404(key)
        return self.show(request, {"entry": entry, "used_by": usage("trust", entry)})

    def post(self, request: HttpRequest, key: uuid.UUID) -> HttpResponse:
        """Withdraw the trust."""
        entry = entry_or_404(key)
        services.remove(entry, now=timezone.now())
        tell_changed(request, f"{entry.name} is no longer trusted.")
        return redirect("untrusted_cache:trust-store")


def _force(entry: TrustEntry) -> str:
    """Return in words why an entry is not in force, empty where it is."""
    now = timezone.now()
    if entry.starts is not None and entry.starts > now:
        return "not yet in force"
    return "expired" if entry.expires is not None and entry.expires <= now else ""
