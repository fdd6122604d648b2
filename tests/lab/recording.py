"""What a recording server is told to answer, and what it writes down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.lab.facts import Protocol, Security

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")


@dataclass(frozen=True, slots=True)
class _Manners:
    """The words of one protocol: what it offers always, how it offers TLS, and how it offers logins."""

    greeting: str
    accepted: str
    refused: str
    always: tuple[str, ...]
    tls: str
    logins: str  # before the mechanisms, which follow on the same line
    one_by_one: bool = False
    disabled: tuple[str, ...] = ()


_MANNERS = {
    Protocol.SMTP: _Manners(
        "220 mail.lab.test ESMTP",
        "235 2.7.0 Authentication successful",
        "535 5.7.8 Authentication failed",
        ("8BITMIME",),
        "STARTTLS",
        "AUTH ",
    ),
    Protocol.IMAP: _Manners(
        "* OK IMAP4rev1 ready",
        "OK Logged in",
        "NO [AUTHENTICATIONFAILED] Authentication failed.",
        ("IMAP4rev1", "UIDPLUS", "ACL"),
        "STARTTLS",
        "AUTH=",
        one_by_one=True,
        disabled=("LOGINDISABLED",),
    ),
    Protocol.POP3: _Manners(
        "+OK POP3 ready {stamp}",
        "+OK Logged in.",
        "-ERR [AUTH] Authentication failed.",
        ("TOP", "UIDL", "RESP-CODES"),
        "STLS",
        "SASL ",
    ),
}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Say what the server answers. Replies are text without the final line end; `\\n` separates lines.

    The default words are those of SMTP; `usual` knows the other protocols too. IMAP's replies stand without their tag.
    """

    greeting: str = _MANNERS[Protocol.SMTP].greeting
    capabilities_clear: tuple[str, ...] = ("8BITMIME",)
    capabilities_tls: tuple[str, ...] = ("8BITMIME",)
    login_accepted: str = _MANNERS[Protocol.SMTP].accepted
    login_refused: str = _MANNERS[Protocol.SMTP].refused
    # Verb, in capitals, to the reply it always gets; nothing else is done for that command.
    replies: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def usual(cls, security: Security, protocol: Protocol = Protocol.SMTP) -> "Behaviour":
        """Return the manners of a sensible server: logins under TLS only, or in clear where there is no TLS."""
        words = _MANNERS[protocol]
        with_logins = (*words.always, *_logins(words, MECHANISMS), *(("USER",) if words.tls == "STLS" else ()))
        without = (*words.always, words.tls, *words.disabled)
        return cls(
            greeting=words.greeting,
            capabilities_clear=with_logins if security is Security.NONE else without,
            capabilities_tls=words.always if security is Security.NONE else with_logins,
            login_accepted=words.accepted,
            login_refused=words.refused,
        )

    def offering(self, *mechanisms: str) -> "Behaviour":
        """Return the same behaviour with exactly these login mechanisms, wherever it offered any."""

        def changed(capabilities: tuple[str, ...]) -> tuple[str, ...]:
            for words in _MANNERS.values():
                places = [place for place, word in enumerate(capabilities) if word.startswith(words.logins)]
                if places:
                    kept = [word for word in capabilities if not word.startswith(words.logins)]
                    kept[places[0] : places[0]] = _logins(words, mechanisms)
                    return tuple(kept)
            return capabilities

        return replace(
            self,
            capabilities_clear=changed(self.capabilities_clear),
            capabilities_tls=changed(self.capabilities_tls),
        )


def _logins(words: _Manners, mechanisms: tuple[str, ...]) -> tuple[str, ...]:
    if words.one_by_one:
        return tuple(f"{words.logins}{mechanism}" for mechanism in mechanisms)
    return (f"{words.logins}{' '.join(mechanisms)}",)


@dataclass(frozen=True, slots=True)
class Login:
    """Record one login that was tried to its end."""

    mechanism: str
    username: str
    accepted: bool


@dataclass(slots=True)
class Session:
    """Record one connection."""

    clear: bytearray = field(default_factory=bytearray)  # received before TLS, without the handshake's own bytes
    tls: bytearray = field(default_factory=bytearray)  # received under TLS, deciphered
    tls_started: bool = False
    tls_version: str | None = None
    tls_error: str | None = None
    client_certificate: bytes | None = None  # DER; only where the server asks for one
    logins: list[Login] = field(default_factory=list)
    closed: bool = False

    @property
    def received(self) -> bytes:
        """Return everything received, in order."""
        return bytes(self.clear + self.tls)

    @property
    def commands(self) -> list[bytes]:
        """Return the lines received, in order, without their line ends."""
        return self.received.splitlines()
