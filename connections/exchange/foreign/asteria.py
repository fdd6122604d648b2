"""The words of ASTERIA Warp's mail connections (SMTP, IMAP4, POP3)."""

from __future__ import annotations

from connections.exchange.foreign.vocabulary import Translated, Vocabulary
from connections.exchange.foreign.words import Word, choice, number, text
from core.errors import invalid

POP_SECTION = "Options for POP-before-SMTP Authentication"
SMTP_SECTION = "Options for SMTP Authentication"
_STARTTLS = {"No [default]": False, "Yes [starttls]": True}
_BOTH = "Both over SSL and STARTTLS: a server speaks TLS from the first byte or after STARTTLS, never both."


def _secure(done: Translated, target: str, over_ssl: str, starttls: str) -> None:
    implicit, upgraded = done.values.pop(over_ssl, None), done.values.pop(starttls, None)
    unread = done.errors.pop(over_ssl, []) + done.errors.pop(starttls, [])
    if unread:
        done.errors.setdefault(target, []).extend(unread)
    elif implicit and upgraded:
        done.errors.setdefault(target, []).append(invalid("not_available", _BOTH))
    else:
        done.values[target] = "SSL_TLS" if implicit else "STARTTLS" if upgraded else "NONE"


def _finish(done: Translated) -> None:
    _secure(done, "connection_security", "_over_ssl", "_starttls")
    _own(done)


def _finish_smtp(done: Translated) -> None:
    _finish(done)
    pop = done.values.get("authentication_type") == "POP_BEFORE_SMTP"
    if pop:
        _secure(done, "pop_security", "_pop_over_ssl", "_pop_starttls")
        # Options of the authentication that is not chosen are not shown there, so their defaults mean nothing.
        done.values.pop("basic_mechanism", None)
    else:
        for name in ("_pop_over_ssl", "_pop_starttls", "pop_port", "pop_use_apop", "pop_interval_ms"):
            done.values.pop(name, None)
            done.errors.pop(name, None)
    if done.values.get("authentication_type") != "BASIC":
        done.values.pop("basic_mechanism", None)


def _own(done: Translated) -> None:
    scope = done.values.pop("_scope", None)
    if scope is not None:
        done.values["tags"] = [scope]


_SCOPE = choice(
    "Scope", "_scope", {"system": "asteria-system", "user": "asteria-user"},
    "the tag `asteria-system` or `asteria-user`",
)  # fmt: skip
_NAME = text("Connection Name", "name")
_HOST = text("Host", "host")
_TIMEOUT = number("Timeout", "timeout_ms", "seconds there, milliseconds here", factor=1_000, default=60)
_DYNAMIC = choice("Dynamic", "dynamic", {"false": False, "true": True}, default=False)
# Flows decide there what becomes of a message; until somebody decides it here, nothing is lost.
_UNDECIDED = {"disposition": "KEEP"}
_TAGS = frozenset({"asteria-system", "asteria-user"})


def _tls(word: str, scheme: str, secure: str, *, prefix: str = "", section: str = "") -> tuple[Word, ...]:
    target = "pop_security" if prefix else "connection_security"
    meaning = f"Yes = `{target} = SSL_TLS`; No: see Use STARTTLS"
    upgrade = f"Yes = `{target} = STARTTLS`, No = `NONE`; Yes beside over SSL is refused"
    private = "_pop" if prefix else ""
    return (
        choice(
            f"Use {word} over SSL", f"{private}_over_ssl", {f"No [{scheme}]": False, f"Yes [{secure}]": True}, meaning,
            default=False, section=section,
        ),
        choice(
            f"{prefix}Use STARTTLS", f"{private}_starttls", _STARTTLS, upgrade, default=False, section=section,
            aliases=("POP3 Use STARTTLS", "POP Use STARTTLS") if prefix else (),
        ),
    )  # fmt: skip


def _mailbox_sign_in(challenge: str, ours: str, *, plain: str) -> tuple[Word, ...]:
    return (
        choice(
            "Authentication Type", "basic_mechanism", {"Plain [plain]": plain, challenge: ours},
            default="plain",
        ),
        text("User", "username", aliases=("Username",)),
        text("Password", "password", "a secret: see above"),
    )  # fmt: skip


SMTP = Vocabulary(
    kind="smtp",
    title="ASTERIA Warp SMTP",
    variant="smtp",
    words=(
        _NAME,
        _HOST,
        *_tls("SMTP", "smtp", "smtps"),
        number("Port", "port", default=25),
        choice(
            "Authentication", "authentication_type",
            {"POP before SMTP": "POP_BEFORE_SMTP", "SMTP Authentication [SMTP]": "BASIC", "None": "NONE"},
            default="POP before SMTP",
        ),
        _TIMEOUT,
        _DYNAMIC,
        text("POP3 Server", "pop_host", section=POP_SECTION),
        *_tls("POP", "pop3", "pops", prefix=f"{POP_SECTION}: ", section=POP_SECTION),
        number("POP3 Port", "pop_port", section=POP_SECTION, default=110),
        text("User", "pop_username", section=POP_SECTION),
        text("Password", "pop_password", "a secret: see above", section=POP_SECTION),
        choice("Use APOP", "pop_use_apop", {"true": True, "false": False}, default=True, section=POP_SECTION),
        number("Interval Time", "pop_interval_ms", "milliseconds, as there", default=5, section=POP_SECTION),
        text("SMTP Username", "username", section=SMTP_SECTION),
        text("SMTP Password", "password", "a secret: see above", section=SMTP_SECTION),
        choice(
            "Authentication Type", "basic_mechanism", {"Plain [plain]": "PLAIN", "CRAM-MD5 [cram-md5]": "CRAM_MD5"},
            default="plain", section=SMTP_SECTION,
        ),
        _SCOPE,
    ),
    finish=_finish_smtp,
    own_tags=_TAGS,
)  # fmt: skip

IMAP4 = Vocabulary(
    kind="mailbox",
    title="ASTERIA Warp IMAP4",
    variant="imap4",
    words=(
        _NAME,
        _HOST,
        *_tls("IMAP", "imap4", "imaps"),
        number("Port", "port", default=143),
        *_mailbox_sign_in("CRAM-MD5 [cram-md5]", "CRAM_MD5", plain="PLAIN"),
        text("Mailbox", "folder", default="INBOX"),
        _TIMEOUT,
        _DYNAMIC,
        _SCOPE,
    ),
    constants={"authentication_type": "BASIC", "store_type": "IMAP"},
    for_new=_UNDECIDED,
    finish=_finish,
    own_tags=_TAGS,
)

POP3 = Vocabulary(
    kind="mailbox",
    title="ASTERIA Warp POP3",
    variant="pop3",
    words=(
        _NAME,
        _HOST,
        *_tls("POP", "pop3", "pops"),
        number("Port", "port", default=110),
        *_mailbox_sign_in("APOP [apop]", "APOP", plain="USER_PASS"),
        _TIMEOUT,
        _DYNAMIC,
        _SCOPE,
    ),
    constants={"authentication_type": "BASIC", "store_type": "POP3"},
    for_new=_UNDECIDED,
    finish=_finish,
    own_tags=_TAGS,
)

_SMTP_ONLY = frozenset(
    {
        "use smtp over ssl", "authentication", "smtp username", "smtp password", "pop3 server", "pop3 port",
        "interval time", "use apop", "options for pop-before-smtp authentication", "options for smtp authentication",
    }
)  # fmt: skip


def choose(labels: frozenset[str]) -> Vocabulary | None:
    """Return the form that these labels (in their comparable form) can only belong to, None where it is open."""
    if labels & _SMTP_ONLY:
        return SMTP
    if labels & {"mailbox", "use imap over ssl"}:
        return IMAP4
    return POP3 if "use pop over ssl" in labels else None
