"""The form of a credential: how its fields look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from core.definition_form import DefinitionForm
from core.rules import IsSet, Problem, Values
from credentials import rules
from credentials.choices import CredentialKind
from credentials.models import Credential

_KEPT = "blanks at its edges count. It is never shown again."


class CredentialForm(DefinitionForm):
    """The page's form of a credential."""

    model = Credential
    names = (
        "name", "description", "kind", "username", "password", "token_endpoint", "client_id", "client_secret", "scope",
        "client_auth", "secret_expires", "destinations",
    )  # fmt: skip
    secrets = {
        "password": ("Password", f"Up to 1,024 characters; {_KEPT}"),
        "client_secret": ("Client secret", f"Up to 4,096 characters; {_KEPT}"),
    }
    conditions = rules.CONDITIONS
    marked = frozenset({"kind", "name", "username", "password", "client_id", "client_secret", "token_endpoint"})
    mono = frozenset({"client_id", "token_endpoint", "scope", "destinations"})

    def __init__(
        self, data: QueryDict | Mapping[str, Any] | None = None, *, credential: Credential | None = None, kind: str = ""
    ) -> None:
        """Show what was typed, else the saved credential, else an empty one of a kind."""
        row = credential if credential is not None else Credential(kind=kind or CredentialKind.BASIC.value)
        super().__init__(data, credential, row.values())
        self.field("secret_expires").placeholder = "2027-01-31"
        self.field("destinations").rows = 4
        for name in self.secrets:
            self.field(name).clearable = False  # it is mandatory where it shows

    def advisories(self, values: Values, is_set: IsSet) -> Iterable[Problem]:
        """Return what is worth knowing today."""
        return rules.advisories(values, is_set, timezone.localdate())

    def _look(self, name: str) -> str:
        return "textarea" if name == "destinations" else super()._look(name)
