"""The systems whose words are understood, and how a file is recognised as written in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from connections.exchange.foreign import asteria, iconduct, primeur
from connections.exchange.foreign.vocabulary import Vocabulary
from connections.exchange.foreign.words import comparable
from core.errors import invalid

OURS = "postern"
"""What a file calls our own words."""

Choose = Callable[[Mapping[str, Any]], Vocabulary | None]


@dataclass(frozen=True, slots=True)
class System:
    """A system: `choose` returns the form that the labels of a row belong to, None where they fit several."""

    key: str
    title: str
    vocabularies: tuple[Vocabulary, ...]
    choose: Choose

    def known(self, labels: Iterable[str]) -> int:
        """Return how many of these labels, in comparable form, the form of the system that knows most of them has."""
        labels = list(labels)
        return max(sum(label in form.labels for label in labels) for form in self.vocabularies)

    def form_of(self, row: Mapping[str, Any], kind: str | None) -> Vocabulary:
        """Return the form of a row, by what is said of its kind or by its labels; raise ValidationError at `kind`."""
        fitting = [form for form in self.vocabularies if kind is None or kind in {form.kind, form.variant}]
        if not fitting:
            allowed = sorted({name for form in self.vocabularies for name in (form.kind, form.variant) if name})
            raise ValidationError(
                {"kind": [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=allowed)]}
            )
        if len(fitting) == 1:
            return fitting[0]
        chosen = self.choose(row)
        if chosen is None or chosen not in fitting:
            names = " or ".join(form.variant or form.kind for form in fitting)
            raise ValidationError({"kind": [invalid("required", f"These labels do not tell the kind: say {names}.")]})
        return chosen


def _primeur(row: Mapping[str, Any]) -> Vocabulary:
    return primeur.MAILBOX if primeur.MAILBOX_ONLY & set(map(comparable, row)) else primeur.SMTP


def _asteria(row: Mapping[str, Any]) -> Vocabulary | None:
    return asteria.choose(frozenset(map(comparable, row)))


_PRIMEUR = (primeur.SMTP, primeur.MAILBOX)
SYSTEMS: Mapping[str, System] = {
    system.key: system
    for system in (
        System("data-mover", "Primeur Data Mover", _PRIMEUR, _primeur),
        System("data-one", "Primeur Data One", _PRIMEUR, _primeur),
        System("iconduct", "IConduct", (iconduct.SMTP, iconduct.IMAP), iconduct.choose),
        System("asteria", "ASTERIA Warp", (asteria.SMTP, asteria.IMAP4, asteria.POP3), _asteria),
    )
}
"""By the name that a file (`system: …`) or the command line (`--from …`) gives them."""


def find(name: str) -> System | None:
    """Return the system of a name, None for our own words; raise ValidationError `invalid_choice` at `system`."""
    key = name.strip().casefold().replace(" ", "-").replace("_", "-")
    if key == OURS:
        return None
    if key not in SYSTEMS:
        allowed = [OURS, *SYSTEMS]
        raise ValidationError(
            {"system": [invalid("invalid_choice", f"Choose one of {', '.join(allowed)}.", allowed=allowed)]}
        )
    return SYSTEMS[key]


def recognise(labels: Iterable[str], ours: frozenset[str]) -> System | None:
    """Return the system that knows most of these labels and more than half of them, None for our own words.

    `ours` are the names that a file of ours may use: one of them, exactly, and the file is taken for ours, so that a
    misspelt field is an unknown field and not another system. Raises ValidationError `required` at `system` where
    several systems know equally many.
    """
    labels = set(labels) - {"kind"}
    if not labels or labels & ours:
        return None
    plain = [comparable(label) for label in labels]
    known = {system.key: system.known(plain) for system in SYSTEMS.values()}
    most = max(known.values())
    if most * 2 <= len(labels):
        return None
    fitting = [system for system in SYSTEMS.values() if known[system.key] == most]
    if any(system.vocabularies is not fitting[0].vocabularies for system in fitting):
        names = " or ".join(system.key for system in fitting)
        raise ValidationError({"system": [invalid("required", f"These labels fit several systems: say {names}.")]})
    return fitting[0]
