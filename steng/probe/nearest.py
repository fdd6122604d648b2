"""Which of the server's folders may have been meant by a name that does not exist. Pure functions."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

_COMPARED = 20
_LONGEST = 100
"""Names that are compared in full, characters of them: it costs a millisecond each, and the server chose how many."""

_ALIKE = 0.6
_SEPARATORS = str.maketrans("/.\\", "///")


def nearest(wanted: str, names: Sequence[str], most: int = 5) -> list[str]:
    """Return the names most like `wanted`, best first: written alike, or with the same last part."""
    aim = _key(wanted)
    scored = sorted(
        ((_likeness(aim, _key(name)), name) for name in promising(wanted, names)), key=lambda pair: -pair[0]
    )
    return [name for likeness, name in scored if likeness >= _ALIKE][:most]


def promising(wanted: str, names: Sequence[str]) -> list[str]:
    """Return the few names worth comparing in full, best first: of many names a batch and the few before it will do."""
    aim = _key(wanted)
    letters = Counter(aim)

    def in_common(name: str) -> float:
        key = _key(name)
        shared = sum((Counter(key) & letters).values())
        return (key.rpartition("/")[2] == aim.rpartition("/")[2]) + 2 * shared / (len(key) + len(aim) or 1)

    return sorted(names, key=in_common, reverse=True)[:_COMPARED]


def _likeness(aim: str, key: str) -> float:
    if aim.rpartition("/")[2] == key.rpartition("/")[2]:
        # "Orders" for "INBOX.Orders": the way to it is forgotten, or written with another separator.
        return 1.0 + (aim == key)
    return difflib.SequenceMatcher(None, aim, key, autojunk=False).ratio()


def _key(name: str) -> str:
    return name[:_LONGEST].casefold().translate(_SEPARATORS)
