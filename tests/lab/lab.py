"""The lab itself: one PKI, one Dovecot, one Postfix, some accounts, in one folder of its own."""

import re
import secrets
import shutil
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.lab.daemon import LabError, make_folder
from tests.lab.dovecot import MECHANISMS, Dovecot
from tests.lab.facts import Facts
from tests.lab.pki import Issued, Pki, fingerprint_of
from tests.lab.ports import HOST
from tests.lab.postfix import Postfix

USERS = ("alice", "bob")
# A unix socket's path holds 107 bytes, and the longest name below the folder takes 50 of them.
LONGEST_FOLDER = 57
CA_FILE = "lab-ca.pem"


class Lab:
    """Run Postfix and Dovecot on 127.0.0.1, with certificates for `localhost` that only the lab's root vouches for."""

    host = HOST
    name = "localhost"

    def __init__(
        self,
        folder: Path | None = None,
        *,
        pki: Pki | None = None,
        certificate: Issued | None = None,
        users: Mapping[str, str] | None = None,
        mechanisms: Sequence[str] = MECHANISMS,
        preferred_ports: Mapping[str, int] | None = None,
    ) -> None:
        """Choose everything; nothing is started before `start`.

        A `folder` that is given stays when the lab stops; without one a temporary folder is used and removed.
        """
        self.pki = pki or Pki()
        self.users = dict(users) if users is not None else made_up_passwords(USERS)
        self._certificate = certificate or self.pki.leaf()
        self._mechanisms = tuple(mechanisms)
        self._preferred_ports = preferred_ports
        self._cleanup = ExitStack()
        self.folder = folder.resolve() if folder else None

    def start(self) -> Self:
        """Start both servers and return when every port listens.

        Raises LabError with a sentence when the folder will not do or a server does not come up.
        """
        with ExitStack() as stack:
            if self.folder is None:
                self.folder = temporary_folder()
                stack.callback(self._remove_folder, self.folder)
            check_folder(self.folder)
            self.ca_file = self.folder / CA_FILE
            self.ca_file.write_bytes(self.pki.root.pem)
            self.dovecot = Dovecot(
                self.folder / "dovecot",
                certificate=self._certificate,
                users=self.users,
                mechanisms=self._mechanisms,
                preferred_ports=self._preferred_ports,
            )
            stack.callback(self.dovecot.stop)
            self.dovecot.start()
            self.postfix = Postfix(
                self.folder / "postfix",
                certificate=self._certificate,
                auth_socket=self.dovecot.auth_socket,
                mechanisms=self._mechanisms,
                preferred_ports=self._preferred_ports,
            )
            stack.callback(self.postfix.stop)
            self.postfix.start()
            self._cleanup = stack.pop_all()
        return self

    def stop(self) -> None:
        """Stop both servers, and remove the folder if it was made here."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Say whether both servers still run."""
        return self.dovecot.alive and self.postfix.alive

    def client_context(self) -> ssl.SSLContext:
        """Return a context for a TLS client that trusts the lab's root alone."""
        return self.pki.client_context()

    def facts(self) -> Facts:
        """Describe the running lab."""
        assert self.folder is not None
        return Facts(
            servers="Postfix and Dovecot",
            endpoints=(*self.postfix.endpoints(), *self.dovecot.endpoints()),
            users=self.users,
            ca_file=self.ca_file,
            ca_fingerprint=fingerprint_of(self.pki.root.certificate),
            folder=self.folder,
        )

    def _remove_folder(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = None


def made_up_passwords(names: Sequence[str]) -> dict[str, str]:
    """Return a new random password for each name."""
    return {name: secrets.token_urlsafe(12) for name in names}


def temporary_folder() -> Path:
    """Make a folder with a short name that the users of Postfix and Dovecot can enter."""
    folder = Path(tempfile.mkdtemp(prefix="postern-lab-"))
    folder.chmod(0o755)
    return folder


def check_folder(folder: Path) -> None:
    """Make `folder` where it is missing; raise LabError where the daemons could not work in it."""
    if len(str(folder)) > LONGEST_FOLDER:
        raise LabError(f"the folder {folder} has a name too long for unix sockets (over {LONGEST_FOLDER} characters)")
    if re.search(r"[^\w./+-]", str(folder)):
        raise LabError(f"the folder {folder} has a character in its name that mail servers misread")
    try:
        if not folder.exists():
            make_folder(folder)
    except OSError as error:
        raise LabError(f"the folder {folder} cannot be made: {error.strerror}") from error
    for step in (folder, *folder.parents):
        if not step.stat().st_mode & 0o001:
            raise LabError(f"the mail servers' own users cannot enter {step}; choose a folder that everybody can enter")
