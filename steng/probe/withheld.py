"""What may be told of a server's words once it knows the password: pure functions.

A server can write a secret in more ways than any search knows: spelled out, backwards, in
base32, split over two lines. So from the AUTH command on its text is not shown at all. What is
shown is its code, its enhanced status code where that is a usual one, and our own wording for
what it seems to mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from steng.probe.answers import Answer, parse
from steng.wire import Protocol

WITHHELD = "[text withheld after the password was sent]"

_CHALLENGE = "[challenge withheld]"
_PROMPTS = {"VXNlcm5hbWU6": "[asks for the user name]", "UGFzc3dvcmQ6": "[asks for the password]"}
"""What servers that offer LOGIN say in base64; other prompts and challenges stay unknown."""

_REPLY = re.compile(r"([2-5]\d\d)(?:[ -](.*))?", re.DOTALL)
_USUAL = re.compile(r"[245]\.[0-7]\.(?:\d|[12]\d|30|57|60|139)(?!\S)")
"""Status codes of RFC 3463 and its registry, and a few of large providers: any three digits could be a PIN."""

_SEARCHED = 2_000
"""Characters of a reply in which a phrase is looked for."""

_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(words, re.IGNORECASE), told)
    for words, told in (
        (r"too many (login|log-?in|auth\w*|sign-?in|failed|invalid)", "too many sign-ins"),
        (r"too many connections", "too many connections"),
        (r"too many|rate.?limit|throttl|slow down", "too many requests"),
        (r"app(lication)?[- ]?(specific[- ]?)?password", "an app password is required"),
        (r"clientauthentication is disabled", "SMTP client authentication is disabled"),
        (r"(basic|legacy|smtp) auth\w* (is|has been) disabled", "this kind of authentication is disabled"),
        (r"web browser", "sign in with a web browser first"),
        (r"security defaults|by policy", "refused by policy"),
        (r"\blocked", "the account is locked"),
        (r"suspended", "the account is suspended"),
        (r"(account|user|mailbox)\b.{0,40}\b(disabled|blocked|deactivated)", "the account is disabled"),
        (r"expired", "expired"),
        (r"already (locked|in use)|maildrop.{0,30}(lock|in use|busy)|lock busy", "the mailbox is in use"),
        (r"temporar(y|ily)|try again|try later", "try again later"),
        (r"encryption required|starttls|must use tls|plain ?text auth\w*.{0,20}(dis|not )", "encryption is required"),
        (r"unrecogni[sz]ed (authentication )?(mechanism|type)|mechanism not", "the mechanism is not known"),
        (r"(cannot|can't|failed to|unable to) decode|base64", "the answer could not be decoded"),
        (r"not owned by|send ?as ?denied|not allowed to send|sender address rejected", "the sender is not allowed"),
        (r"relay(ing)? (access )?(denied|not permitted)", "relaying is denied"),
        (r"domain (of sender address )?.{0,80}does not exist|domain not found", "the domain is not found"),
        (r"user unknown|unknown user|no such user", "the user is unknown"),
        (
            r"(mailbox|folder) (doesn't|does not) exist|(mailbox|folder) not found|(unknown|no such) (mailbox|folder)",
            "there is no such folder",
        ),
        (r"permission denied|access denied", "permission denied"),
        (
            r"username and password not accepted|(invalid|incorrect|bad|wrong) (credentials|login|user|password)",
            "invalid credentials",
        ),
        (r"authentication (credentials )?(failed|failure|invalid|unsuccessful)", "authentication failed"),
        (r"authentication required", "authentication is required"),
        (r"authentication (succeeded|successful)|^\W*(\d\.\d\.\d\W+)?accepted\b", "authentication succeeded"),
        (r"^\W*(\d\.\d\.\d\W+)?ok\b", "ok"),
    )
)
"""A closed list: what is told is our wording on the right, never a word of the server."""


def phrase_of(code: int, text: str) -> str:
    """Return what may be shown instead of the text of a reply with `code`; `text` has lost its known secrets."""
    if code == 334:
        bare = text.strip()
        return _PROMPTS.get(bare, _CHALLENGE) if bare else ""
    return wording_of(text)


def wording_of(text: str) -> str:
    """Return our own wording of a text that means something usual; `text` has lost its known secrets."""
    return next((told for words, told in _PHRASES if words.search(text[:_SEARCHED])), WITHHELD)


def told_answer(answer: Answer) -> str:
    """Return what may be shown of an answer of IMAP or POP3: its status, a usual code, our own wording."""
    code = f"[{answer.known_code}]" if answer.known_code else ""
    # Where a server agrees, nobody needs its reasons: most lines of a conversation are that.
    wording = "" if answer.ok or not answer.text else wording_of(answer.text)
    return " ".join(word for word in (answer.status, code, wording) if word)


def status_of(code: int, text: str) -> str:
    """Return the enhanced status code (RFC 3463) where it is a usual one and fits `code`, else nothing."""
    found = _USUAL.match(text)
    return found[0] if found and found[0][0] == str(code)[0] else ""


def told_line(line: str) -> str:
    """Return what the transcript shows for one line of a reply, or for what should have been one."""
    found = _REPLY.fullmatch(line)
    if found is None:
        return WITHHELD
    code, text = int(found[1]), found[2] or ""
    mark = line[3:4].strip()
    words = (status_of(code, text), phrase_of(code, text)) if text else ()
    return f"{code}{mark or ' '}{' '.join(word for word in words if word)}".rstrip(" ")


# -- IMAP and POP3 -----------------------------------------------------------

_STATUS = re.compile(r"(\*|P\d{1,3}|[A-P]{4}\d{1,3}) ((?i:OK|NO|BAD|BYE)(?: .*)?)", re.DOTALL)
"""What looks like an answer to one of our tags; anything else before a status could be a word of the server."""

_COUNT = re.compile(r"\* (\d{1,10}) (EXISTS|RECENT|FETCH|EXPUNGE)\b", re.IGNORECASE)
_DATA = re.compile(r"\* (CAPABILITY|ESEARCH|FLAGS|LIST|MYRIGHTS|SEARCH|STATUS)\b", re.IGNORECASE)
_POP3 = re.compile(r"(\+OK|-ERR)(?: (.*))?", re.DOTALL)
_NUMBERS = re.compile(r"(\d{1,10} \d{1,12})(?: .*)?", re.DOTALL)
_LEFT_OUT = "[left out]"


def told_imap_line(line: str) -> str:
    """Return what the transcript shows for a line of IMAP: what kind of answer it is, and how many there are of what.

    What a mailbox holds is not for the transcript, whoever wrote it.
    """
    if line.startswith("+"):
        bare = line[1:].strip()
        return f"+ {_PROMPTS.get(bare, _CHALLENGE)}" if bare else "+"
    if found := _STATUS.fullmatch(line):
        return f"{found[1]} {told_answer(parse(found[2]))}"
    if found := _COUNT.match(line):
        more = f" {_LEFT_OUT}" if found[2].upper() == "FETCH" else ""
        return f"* {found[1]} {found[2].upper()}{more}"
    if found := _DATA.match(line):
        return f"* {found[1].upper()} {_LEFT_OUT}"
    return WITHHELD


def told_pop3_line(line: str) -> str:
    """Return what the transcript shows for a line of POP3."""
    if line == ".":
        return line
    if line.startswith("+ ") or line == "+":
        bare = line[1:].strip()
        return f"+ {_PROMPTS.get(bare, _CHALLENGE)}" if bare else "+"
    found = _POP3.fullmatch(line)
    if found is None:
        return _LEFT_OUT
    numbers = _NUMBERS.fullmatch(found[2] or "")
    if numbers and found[1] == "+OK":
        return f"+OK {numbers[1]}"
    return told_answer(parse(line))


TELLERS: Mapping[Protocol, Callable[[str], str]] = MappingProxyType(
    {Protocol.SMTP: told_line, Protocol.IMAP: told_imap_line, Protocol.POP3: told_pop3_line}
)
"""What the transcript shows of a line once the password went out."""
