"""What a server offers: nothing, too little, or in words that no client understands."""

from collections.abc import Iterator
from dataclasses import replace

from tests.lab.dialects import Moment
from tests.lab.facts import Protocol
from tests.lab.faults.acts import adds, last_words, lines, says
from tests.lab.faults.course import CREDENTIAL
from tests.lab.faults.fault import CLEAR, EITHER, IMAP, POP3, SMTP, TLS, Fault
from tests.lab.recording import Behaviour

_AT, _AGAIN = Moment.CAPABILITIES, Moment.CAPABILITIES_AGAIN
_LOGINS = ("AUTH ", "AUTH=", "SASL ", "USER", "LOGINDISABLED")


def faults() -> Iterator[Fault]:
    """Yield them."""
    yield from _answers()
    yield from _too_little()
    yield from _unasked()


def _answers() -> Iterator[Fault]:
    for at in (_AT, _AGAIN):
        after = " after TLS" if at is _AGAIN else ""
        for name, said, code in (
            ("refuses EHLO", lines("502 5.5.1 What?"), "ehlo_refused"),
            ("finds fault with the name in EHLO", lines("550 5.7.1 Invalid HELO name"), "ehlo_refused"),
            ("does not know CAPABILITY", lines(imap="{tag} BAD Unknown command"), "protocol_error"),
            ("refuses CAPABILITY", lines(imap="{tag} NO Not now"), "protocol_error"),
            ("tells no capability", lines(imap="{tag} OK That is all"), "protocol_error"),
        ):
            # What follows a handshake is over TLS for the first time, and is not ended in order yet.
            yield Fault(name=name + after, at=at, code=code, protocols=tuple(said), act=says(said), parting=at is _AT)
        for name, said in (
            ("answers with garbage", lines("what do you want?", "what do you want?", "what do you want?")),
            ("answers a command that nobody gave", lines(imap="* CAPABILITY IMAP4rev1\nzzz OK done")),
            ("answers with a continuation", lines(imap="+ go on", pop3="+ go on")),
            ("answers with a NUL", lines("250 mail\0.lab.test", "* CAPABILITY \0\n{tag} OK done", "+OK\nUSER\0\n.")),
        ):
            yield Fault(name=name + after, at=at, code="protocol_error", protocols=tuple(said), act=says(said))
        said = lines("* OK hello", "250 hello", "* OK hello")
        yield Fault(name=f"answers in another protocol{after}", at=at, code="wrong_protocol", act=says(said))
        for said in (lines("421 4.3.2 Shutting down"), lines(imap="* BYE Shutting down")):
            yield Fault(
                name=f"says that it shuts down when asked for its capabilities{after}",
                at=at,
                code="closed",
                protocols=tuple(said),
                act=last_words(said),
                # A reply is an answer, so the goodbye is still in order; BYE is none.
                parting=at is _AT and said.keys() == {Protocol.SMTP},
            )
    yield Fault(
        name="does not know CAPA",
        at=Moment.AUTH,
        when=_AT,
        code="clear_text_login",
        protocols=POP3,
        securities=CLEAR,
        act=says(lines(pop3="-ERR Unknown command.")),
        request={"mechanism": "USER_PASS"},
        here=(f"USER {CREDENTIAL}", f"PASS {CREDENTIAL}"),
        last=("LIST",),
        warning=True,
    )


def _too_little() -> Iterator[Fault]:
    for name, offers in (("offers no way to sign in", _none), ("offers exotic ways to sign in only", _exotic)):
        for protocols, securities, code in (
            ((*SMTP, *POP3), EITHER, "mechanism_not_offered"),
            (IMAP, TLS, "mechanism_not_offered"),
            # LOGINDISABLED in clear text says more: it would be otherwise over TLS.
            (IMAP, CLEAR, "clear_text_login_disabled"),
        ):
            yield Fault(
                name=name,
                at=Moment.AUTH,
                code=code,
                protocols=protocols,
                securities=securities,
                offers=offers,
                here=(),
                parting=True,
            )
    yield Fault(
        name="offers no STARTTLS",
        at=Moment.STARTTLS,
        code="starttls_not_offered",
        offers=_no_upgrade,
        here=(),
        parting=True,
    )
    yield Fault(
        name="offers its sign-ins in clear but no STARTTLS",
        at=Moment.STARTTLS,
        code="starttls_not_offered",
        offers=_clear_only,
        here=(),
        parting=True,
    )
    yield Fault(
        name="offers PLAIN and LOGIN only, in clear text",
        at=Moment.AUTH,
        code="mechanism_not_offered",
        securities=CLEAR,
        protocols=(*SMTP, *IMAP),
        offers=lambda behaviour, _: behaviour.offering("PLAIN", "LOGIN"),
        here=(),
        parting=True,
    )
    yield Fault(
        name="offers TLS and no sign-in before it",
        at=Moment.AUTH,
        code="clear_text_login_disabled",
        securities=CLEAR,
        offers=_tls_first,
        here=(),
        parting=True,
        evidence={"suggestion": {"connection_security": "STARTTLS"}},
    )
    yield Fault(
        name="offers other mechanisms than the one asked for",
        at=Moment.AUTH,
        code="mechanism_not_offered",
        offers=lambda behaviour, _: behaviour.offering("PLAIN"),
        request={"mechanism": "CRAM_MD5"},
        here=(),
        parting=True,
        evidence={"suggestion": {"basic_mechanism": "PLAIN"}},
    )


def _unasked() -> Iterator[Fault]:
    for protocols, said, parting in (
        (SMTP, lines("250 once more"), True),
        (SMTP, lines("235 welcome"), True),
        (POP3, lines(pop3="+OK once more"), True),
        (POP3, lines(pop3="+OK Logged in."), True),
        # Whom an unknown tag answers is anybody's guess, and so would be the answer to LOGOUT.
        (IMAP, lines(imap="{tag} OK once more"), False),
        (IMAP, lines(imap="zzz OK Logged in"), False),
    ):
        ((text, *_),) = said.values()
        yield Fault(
            name=f'says unasked, behind its capabilities: "{text.removeprefix("{tag} ")}"',
            at=Moment.AUTH,
            when=_AT,
            code="protocol_error",
            protocols=protocols,
            securities=CLEAR,
            act=adds(said),
            here=(),
            parting=parting,
        )


def _none(behaviour: Behaviour, protocol: Protocol) -> Behaviour:
    bare = _both(behaviour, lambda words: [word for word in words if not word.startswith(_LOGINS)])
    return _no_command(bare, protocol)


def _exotic(behaviour: Behaviour, protocol: Protocol) -> Behaviour:
    return _no_command(behaviour.offering("GSSAPI", "NTLM", "XOAUTH2"), protocol)


def _no_command(behaviour: Behaviour, protocol: Protocol) -> Behaviour:
    """Leave no sign-in but those that are listed: LOGIN, USER and APOP are there without being."""
    if protocol is Protocol.IMAP:
        return _both(behaviour, lambda words: [*words, "LOGINDISABLED"])
    without = _both(behaviour, lambda words: [word for word in words if word != "USER"])
    return replace(without, greeting=without.greeting.replace(" {stamp}", ""))


def _no_upgrade(behaviour: Behaviour, _: Protocol) -> Behaviour:
    return _both(behaviour, lambda words: [word for word in words if word not in {"STARTTLS", "STLS"}])


def _clear_only(behaviour: Behaviour, _: Protocol) -> Behaviour:
    return replace(behaviour, capabilities_clear=behaviour.capabilities_tls)


def _tls_first(behaviour: Behaviour, protocol: Protocol) -> Behaviour:
    none = _none(behaviour, protocol)
    word = "STLS" if protocol is Protocol.POP3 else "STARTTLS"
    return replace(none, capabilities_clear=(*none.capabilities_clear, word))


def _both(behaviour: Behaviour, change) -> Behaviour:
    return replace(
        behaviour,
        capabilities_clear=tuple(change(behaviour.capabilities_clear)),
        capabilities_tls=tuple(change(behaviour.capabilities_tls)),
    )
