"""The only writers of trust: what was met is remembered, what an admin decided is stored.

Every change of trust writes its line of `TrustChange` in the same transaction, and is in force
with the next test: nothing is kept in memory.
"""

from untrusted_cache.services.memory import forget, remember
from untrusted_cache.services.rejection import reject, unreject
from untrusted_cache.services.store import EDITABLE, Outcome, edit, import_certificates, remove, trust

__all__ = [
    "EDITABLE",
    "Outcome",
    "edit",
    "forget",
    "import_certificates",
    "reject",
    "remember",
    "remove",
    "trust",
    "unreject",
]
