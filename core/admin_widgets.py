"""How the fields of a definition look on the support pages: the stock widgets, which hand over what was posted.

The form of a definition turns texts into values itself; a widget that did so too would leave nothing to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.http import QueryDict
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from core.templatetags.postern import day


class Box(forms.CheckboxInput):
    """A box; the text that it posts is kept."""

    def __init__(self) -> None:
        super().__init__(check_test=bool)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:  # noqa: ARG002
        """Return what was posted, nothing for a box that is not ticked."""
        return data.get(name, "")


class SecretInput(forms.PasswordInput):
    """A secret to be typed: it is never shown; empty keeps the stored one, the box clears it."""

    def __init__(self, *, clearable: bool, clear: bool) -> None:
        super().__init__(
            attrs={"class": "vTextField", "autocomplete": "new-password", "spellcheck": "false"}, render_value=False
        )
        self._clearable = clearable
        self._clear = clear

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        """Show the empty control, and the box where a secret is stored."""
        control = super().render(name, None, attrs, renderer)
        if not self._clearable:
            return control
        box = forms.CheckboxInput().render(f"clear_{name}", self._clear, {"id": f"id_clear_{name}"})
        return format_html('{}<label class="inline" for="id_clear_{}">{} Clear it</label>', control, name, box)


class OrderedNames(forms.Textarea):
    """Names of a long list in an order that counts: those chosen, one a line, beside all others to be added.

    Both controls have the same name; what is marked in the second goes behind what stands in the first.
    """

    def __init__(self, groups: Sequence[tuple[str, Sequence[str]]]) -> None:
        super().__init__(attrs={"class": "vLargeTextField", "rows": 6, "spellcheck": "false"})
        self._groups = groups

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002
        """Return the names in their order."""
        posted = data.getlist(name) if isinstance(data, QueryDict) else data.get(name, [])
        return [word for text in posted for word in text.split()]

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Show both controls."""
        chosen = super().render(name, "\n".join(value or ()), attrs, renderer)
        groups = format_html_join(
            "",
            '<optgroup label="{}">{}</optgroup>',
            (
                (label, format_html_join("", "<option>{}</option>", ((item,) for item in items)))
                for label, items in self._groups
            ),
        )
        return format_html(
            '{}<select multiple size="6" name="{}" aria-label="Add to {}">{}</select>',
            chosen,
            name,
            name.replace("_", " "),
            groups,
        )


def dress(field: Any, name: str, *, has_default: bool) -> None:
    """Give a field of a definition the widget, the label's mark and the help that the support pages show."""
    field.widget = _widget(field, has_default=has_default)
    field.required = field.mark and not field.show_if  # for the label alone: the services judge
    added = "What is marked in the list is added behind what stands before it." if field.look == "suites" else ""
    notes = [field.help_text, added, _secret_note(field), _condition_note(field.show_if)]
    notes += [f"{problem.detail}" for problem in field.advice]
    # The stock templates take help for markup.
    field.help_text = SafeString(" ".join(conditional_escape(note) for note in notes if note))
    field.widget.attrs.setdefault("aria-describedby", f"id_{name}_helptext")


def _widget(field: Any, *, has_default: bool) -> forms.Widget:
    makers: dict[str, Callable[[], forms.Widget]] = {
        "secret": lambda: SecretInput(clearable=field.is_set and field.clearable, clear=field.clear),
        "check": Box,
        "textarea": lambda: AdminTextareaWidget(attrs={"rows": 4}),
        "names": lambda: forms.CheckboxSelectMultiple(choices=field.options),
        "suites": lambda: OrderedNames([(label, [item.name for item in items]) for label, items in field.groups]),
        "radios": lambda: forms.Select(choices=_options(field, has_default=has_default)),
        "select": lambda: forms.Select(choices=[("", field.none), *_grouped(field.options)]),
    }
    return makers.get(field.look, AdminTextInputWidget)()


def _options(field: Any, *, has_default: bool) -> list[tuple[str, str]]:
    options = [(value, label) for value, label in field.options if value]
    return options if has_default else [("", "---------"), *options]


def _grouped(options: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[str, Any]]:
    choices: list[tuple[str, Any]] = []
    for group, names in options:
        pairs = [(name, name) for name in names]
        choices += [(group, pairs)] if group else pairs
    return choices


def _secret_note(field: Any) -> Any:
    if field.look != "secret":
        return ""
    if not field.is_set:
        return "None is stored."
    since = format_html(" since {}", day(field.changed_at)) if field.changed_at else ""
    return format_html("One is stored{}; leave this empty to keep it.", since)


def _condition_note(show_if: str) -> str:
    """Return in words when a field applies: the stock pages show every field always."""
    if not show_if:
        return ""
    alternatives = [
        " and ".join(_term_in_words(term) for term in terms.split(" and ")) for terms in show_if.split(" or ")
    ]
    return f"Applies with {', or with '.join(alternatives)}."


def _term_in_words(term: str) -> str:
    if ">=" in term:
        name, _, least = term.partition(">=")
        return f"{_words(name)} of {least} or more"
    name, _, values = term.partition("=")
    return f"{_words(name)} {values.replace('|', ' or ')}" if values else f"no {_words(name)}"


def _words(name: str) -> str:
    return name.replace("_", " ")
