"""The table of faults: what a server can do wrong, and what a probe says of it. It is documentation and test at once.

Each module holds the faults of one part of a conversation; `CASES` has each over every protocol and security in which
it can happen.
"""

from tests.lab.faults import (
    certificates,
    going_away,
    greeting,
    handshake,
    hostile,
    mailbox,
    offers,
    reach,
    sender,
    sign_in,
    upgrade,
)
from tests.lab.faults.fault import Case, Fault

__all__ = ["CASES", "FAULTS", "Case", "Fault"]

_PARTS = (*(reach, greeting, offers, upgrade, handshake, certificates, sign_in, sender, mailbox, going_away, hostile),)
FAULTS: tuple[Fault, ...] = tuple(fault for part in _PARTS for fault in part.faults())
CASES: tuple[Case, ...] = tuple(case for fault in FAULTS for case in fault.cases())
