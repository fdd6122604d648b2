"""The support pages on a hundred thousand connections, tests and credentials: few queries, none of which reads all."""

import uuid

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cluster.models import Job
from connections.models import Connection
from core import audit
from tests.integration.untrusted import met
from tests.lab.pki import Pki
from tests.many import fill
from tests.roles import user_with
from untrusted_cache.models import Chain, ChainLink

pytestmark = pytest.mark.django_db
ROWS = 100_000
QUERIES = 8
ROW = uuid.UUID(int=7)

LISTS = {
    "connections_connection": (
        "", "?p=100", "?p=200", "?q=orders", "?q=nothing", f"?q={ROW}", "?status__exact=DISABLED", "?security=NONE",
        "?verdict=failure", "?verdict=none", "?kind__exact=smtp", "?verdict=failure&security=NONE&q=orders", "?o=3",
    ),
    "connections_smtpconnection": ("", "?p=200", "?q=orders-000016", "?status__exact=DISABLED", "?verdict=warning"),
    "credentials_credential": ("", "?p=200", "?q=orders", "?kind__exact=BASIC"),
    "cluster_job": (
        "", "?p=200", "?q=orders-000016", "?q=mail7.example.org:587", "?q=credentials_refused", f"?q={ROW}",
        "?q=nothing", "?state__exact=finished", "?state__exact=lost", "?verdict__exact=failure", "?code=timeout",
        "?code=credentials_refused",
        "?verdict__exact=failure&code=timeout", "?created__gte=2026-05-04+00:00:00%2B00:00",
    ),
}  # fmt: skip
PAGES = (
    "connections_smtpconnection_change", "connections_smtpconnection_test", "connections_smtpconnection_delete",
    "credentials_credential_change", "credentials_credential_delete", "cluster_job_change",
)  # fmt: skip


@pytest.fixture(scope="module")
def crowd(django_db_setup, django_db_blocker):
    """Fill the database once for the module, and let somebody of each of two roles log in."""
    actor = audit.Actor(None, "tests", audit.Door.SYSTEM)
    with django_db_blocker.unblock(), audit.acting(actor), transaction.atomic():
        fill(ROWS)
        clients = {}
        for role in ("support", "administrator"):
            clients[role] = Client()
            clients[role].force_login(user_with(role, role_name=role, is_staff=True))
        yield clients
        transaction.set_rollback(True)


def queries_of(client, url):
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200
    return [query["sql"] for query in captured.captured_queries], answer


@pytest.mark.parametrize(("name", "query"), [(name, query) for name, found in LISTS.items() for query in found])
def test_a_list_costs_at_most_eight_queries(crowd, name, query):
    statements, _ = queries_of(crowd["support"], reverse(f"admin:{name}_changelist") + query)
    assert len(statements) <= QUERIES, "\n".join(statements)
    # Tests are wide rows, and there are most of them: what no index answers would read all of that.
    assert [scanned for statement in statements if '"cluster_job"' in statement for scanned in scans(statement)] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_costs_at_most_eight_queries(crowd, name):
    statements, _ = queries_of(crowd["administrator"], reverse(f"admin:{name}", args=[ROW]))
    assert len(statements) <= QUERIES, "\n".join(statements)


@pytest.mark.parametrize(
    "model", [model for model in admin.site._registry if model._meta.label_lower.replace(".", "_") not in LISTS]
)
def test_every_other_list_costs_at_most_eight_queries(crowd, model):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    statements, _ = queries_of(crowd["administrator"], url)
    assert len(statements) <= QUERIES, "\n".join(statements)


def test_the_page_of_a_chain_costs_the_same_for_any_length(admin_client):
    met(Pki().leaf())
    (chain,) = Chain.objects.all()
    assert ChainLink.objects.filter(chain=chain).count() > 1
    statements, _ = queries_of(admin_client, reverse("admin:untrusted_cache_chain_change", args=[chain.pk]))
    # The chain, what vouches for it, and its certificates.
    assert len([statement for statement in statements if 'FROM "untrusted_cache_' in statement]) == 3


def test_there_are_as_many_rows_as_this_is_about(crowd):
    assert (Connection.objects.count(), Job.objects.count()) == (ROWS + 1, ROWS + 1)


def test_no_list_has_a_page_behind_which_anybody_turns(crowd):
    _, answer = queries_of(crowd["support"], reverse("admin:connections_connection_changelist"))
    assert answer.context["cl"].result_count == 10_000


def scans(statement):
    """Return the steps of a plan that read a table row by row, or sort what they read."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        steps = [row[-1] for row in cursor.fetchall()]
    return [
        step
        for step in steps
        if (step.startswith("SCAN cluster_job") and "USING" not in step) or "TEMP B-TREE FOR ORDER" in step
    ]
