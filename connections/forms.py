"""The form of a connection of any kind: presentation of the model's fields, and text turned into values.

Limits, choices, help and rules stay on the model; this module says how each field looks, and hands the
values to `connections.services`, whose errors come back by field. What was typed stays, except secrets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from django.http import QueryDict
from django.urls import reverse

from cluster.models import Cluster, Steng
from connections import rules
from connections.choices import Kind, StoreType
from connections.models import Connection
from core.definition_form import DefinitionForm, FormField
from core.rules import IsSet, Problem, Values
from credentials import selectors as credentials
from steng.suites import GROUPS, SUITES

_GROUP_LABELS = {"modern": "Modern", "legacy": "Legacy", "weak": "Weak: only for servers that have nothing better"}
_OAUTH2 = rules.CONDITIONS["oauth2_mechanism"].attribute
_POP = rules.CONDITIONS["pop_host"].attribute
_MARKED_IF = {
    "username": _OAUTH2,
    "credential": _OAUTH2,
    **dict.fromkeys(("pop_host", "pop_port", "pop_security", "pop_username", "pop_password"), _POP),
}
_KEYS = {
    "client_key_label": (
        "Client key label",
        "Label of the key that is presented as TLS client certificate; none is stored yet.",
    ),
    "sign_key_alias": ("Sign key alias", "Alias of the key that signs the mails; none is stored yet."),
}
"""References to what this installation has no store for yet, with label and help."""

_LOOKS = {"cipher_suites": "suites", "cluster": "select", "steng": "select"}

_SECRET_LABELS = {
    "password": ("Password", "Up to 1,024 characters; blanks at its edges count."),
    "pop_password": ("POP3 password", "Up to 1,024 characters; blanks at its edges count."),
}
_CONTROLLING_TEXTS = {"max_retries": "0", "credential": "None"}
"""Text controls on which others depend, with what stands in them while they are empty."""

_OFFERED = 50
"""Credentials that the page offers before anything is typed, and where no script asks for others."""

_NUMBERS = frozenset({"port", "pop_port", "timeout_ms", "max_retries", "retry_interval", "pop_interval_ms"})


class ConnectionForm(DefinitionForm):
    """The page's form of a connection of any kind; the fields are those that its model may be given."""

    model: type[Connection]
    marked = frozenset({"name", "host", "port", "connection_security", "authentication_type", "store_type", "folder"})
    marked_if = _MARKED_IF
    mono = frozenset({"host", "helo_name", "pop_host", "sender_address", "folder"})

    def __init__(
        self,
        model: type[Connection],
        data: QueryDict | Mapping[str, Any] | None = None,
        *,
        connection: Connection | None = None,
        tested: Mapping[str, Any] | None = None,
    ) -> None:
        """Show `data` (what was typed), else `tested` (the values of a test), else the saved connection."""
        self.model = model
        self.connection = connection
        self.names = model.writable()
        self.secrets = {name: _SECRET_LABELS[name] for name in model.SECRETS}
        self.conditions = {name: condition.within(self.names) for name, condition in rules.CONDITIONS.items()}
        shown = tested if tested is not None else _saved(connection if connection is not None else _blank(model))
        super().__init__(data, connection, shown)
        self._offer_places()
        self._offer_suites()

    def advisories(self, values: Values, is_set: IsSet) -> Iterable[Problem]:
        """Return what is worth knowing about a connection of this kind."""
        kind = {"kind": self.model.KIND, "authentication_type": values.get("authentication_type", "BASIC")}
        return rules.advisories({**values, **kind}, is_set)

    def _offer_places(self) -> None:
        clusters = list(Cluster.objects.values_list("name", flat=True).order_by("name_key"))
        self.field("cluster").options = [("", clusters)]
        stengs: dict[str, list[str]] = {}
        for cluster, steng in Steng.objects.values_list("cluster__name", "name").order_by(
            "cluster__name_key", "name_key"
        ):
            stengs.setdefault(cluster, []).append(steng)
        self.field("steng").options = list(stengs.items())
        self.field("steng").none = "Any of the cluster"

    def offer_credentials(self) -> None:
        """Let the names of stored credentials be searched; for who may see them."""
        credential = self.field("credential")
        credential.search_url = reverse("credentials:search")
        credential.search_with = "[name=authentication_type]"
        credential.options = [(found.name, found.description[:80]) for found in credentials.search("", limit=_OFFERED)]

    def _offer_suites(self) -> None:
        suites = self.field("cipher_suites")
        typed = self["cipher_suites"].value() or []
        suites.chosen = [SUITES[name] for name in dict.fromkeys(typed) if name in SUITES]
        chosen = set(typed)
        suites.groups = [
            (
                _GROUP_LABELS[group],
                [s for s in SUITES.values() if s.group == group and s.name not in chosen and s.protects],
            )
            for group in GROUPS
        ]

    @property
    def plain(self) -> tuple[str, ...]:
        """Return the names of the fields that hold a value of their own: neither a secret nor a reference."""
        return self.model.definition_fields()

    @property
    def values(self) -> dict[str, Any]:
        """Return what was posted as typed values, references by name; what does not convert stays a text."""
        return super().values | {name: self.data[name] for name in self.model.REFERENCES if self.data.get(name)}

    def _described(self, name: str) -> FormField:
        field = super()._described(name)
        if name == "port":
            field.help_text = _usual_in_words(self.model)
        if name in _NUMBERS:
            field.inputmode = "numeric"
        if name in _CONTROLLING_TEXTS:
            field.placeholder = _CONTROLLING_TEXTS[name]  # the stylesheet knows an empty control by its placeholder
        return field

    def _from_model(self, name: str) -> FormField:
        if name in _KEYS:
            label, help_text = _KEYS[name]
            return FormField("text", label=label, help_text=help_text)
        return super()._from_model(name)

    def _look(self, name: str) -> str:
        return _LOOKS.get(name) or super()._look(name)


def applied(model: type[Connection], data: QueryDict) -> QueryDict:
    """Return the posted form with the values of the pressed apply or prefer button put in."""
    changed = data.copy()
    for name, values in parse_qs(changed.pop("apply", [""])[-1]).items():
        if name in model.writable() and name not in model.SECRETS:
            changed.setlist(name, values)
    preferred = changed.pop("prefer", [""])[-1]
    suites = changed.getlist("cipher_suites")
    if preferred in suites[1:]:
        place = suites.index(preferred)
        suites[place - 1], suites[place] = suites[place], suites[place - 1]
        changed.setlist("cipher_suites", suites)
    return changed


def _blank(model: type[Connection]) -> Connection:
    row = model()
    row.fill_in()
    return row


def _saved(row: Connection) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.definition_fields()}
    return {
        **values,
        "cluster": row.cluster.name if row.cluster else None,
        "steng": row.steng.name if row.steng else None,
        "credential": row.credential.name if row.credential else None,
    }


def _protocols(model: type[Connection]) -> list[str]:
    return [rules.SMTP] if model.KIND == Kind.SMTP else list(StoreType.values)


def _usual_in_words(model: type[Connection]) -> str:
    if model.KIND == Kind.SMTP:
        starttls, tls, clear = (
            rules.USUAL_PORTS[rules.SMTP][security][0] for security in ("STARTTLS", "SSL_TLS", "NONE")
        )
        return f"Usual: {starttls} with STARTTLS, {tls} with SSL/TLS, {clear} in clear."
    # Of a mailbox STARTTLS has the port of the clear text.
    told = (
        f"{protocol} {usual['NONE'][0]} or {usual['SSL_TLS'][0]}"
        for protocol, usual in ((protocol, rules.USUAL_PORTS[protocol]) for protocol in _protocols(model))
    )
    return f"Usual: {', '.join(told)}; the higher one with SSL/TLS."


def usual_ports(model: type[Connection]) -> str:
    """Return the port to propose for each protocol and security, as the page's script reads it."""
    return json.dumps(
        {
            protocol: {security: ports[0] for security, ports in rules.USUAL_PORTS[protocol].items()}
            for protocol in _protocols(model)
        }
    )
