"""Sign-ins that are refused, in the words of real servers, and sign-ins that go wrong on the way."""

from collections.abc import Iterator, Sequence

from steng.probe.failure import ProbeFailure
from tests.lab.dialects import Moment
from tests.lab.facts import Protocol
from tests.lab.faults.acts import lines, says
from tests.lab.faults.course import CREDENTIAL
from tests.lab.faults.fault import CLEAR, IMAP, POP3, SMTP, Act, Fault
from tests.lab.faults.scene import Scene

_AT = Moment.AUTH

REFUSALS_SMTP = (
    ("535 5.7.8 Authentication failed", "credentials_refused"),
    ("535-5.7.8 Username and Password\n535 5.7.8 not accepted", "credentials_refused"),
    ("535 Incorrect authentication data", "credentials_refused"),
    ("454 4.7.0 Temporary authentication failure", "auth_temporarily_unavailable"),
    ("451 4.3.0 Try later", "auth_temporarily_unavailable"),
    ("421 4.7.0 Try again later", "rate_limited"),
    ("454 4.7.0 Too many login attempts", "rate_limited"),
    ("535 5.7.0 Too many connections from this host", "rate_limited"),
    ("534 5.7.9 Application-specific password required", "app_password_required"),
    ("534-5.7.14 Please log in via your web browser\n534 5.7.14 and then try again", "auth_disabled_by_policy"),
    ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", "auth_disabled_by_policy"),
    ("535 5.7.8 Your account has been locked", "account_locked"),
    ("535 5.7.0 User is suspended", "account_locked"),
    ("504 5.5.4 Unrecognized authentication type", "mechanism_not_offered"),
    ("550 5.7.1 No", "auth_failed"),
    ("501 5.5.2 Cannot decode the response", "auth_failed"),
)
REFUSALS_IMAP = (
    ("NO [AUTHENTICATIONFAILED] Authentication failed.", "credentials_refused"),
    ("NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "credentials_refused"),
    ("NO LOGIN failed.", "credentials_refused"),
    ("NO [UNAVAILABLE] Temporary authentication failure.", "auth_temporarily_unavailable"),
    ("NO [INUSE] Mailbox is locked by another session", "mailbox_in_use"),
    ("NO [LIMIT] Maximum number of connections from user+IP exceeded", "rate_limited"),
    ("NO [ALERT] Too many simultaneous connections. (Failure)", "rate_limited"),
    ("NO [ALERT] Application-specific password required (Failure)", "app_password_required"),
    ("NO [ALERT] Please log in via your web browser (Failure)", "auth_disabled_by_policy"),
    ("NO [EXPIRED] The password has expired", "password_expired"),
    ("NO [CONTACTADMIN] Ask your administrator", "auth_disabled_by_policy"),
    ("NO [AUTHENTICATIONFAILED] The account is locked", "account_locked"),
    ("BAD Error in IMAP command", "auth_failed"),
)
REFUSALS_POP3 = (
    ("-ERR [AUTH] Authentication failed.", "credentials_refused"),
    ("-ERR Logon failure: unknown user name or bad password.", "credentials_refused"),
    ("-ERR", "credentials_refused"),
    ("-ERR [SYS/TEMP] Temporary authentication failure.", "auth_temporarily_unavailable"),
    ("-ERR [SYS/PERM] Something is broken for good", "auth_failed"),
    ("-ERR [IN-USE] Mailbox is locked by another POP session", "mailbox_in_use"),
    ("-ERR maildrop already locked", "mailbox_in_use"),
    ("-ERR [LOGIN-DELAY] Minimum is five minutes", "rate_limited"),
    ("-ERR [AUTH] Too many login attempts", "rate_limited"),
    ("-ERR [AUTH] Application-specific password required", "app_password_required"),
    ("-ERR [SYS/PERM] Your account is not enabled for POP access", "auth_disabled_by_policy"),
    ("-ERR [AUTH] The account is locked", "account_locked"),
)
WANTS_TLS = (
    lines("530 5.7.0 Must issue a STARTTLS command first"),
    lines("538 5.7.11 Encryption required for requested authentication mechanism"),
    lines(imap="{tag} NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure connections."),
    lines(pop3="-ERR Plaintext authentication disallowed on non-secure (SSL/TLS) connections."),
)
PROMPTS = {Protocol.SMTP: "334 ", Protocol.IMAP: "+ ", Protocol.POP3: "+ "}
ABORTED = lines("501 5.7.0 Aborted", "{tag} BAD Aborted", "-ERR Aborted")


def faults() -> Iterator[Fault]:
    """Yield them."""
    for text, code in REFUSALS_SMTP:
        yield _refused(text, code, SMTP)
    for text, code in REFUSALS_IMAP:
        yield _refused(text, code, IMAP)
    for text, code in REFUSALS_POP3:
        yield _refused(text, code, POP3)
    for said in WANTS_TLS:
        ((protocol, (text, *_)),) = said.items()
        yield Fault(
            name=f'refuses the sign-in: "{text.removeprefix("{tag} ")}"',
            at=_AT,
            code="clear_text_login_disabled",
            protocols=(protocol,),
            securities=CLEAR,
            act=says(said),
            parting=True,
            evidence={"suggestion": {"connection_security": "STARTTLS"}},
        )
    yield Fault(
        name="is good, but its account was refused before with the same password",
        at=_AT,
        code="auth_suspended",
        before=_suspended,
        here=(),
        parting=True,
    )
    yield from _on_the_way()
    yield from _in_clear()


def _refused(text: str, code: str, protocols: Sequence[Protocol]) -> Fault:
    tagged = f"{{tag}} {text}" if protocols == IMAP else text
    quoted = text.replace("\n", " / ")
    return Fault(
        name=f'refuses the sign-in: "{quoted}"',
        at=_AT,
        code=code,
        protocols=protocols,
        act=says({protocols[0]: tagged.split("\n")}),
        parting=True,
    )


def _on_the_way() -> Iterator[Fault]:
    cram = {"mechanism": "CRAM_MD5"}
    for protocol, command in zip(Protocol, ("AUTH", "AUTHENTICATE", "AUTH"), strict=True):
        yield Fault(
            name="asks with a challenge that is not base64",
            at=_AT,
            when=Moment.CHALLENGE,
            code="protocol_error",
            protocols=(protocol,),
            securities=CLEAR,
            act=_asks_for_ever("<not base64>"),
            request=cram,
            here=(f"{command} CRAM-MD5", "*"),
            parting=True,
        )
        yield Fault(
            name="asks for more than the mechanism has",
            at=_AT,
            code="protocol_error",
            protocols=(protocol,),
            securities=CLEAR,
            act=_asks_for_ever(""),
            request=cram,
            here=(f"{command} CRAM-MD5", CREDENTIAL, "*"),
            parting=True,
        )
    for name, said in (
        ("answers the sign-in with garbage", lines("what?", "what?", "what?")),
        ("answers the sign-in with a NUL", lines("235 o\0k", "{tag} OK \0", "+OK \0")),
        ("answers another command than the sign-in", lines(imap="zzz OK Logged in")),
    ):
        yield Fault(name=name, at=_AT, code="protocol_error", protocols=tuple(said), act=says(said))
    yield Fault(
        name="says goodbye in the midst of the sign-in",
        at=_AT,
        code="closed",
        protocols=IMAP,
        act=says(lines(imap="* BYE Autologout")),
    )


def _in_clear() -> Iterator[Fault]:
    for protocols, here in ((SMTP, (f"AUTH PLAIN {CREDENTIAL}",)), (POP3, (f"AUTH PLAIN {CREDENTIAL}",))):
        yield Fault(
            name="takes a password in clear text, as the definition says",
            at=_AT,
            code="clear_text_login",
            protocols=protocols,
            securities=CLEAR,
            request={"mechanism": "PLAIN"},
            here=here,
            warning=True,
        )
    yield Fault(
        name="takes a password in clear text, as the definition says",
        at=_AT,
        code="clear_text_login",
        protocols=IMAP,
        securities=CLEAR,
        request={"mechanism": "PLAIN"},
        here=("AUTHENTICATE PLAIN", CREDENTIAL),
        warning=True,
    )


async def _suspended() -> bool:
    raise ProbeFailure("auth_suspended", evidence={"refused_with": "credentials_refused"})


def _asks_for_ever(challenge: str) -> Act:
    async def act(scene: Scene, _: Sequence[str]) -> None:
        for _turn in range(50):
            await scene.peer.say(PROMPTS[scene.protocol] + challenge)
            if await scene.peer.hear() == "*":
                break
        await says(ABORTED)(scene, ())
        await scene.peer.hang()
        raise EOFError

    return act
