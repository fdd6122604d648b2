"""The pages of clusters and of the test history, and the panel in which a test runs.

Every page works without a script; htmx asks for the fragment of the same template.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from cluster import dispatch, ports, selectors, services
from cluster.choices import JobState, Verdict
from cluster.forms import ClusterForm, StengForm, initial_of
from cluster.models import Cluster, Job, Steng
from cluster.rules import is_live
from cluster.visibility import CANCEL, require_cancel
from core.errors import Refused
from core.permissions import needs
from core.requests import is_htmx

PAGE_SIZE = 50

_WISHES: Mapping[str, tuple[Callable[[Steng], Steng], str]] = {
    "enable": (services.enable, "{name} takes tests again."),
    "disable": (services.disable, "{name} takes no more tests; what it runs it finishes."),
    "drain": (services.drain, "{name} finishes what it runs and takes nothing new."),
}


@needs(get="clusters.view")
def clusters(request: HttpRequest) -> HttpResponse:
    """Show the clusters with their STENGs.

    Context: `clusters`, a list of {cluster, active, stengs: [{steng, live}]}.
    """
    now = timezone.now()
    shown = [
        {
            "cluster": cluster,
            "active": selectors.is_active(cluster, now),
            "stengs": [{"steng": steng, "live": is_live(steng, now)} for steng in cluster.stengs.all()],
        }
        for cluster in selectors.clusters()
    ]
    return render(request, "cluster/clusters.html", {"clusters": shown})


@needs(get="clusters.manage", post="clusters.manage")
def cluster_form(request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
    """Create a cluster or change one.

    Context of this page and of the STENG's: `form`, `thing` (None for a new one), `kind` ("cluster" or "steng"),
    `title`, `action`.
    """
    cluster = get_object_or_404(Cluster, pk=pk) if pk else None
    return _form(request, ClusterForm, cluster, "cluster")


@needs(get="clusters.manage", post="clusters.manage")
def steng_form(request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
    """Create a STENG or change one (context as in `cluster_form`)."""
    steng = get_object_or_404(Steng.objects.select_related("cluster"), pk=pk) if pk else None
    return _form(request, StengForm, steng, "steng")


def _form(
    request: HttpRequest, kind_of_form: type[ClusterForm | StengForm], thing: Cluster | Steng | None, kind: str
) -> HttpResponse:
    form = kind_of_form(request.POST or None, initial=initial_of(thing) if thing else None)
    status = 200
    if request.method == "POST":
        form = kind_of_form(request.POST)
        try:
            saved = _save(thing, kind, form.values())
        except ValidationError as error:
            form.refuse(error)
            status = 422
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("cluster:clusters")
    label = "STENG" if kind == "steng" else "cluster"
    context = {
        "form": form,
        "thing": thing,
        "kind": kind,
        "title": f"Edit {thing.name}" if thing else f"New {label}",
        "action": request.path,
    }
    return render(request, "cluster/cluster_form.html", context, status=status)


def _save(thing: Cluster | Steng | None, kind: str, values: dict[str, Any]) -> Cluster | Steng:
    now = timezone.now()
    if kind == "steng":
        return services.save_steng(thing if isinstance(thing, Steng) else Steng(), values, now)
    return services.save_cluster(thing if isinstance(thing, Cluster) else Cluster(), values, now)


@needs(post="clusters.manage")
def cluster_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a cluster that nothing uses."""
    cluster = get_object_or_404(Cluster, pk=pk)
    return _delete(request, cluster.name, lambda: services.delete_cluster(cluster))


@needs(post="clusters.manage")
def steng_delete(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a STENG that nothing uses."""
    steng = get_object_or_404(Steng, pk=pk)
    return _delete(request, steng.name, lambda: services.delete_steng(steng))


def _delete(request: HttpRequest, name: str, act: Callable[[], None]) -> HttpResponse:
    try:
        act()
    except Refused as refusal:
        users = ", ".join(user["name"] for user in refusal.extra.get("used_by", ()))
        messages.error(request, f"{refusal.detail} Used by: {users}." if users else refusal.detail)
    else:
        messages.success(request, f"{name} is deleted.")
    return redirect("cluster:clusters")


@needs(post="clusters.manage")
def steng_wish(request: HttpRequest, pk: uuid.UUID, wish: str) -> HttpResponse:
    """Enable, disable or drain a STENG."""
    if wish not in _WISHES:
        raise Http404
    act, sentence = _WISHES[wish]
    steng = act(get_object_or_404(Steng, pk=pk))
    messages.success(request, sentence.format(name=steng.name))
    return redirect("cluster:clusters")


@needs(get="tests.view")
def history(request: HttpRequest) -> HttpResponse:
    """Show the tests, latest first.

    Context: `page` (of jobs), `stale` (ids), `chosen` (the filters as they are), `states` and `verdicts` (value and
    label), `any` (whether there is a test at all).
    """
    chosen = {name: request.GET.get(name, "").strip() for name in ("state", "verdict", "code", "connection", "steng")}
    # An address that has aged may name a filter value that does not exist: it is left out, not an error.
    if chosen["state"] not in JobState.values:
        chosen["state"] = ""
    if chosen["verdict"] not in Verdict.values:
        chosen["verdict"] = ""
    connection, steng = (_id_or_name(chosen[name]) for name in ("connection", "steng"))
    found = selectors.job_list(
        request.user,
        state=chosen["state"],
        verdict=chosen["verdict"],
        code=chosen["code"],
        connection=connection,
        steng=steng,
    )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "stale": ports.stale_among(list(page.object_list)),
        "chosen": chosen,
        "states": JobState.choices,
        "verdicts": Verdict.choices,
        "any": bool(page.paginator.count) or selectors.job_list(request.user).exists(),
    }
    return render(request, "cluster/test_list.html", context)


@needs(get="tests.view")
@never_cache
def test(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one test whole.

    Context: `job`, `stale`, `chain` (certificates of an untrusted chain: id, role, subject, fingerprint),
    `running` (the page then reloads itself where no script does it).
    """
    job = _job(request, pk)
    chain = selectors.members_of_chains([job.chain_id]).get(job.chain_id, []) if job.chain_id else []
    context = {"job": job, "stale": ports.stale_of(job), "chain": chain, "running": not job.is_final}
    return render(request, "cluster/test_detail.html", context)


@needs(get="tests.view")
@never_cache
def panel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer the poll of a running test with its panel, 204 while nothing is new since `seen`.

    Context: `job`, `in_form` (the panel stands beside the form of a connection). Without a script it is the whole page.
    """
    if not is_htmx(request):
        return redirect("cluster:test", pk=pk)
    job = _job(request, pk)
    if request.GET.get("seen") == f"{job.state}-{len(job.stages)}":
        return HttpResponse(status=204)
    return _panel(request, job)


@needs(post=CANCEL)
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel a test and show what became of it: it may have ended just before."""
    require_cancel(request, _job(request, pk))
    try:
        dispatch.cancel(pk, timezone.now())
    except Job.DoesNotExist:
        raise Http404 from None
    if is_htmx(request):
        return _panel(request, _job(request, pk))
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = reverse("cluster:test", args=[pk])
    return redirect(target)


@needs(get="tests.view")
def transcript(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the redacted conversation of a test.

    Context: `job`, `lines` ({ms, direction, stage, text}).
    """
    job = _job(request, pk)
    return render(request, "cluster/transcript.html", {"job": job, "lines": job.transcript})


def _panel(request: HttpRequest, job: Job) -> HttpResponse:
    return render(request, "cluster/_test_panel.html", {"job": job, "in_form": request.GET.get("in") == "form"})


def _job(request: HttpRequest, pk: uuid.UUID) -> Job:
    job = selectors.job_by_id(pk, request.user)
    if job is None:
        raise Http404
    return job


def _id_or_name(text: str) -> uuid.UUID | str:
    try:
        return uuid.UUID(text)
    except ValueError:
        return text
