"""The REST resources that ask for tests: of a saved connection, of a draft, and for the folders of a mailbox."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cluster.api import job_response, wait_seconds
from cluster.choices import JobKind
from connections import testing
from connections.api.definitions import KindView
from connections.api.requests import asked_of, based_on
from connections.models import MailboxConnection
from core.errors import invalid, refuse_unknown
from core.permissions import require
from core.requests import read_object, user_of

_TEST_KEYS = frozenset({"cluster", "steng", "all_stengs", "depth", "overrides", "checks"})
_DRAFT_KEYS = frozenset({"connection", "all_stengs", "checks", "depth"})
_FOLDER_KEYS = frozenset({"cluster", "steng"})


class KindTestView(KindView):
    """Tests of a saved connection."""

    acts = {"post": "connections.test"}

    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Enqueue a configuration test: 202 with the job, or 200 once it is final within `?wait=`."""
        row, body = self.existing(pk=pk), read_object(request.data)
        refuse_unknown(body, _TEST_KEYS)
        overrides = body.get("overrides") or {}
        if not isinstance(overrides, Mapping):
            raise ValidationError({"overrides": [invalid("invalid_type", "Expected an object of fields.")]})
        if overrides:
            require(request, "connections.draft")  # they are values that nobody saved
        seconds, asked = wait_seconds(request), asked_of(request, body, body)
        jobs = [
            testing.request_test(row, each, user=user_of(request), overrides=overrides) for each in asked.targets(row)
        ]
        return job_response(jobs, seconds, batch=asked.everywhere)


class KindDraftTestView(KindView):
    """Tests of definitions that are not saved."""

    acts = {"post": "connections.draft"}
    kind_of_job = JobKind.CONFIGURATION_TEST

    def post(self, request: Request) -> Response:
        """Test the values that are sent, save nothing; `connection` names the one whose stored secret may be used."""
        values = self.values(request)
        body = {key: values.pop(key) for key in _DRAFT_KEYS & set(values)}
        saved = based_on(body.get("connection"), self.model.KIND)
        seconds, asked = wait_seconds(request), asked_of(request, body, values)
        jobs = [
            testing.request_draft_test(self.model, values, saved, each, user=user_of(request), kind=self.kind_of_job)
            for each in asked.targets(saved)
        ]
        return job_response(jobs, seconds, batch=asked.everywhere)


class DraftFoldersView(KindDraftTestView):
    """The folders of a mailbox whose definition is not saved."""

    kind_of_job = JobKind.FOLDER_LIST


class FoldersView(KindView):
    """The folders of a saved mailbox."""

    acts = {"post": "connections.test"}

    def post(self, request: Request, pk: uuid.UUID) -> Response:
        """Ask the server for its folders: a job whose stage `folder` lists them as `evidence.folders`."""
        row, body = self.existing(pk=pk), read_object(request.data)
        assert isinstance(row, MailboxConnection)
        refuse_unknown(body, _FOLDER_KEYS)
        seconds, asked = wait_seconds(request), asked_of(request, body, body)
        return job_response([testing.request_folders(row, asked.target, user=user_of(request))], seconds)
