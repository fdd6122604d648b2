"""What the models of all definitions can do.

Their fields stand in each: the order of a model is that of its JSON and its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from core.errors import invalid
from core.rules import Problem
from core.text import comparison_key


class Named(models.Model):
    """What has a unique `name`, compared without regard to case by its `name_key`; `NOUN` is what people call it."""

    NOUN: ClassVar[str] = "one"
    name: Any
    name_key: Any

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.name)

    def clean(self) -> None:
        """Refuse a name that another one has."""
        if not isinstance(self.name, str):
            return  # the field has said so already
        self.name_key = comparison_key(self.name)
        taken = self.name_taken(self.name_key, but=self.pk)
        if self.name and taken is not None:
            raise ValidationError({"name": [taken]})

    @classmethod
    def name_taken(cls, key: str, *, but: Any = None) -> ValidationError | None:
        """Return the error of a name that another one has, whatever its kind; None where it is free."""
        all_kinds = cls._meta.get_field("name_key").model
        other = all_kinds._default_manager.filter(name_key=key).exclude(pk=but).values_list("pk", flat=True).first()
        if other is None:
            return None
        return invalid("not_unique", f"Another {cls.NOUN} has this name (case does not count).", other=str(other))


class Definition(Named):
    """What a person defines: plain fields, `REFERENCES` to other things, and `SECRETS` with their greatest lengths.

    A secret is sealed in a column of its own and never shown.
    """

    SECRETS: ClassVar[Mapping[str, int]] = {}
    REFERENCES: ClassVar[tuple[str, ...]] = ()
    id: Any
    version: Any
    field_versions: Any

    class Meta:
        abstract = True

    def secret_is_set(self, name: str) -> bool:
        """Tell whether a secret is stored, or typed and about to be."""
        return bool(getattr(self, f"{name}_sealed", ""))

    @classmethod
    def definition_fields(cls) -> tuple[str, ...]:
        """Return the names of the plain fields that a person defines, in the order of the model."""
        return tuple(
            item.name
            for item in cls._meta.concrete_fields
            if item.editable and not item.is_relation and not item.primary_key
        )

    @classmethod
    def writable(cls) -> tuple[str, ...]:
        """Return every name that a door may write."""
        return (*cls.definition_fields(), *cls.SECRETS, *cls.REFERENCES)

    def values(self) -> dict[str, Any]:
        """Return what the rules judge: the values by name, without secrets."""
        return {name: getattr(self, name) for name in self.definition_fields()}

    def broken_rules(self) -> Iterable[Problem]:
        """Return what the rules between fields refuse."""
        raise NotImplementedError

    def clean(self) -> None:
        """Check the rules between fields, and the name against all others."""
        problems: dict[str, list[ValidationError]] = {}
        for problem in self.broken_rules():
            problems.setdefault(problem.field, []).append(invalid(problem.code, problem.detail, **problem.params))
        try:
            super().clean()
        except ValidationError as error:
            problems.setdefault("name", []).extend(error.error_dict["name"])
        if problems:
            raise ValidationError(problems)
