"""The table as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from core.permissions import ACTS, ROLES
from tests.role_table.cells import COLUMNS, cell
from tests.role_table.doors import commands, doors

_METHODS = ("get", "post", "put", "patch", "delete")

_PREFACE = """\
# Roles

Who may do what. This page is made from the code (`python -m tests.role_table > docs/roles.md`), and the test run
tries every cell of it, with users of each role and things that exist.

A role is a group; the six below are made when the database is. A user may have several, and an administrator may
make others, or change these, on the support pages. A superuser may do everything. Who has no role sees the pages
of the own account and nothing else.

* `yes`: allowed. `part`: allowed as far as the note says. `no`: refused with a sentence (403).
* `404`: who may not see a thing gets the answer of a thing that does not exist.
* `log in`: a page leads to the log-in page, the API answers 401.
* A method, an action or an address that is not in the tables is refused to everybody. HEAD and OPTIONS tell no more
  than the other methods of an address.
* A token may do what its user may, within its scope: `read`, `test` or `full`.
* A test of values that nobody saved exists for who asked for it, and for who may `connections.edit` or
  `support.open`.

## Acts and roles

"""

_SECTIONS = (
    ("page", "## Pages\n\n"),
    ("api", "## API\n\n"),
    (
        "admin",
        """\
## Support pages

Beside the act, a user must be marked as staff; the columns show users who are. Users and roles may be changed only
by who may do at least as much as they.

""",
    ),
    ("action", "## Actions of the support pages\n\n"),
)

_COMMANDS = """\
## Commands

A command is run by who has the console's account on its host. No role gives that, and none is asked for: the act says
what somebody is given who is given the command, by `sudo` for instance. `host` is what keeps the console running. The
audit log names the system's user.

"""


def document() -> str:
    """Return `docs/roles.md`."""
    acts = [
        (f"`{name}`", act.phrase, act.scope.value, *("yes" if name in held else "" for held in ROLES.values()))
        for name, act in ACTS.items()
    ]
    text = _PREFACE + _table(("act", "may", "a token needs", *ROLES), acts)
    shown = [door for door in doors() if door.method in _METHODS]
    for kind, head in _SECTIONS:
        rows = [
            (f"`{door}`", f"`{door.act}`", *(cell(door, column) for column in COLUMNS), door.note)
            for door in shown
            if door.kind == kind
        ]
        text += f"\n{head}" + _table(("door", "act", *COLUMNS, "note"), rows)
    listed = [(f"`{f'manage.py {name} {word}'.strip()}`", f"`{act}`") for name, word, act in sorted(commands())]
    return text + f"\n{_COMMANDS}" + _table(("command", "act"), listed)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
