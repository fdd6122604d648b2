"""The TLS cipher suites that a definition may name.

The table `suites.tsv` beside this module lists every suite that JSSE (OpenJDK 17) or OpenSSL 3.0 knows, by its
IANA or JSSE name, because definitions come from systems of both families. A suite that no OpenSSL
has any more keeps its name and an empty OpenSSL name: it can be stored, and a STENG says that it has it not.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

GROUPS = ("modern", "legacy", "weak")


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite: `group` is modern, legacy or weak; `openssl` is empty where OpenSSL 3.0 lacks it."""

    name: str
    group: str
    openssl: str

    @property
    def tls13(self) -> bool:
        """Tell whether it is a suite of TLS 1.3 (RFC 8446, section B.4), which names no key exchange."""
        return "_WITH_" not in self.name and self.name.startswith("TLS_") and not is_signal(self.name)

    @property
    def protects(self) -> bool:
        """Tell whether it encrypts and authenticates at all: NULL and anonymous suites do not."""
        return "_NULL_" not in self.name and "_anon_" not in self.name

    @property
    def certified(self) -> bool:
        """Tell whether the server proves who it is by a certificate: not by a key or ticket that both have already."""
        return not any(way in self.name for way in ("_PSK_", "_SRP_", "_KRB5_"))


def _read() -> dict[str, Suite]:
    with Path(__file__).with_name("suites.tsv").open(encoding="ascii", newline="") as table:
        return {row["name"]: Suite(**row) for row in csv.DictReader(table, delimiter="\t")}


def is_signal(name: str) -> bool:
    """Tell whether a name of the table only signals something in a ClientHello (SCSV), and is never chosen."""
    return name.endswith("_SCSV")


SUITES: MappingProxyType[str, Suite] = MappingProxyType(_read())

BY_OPENSSL: MappingProxyType[str, str] = MappingProxyType({s.openssl: s.name for s in SUITES.values() if s.openssl})
"""The names of the table by those of OpenSSL, in which a handshake tells what was chosen."""
