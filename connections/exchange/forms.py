"""The form that takes a file of definitions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile

from connections.exchange.carrying import Carried, may_be_shown
from connections.exchange.document import MAX_BYTES, Format, format_of_name
from connections.exchange.foreign.systems import OURS, SYSTEMS
from core.errors import invalid

_MOST_SHOWN = 200_000
"""Characters of an uploaded file that are put into the text box, to be mended there."""

_FORMATS = [("", "Recognise it"), *((each.value, each.name) for each in Format)]
_SYSTEMS = [
    ("", "Recognise it"),
    (OURS, "Postern"),
    *((system.key, system.title) for system in SYSTEMS.values()),
]


class ImportForm(forms.Form):
    """A file, or its text; the format and the system only where they cannot be recognised."""

    file = forms.FileField(
        label="File", required=False, help_text="YAML, JSON or CSV, in the words of Postern or of a system below."
    )
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "mono", "spellcheck": "false", "autocomplete": "off"}),
    )
    format = forms.ChoiceField(label="Format", required=False, choices=_FORMATS)
    system = forms.ChoiceField(label="Written for", required=False, choices=_SYSTEMS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_%s", **kwargs})

    def carried(self) -> Carried:
        """Return what was sent; raise ValidationError by field."""
        upload = self.files.get("file")
        text = str(self.data.get("text", ""))
        if not isinstance(upload, UploadedFile) and not text.strip():
            raise ValidationError({"file": [invalid("required", "Choose a file, or paste its text.")]})
        said = self._said()
        if isinstance(upload, UploadedFile):
            format_ = said[0] or format_of_name(upload.name or "")
            return Carried(upload.read(MAX_BYTES + 1), format_, said[1])
        return Carried(text.encode("utf-8", "replace"), said[0], said[1])

    def _said(self) -> tuple[Format | None, str | None]:
        format_, system = (str(self.data.get(name, "")) for name in ("format", "system"))
        errors = {
            name: [invalid("invalid_choice", "Choose one of the list.")]
            for name, value, choices in (("format", format_, _FORMATS), ("system", system, _SYSTEMS))
            if value not in dict(choices)
        }
        if errors:
            raise ValidationError(errors)
        return Format(format_) if format_ else None, system or None

    @classmethod
    def again(cls, sent: Carried | None, posted: Any) -> ImportForm:
        """Return the form with what was sent, so that it can be mended; a text with a password is not shown."""
        text = str(posted.get("text", "")) if sent is None else sent.data.decode("utf-8", "replace")
        shown = text if len(text) <= _MOST_SHOWN and may_be_shown(text) else ""
        form = cls({"text": shown, "format": posted.get("format", ""), "system": posted.get("system", "")})
        form.withheld = bool(text) and not shown
        return form

    withheld = False

    def refuse(self, error: ValidationError) -> None:
        """Show what could not be read: at its field, else at the text."""
        self.full_clean()
        named = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
        for name, problems in named.items():
            for problem in problems:
                if name in self.fields:
                    self.add_error(name, problem)
                else:
                    where = f"{name}: " if name not in {"", NON_FIELD_ERRORS} else ""
                    self.add_error("text", ValidationError(where + problem.messages[0], code=problem.code))
