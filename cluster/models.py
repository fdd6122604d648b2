"""Where work runs and what became of it: clusters, STENGs, jobs, the last test of each connection, refused sign-ins.

`services` writes clusters and STENGs, `dispatch` alone writes jobs and last tests, `accounts` what was refused,
`batches.services` batches.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.conf import settings
from django.db import models
from django.db.models import Q

from cluster.batches.models import Batch, BatchItem
from cluster.choices import JobKind, JobState, Lane, StengState, Verdict
from cluster.states import FINAL, LIVE, WITH_A_STENG
from core.definition_models import Named
from core.fields import NameField, StrictBooleanField, StrictIntegerField, StrictTextField
from steng.wire import Depth

__all__ = ["Batch", "BatchItem", "Cluster", "Job", "LastTest", "Steng"]


class _Named(Named):
    """What has a unique name and an id that survives renaming."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = NameField("Name")
    name_key = models.CharField(max_length=400, unique=True, editable=False)
    description = StrictTextField("Description", max_length=2_048, blank=True, default="")
    created = models.DateTimeField(editable=False)

    class Meta:
        abstract = True
        ordering = ("name_key",)


class Cluster(_Named):
    """A group of STENGs that can stand in for each other."""


class Steng(_Named):
    """An execution agent: `enabled` and `drain` are the admin's wish, `state` was observed, `last_seen` proves it."""

    cluster = models.ForeignKey(Cluster, verbose_name="Cluster", on_delete=models.PROTECT, related_name="stengs")
    enabled = StrictBooleanField(
        "Enabled", default=True, blank=True, help_text="A disabled STENG takes no work; what it runs it finishes."
    )
    drain = models.BooleanField(default=False, editable=False)
    state = models.CharField(max_length=10, choices=StengState.choices, default=StengState.UNKNOWN, editable=False)
    last_seen = models.DateTimeField(null=True, editable=False)
    version = models.CharField(max_length=40, blank=True, default="", editable=False)
    capabilities = models.JSONField(default=dict, editable=False)
    incarnation = models.CharField(max_length=32, blank=True, default="", editable=False)
    slots = StrictIntegerField(
        "Slots", minimum=1, maximum=10_000, default=500, blank=True, help_text="How many tests may run at once."
    )
    running = models.PositiveIntegerField(default=0, editable=False)

    class Meta(_Named.Meta):
        verbose_name = "STENG"
        verbose_name_plural = "STENGs"


class Job(models.Model):
    """One piece of work for a STENG; its states and arrows are in `states`.

    `batch` is the bulk test that it belongs to, until a person asks for the same test and waits for it.
    `draft_of` is the connection whose form a draft came from. A job that `stands` speaks for its connection as
    saved; one with overrides, or one that stopped short of the end on request, does not.
    `account` and `secret_digest` say with what it will sign in (see `accounts.identity`), "" where it will not.
    Names stand beside the references, so that the history still says where a test ran after the
    STENG, the cluster, the connection or the user is gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30, choices=JobKind.choices, default=JobKind.CONFIGURATION_TEST)
    lane = models.CharField(max_length=12, choices=Lane.choices, default=Lane.INTERACTIVE)
    batch = models.ForeignKey(Batch, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    attempt = models.PositiveIntegerField(default=0)

    connection_id = models.UUIDField(null=True, blank=True)
    connection_kind = models.CharField(max_length=10, blank=True, default="")
    connection_name = models.CharField(max_length=128, blank=True, default="")
    connection_version = models.PositiveIntegerField(default=0)
    draft_of = models.UUIDField(null=True, blank=True)
    stands = models.BooleanField(default=True)
    cluster = models.ForeignKey(Cluster, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cluster_name = models.CharField(max_length=128, blank=True, default="")
    steng = models.ForeignKey(Steng, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    steng_name = models.CharField(max_length=128, blank=True, default="")
    ran_on = models.ForeignKey(Steng, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    sealed_request = models.TextField(blank=True, default="")
    definition = models.JSONField(default=dict, blank=True)
    configuration = models.CharField(max_length=64, blank=True, default="")
    trust_version = models.PositiveIntegerField(default=0)
    same_as = models.CharField(max_length=64, db_index=True)
    depth = models.CharField(max_length=10, choices=[(depth.value, depth.value) for depth in Depth])
    target = models.CharField(max_length=300)
    timeout_ms = models.PositiveIntegerField()
    account = models.CharField(max_length=64, blank=True, default="", editable=False)
    secret_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    suspended_by = models.ForeignKey(
        "SuspendedLogin", null=True, blank=True, on_delete=models.SET_NULL, related_name="stopped"
    )

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_by_name = models.CharField(max_length=150, blank=True, default="")

    created = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True, blank=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    claim_deadline = models.DateTimeField()
    run_deadline = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    credentials_sent_at = models.DateTimeField(null=True, blank=True)

    # Null, not empty: that a job has no verdict is what its readers ask first.
    verdict = models.CharField(max_length=10, choices=Verdict.choices, null=True, blank=True)  # noqa: DJ001
    failed_stage = models.CharField(max_length=20, blank=True, default="")
    code = models.CharField(max_length=60, blank=True, default="")
    summary = models.TextField(blank=True, default="")
    advice = models.TextField(blank=True, default="")
    field = models.CharField(max_length=60, blank=True, default="")
    duration_ms = models.FloatField(null=True, blank=True)
    source_address = models.CharField(max_length=80, blank=True, default="")
    peer_address = models.CharField(max_length=80, blank=True, default="")
    stages = models.JSONField(default=list, blank=True)
    advisories = models.JSONField(default=list, blank=True)
    changed_since_success = models.JSONField(default=list, blank=True)
    transcript = models.JSONField(default=list, blank=True)
    chain_id = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = "test"  # to people a job is a transfer
        ordering = ("-created", "-id")
        indexes = (
            # Everything that the choice of the next job looks at, and nothing else: beside a sealed request a row is
            # long, and of ten thousand that wait only the chosen ones may be read. Said by `finished`, because
            # SQLite takes such an index only where the query says the same without a parameter.
            models.Index(
                fields=["state", "lane", "created", "target", "account", "cluster", "steng", "id"],
                condition=Q(finished__isnull=True),
                name="job_live",
            ),
            models.Index(fields=["batch"], condition=Q(batch__isnull=False), name="job_of_batch"),
            models.Index(fields=["-created", "-id"], name="job_history"),
            # Each in the whole order of the history: what an index would leave to be sorted, the planner looks for in
            # the history row by row.
            models.Index(fields=["connection_id", "-created", "-id"], name="job_by_connection"),
            models.Index(fields=["verdict", "-created", "-id"], name="job_by_verdict"),
            models.Index(fields=["state", "-created", "-id"], name="job_by_state"),
            # What a history is searched by.
            models.Index(fields=["code", "-created", "-id"], name="job_by_code"),
            models.Index(fields=["connection_name", "-created", "-id"], name="job_by_name"),
            models.Index(fields=["target", "-created", "-id"], name="job_by_target"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state"),
            models.CheckConstraint(
                condition=Q(state__in=FINAL, sealed_request="", secret_digest="")
                | (Q(state__in=LIVE) & ~Q(sealed_request="")),
                name="job_request_until_the_end",
            ),
            models.CheckConstraint(
                condition=Q(state=JobState.FINISHED, verdict__in=Verdict.values)
                | (~Q(state=JobState.FINISHED) & Q(verdict__isnull=True)),
                name="job_verdict_of_finished_only",
            ),
            models.CheckConstraint(
                condition=Q(state__in=LIVE, finished__isnull=True) | Q(state__in=FINAL, finished__isnull=False),
                name="job_end_of_final_only",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(*LIVE, JobState.FINISHED)) | (~Q(code="") & ~Q(summary="")),
                name="job_end_without_verdict_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state=JobState.RUNNING)
                | Q(attempt__gte=1, lease_until__isnull=False, run_deadline__isnull=False, started__isnull=False),
                name="job_running_has_lease",
            ),
            # Two logins side by side look like an attack. Whoever wants the second place gets an error from the
            # database itself, on whatever machine it runs.
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(state__in=WITH_A_STENG) & ~Q(account=""),
                name="job_one_at_a_time_per_account",
            ),
        )

    def __str__(self) -> str:
        return f"{self.connection_name or self.target}, {self.created:%Y-%m-%d %H:%M:%S}"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen to this job."""
        return self.state in FINAL


class LastTest(models.Model):
    """The outcome of a connection's latest test, beside the connection so that its list needs no search.

    The key is the connection's. `rank` sorts what needs attention first. A cancelled test leaves the
    row as it is: it says nothing about the connection.
    """

    RANKS: Mapping[str | None, int] = {Verdict.FAILURE: 0, None: 1, Verdict.WARNING: 2, Verdict.SUCCESS: 4}
    NEVER = 3

    id = models.UUIDField(primary_key=True, editable=False)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    job_created = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=JobState.choices, blank=True, default="")
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True, default="")
    failed_stage = models.CharField(max_length=20, blank=True, default="")
    code = models.CharField(max_length=60, blank=True, default="")
    finished = models.DateTimeField(null=True, blank=True)
    duration_ms = models.FloatField(null=True, blank=True)
    configuration = models.CharField(max_length=64, blank=True, default="")
    trust_version = models.PositiveIntegerField(default=0)
    rank = models.PositiveSmallIntegerField(default=NEVER)
    success_version = models.PositiveIntegerField(null=True, blank=True)
    success_trust_version = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["rank"], name="last_test_rank"),
            models.Index(fields=["verdict"], name="last_test_verdict"),
        )

    def __str__(self) -> str:
        return f"{self.verdict or self.state or 'never tested'}"

    @property
    def was_run(self) -> bool:
        """Tell whether the connection was ever tested to an end."""
        return self.state != ""

    @classmethod
    def rank_of(cls, verdict: str | None) -> int:
        """Return the place of a verdict in a list that shows failures first."""
        return cls.RANKS[verdict]


class AccountKey(models.Model):
    """The one key under which accounts and secrets are digested, sealed by the vault (see `accounts.identity`)."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    sealed = models.TextField(editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="account_key_is_one"),)

    def __str__(self) -> str:
        return "key of accounts"


class SuspendedLogin(models.Model):
    """A host, user name and secret that a server refused for good: nothing signs in with them until this is lifted.

    `job` is the test that was refused; `connection_…` say what it tested, all empty for a draft. `overtaken_at` is when
    another secret of the account was accepted: it changes nothing here, but who reads the list need not hurry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.CharField(max_length=64, db_index=True, editable=False)
    secret_digest = models.CharField(max_length=64, editable=False)
    host = models.CharField(max_length=253)
    username = models.TextField(blank=True, default="")
    code = models.CharField(max_length=60)
    summary = models.TextField()
    advice = models.TextField(blank=True, default="")
    since = models.DateTimeField()

    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    connection_id = models.UUIDField(null=True, blank=True)
    connection_kind = models.CharField(max_length=10, blank=True, default="")
    connection_name = models.CharField(max_length=128, blank=True, default="")

    overtaken_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, blank=True, default="")
    lifted_reason = StrictTextField("Reason", max_length=2_048, blank=True, default="")

    class Meta:
        verbose_name = "suspended sign-in"
        ordering = ("-since", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["secret_digest"], condition=Q(lifted_at__isnull=True), name="suspended_login_once"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_reason="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_reason="")),
                name="suspended_login_lifted_with_a_reason",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"{self.username} at {self.host}"


class UnclearSignIn(models.Model):
    """A secret that was sent and of which nobody knows what the server made: the test broke off before its answer.

    Tests that were asked for before `at` do not try it again: a list of connections that share an account would
    otherwise try it as often as it is long. Who asks anew gets one more attempt.
    """

    secret_digest = models.CharField(max_length=64, primary_key=True, editable=False)
    at = models.DateTimeField()
    code = models.CharField(max_length=60)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.code}, {self.at:%Y-%m-%d %H:%M:%S}"
