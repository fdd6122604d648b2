"""Mail for who tries the lab by hand: without any, every mailbox is empty and no poll takes anything."""

from tests.lab.dovecot import Dovecot

FOLDER = "Orders/Incoming"
_SUBJECTS = ("Order 4711", "Rechnung für März", "注文 12 件")


def deliver(dovecot: Dovecot, user: str) -> str:
    """Put a read and two unread messages into the inbox and another folder of a user; say what there is."""
    for folder in ("INBOX", FOLDER):
        dovecot.put(user, folder, *((_message(user, subject), "" if n else "S") for n, subject in enumerate(_SUBJECTS)))
    return f"{user} has {len(_SUBJECTS)} messages in INBOX and in {FOLDER}, the first of them read"


def _message(user: str, subject: str) -> bytes:
    text = f"From: partner@lab.test\r\nTo: {user}@lab.test\r\nSubject: {subject}\r\n\r\nOne line.\r\n"
    return text.encode()
