"""The pages of suspended sign-ins: what was refused, whom it stops, and the way to let it be tried again."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.generic import View

from cluster.accounts import selectors, services
from cluster.accounts.forms import LiftForm
from cluster.models import Job, SuspendedLogin
from cluster.selectors import job_by_id
from core.permissions import ActMixin

PAGE_SIZE = 50


class SuspendedLoginsView(ActMixin, View):
    """What is suspended now; with `?lifted=1` what was."""

    acts = {"get": "tests.view"}
    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the list. Context: `page` (of rows with `stopped_count`, `latest_stopped`), `lifted`."""
        lifted = request.GET.get("lifted") == "1"
        page = Paginator(selectors.suspended(request.user, lifted=lifted), PAGE_SIZE).get_page(request.GET.get("page"))
        return render(request, "cluster/suspended_logins.html", {"page": page, "lifted": lifted})


class SuspendedLoginView(ActMixin, View):
    """One suspended sign-in, and the question whether it may be tried once more."""

    acts = {"get": "tests.view", "post": "logins.lift"}
    http_method_names = ("get", "head", "post", "options")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Say what was refused and what a lift means, and ask for the reason."""
        return self._show(request, self._row(request, pk), LiftForm())

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Lift it, and lead back to the test that was stopped, where it can be repeated."""
        row, form = self._row(request, pk), LiftForm(request.POST)
        if row.lifted_at is not None:
            messages.info(request, f"It was lifted already, by {row.lifted_by}; nothing was changed.")
            return self._back(request)
        try:
            services.lift(row, reason=request.POST.get("reason", ""), now=timezone.now())
        except ValidationError as error:
            form.refuse(error)
            return self._show(request, row, form, HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.success(request, f"{row.name} may be tried once more: the next test signs in again.")
        return self._back(request)

    def _show(
        self, request: HttpRequest, row: SuspendedLogin, form: LiftForm, status: int = HTTPStatus.OK
    ) -> HttpResponse:
        """Context: `row`, `form`, `job` (the stopped test that the person came from, or None)."""
        context: dict[str, Any] = {"row": row, "form": form, "job": self._came_from(request)}
        return render(request, "cluster/suspended_login.html", context, status=status)

    def _row(self, request: HttpRequest, pk: uuid.UUID) -> SuspendedLogin:
        row = selectors.by_id(pk, request.user)
        if row is None:
            raise Http404
        return row

    def _came_from(self, request: HttpRequest) -> Job | None:
        try:
            key = uuid.UUID(request.GET.get("test", ""))
        except ValueError:
            return None
        return job_by_id(key, request.user)

    def _back(self, request: HttpRequest) -> HttpResponse:
        job = self._came_from(request)
        return redirect("cluster:test", pk=job.pk) if job else redirect("cluster:suspended-logins")
