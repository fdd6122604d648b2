"""How a good server talks, one small script for each protocol; what carries the lines is somebody else's business.

The same scripts serve the recording servers, which run in a thread, and the fault table, which makes them deviate at
one named moment.
"""

from collections.abc import Mapping

from tests.lab.dialects.imap import Imap
from tests.lab.dialects.pop3 import Pop3
from tests.lab.dialects.smtp import Smtp
from tests.lab.dialects.wire import Dialect, Moment, Wire
from tests.lab.facts import Protocol

__all__ = ["DIALECTS", "Dialect", "Moment", "Wire"]

DIALECTS: Mapping[Protocol, type[Dialect]] = {Protocol.SMTP: Smtp, Protocol.IMAP: Imap, Protocol.POP3: Pop3}
