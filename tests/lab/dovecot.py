"""A private Dovecot: IMAP and POP3 with and without TLS, and the SASL service that Postfix asks.

It lives in one folder, listens on 127.0.0.1 and shares nothing with a Dovecot of the system but its binaries.
"""

import base64
import contextlib
import itertools
import os
import poplib
import re
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.lab.daemon import Daemon, LabError, make_folder, wait_for
from tests.lab.facts import Endpoint, Security
from tests.lab.pki import Issued
from tests.lab.ports import HOST, Ports

PROGRAM = "/usr/sbin/dovecot"
DOVEADM = "/usr/bin/doveadm"
START = 1_700_000_000  # when the first message of every folder came: 2023-11-14T22:13:20Z
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")
STRICT = "127.0.0.2"  # takes no password in clear text
NOBODY = 65534  # owner of the mailboxes; Dovecot refuses to serve mail as root

# Failures are answered at once and no address is slowed down for them: Dovecot's defaults (2 s, then up to 15 s for
# the next login from the same address, the right one too) would make every test with a wrong password wait.
_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {log}
protocols = imap pop3
listen = {host} {strict}
default_internal_user = dovecot
default_login_user = dovenull
shutdown_clients = yes

ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2

disable_plaintext_auth = no
# Who comes to this address comes from another one ({host}), so that nothing but TLS makes its password safe.
local {strict} {{
  disable_plaintext_auth = yes
}}
auth_mechanisms = {mechanisms} apop
auth_verbose = yes
auth_debug = yes
auth_failure_delay = 0
auth_username_chars =
auth_username_format =
mail_max_userip_connections = 0

# A refusal is held back for half a second even where the delay is 0, unless a password database says "nodelay".
# This one says it and decides nothing.
passdb {{
  driver = static
  args = noauthenticate nodelay
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {users}
}}
userdb {{
  driver = static
  args = uid={nobody} gid={nobody} home={folder}/mail/%{{user}}
}}
first_valid_uid = {nobody}
mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  separator = /
}}

# Rights of RFC 4314, from a file in the folder; who has none there has all: it is their own mailbox.
protocol imap {{
  mail_plugins = acl imap_acl
}}
plugin {{
  acl = vfile
}}

service auth {{
  unix_listener {socket} {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  process_min_avail = 1
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  process_min_avail = 1
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"""


class Dovecot:
    """Run one Dovecot in `folder`, for the accounts of `users` (name to password)."""

    def __init__(
        self,
        folder: Path,
        *,
        certificate: Issued,
        users: Mapping[str, str],
        mechanisms: Sequence[str] = MECHANISMS,
        preferred_ports: Mapping[str, int] | None = None,
    ) -> None:
        """Choose the ports; nothing is written or started before `start`."""
        preferred = preferred_ports or {}
        self.folder = folder
        self.users = dict(users)
        self.mechanisms = tuple(mechanisms)
        self.auth_socket = folder / "sasl"
        self._certificate = certificate
        self._ports = Ports()
        self.imap, self.imaps, self.pop3, self.pop3s = (
            self._ports.reserve(preferred.get(name)) for name in ("imap", "imaps", "pop3", "pop3s")
        )
        self._sentinels = itertools.count(1)
        self._daemon = Daemon(
            "Dovecot", [PROGRAM, "-F", "-c", str(folder / "dovecot.conf")], log=folder / "dovecot.log"
        )

    def start(self) -> Self:
        """Write the configuration, start, and return when every port listens and logins are decided."""
        self._write_configuration()
        self._daemon.start([(HOST, port) for port in (self.imap, self.imaps, self.pop3, self.pop3s)])
        try:
            wait_for(self.auth_socket.exists, "Dovecot's SASL socket")
            self._catch_up()  # its authentication process starts with the first login, and may refuse its settings
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop it and give its ports back."""
        self._daemon.stop()
        self._ports.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """Say whether it still runs."""
        return self._daemon.alive

    @property
    def log(self) -> str:
        """Return everything it has logged so far."""
        return self._daemon.log_text()

    def endpoints(self) -> list[Endpoint]:
        """Describe the ports for people and scripts."""
        return [
            Endpoint("imap", HOST, self.imap, Security.STARTTLS, "also in clear", self.mechanisms),
            Endpoint("imaps", HOST, self.imaps, Security.SSL_TLS, "", self.mechanisms),
            Endpoint("pop3", HOST, self.pop3, Security.STARTTLS, "also in clear", self.mechanisms),
            Endpoint("pop3s", HOST, self.pop3s, Security.SSL_TLS, "", self.mechanisms),
        ]

    def mailbox(self, username: str, name: str) -> Path:
        """Return where a folder of a user lies; it is made, under its name in Unicode, where it is missing."""
        listed = self._doveadm("mailbox", "list", "-u", username).splitlines()
        if name != "INBOX" and name not in listed:
            self._doveadm("mailbox", "create", "-u", username, name)
        return Path(self._doveadm("mailbox", "path", "-u", username, name).strip())

    def put(self, username: str, name: str, *messages: tuple[bytes, str]) -> Path:
        """Put messages with their Maildir flags into a folder; the first came at START, each other a day later."""
        path = self.mailbox(username, name)
        for place in ("cur", "new", "tmp"):
            make_folder(path / place)
        first = sum(1 for _ in (path / "cur").iterdir())
        for number, (text, flags) in enumerate(messages, first):
            moment = START + number * 86_400
            file = path / "cur" / f"{moment}.M{number}.lab:2,{flags}"
            file.write_bytes(text)
            os.utime(file, (moment, moment))
        self._own(self.home(username))
        return path

    def rights(self, username: str, name: str, rights: str) -> None:
        """Leave a user only these rights (RFC 4314, in Dovecot's letters) to a folder of their own."""
        (self.mailbox(username, name) / "dovecot-acl").write_text(f"owner {rights}\n")
        self._own(self.home(username))

    def look_in(self, username: str, *names: str) -> None:
        """Look into folders as any mail program does, so that Dovecot has numbered and measured every message."""
        for name in names:
            self._doveadm("fetch", "-u", username, "uid size.virtual", "mailbox", name, "all")
        with contextlib.closing(poplib.POP3(HOST, self.pop3, timeout=10)) as session:
            session.user(username)
            session.pass_(self.users[username])
            session.uidl()
            session.quit()

    def own(self, username: str) -> None:
        """Give what somebody put into a user's home to Dovecot, which reads no mail of root's."""
        self._own(self.home(username))

    def home(self, username: str) -> Path:
        """Return where all mail of a user lies."""
        return self.folder / "mail" / username

    def _doveadm(self, *words: str) -> str:
        command = [DOVEADM, "-c", str(self.folder / "dovecot.conf"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        if done.returncode:
            raise LabError(f"doveadm {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    @staticmethod
    def _own(top: Path) -> None:
        for path in (top, *top.rglob("*")):
            os.chown(path, NOBODY, NOBODY)

    def login_attempts(self, username: str) -> int:
        """Count the logins decided for `username`, right and wrong, by any protocol, SMTP included."""
        return sum(self._verdicts(username).values())

    def logins(self, username: str) -> int:
        """Count the logins of `username` that were accepted."""
        return self._verdicts(username)["OK"]

    def _verdicts(self, username: str) -> dict[str, int]:
        self._catch_up()
        # One line per decision: "client passdb out: OK<tab>7<tab>user=alice<tab>..." or FAIL in place of OK.
        pattern = re.compile(
            r"client passdb out: (OK|FAIL)\t\d+\t(?:[^\n]*\t)?user=" + re.escape(username) + r"(?:\t|$)"
        )
        counts = {"OK": 0, "FAIL": 0}
        for line in self.log.splitlines():
            if found := pattern.search(line):
                counts[found[1]] += 1
        return counts

    def _catch_up(self) -> None:
        """Return when the log holds every decision made before this call.

        The answer to a client may overtake the line about it on its way into the file. All decisions come from one
        process through one pipe, so once a login begun *now* is in the file, everything before it is there too.
        """
        mark = f"service=sentinel-{next(self._sentinels)}\t"
        self._knock(mark)
        wait_for(lambda: mark in self.log, "Dovecot's log to catch up")

    def _knock(self, mark: str) -> None:
        """Begin one login over the SASL socket itself (Dovecot's authentication protocol, version 1), and hang up."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(10)
                connection.connect(str(self.auth_socket))
                # Every client gives a number that no other client of the moment uses. Postfix and Dovecot's own
                # processes give their process ids, which end where these begin.
                number = 2**22 + threading.get_native_id()
                request = f"VERSION\t1\t1\nCPID\t{number}\nAUTH\t1\t{self.mechanisms[0]}\t{mark}\n"
                connection.sendall(request.encode())
                with connection.makefile("r", encoding="utf-8") as answers:
                    answered = any(answer.startswith("CONT\t1") for answer in answers)
        except ConnectionError:
            answered = False
        if not answered:
            raise LabError(f"Dovecot decides no logins. Its log ends with:\n{self._daemon.log_tail()}")

    def _write_configuration(self) -> None:
        for folder in (self.folder, *(self.folder / name for name in ("run", "state", "mail"))):
            make_folder(folder)
        (self.folder / "mail").chmod(0o777)
        files = self._certificate.write(self.folder / "tls")
        users = self.folder / "users"
        users.write_text("".join(_user_line(*user) for user in self.users.items()))
        users.chmod(0o644)  # read by Dovecot's own user; throw-away passwords, in a folder of the moment
        (self.folder / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                log=self._daemon.log,
                host=HOST,
                strict=STRICT,
                chain=files.chain,
                key=files.key,
                mechanisms=" ".join(self.mechanisms).lower(),
                users=users,
                nobody=NOBODY,
                socket=self.auth_socket,
                imap=self.imap,
                imaps=self.imaps,
                pop3=self.pop3,
                pop3s=self.pop3s,
            )
        )


def _user_line(name: str, password: str) -> str:
    # Base64, because a colon or a blank in a password would end the field; backslashes, because Dovecot asks with them.
    name = re.sub(r"([\\\"'])", r"\\\1", name)
    return f"{name}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}::::::\n"
