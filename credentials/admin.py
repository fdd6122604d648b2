"""Credentials on the support pages: to be read by who may see them, to be changed by who manages them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.definition_admin import DefinitionAdmin, SupportForm, secret_shown
from core.models import User
from core.usage import usage_counts
from credentials import selectors, services
from credentials.forms import CredentialForm
from credentials.models import Credential


class CredentialSupportForm(SupportForm, CredentialForm):
    """The form of the page, in the looks of the support pages."""


@admin.register(Credential)
class CredentialAdmin(DefinitionAdmin):
    """Credentials; what is secret in them is typed and never shown."""

    view_act = "credentials.view"
    add_act = change_act = delete_act = "credentials.manage"
    usage_kind = services.KIND
    list_display = ("name", "kind", "username", "client_id", "secret_expires", "updated")
    list_filter = ("kind",)
    sortable_by = ("name",)
    ordering = ("name_key",)
    search_help_text = "Words in the name or the description of a credential; or its id."
    sections = (
        ("General", {"fields": ("kind", "name", "description", "destinations")}),
        ("Basic", {"fields": ("username", "password")}),
        (
            "OAuth2 client credential",
            {"fields": ("token_endpoint", "client_id", "client_secret", "scope", "client_auth", "secret_expires")},
        ),
    )
    state = ("used_by", "version", "updated", "updated_by")
    password = secret_shown("password", "Password")
    client_secret = secret_shown("client_secret", "Client secret")

    @admin.display(description="Used by")
    def used_by(self, row: Credential) -> str:
        """Show how many use it; whoever wants to delete it is told which."""
        return f"{usage_counts(services.KIND, [row])[row.pk]:,} connections"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:  # noqa: ARG002
        """Return the rows with what their pages show."""
        return selectors.whole()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find what the console's own list finds."""

        def known(term: str) -> Q:
            return Q(pk__in=selectors.credential_list({"q": term}).order_by().values("pk"))

        return self.by_id_or(request, queryset, search_term, known)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        """Return every field of the definition; of a stored one, its state."""
        return self.sections if obj is None else (*self.sections, ("State", {"fields": self.state}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        """Return what nobody types."""
        return self.state if obj is not None else ()

    def form_of(self, request: HttpRequest, data: Any, row: Any) -> CredentialSupportForm:  # noqa: ARG002
        """Return the form of the page."""
        return CredentialSupportForm(data, credential=row)

    def store(self, form: Any, row: Any, *, user: User, expected_version: int | None) -> services.Saved:
        """Save it."""
        return services.save(row, form.values, user=user, expected_version=expected_version)

    def remove(self, row: Credential, *, expected_version: int | None) -> None:
        """Delete it with its secret, unless something uses it."""
        services.delete(row, expected_version=expected_version)

    def advisories_of(self, row: Credential) -> Iterable[Any]:
        """Return what is worth knowing about a stored credential."""
        return row.advisories(timezone.localdate())
