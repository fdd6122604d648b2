"""The words in which people read a test: names of stages, of codes and of states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import template

from cluster.choices import JobState, Verdict
from cluster.models import Job
from cluster.selectors import waits_for_its_turn
from core.templatetags.postern import state_class

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
    "sender": "Sender",
    "quit": "Goodbye",
}
_ENDINGS = {
    "cancelled": "Test cancelled",
    "timed_out": "Test stopped: it took too long",
    "lost": "Test lost: the result is unknown",
    "failed": "The test did not run",
}
_BEFORE = {
    "NONE": ("resolve", "connect", "greeting", "capabilities"),
    "STARTTLS": (
        "resolve", "connect", "greeting", "capabilities", "starttls", "tls", "trust", "hostname", "capabilities",
    ),
    "SSL_TLS": ("resolve", "connect", "tls", "trust", "hostname", "greeting", "capabilities"),
}  # fmt: skip


@register.filter
def stage_label(name: str) -> str:
    """Return what people call a stage."""
    return _STAGES.get(name, name.replace("_", " ").capitalize())


@register.filter
def code_words(code: str) -> str:
    """Return a code as words, for where a sentence has no room: `credentials_refused` is `Credentials refused`."""
    words = code.replace("_", " ").strip()
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
    parts = ["STARTTLS offered"] if "STARTTLS" in offered else []
    mechanisms = " ".join(map(str, facts.get("mechanisms", ())))
    return " · ".join(parts + ([f"AUTH {mechanisms}"] if mechanisms else []))


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
    coming = _coming([stage["name"] for stage in done], job.definition)
    running = job.state == JobState.RUNNING
    return done + [
        {"name": name, "state": "running" if running and place == 0 else "pending", "duration_ms": None}
        for place, name in enumerate(coming)
    ]


def _coming(done: list[str], definition: dict[str, Any]) -> tuple[str, ...]:
    expected = [*_BEFORE.get(definition.get("connection_security", ""), ("resolve", "connect"))]
    if definition.get("authentication_type") == "BASIC" and definition.get("username"):
        expected.append("auth")
    if definition.get("sender_address"):
        expected.append("sender")
    expected.append("quit")
    # A test that takes another way (POP before SMTP) is shown as it comes, without a guess.
    return tuple(expected[len(done) :]) if expected[: len(done)] == done else ()


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
        where = job.ran_on.name if job.ran_on else job.steng_name or job.cluster_name
        running = job.state == JobState.RUNNING
        text = f"Testing from {where}" if running else f"Waiting for a STENG of {job.cluster_name}"
        if job.state == JobState.QUEUED and waits_for_its_turn(job):
            text = "Waiting for another test that signs in to the same account"
        return {"state": "running", "text": text}
    if job.state != JobState.FINISHED:
        return {"state": "failed" if job.state == JobState.FAILED else "stopped", "text": _ENDINGS[job.state]}
    if job.verdict == Verdict.FAILURE:
        return {"state": "failed", "text": f"Connection failed at {stage_label(job.failed_stage)}"}
    if job.verdict == Verdict.WARNING:
        return {"state": "warning", "text": "Connection works, with a warning"}
    return {"state": "ok", "text": "Connection successful"}
