"""Forms of clusters and STENGs: presentation only; the models decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from cluster import selectors
from cluster.models import Cluster, Steng
from cluster.references import find_cluster


class _NamedForm(forms.Form):
    """A name and a description, taken as typed: the strict fields of the model say what is wrong with them."""

    name = forms.CharField(
        label="Name", required=False, strip=False, help_text="Up to 128 characters. No blanks and none of ' \" |"
    )
    description = forms.CharField(label="Description", required=False, strip=False, widget=forms.Textarea)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _mark_mandatory(self.fields["name"])

    def values(self) -> dict[str, Any]:
        """Return what was typed, as values for the service; raise ValidationError where a text does not convert."""
        return {"name": self.data.get("name", ""), "description": self.data.get("description", "")}

    def refuse(self, error: ValidationError) -> None:
        """Show what the domain said, each at its field."""
        self.is_valid()
        for name, errors in error.error_dict.items():
            for each in errors:
                self.add_error(name if name in self.fields else None, each)


class ClusterForm(_NamedForm):
    """A cluster."""


class StengForm(_NamedForm):
    """A STENG and the cluster that it belongs to."""

    cluster = forms.ChoiceField(label="Cluster", required=False)
    slots = forms.CharField(
        label="Slots", required=False, initial="500", help_text="How many tests may run at once, 1 to 10,000."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = selectors.clusters().values_list("name", flat=True)
        self.fields["cluster"].choices = [("", "Choose…"), *((name, name) for name in names)]  # type: ignore[attr-defined]
        _mark_mandatory(self.fields["cluster"])

    def values(self) -> dict[str, Any]:
        """Return what was typed, the number converted strictly and the cluster found."""
        errors: dict[str, list[ValidationError]] = {}
        values = super().values()
        try:
            values["cluster"] = find_cluster(self.data.get("cluster", ""))
        except ValidationError as error:
            errors["cluster"] = error.error_dict["cluster"]
        try:
            values["slots"] = Steng._meta.get_field("slots").from_text(self.data.get("slots", ""))
        except ValidationError as error:
            errors["slots"] = error.error_list
        if errors:
            # The service will not be asked, so the name is looked at here: nobody likes to hear of one fault at a time.
            try:
                Steng._meta.get_field("name").clean(values["name"], None)
            except ValidationError as error:
                errors["name"] = error.error_list
            raise ValidationError(errors)
        return values


def _mark_mandatory(field: forms.Field) -> None:
    """Show the mark of a mandatory field, without Django's own check, whose code would be another."""
    field.mark = True  # type: ignore[attr-defined]


def initial_of(thing: Cluster | Steng) -> dict[str, str]:
    """Return the texts with which the form of a known cluster or STENG begins."""
    values = {"name": thing.name, "description": thing.description}
    if isinstance(thing, Steng):
        values |= {"cluster": thing.cluster.name, "slots": str(thing.slots)}
    return values
