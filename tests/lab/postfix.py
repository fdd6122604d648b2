"""A private Postfix with three SMTP services, which asks a private Dovecot who may log in.

Its configuration, queue and data live in one folder; it listens on 127.0.0.1, accepts mail for its own domain only to
throw it away, and has no client that could carry a mail elsewhere.
"""

import grp
import os
import pwd
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.lab.daemon import Daemon, make_folder
from tests.lab.facts import Endpoint, Security
from tests.lab.pki import Issued
from tests.lab.ports import HOST, Ports

DAEMONS = Path("/usr/lib/postfix/sbin")
DOMAIN = "lab.test"
HOSTNAME = f"mail.{DOMAIN}"

_MAIN = """\
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
maillog_file = {log}
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop

inet_interfaces = {host}
inet_protocols = ipv4
myhostname = {hostname}
mydomain = {domain}
mydestination = {domain}
mynetworks = 127.0.0.0/8
local_transport = discard:the lab keeps no mail
local_recipient_maps =
alias_maps =
alias_database =
default_transport = error:the lab sends no mail
smtpd_relay_restrictions = reject_unauth_destination

smtpd_tls_chain_files = {chain}
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_tls_session_cache_database =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth_socket}
smtpd_sasl_security_options = noanonymous

# No name server is asked, no client is slowed down, and mynetworks is exempt from all limits per client.
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
disable_dns_lookups = yes
default_process_limit = 200
"""

_SERVICES = """\
{submission}  inet  n - n - - smtpd -o syslog_name=postfix/submission -o smtpd_tls_security_level=encrypt
{smtps}       inet  n - n - - smtpd -o syslog_name=postfix/smtps -o smtpd_tls_wrappermode=yes
{plain}       inet  n - n - - smtpd -o syslog_name=postfix/plain -o smtpd_tls_security_level=none
  -o smtpd_tls_auth_only=no
cleanup       unix  n - n - 0 cleanup
qmgr          unix  n - n 300 1 qmgr
tlsmgr        unix  - - n 1000? 1 tlsmgr
rewrite       unix  - - n - - trivial-rewrite
bounce        unix  - - n - 0 bounce
defer         unix  - - n - 0 bounce
trace         unix  - - n - 0 bounce
verify        unix  - - n - 1 verify
proxymap      unix  - - n - - proxymap
error         unix  - - n - - error
retry         unix  - - n - - error
discard       unix  - - n - - discard
anvil         unix  - - n - 1 anvil
postlog       unix-dgram n - n - 1 postlogd
"""

_QUEUE_OF_POSTFIX = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "private", "saved", "trace"),
)


class Postfix:
    """Run one Postfix in `folder`, with logins decided by the SASL service at `auth_socket`.

    `submission` offers STARTTLS and no AUTH before it, `smtps` speaks TLS from the first byte, `plain` knows no TLS and
    accepts logins in clear.
    """

    def __init__(
        self,
        folder: Path,
        *,
        certificate: Issued,
        auth_socket: Path,
        mechanisms: Sequence[str],
        preferred_ports: Mapping[str, int] | None = None,
    ) -> None:
        """Choose the ports; nothing is written or started before `start`.

        `mechanisms` only says what the SASL service was told to offer; it is not a setting of Postfix.
        """
        preferred = preferred_ports or {}
        self.folder = folder
        self.mechanisms = tuple(mechanisms)
        self._certificate = certificate
        self._auth_socket = auth_socket
        self._ports = Ports()
        self.submission, self.smtps, self.plain = (
            self._ports.reserve(preferred.get(name)) for name in ("submission", "smtps", "plain")
        )
        # master itself instead of the `postfix` command: the command spends its time on checks of a system-wide
        # installation and leaves a process behind whose id we would have to look for.
        self._daemon = Daemon(
            "Postfix", [str(DAEMONS / "master"), "-d", "-c", str(folder / "etc")], log=folder / "postfix.log"
        )

    def start(self) -> Self:
        """Write the configuration, start, and return when every port listens."""
        self._write_configuration()
        self._daemon.start([(HOST, port) for port in (self.submission, self.smtps, self.plain)])
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
        """Return everything it has logged so far; a line may come a moment after the answer it tells of."""
        return self._daemon.log_text()

    def endpoints(self) -> list[Endpoint]:
        """Describe the ports for people and scripts."""
        return [
            Endpoint("submission", HOST, self.submission, Security.STARTTLS, "no login before TLS", self.mechanisms),
            Endpoint("smtps", HOST, self.smtps, Security.SSL_TLS, "", self.mechanisms),
            Endpoint("plain", HOST, self.plain, Security.NONE, "logins in clear, no STARTTLS", self.mechanisms),
        ]

    def _write_configuration(self) -> None:
        self._make_folders()
        configuration = self.folder / "etc"
        files = self._certificate.write(configuration / "tls")
        values = {
            "folder": self.folder,
            "daemons": DAEMONS,
            "log": self._daemon.log,
            "host": HOST,
            "hostname": HOSTNAME,
            "domain": DOMAIN,
            "chain": files.combined,
            "auth_socket": self._auth_socket,
        }
        _write_aged(configuration / "main.cf", _MAIN.format(**values))
        ports = {name: f"{HOST}:{getattr(self, name)}" for name in ("submission", "smtps", "plain")}
        _write_aged(configuration / "master.cf", _SERVICES.format(**ports))

    def _make_folders(self) -> None:
        """Make what `postfix check` would make, with the same owners and modes."""
        owner, drop = pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postdrop").gr_gid
        queue = self.folder / "queue"
        for folder in (self.folder, self.folder / "etc", queue, queue / "pid"):
            make_folder(folder)
        for folder in (self.folder / "data", *(queue / name for name in _QUEUE_OF_POSTFIX)):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            shutil.chown(folder, owner)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            folder = queue / name
            folder.mkdir(exist_ok=True)
            shutil.chown(folder, owner, drop)
            folder.chmod(mode)


def _write_aged(path: Path, text: str) -> None:
    """Write a file that looks an hour old.

    Postfix mistrusts a configuration changed within the last seconds, since it may be half written, and waits.
    """
    path.write_text(text)
    path.chmod(0o644)
    then = time.time() - 3600
    os.utime(path, (then, then))
