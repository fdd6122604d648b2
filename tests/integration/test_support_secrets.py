"""No support page, and no row that the admin keeps, holds a secret: canaries are planted and looked for."""

import json

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core import serializers
from django.urls import reverse
from django.utils import timezone

from cluster import dispatch
from cluster.batches.choices import Action
from cluster.models import Job
from connections import bulk, services, testing
from connections.kinds import KINDS
from core.admin_base import ActAdmin
from core.tokens import create_token
from credentials import services as credentials
from tests.credentials import BASIC, OAUTH2
from tests.fields.sound import POP_BEFORE_SMTP, SOUND
from tests.integration.untrusted import imported, met
from tests.jobs import failure, local_steng
from tests.lab.pki import Pki

pytestmark = pytest.mark.django_db
CANARY = "canary-9f27"
PAGES = ("change", "history", "delete", "test")


@pytest.fixture
def planted(admin_user):
    """Store a row of every model, with a canary wherever a secret can be; return what must not be seen."""
    steng, pki, now = local_steng(timezone.now()), Pki(), timezone.now()
    smtp = services.save(KINDS["smtp"], None, {**SOUND["smtp"], "password": f"{CANARY}-1"}, user=None).connection
    pop = {**SOUND["smtp"], **POP_BEFORE_SMTP, "name": "pop", "pop_password": f"{CANARY}-2"}
    rows = [smtp, services.save(KINDS["smtp"], None, {k: v for k, v in pop.items() if v}, user=None).connection]
    mailbox = {**SOUND["mailbox"], "password": f"{CANARY}-3"}
    rows.append(services.save(KINDS["mailbox"], None, mailbox, user=None).connection)
    stored = [
        credentials.save(None, {**BASIC, "password": f"{CANARY}-4"}, user=None).credential,
        credentials.save(None, {**OAUTH2, "client_secret": f"{CANARY}-5"}, user=None).credential,
    ]
    job = testing.request_test(smtp, testing.Target(), user=admin_user)
    sealed = job.sealed_request
    assert dispatch.accept(job.pk, now)
    claim = dispatch.claim(job.pk, steng, now)
    dispatch.mark_credentials(job.pk, claim.attempt, now)
    dispatch.finish(job.pk, claim.attempt, failure(), now)
    waiting = testing.request_test(rows[2], testing.Target(), user=admin_user)
    bulk.request(Action.DISABLE, bulk.by_ids([smtp.pk]), user=admin_user)
    met(pki.leaf())
    imported(pki)
    _, token = create_token(admin_user)
    names = ("password_sealed", "pop_password_sealed", "client_secret_sealed")
    columns = [getattr(row, name, "") for row in (*rows, *stored) for name in names]
    digests = [value for row in Job.objects.all() for value in (row.secret_digest, row.account) if value]
    assert digests != []
    assert waiting.sealed_request != ""
    hidden = [CANARY, sealed, waiting.sealed_request, token, *digests, *columns]
    return [text for text in hidden if text]


def pages():
    """Yield every address of the admin with a row in the place of its key."""
    yield reverse("admin:index")
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        known = {pattern.name for pattern in model_admin.get_urls()}
        for row in model._default_manager.all()[:5]:
            for page in PAGES:
                if f"{name}_{page}".removeprefix("admin:") in known:
                    yield reverse(f"{name}_{page}", args=[row.pk])
        if f"{name}_add".removeprefix("admin:") in known:
            yield reverse(f"{name}_add")


def test_every_model_of_the_support_pages_has_a_row_here(planted):
    without = [model.__name__ for model in admin.site._registry if not model._default_manager.exists()]
    assert without == []


def test_no_page_shows_a_secret(admin_client, planted):
    visited = 0
    for url in pages():
        answer = admin_client.get(url, follow=True)
        content = answer.content.decode()
        assert [text for text in planted if text in content] == [], url
        visited += answer.status_code == 200
    assert visited > 50


def test_no_refused_or_saved_form_shows_a_secret(admin_client, planted):
    for kind, model in KINDS.items():
        for row in model.objects.all():
            url = reverse(f"admin:connections_{model._meta.model_name}_change", args=[row.pk])
            for port in ("0", "2525"):
                typed = {**SOUND[kind], "name": row.name, "password": f"{CANARY}-typed", "port": port}
                answer = admin_client.post(url, typed, follow=True)
                assert CANARY not in answer.content.decode()


def test_what_the_admin_keeps_holds_no_secret_and_no_value(admin_client, planted):
    url = reverse("admin:connections_smtpconnection_add")
    typed = {**SOUND["smtp"], "name": "logged", "password": f"{CANARY}-log", "description": "a value"}
    assert admin_client.post(url, typed).status_code == 302
    kept = json.dumps(json.loads(serializers.serialize("json", LogEntry.objects.all())))
    assert [text for text in (*planted, "a value", "logged") if text in kept] == []


def test_every_model_of_the_support_pages_goes_by_our_acts():
    others = [model.__name__ for model, one in admin.site._registry.items() if not isinstance(one, ActAdmin)]
    assert others == []
