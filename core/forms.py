"""Forms of the account pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError

from core.models import User
from core.services import change_password


class NewPasswordForm(PasswordChangeForm):
    """Ask for the old password and twice for the new one, which must be another."""

    def clean(self) -> dict[str, Any]:
        """Refuse the old password as the new one: a password that others made must not stay."""
        values = super().clean() or {}
        password = values.get("new_password1")
        if password and not self.has_error("new_password2") and self.user.check_password(password):
            self.add_error(
                "new_password2", ValidationError("This is the old password; choose another.", code="password_unchanged")
            )
        return values

    def save(self, commit: bool = True) -> User:  # noqa: ARG002  the signature is Django's
        """Store the new password."""
        change_password(self.user, self.cleaned_data["new_password1"])
        return self.user
