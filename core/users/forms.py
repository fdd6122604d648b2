"""Forms of users and their roles: presentation only; the services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from core.permissions import ACTS
from core.users.selectors import acts_of_roles, roles


class RolesForm(forms.Form):
    """The roles of a user, each with what it may do."""

    roles = forms.MultipleChoiceField(label="Roles", required=False)

    def __init__(self, *args: Any, may_give: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["roles"]
        found = roles()
        field.look = "checks"
        field.choices = [(role.name, role.name) for role in found]
        field.options = [_option(role, may_give) for role in found]

    @property
    def chosen(self) -> list[str]:
        """Return the names as they were sent; the service says which of them do not exist."""
        return self.data.getlist("roles") if hasattr(self.data, "getlist") else list(self.data.get("roles", ()))

    def refuse(self, error: ValidationError) -> None:
        """Show what the domain said, each at its field, in the place of what Django found itself."""
        self.full_clean()
        self.errors.clear()
        for name, errors in error.error_dict.items():
            for each in errors:
                self.add_error(name if name in self.fields else None, each)


class UserForm(RolesForm):
    """Somebody new."""

    username = forms.CharField(
        label="User name", required=False, strip=False, help_text="Letters, digits and @ . + - _; up to 150 characters."
    )
    email = forms.CharField(label="E-mail address", required=False, help_text="To tell people apart; nothing is sent.")
    field_order = ("username", "email", "roles")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].mark = True  # type: ignore[attr-defined]
        self.fields["username"].widget.attrs |= {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        self.fields["email"].widget.attrs |= {"autocomplete": "off", "inputmode": "email"}


def _option(role: Group, may_give: frozenset[str]) -> dict[str, Any]:
    acts = acts_of_roles([role])
    return {
        "value": role.name,
        "label": role.name.capitalize(),
        "note": _may_do(sorted(acts, key=list(ACTS).index)),
        # Shown, with the reason, and not sent: the service refuses it anyway.
        "out_of_reach": not acts <= may_give,
    }


def _may_do(acts: Sequence[str]) -> str:
    if not acts:
        return "May do nothing yet."
    if len(acts) == len(ACTS):
        return "May do everything."
    phrases = [ACTS[act].phrase for act in acts]
    return f"May {', '.join(phrases)}."
