"""The pages of batches: all of them, and one with its progress and its results.

Every page works without a script; htmx asks for the fragment of the same template, each second while a batch runs.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from cluster.batches import selectors, services
from cluster.batches.choices import Rank
from cluster.batches.models import Batch
from core.permissions import may, needs, owner_or, require
from core.requests import is_htmx

PAGE_SIZE = 50

_RANKS: Mapping[str, Rank] = {rank.name.lower(): rank for rank in Rank}


@needs(get="tests.view")
def batches(request: HttpRequest) -> HttpResponse:
    """Show the batches, latest first.

    Context: `page` (of {batch, ranks}).
    """
    page = Paginator(selectors.batches(), PAGE_SIZE).get_page(request.GET.get("page"))
    counts = selectors.counts_of_many(list(page.object_list))
    shown = [{"batch": batch, "ranks": selectors.by_rank(counts[batch.pk])} for batch in page.object_list]
    return render(request, "cluster/batch_list.html", {"page": page, "rows": shown})


@needs(get="tests.view")
@never_cache
def batch(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one batch whole (context as in `_context`)."""
    return render(request, "cluster/batch.html", _context(request, _batch(pk)))


@needs(get="tests.view")
@never_cache
def live(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Answer the poll of a batch with its progress and results, 204 while nothing is new since `seen`."""
    if not is_htmx(request):
        return redirect("cluster:batch", pk=pk)
    context = _context(request, _batch(pk))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "cluster/_batch.html", context)


@needs(post=owner_or("tests.cancel", note="one's own batch may always be cancelled"))
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Cancel what is not done yet, and show what became of the batch: it may have ended just before."""
    found = _batch(pk)
    if found.requested_by_id != request.user.pk:
        require(request, "tests.cancel")
    if services.cancel(pk, timezone.now()).cancelled_at is None:
        messages.info(request, "Everything was done already.")
    return redirect("cluster:batch", pk=pk)


def _context(request: HttpRequest, found: Batch) -> dict[str, Any]:
    """Return what the page of a batch shows.

    `page` (of items), `ranks` (rank and count, for the tabs), `over` (how many are final), `shown` (the name of the
    chosen rank), `seen` (what the next poll compares), `may_cancel`.
    """
    counts = selectors.counts_of(found)
    ranks = selectors.by_rank(counts)
    chosen = request.GET.get("show", "")
    items = selectors.items(found, rank=_RANKS.get(chosen))
    page = Paginator(items, PAGE_SIZE).get_page(request.GET.get("page"))
    return {
        "batch": found,
        "page": page,
        "ranks": [(rank, rank.name.lower(), count) for rank, count in ranks.items() if count],
        "over": found.total - counts["waiting"] - counts["running"],
        "shown": chosen if chosen in _RANKS else "",
        "seen": f"{found.state}-" + "-".join(str(count) for count in ranks.values()),
        "problems": ranks[Rank.FAILED],
        "may_cancel": not found.is_final
        and found.cancelled_at is None
        and (found.requested_by_id == request.user.pk or may(request.user, "tests.cancel")),
    }


def _batch(key: uuid.UUID) -> Batch:
    found = selectors.batch_by_id(key)
    if found is None:
        raise Http404
    return found
