"""The saved definitions.

Limits, choices and help texts stand here, on the fields; rules of one value in `validators`, rules
between fields in `rules`. `clean()` runs the latter, so every door that goes through `full_clean()`
gives the same codes. Only `services` writes.
"""

from connections.models.connection import Connection
from connections.models.mailbox import MailboxConnection
from connections.models.smtp import SmtpConnection

__all__ = ["Connection", "MailboxConnection", "SmtpConnection"]
