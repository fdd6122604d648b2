"""The definition of a connection on the support pages: every field, the form and the services of the page."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, path

from connections import selectors, services
from connections.admin.lists import ConnectionList
from connections.admin.testing import TestPage
from connections.forms import ConnectionForm
from connections.models import Connection
from core.definition_admin import DefinitionAdmin, SupportForm, secret_shown
from core.models import User

_GENERAL = ("General", {"fields": ("name", "description", "status", "partner", "tags")})
_SIGN_IN = (
    "Sign-in",
    {
        "fields": (
            "authentication_type",
            "credential",
            "username",
            "password",
            "basic_mechanism",
            "oauth2_mechanism",
        )
    },
)
_TLS = (
    "match_server_hostname",
    "ssl_protocol_mode",
    "ssl_protocols",
    "cipher_suite_mode",
    "cipher_suites",
    "client_key_label",
)
_SERVER = ("host", "port", "connection_security", "timeout_ms")
_RUNNING = ("Retries and jobs", {"fields": ("max_retries", "retry_interval", "dynamic", "cluster", "steng")})
_STATE = ("State", {"fields": ("outcome", "tested", "version", "updated", "updated_by")})
_ONLY_SHOWN = ("outcome", "tested", "version", "updated", "updated_by")
_WITHOUT_STORE = frozenset({"client_key_label", "sign_key_alias"})
"""References that nothing stands behind on this installation: there is nothing to show of them."""


class ConnectionSupportForm(SupportForm, ConnectionForm):
    """The form of the page, in the looks of the support pages."""


class KindAdmin(TestPage, ConnectionList, DefinitionAdmin):
    """The connections of one kind."""

    add_act = change_act = delete_act = "connections.edit"
    pages = {**DefinitionAdmin.pages, **TestPage.pages}
    change_form_template = "admin/connections/change_form.html"
    save_on_top = True
    sections: tuple[Any, ...] = ()
    password = secret_shown("password", "Password")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:  # noqa: ARG002
        """Return one row with what its pages show."""
        try:
            return selectors.whole(self.model).filter(pk=uuid.UUID(object_id)).first()
        except ValueError:
            return None

    def rows_of(self, keys: Collection[Any]) -> Iterable[Any]:
        """Return the rows of one page with their verdicts."""
        return selectors.whole(self.model).filter(pk__in=keys).order_by()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return every field of the definition; to who may only look, what can be seen; of a stored one, its state."""
        sections: tuple[Any, ...] = self.sections if obj is None else (*self.sections, _STATE)
        if obj is None or self.has_change_permission(request, obj):
            return sections
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in _WITHOUT_STORE]})
            for title, options in sections
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ARG002
        """Return what nobody types."""
        return _ONLY_SHOWN if obj is not None else ()

    def form_of(self, request: HttpRequest, data: Any, row: Any) -> ConnectionSupportForm:  # noqa: ARG002
        """Return the form of the page."""
        return ConnectionSupportForm(self.model, data, connection=row)

    def store(self, form: Any, row: Any, *, user: User, expected_version: int | None) -> services.Saved:
        """Save it."""
        return services.save(self.model, row, form.values, user=user, expected_version=expected_version)

    def remove(self, row: Connection, *, expected_version: int | None) -> None:
        """Delete it with its secrets; its tests stay."""
        services.delete(row, expected_version=expected_version)

    def advisories_of(self, row: Connection) -> Iterable[Any]:
        """Return what is worth knowing about a stored connection."""
        return row.advisories()

    def get_urls(self) -> list[URLPattern]:
        """Add the page that runs a test."""
        name = f"connections_{self.opts.model_name}_test"
        page = path("<path:object_id>/test/", self.admin_site.admin_view(self.test_view), name=name)
        return [page, *super().get_urls()]


class SmtpConnectionAdmin(KindAdmin):
    """Connections that send mail."""

    sections = (
        _GENERAL,
        ("Server", {"fields": _SERVER}),
        _SIGN_IN,
        (
            "POP3 before SMTP",
            {
                "classes": ("collapse",),
                "fields": (
                    "pop_host",
                    "pop_port",
                    "pop_security",
                    "pop_username",
                    "pop_password",
                    "pop_use_apop",
                    "pop_interval_ms",
                ),
            },
        ),
        ("TLS", {"fields": _TLS}),
        ("Mail", {"fields": ("sender_address", "helo_name", "use_html_body", "sign_key_alias")}),
        _RUNNING,
    )
    pop_password = secret_shown("pop_password", "POP3 password")


class MailboxConnectionAdmin(KindAdmin):
    """Connections that read mailboxes."""

    sections = (
        _GENERAL,
        ("Server", {"fields": ("store_type", *_SERVER)}),
        _SIGN_IN,
        ("Mailbox", {"fields": ("folder", "disposition", "pull_disposition")}),
        ("TLS", {"fields": _TLS}),
        _RUNNING,
    )
    list_display = ("name", "store_type", *ConnectionList.list_display[1:])
