"""The lab without Postfix and Dovecot: the same facts, told of the suite's own servers in Python."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.lab.facts import Facts, Protocol, Security
from tests.lab.lab import CA_FILE, USERS, made_up_passwords
from tests.lab.pki import Pki, fingerprint_of
from tests.lab.ports import Ports
from tests.lab.pyserver import RecordingServer

_IMAP, _POP3, _SMTP = Protocol.IMAP, Protocol.POP3, Protocol.SMTP
SERVICES = {
    "submission": (_SMTP, Security.STARTTLS, "no login before TLS"),
    "smtps": (_SMTP, Security.SSL_TLS, ""),
    "plain": (_SMTP, Security.NONE, "logins in clear, no STARTTLS"),
    "imap": (_IMAP, Security.STARTTLS, "no login before TLS"),
    "imaps": (_IMAP, Security.SSL_TLS, ""),
    "pop3": (_POP3, Security.STARTTLS, "no login before TLS"),
    "pop3s": (_POP3, Security.SSL_TLS, ""),
}


class PyLab:
    """Run recording servers of every protocol with one PKI and one list of accounts."""

    def __init__(
        self,
        folder: Path,
        *,
        pki: Pki | None = None,
        users: Mapping[str, str] | None = None,
        preferred_ports: Mapping[str, int] | None = None,
    ) -> None:
        """Choose everything; nothing listens before `start`. The folder receives the CA file and is not removed."""
        self.folder = folder.resolve()
        self.pki = pki or Pki()
        self.users = dict(users) if users is not None else made_up_passwords(USERS)
        self.ca_file = self.folder / CA_FILE
        self.servers: dict[str, RecordingServer] = {}
        self._preferred = preferred_ports or {}
        self._ports = Ports()
        self._cleanup = ExitStack()

    def start(self) -> Self:
        """Start the servers and return when every port listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca_file.write_bytes(self.pki.root.pem)
        certificate = self.pki.leaf()
        with ExitStack() as stack:
            stack.callback(self._ports.release)
            for name, (protocol, security, _) in SERVICES.items():
                server = RecordingServer(
                    security,
                    protocol=protocol,
                    certificate=certificate,
                    users=self.users,
                    port=self._ports.reserve(self._preferred.get(name)),
                )
                stack.callback(server.stop)
                self.servers[name] = server.start()
            self._cleanup = stack.pop_all()
        return self

    def stop(self) -> None:
        """Stop the servers."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Say whether the servers still run; threads of this process do."""
        return True

    def facts(self) -> Facts:
        """Describe the running lab."""
        return Facts(
            servers="Python servers of the test suite",
            endpoints=tuple(server.endpoint(name, SERVICES[name][2]) for name, server in self.servers.items()),
            users=self.users,
            ca_file=self.ca_file,
            ca_fingerprint=fingerprint_of(self.pki.root.certificate),
            folder=self.folder,
        )
