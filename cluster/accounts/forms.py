"""The form of a lift: presentation only; the service decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError


class LiftForm(forms.Form):
    """Why a refused sign-in may be tried again."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What has changed on the server? It is kept in the audit trail.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].mark = True  # type: ignore[attr-defined]

    def refuse(self, error: ValidationError) -> None:
        """Show what the service said, each at its field."""
        self.is_valid()
        for name, errors in error.error_dict.items():
            for each in errors:
                self.add_error(name if name in self.fields else None, each)
