"""The table of faults as a page for people: `python -m tests.lab.verdicts` writes docs/verdicts.md.

The same table is played in the tests, so the page cannot say what a probe does not do.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from steng.codes import CATALOGUE, Outcome, find
from steng.wire import StageName
from tests.lab.facts import Protocol, Security
from tests.lab.faults import CASES, Case
from tests.lab.faults.elsewhere import PROVEN

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verdicts.md"

HEAD = """\
# What a test says of a server

Each row is a server that does one thing wrong, and behaves well until then. Each is played by the test suite over the
protocols and securities named: the test has to end at the stage and with the code of the headings above the row, every
stage after it is skipped, and the server has received what stands in the last column and nothing else.

`<credential>` is user name, password, or what is computed from them; where it is absent, nothing of them has left the
STENG. Commands stand without their arguments. What was received before a handshake and what within it stand in one
row; a handshake of its own is not listed. The sentence and the advice are those that a person reads; the report of a
test often says more exactly what happened, and quotes the server.

This page is written by `make docs`; do not edit it.
"""
_COLUMNS = ("The server …", "Protocol", "Security", "It has received")
_NOTHING = "nothing"


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD, *_stages(), *_harmless(), *_elsewhere()]) + "\n"


def _stages() -> Iterator[str]:
    told = sorted((case for case in CASES if case.fault.code), key=_place)
    for stage, of_stage in groupby(told, key=lambda case: case.told[0]):
        yield f"## Stage `{stage}`\n"
        for code, cases in groupby(of_stage, key=lambda case: case.told[1]):
            assert code is not None
            yield from _code(find(StageName(str(stage)), code), list(cases))


def _code(said: Outcome, cases: Sequence[Case]) -> Iterator[str]:
    yield f"### `{said.code}`\n"
    yield f"{said.detail}\\\n{said.advice}\n"
    if said.field:
        yield f"Mended by the field `{said.field}`.\n"
    if all(case.fault.warning for case in cases):
        yield "A warning: the test goes on.\n"
    yield from _table(cases)


def _harmless() -> Iterator[str]:
    yield "## What does not matter\n"
    yield "Servers that deviate and still get the verdict `success`.\n"
    yield from _table([case for case in CASES if case.fault.code is None])


def _elsewhere() -> Iterator[str]:
    yield "## Codes that no server provokes\n"
    yield "They come from the network, from the STENG or from the console; each is proven by the test named.\n"
    yield from _rows(
        ("Stage", "Code", "What a person reads", "Test"),
        [
            (f"`{stage or 'any'}`", f"`{code}`", f"{said.detail} {said.advice}", f"`{test.partition('::')[2]}`")
            for (stage, code), test in PROVEN.items()
            for said in [CATALOGUE[StageName(stage) if stage else None, code]]
        ],
    )


def _table(cases: Sequence[Case]) -> Iterator[str]:
    rows: dict[tuple[str, tuple[str, ...]], dict[Protocol, list[Security]]] = {}
    for case in cases:
        rows.setdefault((case.fault.name, case.heard), {}).setdefault(case.protocol, []).append(case.security)
    return _rows(
        _COLUMNS,
        [
            (
                _escaped(name),
                ", ".join(protocol.value for protocol in protocols),
                ", ".join(security.value for security in securities),
                ", ".join(f"`{command}`" for command in heard) or _NOTHING,
            )
            for (name, heard), places in rows.items()
            for protocols, securities in _alike(places)
        ],
    )


def _alike(places: Mapping[Protocol, list[Security]]) -> list[tuple[list[Protocol], list[Security]]]:
    """Return the protocols that have the same securities together."""
    alike: dict[tuple[Security, ...], list[Protocol]] = {}
    for protocol, securities in places.items():
        alike.setdefault(tuple(securities), []).append(protocol)
    return [(protocols, list(securities)) for securities, protocols in alike.items()]


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _place(case: Case) -> tuple[int, int]:
    """Return where a case stands: by its stage, and by the place of its code in the catalogue."""
    stage, code = case.told
    assert stage is not None
    assert code is not None
    said = find(StageName(stage), code)
    return list(StageName).index(StageName(stage)), list(CATALOGUE).index((said.stage, said.code))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "\\<").replace("*", "\\*").replace("_", "\\_")


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} is written.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
