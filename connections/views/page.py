"""The page of one connection: its form, and beside it the test with its result."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from cluster.models import Cluster, Job
from connections.forms import ConnectionForm, usual_ports
from connections.models import Connection
from connections.selectors import find
from core.models import User

DEPTHS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "smtp": (
        ("full", "Everything"),
        ("login", "Up to the sign-in"),
        ("tls", "Up to TLS, no sign-in"),
        ("connect", "Connect only"),
    ),
    "mailbox": (
        ("full", "Everything, the folder too"),
        ("login", "Up to the sign-in, no folder"),
        ("tls", "Up to TLS, no sign-in"),
        ("connect", "Connect only"),
    ),
}
"""How far a test may go, in words."""

LABELS: Mapping[str, str] = {"smtp": "SMTP connection", "mailbox": "POP3/IMAP connection"}


def existing(kind: str, pk: uuid.UUID) -> Connection:
    """Return the connection of this kind; raise Http404."""
    row = find(pk, kind)
    if row is None:
        raise Http404
    return row


def user_of(request: HttpRequest) -> User:
    """Return who asks."""
    user = request.user
    assert isinstance(user, User)
    return user


def is_htmx(request: HttpRequest) -> bool:
    """Tell whether a fragment is wanted instead of a page."""
    return request.headers.get("HX-Request") == "true"


def version_of(request: HttpRequest) -> int | None:
    """Return the version that the page was made from, None where it says none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


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
            "kind_label": LABELS[kind],
            "connection": connection,
            "version": connection.version if connection is not None else "",
            "shown": ",".join(form.errors),
            "action": address_of(connection, kind),
            "check_url": reverse(f"connections:check{draft}", args=key),
            "test_url": reverse(f"connections:test{draft}", args=key),
            "folders_url": reverse(f"connections:folders{draft}", args=key) if kind == "mailbox" else "",
            "usual_ports": usual_ports(form.model),
            "clusters": clusters,
            "only_cluster": len(clusters) == 1,
            "stengs": list(stengs.items()),
            "test_cluster": asked.get("test_cluster") or (job.cluster_name if job else form["cluster"].value()),
            "test_steng": asked.get("test_steng") or (job.steng_name if job else form["steng"].value()),
            "depths": DEPTHS[kind],
            "test_depth": asked.get("test_depth") or (job.depth if job else "full"),
            "job": job,
            "in_form": True,
            "again": _again(request, job) if job is not None and not job.is_final else "",
            **extra,
        },
        status=status,
    )


def _again(request: HttpRequest, job: Job) -> str:
    """Return the address by which the page reloads itself where no script does.

    The turn makes it another address each time: one that differs in nothing but `#test` would be a jump, not a load.
    """
    turn = request.GET.get("turn", "")
    number = int(turn) + 1 if turn.isascii() and turn.isdigit() and len(turn) < 6 else 1
    return f"?test={job.pk}&turn={number}#test"
