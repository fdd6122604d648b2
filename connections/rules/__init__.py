"""The rules between the fields of a definition: pure functions, values in, problems out."""

from connections.rules.advisories import advisories
from connections.rules.conditions import CONDITIONS, HAS_FOLDERS, TAKEN_AGAIN, applies, hidden
from connections.rules.destinations import DESTINATIONS, readable, redirected, unprotected
from connections.rules.ports import SMTP, USUAL_PORTS
from connections.rules.required import missing, unavailable
from connections.rules.tls import chosen_protocols, chosen_suites

__all__ = [
    "CONDITIONS",
    "DESTINATIONS",
    "HAS_FOLDERS",
    "SMTP",
    "TAKEN_AGAIN",
    "USUAL_PORTS",
    "advisories",
    "applies",
    "chosen_protocols",
    "chosen_suites",
    "hidden",
    "missing",
    "readable",
    "redirected",
    "unavailable",
    "unprotected",
]
