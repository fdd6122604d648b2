"""The forms of trust: how each field looks, and texts turned into what the services take, which judge them."""

from __future__ import annotations

import datetime as dt
import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from steng.x509 import MAX_INPUT
from untrusted_cache.choices import Kind
from untrusted_cache.models import TrustEntry

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z|\Z")
_END_OF_DAY = dt.time(23, 59, 59)

Posted = QueryDict | Mapping[str, Any] | None


class FormField(forms.Field):
    """A field without rules of its own; `core` draws it by these attributes."""

    def __init__(self, look: str, label: str, help_text: str = "", *, mark: bool = False, mono: bool = False) -> None:
        super().__init__(required=False, label=label, help_text=help_text)
        self.look = look
        self.mark = mark
        self.mono = mono
        self.marked_if = ""
        self.show_if = ""
        self.input_type = "text"
        self.inputmode = ""
        self.placeholder = ""
        self.none = ""
        self.options: Sequence[Any] = ()
        self.advice: Sequence[Any] = ()

    def clean(self, value: Any) -> Any:
        """Return the text as it is: the services judge it."""
        return value


class FileField(FormField):
    """A file to upload."""

    def __init__(self, label: str, help_text: str = "") -> None:
        super().__init__("plain", label, help_text)
        self.widget = forms.FileInput(attrs={"aria-describedby": "id_file-notes"})


class DecisionForm(forms.Form):
    """What the forms of this app share: texts, and the errors of the services at their fields."""

    def __init__(self, data: Posted = None, files: Any = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, files, initial=initial, auto_id="id_%s")
        self._dress()

    def _dress(self) -> None:
        # A date is picked where it is one; any other text is shown as it was typed, which a date control cannot.
        for name in ("expires", "not_before"):
            field = self.fields.get(name)
            if isinstance(field, FormField):
                field.input_type = "date" if _DAY.match(str(self[name].value() or "")) else "text"

    def text(self, name: str) -> str:
        """Return what was typed, empty for an absent field."""
        return str(self.data.get(name, ""))

    def names(self, name: str) -> list[str]:
        """Return the names of a text that separates them by commas, blanks or lines."""
        return self.text(name).replace(",", " ").split()

    def refuse(self, error: ValidationError) -> None:
        """Show the errors of the services at their fields, others above the form."""
        self.full_clean()
        for name, problems in error.error_dict.items():
            place = f"{name}_" if keyword.iskeyword(name) else name
            for problem in problems:
                self.add_error(place if place in self.fields else None, problem)


class TrustForm(DecisionForm):
    """The confirmation of trust in a certificate that was met."""

    fingerprint = FormField(
        "text",
        "SHA-256 fingerprint",
        "Paste the fingerprint that the partner gave you by another way, not the one on this page. "
        "Case, blanks and colons do not matter.",
        mark=True,
        mono=True,
    )
    endpoint = FormField("select", "Endpoint", "The pin is for this host and port alone.", mark=True)
    reason = FormField("textarea", "Reason", "Who confirmed it, and how. Kept with the entry.", mark=True)
    scope = FormField(
        "text",
        "Only for these hosts",
        "Host names that this CA may vouch for, separated by commas. Empty means any host.",
        mono=True,
    )
    expires = FormField("text", "Trust until", "The last day of the trust. Empty means until it is removed.")

    def __init__(self, kind: str, endpoints: Sequence[str], data: Posted = None, endpoint: str = "") -> None:
        """Show the fields that trust of this kind has."""
        super().__init__(data, initial={"endpoint": endpoint or (endpoints[0] if len(endpoints) == 1 else "")})
        if kind == Kind.PIN:
            del self.fields["scope"]
            choice = self.fields["endpoint"]
            assert isinstance(choice, FormField)
            choice.options = [("", list(endpoints))]
            choice.none = "Choose…"
        else:
            del self.fields["endpoint"]


class ReasonForm(DecisionForm):
    """The confirmation of a rejection."""

    reason = FormField("textarea", "Reason", "Kept with the certificate, for whoever looks at it next.", mark=True)


class ImportForm(DecisionForm):
    """An import into the trust store."""

    file = FileField("File", "PEM, DER or PKCS#7, with one or several certificates.")
    certificate = FormField("textarea", "Or paste the certificate", "PEM text, or base64.", mono=True)
    as_ = FormField("radios", "Trust as", mark=True)
    endpoint = FormField("text", "Endpoint of the pin", "host:port. For a pin only.", mono=True)
    scope = FormField(
        "text",
        "Only for these hosts",
        "Host names that the CA may vouch for, separated by commas. Empty means any host. For an anchor only.",
        mono=True,
    )
    expires = FormField("text", "Trust until", "The last day of the trust. Empty means until it is removed.")
    reason = FormField("textarea", "Reason", "Where it comes from, and who confirmed its fingerprint.", mark=True)

    def _dress(self) -> None:
        super()._dress()
        kind = self.fields["as_"]
        assert isinstance(kind, FormField)
        kind.options = [
            (Kind.ANCHOR.value, "Anchor: every certificate this CA signs"),
            (Kind.PIN.value, "Pin: exactly this certificate, for one endpoint"),
        ]

    def content(self) -> bytes:
        """Return what to import: the file, else the pasted text."""
        upload = self.files.get("file")
        if isinstance(upload, UploadedFile) and upload.size:
            return bytes(upload.read(MAX_INPUT + 1))  # one byte too many is enough for the services to refuse it
        return self.text("certificate").encode("utf-8", "replace")


class EntryForm(DecisionForm):
    """What can be changed of an entry of the trust store."""

    name = FormField("text", "Name", "Up to 128 characters. No blanks and none of ' \" |", mark=True)
    scope = FormField(
        "text",
        "Only for these hosts",
        "Host names that this CA may vouch for, separated by commas. Empty means any host.",
        mono=True,
    )
    not_before = FormField("text", "Trust from", "Empty means at once.")
    expires = FormField("text", "Trust until", "The last day of the trust. Empty means until it is removed.")
    reason = FormField("textarea", "Reason", mark=True)

    def __init__(self, entry: TrustEntry, data: Posted = None) -> None:
        """Show an entry; one that is a pin has no scope."""
        super().__init__(
            data,
            initial={
                "name": entry.name,
                "scope": ", ".join(entry.scope),
                "not_before": _as_text(entry.starts, dt.time()),
                "expires": _as_text(entry.expires, _END_OF_DAY),
                "reason": entry.reason,
            },
        )
        if entry.kind == Kind.PIN:
            del self.fields["scope"]

    def values(self) -> dict[str, object]:
        """Return what the service takes."""
        return {name: self.names(name) if name == "scope" else self.text(name) for name in self.fields}


def _as_text(moment: dt.datetime | None, whole_day: dt.time) -> str:
    """Return a moment as it is edited: a date alone where it is the edge of that day."""
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%d}" if moment.time() == whole_day else moment.isoformat().replace("+00:00", "Z")
