"""The page of one connection: its form, and beside it the test with its result."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from cluster.models import Cluster, Job
from connections import rules
from connections.forms import ConnectionForm, usual_ports
from connections.models import Connection
from connections.selectors import find
from connections.tls_preview import FIELDS, Preview, previews
from core.permissions import may

DEPTHS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "smtp": (
        ("full", "All of it"),
        ("login", "Up to the sign-in"),
        ("tls", "Up to TLS, no sign-in"),
        ("connect", "Reach the server, no TLS"),
    ),
    "mailbox": (
        ("full", "All of it: sign in, look into the folder"),
        ("login", "Sign in, no look into the folder"),
        ("tls", "Up to TLS, no sign-in"),
        ("connect", "Reach the server, no TLS"),
    ),
}
"""How far a test may go, in words."""

_DEPTH = "test_depth"
"""Where the session keeps how far the last test of each kind was to go, and the form the choice."""


def existing(kind: str, pk: uuid.UUID) -> Connection:
    """Return the connection of this kind; raise Http404."""
    row = find(pk, kind)
    if row is None:
        raise Http404
    return row


def address_of(connection: Connection | None, kind: str) -> str:
    """Return the address of a connection's page, or of the empty form."""
    if connection is None:
        return reverse("connections:new", args=[kind])
    return reverse("connections:edit", args=[kind, connection.pk])


def page(
    request: HttpRequest, form: ConnectionForm, *, job: Job | None = None, status: int = 200, **extra: Any
) -> HttpResponse:
    """Show a form, bound or not, with the test that belongs to it."""
    connection, kind = form.connection, form.model.KIND
    if may(request.user, "credentials.view"):
        form.offer_credentials()
    stengs = dict(form.fields["steng"].options)  # type: ignore[attr-defined]
    clusters = list(Cluster.objects.values_list("name", flat=True).order_by("name_key"))
    asked: Mapping[str, Any] = request.POST if form.is_bound else {}
    key, draft = ([kind, connection.pk], "") if connection is not None else ([kind], "-draft")
    return render(
        request,
        f"connections/{kind}_form.html",
        {
            "form": form,
            "kind": kind,
            "kind_label": str(form.model._meta.verbose_name),
            "connection": connection,
            "version": connection.version if connection is not None else "",
            "shown": ",".join(form.errors),
            "action": address_of(connection, kind),
            "check_url": reverse(f"connections:check{draft}", args=key),
            "test_url": reverse(f"connections:test{draft}", args=key),
            "folders_url": reverse(f"connections:folders{draft}", args=key) if kind == "mailbox" else "",
            "usual_ports": usual_ports(form.model),
            "has_folders": rules.HAS_FOLDERS.attribute,
            "taken_again": rules.TAKEN_AGAIN.attribute,
            "previews": previews_of(form),
            "clusters": clusters,
            "only_cluster": len(clusters) == 1,
            "stengs": list(stengs.items()),
            "test_cluster": asked.get("test_cluster") or (job.cluster_name if job else form["cluster"].value()),
            "test_steng": asked.get("test_steng") or (_asked_steng(job) if job else form["steng"].value()),
            "depths": DEPTHS[kind],
            "test_depth": asked.get(_DEPTH) or request.session.get(_DEPTH, {}).get(kind, "full"),
            "test_subject": "test_subject" in asked,
            "job": job,
            "in_form": True,
            "again": _again(request, job) if job is not None and not job.is_final else "",
            **extra,
        },
        status=status,
    )


def previews_of(form: ConnectionForm) -> list[Preview]:
    """Return what a test of the values on the screen would offer in its handshake."""
    return previews({name: form[name].value() for name in FIELDS})


def _asked_steng(job: Job) -> str:
    """Return the STENG that a test was asked for; the one that took it is named too where any would have done."""
    return str(job.steng.name) if job.steng else ""


def remember_depth(request: HttpRequest, kind: str, depth: str) -> None:
    """Propose next time, for any connection of this kind, what was chosen now: most people test with one depth."""
    if request.session.get(_DEPTH, {}).get(kind, "full") != depth:
        request.session[_DEPTH] = {**request.session.get(_DEPTH, {}), kind: depth}


def _again(request: HttpRequest, job: Job) -> str:
    """Return the address by which the page reloads itself where no script does.

    The turn makes it another address each time: one that differs in nothing but `#test` would be a jump, not a load.
    """
    turn = request.GET.get("turn", "")
    number = int(turn) + 1 if turn.isascii() and turn.isdigit() and len(turn) < 6 else 1
    return f"?test={job.pk}&turn={number}#test"
