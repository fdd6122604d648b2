"""`docs/import.md`, made from the mapping tables: `python -m connections.exchange.foreign.page > docs/import.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from connections.exchange.foreign.systems import SYSTEMS
from connections.exchange.foreign.vocabulary import Vocabulary
from connections.exchange.foreign.words import ABSENT, Fate, Word

_OPENING = """\
# Definitions in the words of other systems

<!-- Made from the code by `python -m connections.exchange.foreign.page`; a test holds it against the code. -->

A file can be written in the labels of the form from which its definitions come. It is applied by every door that takes
files ([how](automation.md)); YAML, JSON or CSV:

```yaml
system: asteria
connections:
- Connection Name: orders-out
  Host: mail.example.org
  Use STARTTLS: Yes [starttls]
  Port: 587
  Authentication: SMTP Authentication [SMTP]
  SMTP Username: orders
  SMTP Password: {env: ORDERS_PASSWORD}
```

* `system` (or `--from`, or `?system=`) says whose words these are: %s.
  Where nothing is said and the labels fit one system only, it is recognised, and the plan says so. `kind` says which
  form, where the labels do not tell.
* Labels are compared without case, the `*` of mandatory fields and surplus blanks. A label that the form does not have
  is refused as `unknown_field`: a misspelt one must not mean "nothing".
* Of a value such as `Yes [smtps]` the whole, `Yes` and `smtps` are understood, of a switch also true and false.
* What is left out has the default of the system where its documents name one, as the tables say.
* A connection that exists already is changed only in what the words of its system can say; everything else stays.
* A secret follows the rules of every file: the command line takes `{env: NAME}` and `{file: PATH}`, pages and API take
  the secret itself.
* What cannot be carried is listed row by row in the plan (`notes`): *ignored* has no meaning, *not carried* means
  something there that cannot be said here, *noted* was carried with something to know about it.
"""
_FATES = {
    Fate.IGNORED: "*ignored*",
    Fate.NOT_CARRIED: "*not carried*",
}


def write() -> Iterator[str]:
    """Yield the page, line by line."""
    yield from (_OPENING % ", ".join(f"`{key}`" for key in SYSTEMS)).splitlines()
    shown: list[tuple[Vocabulary, ...]] = []
    for system in SYSTEMS.values():
        if system.vocabularies in shown:
            continue
        shown.append(system.vocabularies)
        names = [other for other in SYSTEMS.values() if other.vocabularies is system.vocabularies]
        yield ""
        yield f"## {' and '.join(each.title for each in names)}"
        for form in system.vocabularies:
            yield from _form(form)


def _form(form: Vocabulary) -> Iterator[str]:
    variant = f", `kind: {form.variant}`" if form.variant else ""
    yield ""
    yield f"### {form.title} (`{form.kind}`{variant})"
    yield ""
    yield "| label | here | value | when left out |"
    yield "|---|---|---|---|"
    for word in form.words:
        yield f"| {_label(word)} | {_target(word)} | {_escaped(word.meaning) or 'as it is'} | {_default(word)} |"
    if form.constants:
        said = ", ".join(f"`{name} = {value}`" for name, value in form.constants.items())
        yield ""
        yield f"Without a label of its own: {said}."
    if form.for_new:
        said = ", ".join(f"`{name} = {value}`" for name, value in form.for_new.items())
        yield ""
        yield f"What is created gets {said}."


def _label(word: Word) -> str:
    own = word.label.removeprefix(f"{word.section}: ")
    return f"{own} ({word.section})" if word.section else own


def _target(word: Word) -> str:
    if word.fate in _FATES:
        return _FATES[word.fate]
    ours = [name for name in word.fields if name.isidentifier() and not name.startswith("_") and name != "agent"]
    return ", ".join(f"`{name}`" for name in ours) or "see the value"


def _default(word: Word) -> str:
    if word.default is ABSENT:
        return ""
    return str(word.default).lower() if isinstance(word.default, bool) else str(word.default)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write("\n".join(write()) + "\n")
