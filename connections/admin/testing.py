"""Run a saved connection from the support pages: where, how far, and then to the page of the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from cluster.selectors import clusters
from connections import testing
from connections.models import Connection
from connections.views.page import DEPTHS
from core.errors import Refused
from core.permissions import Declared
from core.requests import user_of
from core.wording import sentence_of
from steng.wire import Depth


class TestForm(forms.Form):
    """Where a test runs and how far it goes; the services judge what is chosen."""

    __test__ = False  # no test of pytest's

    cluster = forms.ChoiceField(required=False, help_text="Empty: where the connection says, or the only one there is.")
    depth = forms.ChoiceField(required=False, help_text="How far the test goes.")

    def __init__(self, kind: str, data: Any = None, *, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        names = [cluster.name for cluster in clusters()]
        self.fields["cluster"].choices = [("", "---------"), *((name, name) for name in names)]  # type: ignore[attr-defined]
        self.fields["depth"].choices = DEPTHS[kind]  # type: ignore[attr-defined]


class TestPage(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for mypy only
    """The page that runs a test of one connection."""

    __test__ = False  # no test of pytest's

    pages: Mapping[str, Mapping[str, Declared]] = {"test_view": {"get": "connections.test", "post": "connections.test"}}

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask where and how far; run the connection as it is saved and lead to the test."""
        row: Connection | None = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if request.method != "POST":
            return self._ask(request, row, TestForm(row.KIND, initial={"cluster": row.cluster, "depth": Depth.FULL}))
        form = TestForm(row.KIND, request.POST)
        try:
            depth = testing.parse_depth(request.POST.get("depth") or Depth.FULL)
            target = testing.Target(request.POST.get("cluster") or None, depth=depth)
            job = testing.request_test(row, target, user=user_of(request))
        except (ValidationError, Refused) as error:
            form.full_clean()
            form.errors.clear()
            form.add_error(None, sentence_of(error))
            return self._ask(request, row, form)
        return redirect("admin:cluster_job_change", job.pk)

    def _ask(self, request: HttpRequest, row: Connection, form: TestForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Run a test",
            "subtitle": str(row),
            "form": form,
            "original": row,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/connections/test.html", context)
