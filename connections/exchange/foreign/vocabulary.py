"""The words of one form of a system, and the translation of a row that was written in them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError

from connections.exchange.foreign.words import ABSENT, Fate, Note, Word, comparable
from core.errors import invalid

Values = dict[str, Any]


@dataclass(slots=True)
class Translated:
    """A row in our words, on its way."""

    kind: str = ""
    values: Values = field(default_factory=dict, repr=False)
    errors: dict[str, list[ValidationError]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """The form of one kind of connection in another system.

    `variant` is what that system calls the kind, where it makes more of them than we do. `constants` are what it means
    without saying; `for_new` is given beside that to connections that are created. `finish` joins words that make one
    value of ours only together (their own values stand under names that begin with an underscore). `own_tags` are the
    tags that the form decides on; a connection keeps its others.
    """

    kind: str
    title: str
    words: tuple[Word, ...]
    variant: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)
    for_new: Mapping[str, Any] = field(default_factory=dict)
    finish: Callable[[Translated], None] | None = None
    own_tags: frozenset[str] = frozenset()
    labels: frozenset[str] = field(init=False, repr=False)
    """What belongs to this form, in comparable form: its labels, and the titles of sections that are mappings."""

    _index: Mapping[str, Mapping[str, Word]] = field(init=False, repr=False)
    """By the comparable title of a section, then by label; `""` is outside of every section."""

    def __post_init__(self) -> None:
        # Once for the form, not for each label: a file can have as many labels as it likes.
        index = _indexed(self.words)
        object.__setattr__(self, "_index", index)
        object.__setattr__(self, "labels", frozenset(index[""]) | (index.keys() - {""}))

    def __str__(self) -> str:
        return self.title

    def translate(self, raw: Mapping[str, Any]) -> Translated:
        """Return the row in our words, with an error per field that cannot be read and a note per word left behind."""
        done = Translated(self.kind, dict(self.constants))
        said: set[str] = set()
        for label, value, section in _flattened(raw, self._index):
            word = self._find(comparable(label), section)
            if word is None:
                sentence = f"{self.title} has no “{label[:80]}”."
                done.errors.setdefault(label[:200], []).append(invalid("unknown_field", sentence))
            elif word.label in said:
                sentence = f"“{label[:80]}” stands twice."
                done.errors.setdefault(label[:200], []).append(invalid("malformed", sentence))
            elif value is not None and value != "":
                said.add(word.label)
                _take(done, word, value)
        for word in self.words:
            if word.label not in said and word.default is not ABSENT:
                _take(done, word, word.default)
        if self.finish is not None:
            self.finish(done)
        self._name_errors(done)
        return done

    def _name_errors(self, done: Translated) -> None:
        """Put what is wrong with a word that makes no value of ours alone at its label."""
        for word in self.words:
            if word.fields and word.fields[0].startswith("_") and word.fields[0] in done.errors:
                done.errors.setdefault(word.label, []).extend(done.errors.pop(word.fields[0]))

    def _find(self, label: str, section: str = "") -> Word | None:
        # Inside its section a word stands without what qualifies it; outside, the first form that has it is meant.
        return self._index[section].get(label) or self._index[""].get(label)


def _indexed(words: Iterable[Word]) -> Mapping[str, Mapping[str, Word]]:
    found: dict[str, dict[str, Word]] = {"": {}}
    for word in words:
        for key in word.keys:
            found[""].setdefault(key, word)
        if word.section:
            inside = found.setdefault(comparable(word.section), {})
            for key in word.keys | {comparable(word.label.partition(": ")[2])} - {""}:
                inside.setdefault(key, word)
    return found


def _flattened(raw: Mapping[str, Any], sections: Container[str]) -> Iterator[tuple[str, Any, str]]:
    for label, value in raw.items():
        section = comparable(label)
        if section and section in sections and isinstance(value, Mapping):
            for inner, each in value.items():
                yield str(inner), each, section
        else:
            yield label, value, ""


def _take(done: Translated, word: Word, value: Any) -> None:
    if word.fate in {Fate.IGNORED, Fate.NOT_CARRIED}:
        done.notes.append(Note(word.label, word.fate, word.meaning))
        return
    try:
        done.values.update(word.read(value))
    except ValidationError as error:
        name = word.fields[0]
        done.errors.setdefault(name, []).extend(error.error_list)
