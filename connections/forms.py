"""The form of a connection of any kind: presentation of the model's fields, and text turned into values.

Limits, choices, help and rules stay on the model; this module says how each field looks, and hands the
values to `connections.services`, whose errors come back by field. What was typed stays, except secrets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.http import QueryDict

from cluster.models import Cluster, Steng
from connections import rules
from connections.choices import Kind, StoreType
from connections.models import Connection
from core.fields import NameListField, StrictBooleanField, StrictChoiceField, StrictTextField
from steng.suites import GROUPS, SUITES, Suite

_GROUP_LABELS = {"modern": "Modern", "legacy": "Legacy", "weak": "Weak: only for servers that have nothing better"}
_MARKED = frozenset({"name", "host", "port", "connection_security", "authentication_type", "store_type", "folder"})
_OAUTH2 = rules.CONDITIONS["oauth2_mechanism"].attribute
_POP = rules.CONDITIONS["pop_host"].attribute
_MARKED_IF = {
    "username": _OAUTH2,
    "credential": _OAUTH2,
    **dict.fromkeys(("pop_host", "pop_port", "pop_security", "pop_username", "pop_password"), _POP),
}
_MONO = frozenset({"host", "helo_name", "pop_host", "sender_address", "folder"})
_REFERENCE_LABELS = {
    "credential": ("Search credential", "Name of a credential of this console; none is stored yet."),
    "client_key_label": (
        "Client key label",
        "Label of the key that is presented as TLS client certificate; none is stored yet.",
    ),
    "sign_key_alias": ("Sign key alias", "Alias of the key that signs the mails; none is stored yet."),
}
_SECRET_LABELS = {
    "password": ("Password", "Up to 1,024 characters; blanks at its edges count."),
    "pop_password": ("POP3 password", "Up to 1,024 characters; blanks at its edges count."),
}
_CONTROLLING_TEXTS = {"max_retries": "0", "credential": "None"}
"""Text controls on which others depend, with what stands in them while they are empty."""

_NUMBERS = frozenset({"port", "pop_port", "timeout_ms", "max_retries", "retry_interval", "pop_interval_ms"})


class _Lines(forms.SelectMultiple):
    """Hand over every value of a repeated key, in the order of the page."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002
        return list(data.getlist(name)) if isinstance(data, QueryDict) else list(data.get(name, []))


class FormField(forms.Field):
    """A field without rules of its own: it knows only how it looks. `core` renders it by these attributes."""

    def __init__(self, look: str, *, label: str, help_text: str = "", several: bool = False) -> None:
        super().__init__(required=False, label=label, help_text=help_text)
        if several:
            self.widget = _Lines()
        self.look = look
        self.mark = False
        self.marked_if = ""
        self.show_if = ""
        self.input_type = "password" if look == "secret" else "text"
        self.inputmode = ""
        self.mono = False
        self.placeholder = ""
        self.none = "None"
        self.options: Sequence[Any] = ()
        self.advice: list[rules.Problem] = []
        self.is_set = False
        self.clear = False
        self.changed_at: datetime | None = None
        self.chosen: list[Suite] = []
        self.groups: list[tuple[str, list[Suite]]] = []

    def clean(self, value: Any) -> Any:
        """Return the text as it is: the services judge it."""
        return value


class ConnectionForm(forms.Form):
    """The page's form of a connection, bound or not; `values` is what the services take."""

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
        shown = tested if tested is not None else _saved(connection if connection is not None else _blank(model))
        super().__init__(data, initial=as_texts(shown), auto_id="id_%s")
        for name in model.writable():
            self.fields[name] = _describe(model, name)
        self._dress(connection)

    def _dress(self, connection: Connection | None) -> None:
        for name in self.model.SECRETS:
            field = self._field(name)
            field.is_set = connection is not None and connection.secret_is_set(name)
            field.changed_at = getattr(connection, f"{name}_changed_at", None)
            field.clear = self.is_bound and f"clear_{name}" in self.data
        clusters = list(Cluster.objects.values_list("name", flat=True).order_by("name_key"))
        self._field("cluster").options = [("", clusters)]
        stengs: dict[str, list[str]] = {}
        for cluster, steng in Steng.objects.values_list("cluster__name", "name").order_by(
            "cluster__name_key", "name_key"
        ):
            stengs.setdefault(cluster, []).append(steng)
        self._field("steng").options = list(stengs.items())
        suites = self._field("cipher_suites")
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

    def _field(self, name: str) -> FormField:
        field = self.fields[name]
        assert isinstance(field, FormField)
        return field

    @property
    def values(self) -> dict[str, Any]:
        """Return what was posted as typed values; a text that does not convert stays one, to be refused."""
        values: dict[str, Any] = {}
        for name in self.model.definition_fields():
            if name in self.data:
                values[name] = self._converted(name)
        for name in self.model.definition_fields():
            # A box that is not ticked is not posted at all; one that is hidden says nothing.
            if name not in values and _is_box(self.model, name) and rules.applies(name, values):
                values[name] = False
        values |= {name: self.data[name] for name in self.model.REFERENCES if self.data.get(name)}
        for name in self.model.SECRETS:
            if self.data.get(name):
                values[name] = self.data[name]
            elif f"clear_{name}" in self.data:
                values[name] = None
        return values

    def _converted(self, name: str) -> Any:
        model_field = _model_field(self.model, name)
        typed = self[name].value()
        if isinstance(model_field, NameListField) and model_field.known is not None:
            return typed
        try:
            return model_field.from_text(typed)  # type: ignore[attr-defined]
        except ValidationError:
            return typed

    def refuse(self, error: ValidationError) -> None:
        """Show the errors of the services at their fields; the text says what was typed where it did not convert."""
        self.full_clean()
        for name, problems in error.error_dict.items():
            place = name if name in self.fields else NON_FIELD_ERRORS
            for problem in problems:
                self.add_error(place if place != NON_FIELD_ERRORS else None, self._in_words(name, problem))

    def _in_words(self, name: str, problem: ValidationError) -> ValidationError:
        if problem.code != "invalid_type" or name not in self.model.definition_fields():
            return problem
        try:
            _model_field(self.model, name).from_text(self[name].value())  # type: ignore[attr-defined]
        except ValidationError as clearer:
            return clearer
        return problem

    def advise(self, advisories: Iterable[rules.Problem]) -> None:
        """Show what is worth knowing beside its field."""
        for advisory in advisories:
            if advisory.field in self.fields:
                self._field(advisory.field).advice.append(advisory)

    def summary(self) -> list[tuple[str, str, str]]:
        """Return (id to jump to, label, sentence) of every error, in the order of the page."""
        lines = []
        for name in self.fields:
            lines += [(self[name].auto_id, str(self[name].label), str(text)) for text in self[name].errors]
        return lines


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


def as_texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the controls of the page show them."""
    return {name: _as_text(name, value) for name, value in values.items()}


def _as_text(name: str, value: Any) -> Any:
    if name in {"ssl_protocols", "cipher_suites"}:
        return list(value or [])
    if isinstance(value, list | tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)


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
    }


def _model_field(model: type[Connection], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


def _is_box(model: type[Connection], name: str) -> bool:
    return isinstance(_model_field(model, name), StrictBooleanField)


def _describe(model: type[Connection], name: str) -> FormField:
    if name in model.SECRETS:
        label, help_text = _SECRET_LABELS[name]
        field = FormField("secret", label=label, help_text=help_text)
    elif name in _REFERENCE_LABELS:
        label, help_text = _REFERENCE_LABELS[name]
        field = FormField("text", label=label, help_text=help_text)
    else:
        field = _from_model(_model_field(model, name))
    if name == "port":
        field.help_text = f"{field.help_text} {_usual_in_words(model)}"
    field.mark = name in _MARKED
    field.marked_if = _MARKED_IF.get(name, "")
    field.mono = name in _MONO
    if name in _NUMBERS:
        field.inputmode = "numeric"
    condition = rules.CONDITIONS.get(name)
    if condition is not None:
        field.show_if = condition.within(model.writable()).attribute
    if name in _CONTROLLING_TEXTS:
        field.placeholder = _CONTROLLING_TEXTS[name]  # the stylesheet knows an empty control by its placeholder
    return field


def _from_model(model_field: models.Field[Any, Any]) -> FormField:
    several = isinstance(model_field, NameListField) and model_field.known is not None
    field = FormField(
        _look(model_field), label=str(model_field.verbose_name), help_text=str(model_field.help_text), several=several
    )
    if isinstance(model_field, StrictChoiceField):
        field.options = list(model_field.flatchoices)
    elif model_field.name == "ssl_protocols":
        assert isinstance(model_field, NameListField)
        field.options = [(value, value) for value in model_field.known or ()]
    elif model_field.name == "steng":
        field.none = "Any of the cluster"
    return field


def _look(model_field: models.Field[Any, Any]) -> str:
    if model_field.name == "cipher_suites":
        return "suites"
    if isinstance(model_field, NameListField):
        return "names" if model_field.known is not None else "text"
    looks: dict[type, str] = {
        StrictChoiceField: "radios",
        StrictBooleanField: "check",
        StrictTextField: "textarea",
        models.ForeignKey: "select",
    }
    return next((look for kind, look in looks.items() if isinstance(model_field, kind)), "text")


def _protocols(model: type[Connection]) -> list[str]:
    return [rules.SMTP] if model.KIND == Kind.SMTP else list(StoreType.values)


def _usual_in_words(model: type[Connection]) -> str:
    told = []
    for protocol in _protocols(model):
        starttls, tls, clear = (
            rules.USUAL_PORTS[protocol][security][0] for security in ("STARTTLS", "SSL_TLS", "NONE")
        )
        told.append(f"{protocol} {starttls} with STARTTLS, {tls} with SSL/TLS, {clear} in clear.")
    return "Usual: " + " ".join(told)


def usual_ports(model: type[Connection]) -> str:
    """Return the port to propose for each protocol and security, as the page's script reads it."""
    return json.dumps(
        {
            protocol: {security: ports[0] for security, ports in rules.USUAL_PORTS[protocol].items()}
            for protocol in _protocols(model)
        }
    )
