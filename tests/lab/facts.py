"""What somebody needs to know to use a running lab, as a table for people and as JSON for scripts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path

from tests.lab.pki import write_private


class Protocol(Enum):
    """Name the protocol of a port in the words of a connection's definition."""

    SMTP = "SMTP"
    IMAP = "IMAP"
    POP3 = "POP3"


class Security(Enum):
    """Name the security of a port in the words of a connection's definition."""

    NONE = "NONE"
    STARTTLS = "STARTTLS"
    SSL_TLS = "SSL_TLS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Describe one port."""

    service: str
    host: str
    port: int
    security: Security
    note: str
    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Describe a running lab."""

    servers: str
    endpoints: tuple[Endpoint, ...]
    users: dict[str, str] = field(repr=False)
    ca_file: Path
    ca_fingerprint: str
    folder: Path

    def table(self, mail: str = "") -> str:
        """Return the facts as text for a terminal; `mail` says what lies in the mailboxes."""
        ports = _columns(
            ("service", "host", "port", "security", "logins", "remarks"),
            [
                (e.service, e.host, str(e.port), e.security.value, " ".join(e.mechanisms), e.note)
                for e in self.endpoints
            ],
        )
        users = _columns(("user", "password"), list(self.users.items()))
        return "\n".join(
            (
                f"Servers: {self.servers}",
                "",
                ports,
                "",
                users,
                "",
                f"CA file: {self.ca_file}",
                f"SHA-256: {self.ca_fingerprint}",
                f"Folder:  {self.folder}",
                *([f"Mail:    {mail}"] if mail else []),
            )
        )

    def as_json(self) -> str:
        """Return the facts as a JSON object."""
        facts = {
            "servers": self.servers,
            "endpoints": [{**asdict(e), "security": e.security.value} for e in self.endpoints],
            "users": self.users,
            "ca_file": str(self.ca_file),
            "ca_fingerprint": self.ca_fingerprint,
            "folder": str(self.folder),
        }
        return json.dumps(facts, indent=2) + "\n"

    def write_json(self, path: Path) -> None:
        """Write the JSON to `path`, mode 0600 because it holds passwords."""
        write_private(path, self.as_json().encode())


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
