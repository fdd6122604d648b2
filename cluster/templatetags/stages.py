"""The words in which people read a test: names of stages, of codes and of states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import template

from cluster.choices import JobKind, JobState, Verdict
from cluster.models import Job
from cluster.selectors import waits_for_its_turn
from core.templatetags.postern import state_class
from steng.plan import plan_of
from steng.secret import Secret
from steng.wire import Authentication, Depth, Login, Mechanism, ProbeRequest, Protocol, Purpose, Security

register = template.Library()

_STAGES = {
    "queue": "Queue",
    "resolve": "Resolve host",
    "connect": "TCP connect",
    "greeting": "Server greeting",
    "capabilities": "EHLO",
    "starttls": "STARTTLS",
    "tls": "TLS handshake",
    "trust": "Certificate trust",
    "hostname": "Hostname match",
    "auth": "Authentication",
    "folder": "Folder",
    "message": "Message",
    "token": "OAuth2 token",
    "sender": "Sender",
    "quit": "Goodbye",
}
_OF_MAILBOXES = {"capabilities": "Capabilities"}
_ENDINGS = {
    "cancelled": "Test cancelled",
    "timed_out": "Test stopped: it took too long",
    "lost": "Test lost: the result is unknown",
    "failed": "The test did not run",
}
_NO_LIST = {
    "cancelled": "Cancelled: no folders listed",
    "timed_out": "Stopped: listing the folders took too long",
    "lost": "Lost: whether there are folders is unknown",
    "failed": "The folders were not asked for",
}
_DEPTHS = {
    "connect": "up to the server, no TLS",
    "tls": "up to TLS, no sign-in",
    "login": "up to the sign-in",
    "full": "all of it",
}
_REACHED = {
    "connect": "The server answers",
    "tls": "Works as far as TLS",
    "login": "Works as far as the sign-in",
}
"""What a test proves that was not to go to the end, by its depth."""


@register.filter
def stage_label(name: str, job: Job | None = None) -> str:
    """Return what people call a stage, in the protocol of the job where one is given."""
    if job is not None and store_type(job) and name in _OF_MAILBOXES:
        return _OF_MAILBOXES[name]
    if job is not None and name == "folder" and job.kind == JobKind.FOLDER_LIST:
        return "Folders"
    return _STAGES.get(name, name.replace("_", " ").capitalize())


def store_type(job: Job) -> str:
    """Return `IMAP` or `POP3`, empty for a job that reads no mailbox."""
    return str(job.definition.get("store_type") or "")


@register.filter
def lists_folders(job: Job) -> bool:
    """Tell whether a job asked for the folders of a mailbox instead of testing it."""
    return job.kind == JobKind.FOLDER_LIST


@register.filter
def depth_words(depth: str) -> str:
    """Return how far a test was to go, in words."""
    return _DEPTHS.get(depth, depth)


@register.filter
def falls_short(job: Job) -> bool:
    """Tell whether a test of a connection was not to go to the end, so that it says nothing for good."""
    return job.connection_id is not None and job.kind == JobKind.CONFIGURATION_TEST and job.depth != "full"


@register.filter
def code_words(code: str) -> str:
    """Return a code as words, for where a sentence has no room: `credentials_refused` is `Credentials refused`."""
    words = code.replace("_", " ").strip()
    if words.startswith("auth "):
        words = f"sign-in {words.removeprefix('auth ')}"
    return words[:1].upper() + words[1:]


@register.filter
def evidence_line(stage: Mapping[str, Any]) -> str:
    """Return one line of what a stage saw: its own sentence where it has one, else the facts that people ask for."""
    if stage.get("detail"):
        return str(stage["detail"])
    tell = _EVIDENCE.get(stage["name"])
    facts = stage.get("evidence") or {}
    return tell(facts) if tell is not None and facts else ""


def _resolved(facts: Mapping[str, Any]) -> str:
    addresses = ", ".join(map(str, facts.get("addresses", ())))
    host = facts.get("host", "")
    return addresses if addresses == host else f"{host} → {addresses}"


def _connected(facts: Mapping[str, Any]) -> str:
    peer, port, source = facts.get("peer_address", ""), facts.get("port", ""), facts.get("source_address", "")
    shown = f"[{peer}]:{port}" if ":" in str(peer) else f"{peer}:{port}"
    return f"{shown} from {source}" if source else shown


def _capable(facts: Mapping[str, Any]) -> str:
    offered = [str(line).split(" ")[0].upper() for line in facts.get("capabilities", ())]
    parts = ["STARTTLS offered"] if {"STARTTLS", "STLS"} & set(offered) else []
    offered_ways = ", ".join(map(str, facts.get("mechanisms", ())))
    return " · ".join(parts + ([f"Sign-in by {offered_ways}"] if offered_ways else []))


def _trusted(facts: Mapping[str, Any]) -> str:
    by = facts.get("accepted_by")
    if not by:
        return ""
    complete = "yes" if facts.get("complete_to_root") else "no"
    return f"Accepted by {by['kind']} {by['name']} · complete to a root: {complete}"


_EVIDENCE: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "resolve": _resolved,
    "connect": _connected,
    "greeting": lambda facts: str(facts.get("greeting", "")),
    "capabilities": _capable,
    "tls": lambda facts: " · ".join(str(facts[name]) for name in ("version", "cipher_suite", "key") if facts.get(name)),
    "trust": _trusted,
    "auth": lambda facts: str(facts.get("mechanism", "")).replace("_", "-"),
}


@register.simple_tag
def stage_rows(job: Job) -> list[dict[str, Any]]:
    """Return the stages of a test as the page shows them: what was done, then what is expected while it runs."""
    done = [{**stage, "state": state_class(stage["outcome"])} for stage in job.stages]
    if job.is_final:
        return done
    coming = _coming([stage["name"] for stage in done], job)
    running = job.state == JobState.RUNNING
    return done + [
        {"name": name, "state": "running" if running and place == 0 else "pending", "duration_ms": None}
        for place, name in enumerate(coming)
    ]


def _coming(done: list[str], job: Job) -> list[str]:
    expected = _plan(job)
    # A test that takes another way (POP before SMTP) is shown as it comes, without a guess.
    return expected[len(done) :] if expected[: len(done)] == done else []


def _plan(job: Job) -> list[str]:
    """Return the stages that the probe will go through, as far as the definition without its secrets says."""
    values = job.definition
    signs_in = values.get("username") or values.get("credential")
    try:
        request = ProbeRequest(
            protocol=Protocol(store_type(job) or Protocol.SMTP),
            host="",
            port=0,
            security=Security(values.get("connection_security")),
            authentication=Authentication(values.get("authentication_type")),
            login=Login(Mechanism.AUTO, "", Secret("")) if signs_in else None,
            sender_address=values.get("sender_address") or "",
            depth=Depth(job.depth),
            purpose=Purpose.FOLDERS if lists_folders(job) else Purpose.TEST,
        )
    except ValueError:
        return []
    return [name.value for name in plan_of(request)]


@register.simple_tag
def telling_stage(job: Job) -> dict[str, Any]:
    """Return the stage that decided the verdict: the first that failed, else the first with a warning."""
    for wanted in ("failed", "warning"):
        for stage in job.stages:
            if stage["outcome"] == wanted:
                return dict(stage)
    return {}


@register.simple_tag
def headline(job: Job) -> dict[str, str]:
    """Return the state class and the sentence that stand first in the panel of a test."""
    if not job.is_final:
        return {"state": "running", "text": _under_way(job)}
    if job.state != JobState.FINISHED:
        words = _NO_LIST if lists_folders(job) else _ENDINGS
        return {"state": "failed" if job.state == JobState.FAILED else "stopped", "text": words[job.state]}
    if job.verdict == Verdict.FAILURE:
        where = stage_label(job.failed_stage, job)
        text = f"No folders listed: failed at {where}" if lists_folders(job) else f"Connection failed at {where}"
        return {"state": "failed", "text": text}
    if lists_folders(job):
        return {"state": "ok", "text": "Folders listed"}
    if job.verdict == Verdict.WARNING:
        return {"state": "warning", "text": f"{_REACHED.get(job.depth, 'Connection works')}, with a warning"}
    return {"state": "ok", "text": _REACHED.get(job.depth, "Connection successful")}


def _under_way(job: Job) -> str:
    if job.state == JobState.QUEUED and waits_for_its_turn(job):
        return "Waiting for another test that signs in to the same account"
    if job.state != JobState.RUNNING:
        return f"Waiting for a STENG of {job.cluster_name}"
    where = job.ran_on.name if job.ran_on else job.steng_name or job.cluster_name
    return f"Asking for the folders from {where}" if lists_folders(job) else f"Testing from {where}"
