"""The words of IConduct's e-mail connectors (SMTP; IMAP, which has the same fields)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connections.exchange.foreign.vocabulary import Translated, Vocabulary
from connections.exchange.foreign.words import (
    Fate,
    Note,
    Word,
    choice,
    comparable,
    ignored,
    not_carried,
    number,
    switch,
    text,
)

AGENT = "agent"
"""What a Cloud Agent becomes before it is known whether a STENG or a cluster has that name."""

_CLOUD = "iconduct"


def _finish(done: Translated) -> None:
    agent = done.values.get(AGENT)
    if isinstance(agent, str) and agent.casefold() == _CLOUD:
        del done.values[AGENT]
        done.notes.append(Note("Cloud Agent", Fate.NOTED, "IConduct's own cloud: any cluster may run the jobs here."))
    if done.values.pop("_implementation", "Default") == "Java":
        sentence = "There is one implementation here. Name the STENG or cluster that runs it as Cloud Agent."
        done.notes.append(Note("Implementation Type", Fate.NOT_CARRIED, sentence))
    if done.values.get("connection_security") == "NONE":
        sentence = "Without SSL all goes in clear text. IConduct knows no STARTTLS; choose it if the server does."
        done.notes.append(Note("Use SSL", Fate.NOTED, sentence))
    source, target = done.values.pop("_source", None), done.values.pop("_target", None)
    if source is False and target is False:
        sentence = "Neither source nor target: direction is the kind here, and this becomes a target (SMTP)."
        done.notes.append(Note("Is Target", Fate.NOTED, sentence))
    elif source and done.kind == "smtp":
        done.notes.append(Note("Is Source", Fate.IGNORED, "An SMTP connection is never a source, there and here."))


_SERVER: tuple[Word, ...] = (
    text("Connection", "name"),
    choice("Is Active", "status", {"Yes": "ENABLED", "No": "DISABLED"}),
    text(
        "Cloud Agent", AGENT,
        "`steng` or `cluster`, whichever has this name; IConduct (their cloud) = any cluster",
    ),
    choice(
        "Implementation Type", "_implementation", {"Default": "Default", "Java": "Java"},
        "Default: nothing to carry; Java: *not carried*",
    ),
    switch("Is Source", "_source", meaning="the kind: a source alone is a mailbox"),
    switch("Is Target", "_target", meaning="the kind: a target is SMTP, and so is what is neither"),
    number("Timeout", "timeout_ms", "milliseconds, as there"),
)  # fmt: skip
_SIGN_IN: tuple[Word, ...] = (
    text("Username", "username"),
    text("Password", "password", "a secret: see above"),
    text("Server URL", "host", "the host name alone"),
    number("Port", "port"),
    choice("Use SSL", "connection_security", {"Yes": "SSL_TLS", "No": "NONE"}),
)
_UNUSED = "Not used there either."
_TEST = ignored("Test Connection", "An act, not a value: press Test here.")

SMTP = Vocabulary(
    kind="smtp",
    title="IConduct SMTP",
    words=(
        *_SERVER,
        ignored("Query", _UNUSED),
        ignored("DateTime Format", _UNUSED),
        *_SIGN_IN,
        switch("Use HTML Body", "use_html_body"),
        _TEST,
    ),
    constants={"authentication_type": "BASIC"},
    finish=_finish,
)

IMAP = Vocabulary(
    kind="mailbox",
    title="IConduct IMAP",
    variant="imap",
    words=(
        *_SERVER,
        not_carried("Query", "There is no search here: pull_disposition says which message is taken."),
        ignored("DateTime Format", _UNUSED),
        *_SIGN_IN,
        _TEST,
    ),
    constants={"authentication_type": "BASIC", "store_type": "IMAP"},
    finish=_finish,
)


def choose(row: Mapping[str, Any]) -> Vocabulary:
    """Return the form that the direction says: a target is SMTP, what is a source alone a mailbox."""
    said = {comparable(label): value for label, value in row.items()}
    return IMAP if _ticked(said.get("is source")) and not _ticked(said.get("is target")) else SMTP


def _ticked(value: Any) -> bool:
    return value is True or (isinstance(value, str) and comparable(value) in {"yes", "true"})
