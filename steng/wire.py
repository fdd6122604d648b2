"""What travels between console and STENG: a frozen request out, a frozen report back.

Both sides are plain data with a JSON form that is checked strictly: an unknown key
or a wrong type is a `WireError`, so that a newer console never has a value silently
ignored by an older agent. `FORMAT` is raised whenever the meaning of a key changes.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from steng.secret import Secret

FORMAT = 2
"""Version of the JSON form; an agent refuses any other."""


class WireError(ValueError):
    """A message that is not of this format; the text names the path of the offender."""


class Protocol(enum.StrEnum):
    """The mail protocol of the server that is probed."""

    SMTP = "SMTP"
    IMAP = "IMAP"
    POP3 = "POP3"


class Security(enum.StrEnum):
    """How the conversation is protected."""

    STARTTLS = "STARTTLS"
    SSL_TLS = "SSL_TLS"
    NONE = "NONE"


class Authentication(enum.StrEnum):
    """How the definition signs in."""

    BASIC = "BASIC"
    OAUTH2_CLIENT_CREDENTIAL = "OAUTH2_CLIENT_CREDENTIAL"
    POP_BEFORE_SMTP = "POP_BEFORE_SMTP"
    NONE = "NONE"


class Mechanism(enum.StrEnum):
    """The mechanism of a login with user name and password; the last two are of POP3 alone (RFC 1939 section 7)."""

    AUTO = "AUTO"
    PLAIN = "PLAIN"
    LOGIN = "LOGIN"
    CRAM_MD5 = "CRAM_MD5"
    USER_PASS = "USER_PASS"  # noqa: S105 (a mechanism)
    APOP = "APOP"


class Depth(enum.StrEnum):
    """How far a test goes: each includes the ones before it."""

    CONNECT = "connect"
    TLS = "tls"
    LOGIN = "login"
    FULL = "full"


class Purpose(enum.StrEnum):
    """What a probe is for: a test of the definition, or the list of the folders that it could name."""

    TEST = "test"
    FOLDERS = "folders"


class Disposition(enum.StrEnum):
    """What a job does with a message that it has taken; a test does none of it, and looks whether it could."""

    KEEP = "KEEP"
    SEEN = "SEEN"
    DELETE = "DELETE"


class Pull(enum.StrEnum):
    """Which message of a mailbox a job takes first."""

    GET_FIRST_MESSAGE = "GET_FIRST_MESSAGE"
    GET_FIRST_UNREAD_MESSAGE = "GET_FIRST_UNREAD_MESSAGE"
    GET_LAST_MESSAGE = "GET_LAST_MESSAGE"
    GET_LAST_UNREAD_MESSAGE = "GET_LAST_UNREAD_MESSAGE"


class StageName(enum.StrEnum):
    """The stages of a test, in the order in which they can occur."""

    QUEUE = "queue"
    RESOLVE = "resolve"
    CONNECT = "connect"
    GREETING = "greeting"
    CAPABILITIES = "capabilities"
    STARTTLS = "starttls"
    TLS = "tls"
    TRUST = "trust"
    HOSTNAME = "hostname"
    TOKEN = "token"  # noqa: S105 (a stage)
    AUTH = "auth"
    SENDER = "sender"
    FOLDER = "folder"
    MESSAGE = "message"
    QUIT = "quit"


class StageOutcome(enum.StrEnum):
    """How a stage ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Verdict(enum.StrEnum):
    """What a finished test says of a connection."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class Direction(enum.StrEnum):
    """Who said a line of the transcript."""

    SENT = "sent"
    RECEIVED = "received"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Login:
    """A login with user name and password."""

    mechanism: Mechanism
    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """What the definition says about TLS.

    `protocols` and `cipher_suites` are None for ALL, else the chosen names in their order.
    """

    match_server_hostname: bool = False
    protocols: tuple[str, ...] | None = None
    cipher_suites: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TrustedCertificate:
    """A certificate an admin trusts: an anchor, or a pin of exactly one leaf.

    The console sends only entries that apply to the request's endpoint: anchors
    whose scope covers the host, pins of this very host and port, both within their dates.
    """

    id: str
    name: str
    der: bytes


@dataclass(frozen=True, slots=True)
class TrustSet:
    """What vouches for the server of this request; empty trusts nothing.

    `rejected` holds SHA-256 fingerprints (lower-case hex) that no anchor excuses.
    """

    version: int = 0
    anchors: tuple[TrustedCertificate, ...] = ()
    pins: tuple[TrustedCertificate, ...] = ()
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Egress:
    """Where the agent may connect to; link-local and metadata addresses are refused always."""

    allow_loopback: bool = False


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What a mailbox definition takes from where, and what it does with it. POP3 knows INBOX alone.

    `show_subject` allows the subject of that message in `ProbeReport.aside`, for who may see it.
    """

    folder: str = "INBOX"
    disposition: Disposition = Disposition.KEEP
    pull: Pull = Pull.GET_FIRST_UNREAD_MESSAGE
    show_subject: bool = False


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """Everything a STENG needs for one configuration test. Times are milliseconds."""

    protocol: Protocol
    host: str
    port: int
    security: Security
    authentication: Authentication
    timeout_ms: int = 60_000
    login: Login | None = None
    helo_name: str = ""
    sender_address: str = ""
    tls: TlsPolicy = field(default_factory=TlsPolicy)
    trust: TrustSet = field(default_factory=TrustSet)
    egress: Egress = field(default_factory=Egress)
    depth: Depth = Depth.FULL
    mailbox: Mailbox | None = None
    purpose: Purpose = Purpose.TEST
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a test as it ended; `duration_ms` is None where it never began."""

    name: StageName
    outcome: StageOutcome
    duration_ms: float | None = None
    code: str | None = None
    detail: str = ""
    advice: str = ""
    field: str | None = None
    evidence: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    peer: str = "server"


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One redacted line of the conversation, `ms` after the start of the probe."""

    ms: int
    direction: Direction
    stage: StageName
    text: str


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What a probe found. `chain` is the DER chain as presented, leaf first, whenever TLS began.

    `aside` is for who asked, now, and is never stored: the subject of the message that a job would take.
    """

    verdict: Verdict
    stages: tuple[Stage, ...]
    duration_ms: float
    source_address: str | None = None
    peer_address: str | None = None
    chain: tuple[bytes, ...] = ()
    transcript: tuple[TranscriptLine, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict, repr=False)
    format: int = FORMAT

    @property
    def telling_stage(self) -> Stage | None:
        """Return the failed stage, else the first warning, else None."""
        for outcome in (StageOutcome.FAILED, StageOutcome.WARNING):
            for stage in self.stages:
                if stage.outcome is outcome:
                    return stage
        return None


Message = TypeVar("Message")


def to_json(message: Any) -> Any:
    """Return the JSON form of a message; a secret goes out in clear, so seal what you store."""
    if isinstance(message, Secret):
        return message.reveal()
    if isinstance(message, bytes):
        return base64.b64encode(message).decode("ascii")
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return {item.name: to_json(getattr(message, item.name)) for item in dataclasses.fields(message)}
    if isinstance(message, list | tuple):
        return [to_json(item) for item in message]
    if isinstance(message, Mapping):
        return {str(key): to_json(value) for key, value in message.items()}
    return message


def from_json(kind: type[Message], data: Any) -> Message:
    """Return a message of `kind`; raise WireError where the data is not exactly that."""
    message: Message = _read(kind, data, "$")
    if getattr(message, "format", FORMAT) != FORMAT:
        raise WireError(f"$.format: this agent speaks format {FORMAT} only")
    return message


def _read(kind: Any, data: Any, path: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        return _read_optional(kind, data, path)
    if origin is tuple:
        return _read_list(kind, data, path)
    if origin is not None and issubclass(origin, Mapping):
        return _checked(dict, data, path)
    if dataclasses.is_dataclass(kind):
        return _read_record(kind, data, path)
    return _read_scalar(kind, data, path)


def _read_optional(kind: Any, data: Any, path: str) -> Any:
    if data is None:
        return None
    (inner,) = (arm for arm in typing.get_args(kind) if arm is not type(None))
    return _read(inner, data, path)


def _read_list(kind: Any, data: Any, path: str) -> tuple[Any, ...]:
    inner = typing.get_args(kind)[0]
    return tuple(_read(inner, item, f"{path}[{place}]") for place, item in enumerate(_checked(list, data, path)))


def _read_record(kind: Any, data: Any, path: str) -> Any:
    values = _checked(dict, data, path)
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise WireError(f"{path}.{unknown[0]}: unknown key")
    read = {key: _read(hints[key], value, f"{path}.{key}") for key, value in values.items()}
    try:
        return kind(**read)
    except TypeError as error:
        raise WireError(f"{path}: {error}") from None


def _read_scalar(kind: Any, data: Any, path: str) -> Any:
    if kind is Secret:
        return Secret(_checked(str, data, path))
    if kind is bytes:
        return _read_bytes(data, path)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(_checked(str, data, path))
        except ValueError:
            raise WireError(f"{path}: not one of {', '.join(kind)}") from None
    if kind is float:
        # A bool is an int to Python, never a duration.
        return float(_checked(int | float, data, path))
    return _checked(kind, data, path)


def _read_bytes(data: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_checked(str, data, path), validate=True)
    except (binascii.Error, ValueError):
        raise WireError(f"{path}: not base64") from None


def _checked(kind: Any, data: Any, path: str) -> Any:
    if isinstance(data, kind) and not (isinstance(data, bool) and kind is not bool):
        return data
    raise WireError(f"{path}: wrong type")
