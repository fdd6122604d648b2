"""The mail that the scripted servers hold: known content, and nothing that could be changed."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a folder."""

    uid: int
    text: str
    date: str = "01-Feb-2024 10:00:00 +0000"  # INTERNALDATE, as RFC 3501 writes it
    seen: bool = False

    @property
    def size(self) -> int:
        """Return its octets."""
        return len(self.text.encode())

    @property
    def header(self) -> str:
        """Return what stands before the first empty line."""
        return self.text.partition("\r\n\r\n")[0]


def message(uid: int, subject: str, *, seen: bool = False) -> Message:
    """Return a small message."""
    head = f"From: sender@lab.test\r\nTo: user@lab.test\r\nSubject: {subject}\r\nMessage-ID: <{uid}@lab.test>\r\n"
    return Message(uid, f"{head}\r\nInvoice {uid}.\r\n", f"{uid % 28 + 1:02}-Feb-2024 10:00:00 +0000", seen)


USUAL = (message(101, "First", seen=True), message(102, "Second"), message(104, "Third"))


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Folders by their name on the wire (modified UTF-7), with what they hold, and what the user may do in them."""

    folders: dict[str, tuple[Message, ...]] = field(
        default_factory=lambda: {
            "INBOX": USUAL,
            "Archive": (),
            "Archive/2024": (),
            "Entw&APw-rfe": (),
        }
    )
    separator: str = "/"
    rights: str = "lrswipkxtea"

    def messages(self, name: str) -> tuple[Message, ...] | None:
        """Return what a folder holds, None where it does not exist; INBOX has no case (RFC 3501 section 5.1)."""
        return self.folders.get("INBOX" if name.upper() == "INBOX" else name)
