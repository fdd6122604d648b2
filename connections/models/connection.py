"""What every kind of connection has: one base row, beside which each kind has a row for what it adds.

The name is unique over all kinds, and everything that lists, filters and counts connections reads this row alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from cluster.models import Cluster, LastTest, Steng
from connections import rules, validators
from connections.choices import Kind, Security, Selection, SslProtocol, Status
from core.definition_models import Definition
from core.fields import (
    NameField,
    NameListField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictIntegerField,
    StrictTextField,
)
from core.net import canonical_host, endpoint
from core.rules import Problem
from core.secret_values import MAX_SECRET
from credentials.models import Credential
from steng.suites import SUITES


class Connection(Definition):
    """What every kind of connection has; its name is unique over all kinds.

    `KIND` is what the kind is called in addresses and files; `REFERENCES` name things of other tables, or of none yet.
    """

    KIND: ClassVar[str] = ""
    NOUN = "connection"
    SECRETS = {"password": MAX_SECRET}
    REFERENCES: ClassVar[tuple[str, ...]] = ("credential", "client_key_label", "cluster", "steng")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, editable=False)
    name = NameField("Name", help_text="Up to 128 characters. No blanks and none of ' \" |")
    name_key = models.CharField(max_length=400, unique=True, editable=False)
    description = StrictTextField("Description", max_length=2_048, blank=True, default="")
    status = StrictChoiceField(
        "Status",
        choices=Status.choices,
        default=Status.ENABLED,
        blank=True,
        help_text="A disabled connection is kept and can be tested; transfers refuse it.",
    )
    host = StrictCharField(
        "Host",
        max_length=253,
        validators=[validators.validate_host],
        help_text="Host name or IP address of the server.",
    )
    host_canonical = models.CharField(max_length=253, editable=False)
    port = StrictIntegerField("Port", minimum=1, maximum=65_535, help_text="1 to 65535.")
    connection_security = StrictChoiceField(
        "Connection security",
        choices=Security.choices,
        help_text="What is chosen here happens or the connection fails; there is no fall-back to clear text.",
    )
    username = StrictCharField(
        "Username",
        max_length=320,
        blank=True,
        default="",
        help_text="Up to 320 characters. Many servers want the whole e-mail address.",
    )
    password_sealed = models.TextField(blank=True, default="", editable=False)
    password_changed_at = models.DateTimeField(null=True, editable=False)
    credential = models.ForeignKey(
        Credential,
        verbose_name="Search credential",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="A stored credential; it brings user name and password along, or the client that fetches a token.",
    )
    match_server_hostname = StrictBooleanField(
        "Match server hostname",
        default=False,
        blank=True,
        help_text="Check that the server's certificate is made for the host above.",
    )
    ssl_protocol_mode = StrictChoiceField(
        "SSL authentication protocol",
        choices=Selection.choices,
        default=Selection.ALL,
        blank=True,
        help_text="ALL allows every version that is safe today: TLSv1_2 and TLSv1_3.",
    )
    ssl_protocols = NameListField("SSL protocols", known=SslProtocol.values, blank=True)
    cipher_suite_mode = StrictChoiceField(
        "Accepted cipher suites", choices=Selection.choices, default=Selection.ALL, blank=True
    )
    cipher_suites = NameListField(
        "Cipher suites",
        known=SUITES,
        refused=[name for name, suite in SUITES.items() if not suite.protects],
        blank=True,
        help_text="In the order in which this side prefers them.",
    )
    timeout_ms = StrictIntegerField(
        "Timeout",
        minimum=1_000,
        maximum=600_000,
        default=60_000,
        blank=True,
        help_text="Milliseconds for the whole conversation with the server, 1,000 to 600,000.",
    )
    max_retries = StrictIntegerField(
        "Max retries",
        maximum=100,
        null=True,
        blank=True,
        help_text="Retries of a transfer, 0 to 100. Empty or 0: the first failure is final. A test runs once.",
    )
    retry_interval = StrictIntegerField(
        "Retry interval",
        maximum=86_400,
        null=True,
        blank=True,
        help_text="Seconds between two attempts, up to 86,400. Empty or 0: no retry is made.",
    )
    dynamic = StrictBooleanField(
        "Dynamic",
        default=False,
        blank=True,
        help_text="A job may override values of this connection at run time through the API.",
    )
    cluster = models.ForeignKey(
        Cluster,
        verbose_name="Cluster",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where the jobs of this connection run; a test offers it first.",
    )
    steng = models.ForeignKey(
        Steng, verbose_name="STENG", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    tags = NameListField("Tags", blank=True, help_text="Names for lists and filters, separated by commas.")
    partner = NameField(
        "Partner", blank=True, default="", help_text="The business party that this connection reaches (no blanks)."
    )
    last_test = models.OneToOneField(LastTest, on_delete=models.PROTECT, related_name="+", editable=False)
    configuration = models.CharField(max_length=64, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    field_versions = models.JSONField(default=dict, editable=False)
    created = models.DateTimeField(editable=False)
    updated = models.DateTimeField(editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ("name_key",)
        indexes = (
            models.Index(fields=["host_canonical", "port"]),
            models.Index(fields=["kind", "status"]),
        )
        constraints = (
            models.CheckConstraint(condition=Q(port__gte=1, port__lte=65_535), name="connection_port"),
            models.CheckConstraint(
                condition=Q(timeout_ms__gte=1_000, timeout_ms__lte=600_000), name="connection_timeout_ms"
            ),
            models.CheckConstraint(condition=Q(connection_security__in=Security.values), name="connection_security"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="connection_status"),
        )

    @property
    def endpoint(self) -> str:
        """Return `host:port` as it is shown and compared."""
        shown: str = endpoint(self.host_canonical or self.host, self.port)
        return shown

    def values(self) -> dict[str, Any]:
        """Return what the rules judge: the values by name with the kind, without secrets."""
        known = {"kind": self.KIND, "credential": self.credential_id}
        return known | super().values() | {"host_canonical": self.host_canonical}

    def fill_in(self) -> None:
        """Give the fields that were left out a default that depends on others."""

    def broken_rules(self) -> Iterable[Problem]:
        """Return what is missing, and what this combination cannot have."""
        values = self.values()
        return (*rules.missing(values, self.secret_is_set), *rules.unavailable(values))

    def advisories(self) -> list[Problem]:
        """Return what is allowed and yet worth knowing about this definition."""
        return rules.advisories(self.values(), self.secret_is_set)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep what is derived from other columns in step with them."""
        if self.KIND:
            self.kind = self.KIND
        self.host_canonical = canonical_host(self.host)
        super().save(*args, **kwargs)
