"""What the recording SMTP server is told to answer, and what it writes down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.lab.facts import Security

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Say what the server answers. Replies are text without the final line end; `\\n` separates lines."""

    greeting: str = "220 mail.lab.test ESMTP"
    capabilities_clear: tuple[str, ...] = ("8BITMIME",)
    capabilities_tls: tuple[str, ...] = ("8BITMIME",)
    login_accepted: str = "235 2.7.0 Authentication successful"
    login_refused: str = "535 5.7.8 Authentication failed"
    # Verb, in capitals, to the reply it always gets; nothing else is done for that command.
    replies: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def usual(cls, security: Security) -> "Behaviour":
        """Return the manners of a sensible server: logins under TLS only, or in clear where there is no TLS."""
        auth = f"AUTH {' '.join(MECHANISMS)}"
        if security is Security.NONE:
            return cls(capabilities_clear=("8BITMIME", auth))
        return cls(capabilities_clear=("8BITMIME", "STARTTLS"), capabilities_tls=("8BITMIME", auth))

    def offering(self, *mechanisms: str) -> "Behaviour":
        """Return the same behaviour with exactly these login mechanisms, wherever it offered any."""

        def changed(capabilities: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(f"AUTH {' '.join(mechanisms)}" if c.startswith("AUTH ") else c for c in capabilities)

        return replace(
            self,
            capabilities_clear=changed(self.capabilities_clear),
            capabilities_tls=changed(self.capabilities_tls),
        )


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
