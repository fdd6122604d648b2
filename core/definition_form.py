"""The form of a definition: presentation of a model's strict fields, and text turned into values.

Limits, choices, help and rules stay on the model; a form says how each field looks, and hands the values to the
services, whose errors come back by field. What was typed stays, except secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.http import QueryDict

from core.fields import NameListField, StrictBooleanField, StrictChoiceField, StrictTextField
from core.rules import Condition, IsSet, Problem, Values


class Lines(forms.SelectMultiple):
    """Hand over every value of a repeated key, in the order of the page."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002
        """Return the values."""
        return list(data.getlist(name)) if isinstance(data, QueryDict) else list(data.get(name, []))


class FormField(forms.Field):
    """A field without rules of its own: it knows only how it looks. `core` renders it by these attributes."""

    def __init__(self, look: str, *, label: str, help_text: str = "", several: bool = False) -> None:
        super().__init__(required=False, label=label, help_text=help_text)
        if several:
            self.widget = Lines()
        self.look = look
        self.mark = False
        self.marked_if = ""
        self.show_if = ""
        self.input_type = "password" if look == "secret" else "text"
        self.inputmode = ""
        self.mono = False
        self.rows = 2
        self.placeholder = ""
        # Of a text that names a thing: where the page asks for names that match, with which other controls (they go
        # into the address: never a whole form, which may hold a secret); `options` are the first of the names.
        self.search_url = ""
        self.search_with = ""
        self.none = "None"
        self.options: Sequence[Any] = ()
        self.advice: list[Problem] = []
        # Of a secret: whether one is stored, since when, and whether the box that clears it is ticked.
        self.is_set = False
        self.clearable = True
        self.clear = False
        self.changed_at: datetime | None = None
        # Of an ordered choice from a long list: what is chosen, and the rest in groups.
        self.chosen: list[Any] = []
        self.groups: list[tuple[str, list[Any]]] = []

    def clean(self, value: Any) -> Any:
        """Return the text as it is: the services judge it."""
        return value


class DefinitionForm(forms.Form):
    """The form of one model's row, bound or not; `values` is what the services take.

    A form names, in its class or before it calls `__init__`, its `model`, the fields that it shows (`names`, in
    the order of the page), which of them are `secrets`, with label and help, and the `conditions` under which
    fields apply.
    """

    model: type[models.Model]
    names: tuple[str, ...] = ()
    secrets: Mapping[str, tuple[str, str]] = {}
    conditions: Mapping[str, Condition] = {}
    marked: ClassVar[frozenset[str]] = frozenset()
    marked_if: ClassVar[Mapping[str, str]] = {}
    mono: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, data: QueryDict | Mapping[str, Any] | None, row: Any, shown: Mapping[str, Any]) -> None:
        """Show `data` (what was typed), else the values `shown`; `row` (or None) tells which secrets are stored."""
        super().__init__(data, initial={name: self.as_text(name, value) for name, value in shown.items()})
        self.row = row
        self.auto_id = "id_%s"
        for name in self.names:
            self.fields[name] = self._described(name)
        for name in self.secrets:
            field = self.field(name)
            field.is_set = row is not None and row.secret_is_set(name)
            field.changed_at = getattr(row, f"{name}_changed_at", None)
            field.clear = self.is_bound and f"clear_{name}" in self.data

    def advisories(self, values: Values, is_set: IsSet) -> Iterable[Problem]:
        """Return what the rules find worth knowing about values, of which some may be missing."""
        raise NotImplementedError

    def field(self, name: str) -> FormField:
        """Return a field with its looks."""
        field = self.fields[name]
        assert isinstance(field, FormField)
        return field

    @property
    def plain(self) -> tuple[str, ...]:
        """Return the names of the fields that are no secrets."""
        return tuple(name for name in self.names if name not in self.secrets)

    def model_field(self, name: str) -> models.Field[Any, Any]:
        """Return the field of the model."""
        field = self.model._meta.get_field(name)
        assert isinstance(field, models.Field)
        return field

    def as_text(self, name: str, value: Any) -> Any:
        """Return a value as its control shows it."""
        if isinstance(value, bool):
            return "on" if value else ""
        if isinstance(value, list | tuple):
            field = self.model_field(name)
            several = isinstance(field, NameListField) and field.known is not None
            return list(value) if several else ("\n" if self._look(name) == "textarea" else ", ").join(value)
        return "" if value is None else str(value)

    @property
    def values(self) -> dict[str, Any]:
        """Return what was posted as typed values; a text that does not convert stays one, to be refused."""
        values: dict[str, Any] = {name: self._converted(name) for name in self.plain if name in self.data}
        for name in self.plain:
            # A box that is not ticked is not posted at all; one that is hidden says nothing.
            condition = self.conditions.get(name)
            is_box = isinstance(self.model_field(name), StrictBooleanField)
            if name not in values and is_box and (condition is None or condition.holds(values)):
                values[name] = False
        for name in self.secrets:
            if self.data.get(name):
                values[name] = self.data[name]
            elif f"clear_{name}" in self.data:
                values[name] = None
        return values

    def _converted(self, name: str) -> Any:
        model_field, typed = self.model_field(name), self[name].value()
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
        if problem.code != "invalid_type" or name not in self.plain:
            return problem
        try:
            self.model_field(name).from_text(self[name].value())  # type: ignore[attr-defined]
        except ValidationError as clearer:
            return clearer
        return problem

    def advise(self, advisories: Iterable[Problem]) -> None:
        """Show what is worth knowing beside its field."""
        for advisory in advisories:
            if advisory.field in self.fields:
                self.field(advisory.field).advice.append(advisory)

    def summary(self) -> list[tuple[str, str, str]]:
        """Return (id to jump to, label, sentence) of every error, in the order of the page."""
        return [
            (self[name].auto_id, str(self[name].label), str(text))
            for name in self.fields
            for text in self.errors.get(name, ())
        ]

    def _described(self, name: str) -> FormField:
        if name in self.secrets:
            label, help_text = self.secrets[name]
            field = FormField("secret", label=label, help_text=help_text)
        else:
            field = self._from_model(name)
        field.mark = name in self.marked
        field.marked_if = self.marked_if.get(name, "")
        field.mono = name in self.mono
        condition = self.conditions.get(name)
        field.show_if = condition.attribute if condition is not None else ""
        return field

    def _from_model(self, name: str) -> FormField:
        model_field = self.model_field(name)
        look = self._look(name)
        field = FormField(
            look,
            label=str(model_field.verbose_name),
            help_text=str(model_field.help_text),
            several=isinstance(model_field, NameListField) and model_field.known is not None,
        )
        if isinstance(model_field, StrictChoiceField):
            field.options = list(model_field.flatchoices)
        elif isinstance(model_field, NameListField):
            field.options = [(value, value) for value in model_field.known or ()]
        return field

    def _look(self, name: str) -> str:
        model_field = self.model_field(name)
        if isinstance(model_field, NameListField):
            return "names" if model_field.known is not None else "text"
        looks: dict[type, str] = {
            StrictChoiceField: "radios",
            StrictBooleanField: "check",
            StrictTextField: "textarea",
        }
        return next((look for kind, look in looks.items() if isinstance(model_field, kind)), "text")
