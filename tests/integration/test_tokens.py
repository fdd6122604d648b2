"""API tokens: shown once, kept as a digest, limited by scope, time and user."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import ApiToken
from core.permissions import may
from core.tokens import create_token, find_token

pytestmark = pytest.mark.urls("tests.problem_urls")
ASKED = frozenset({"credentials.view", "connections.draft", "credentials.manage"})


@pytest.fixture
def tester(make_user):
    return make_user("tester", "connections.test", "connections.edit")


def test_a_token_is_kept_as_its_digest_only(tester):
    token, text = create_token(tester)
    assert text.startswith("pst_")
    assert len(text) == 47
    assert token.digest == hashlib.sha256(text.encode()).hexdigest()
    assert text[10:] not in str(ApiToken.objects.values().get())


def test_a_user_has_several_tokens(tester):
    texts = {create_token(tester)[1] for _ in range(3)}
    assert {find_token(text).user for text in texts} == {tester}


def statuses(client):
    return (
        client.get("/api/v1/versioned/").status_code,
        client.post("/api/v1/counter/").status_code,
        client.put("/api/v1/versioned/").status_code,
    )


@pytest.mark.parametrize(
    ("scope", "expected"), [("read", (200, 403, 403)), ("test", (200, 201, 403)), ("full", (200, 201, 200))]
)
def test_a_scope_allows_so_much(api_as, tester, scope, expected):
    assert statuses(api_as(tester, scope)) == expected


@pytest.mark.parametrize(
    ("scope", "acts"),
    [("read", {"credentials.view"}), ("test", {"credentials.view", "connections.draft"}), ("full", ASKED)],
)
def test_who_is_found_by_a_token_may_what_its_scope_allows(admin_user, scope, acts):
    user = find_token(create_token(admin_user, scope=scope)[1]).user
    assert {act for act in ASKED if may(user, act)} == acts


def test_a_token_may_not_do_more_than_its_user(api_as, make_user):
    assert statuses(api_as(make_user(), "full")) == (200, 403, 403)


def test_a_refusal_by_scope_says_so(api_as, tester):
    detail = api_as(tester, "read").post("/api/v1/counter/").json()["detail"]
    assert detail == "The scope of this token, read, does not allow this: test is needed."


def test_a_refusal_by_permission_says_so(api_as, make_user):
    assert api_as(make_user()).post("/api/v1/counter/").json()["detail"] == "You may not run tests."


def test_a_token_of_an_inactive_user_is_refused(api_as, tester):
    client = api_as(tester)
    tester.is_active = False
    tester.save()
    assert client.get("/api/v1/versioned/").status_code == 401


def test_a_token_ends_at_its_time(tester):
    end = datetime(2027, 1, 31, tzinfo=UTC)
    _, text = create_token(tester, expires=end)
    assert find_token(text, end - timedelta(seconds=1)) is not None
    assert find_token(text, end) is None


def test_a_revoked_token_is_refused(api_as, tester):
    client = api_as(tester)
    ApiToken.objects.all().delete()
    assert client.get("/api/v1/versioned/").status_code == 401


def test_the_use_of_a_token_is_noted_once_a_minute(api_as, tester):
    client = api_as(tester)
    client.get("/api/v1/versioned/")
    first = ApiToken.objects.get().last_used
    client.get("/api/v1/versioned/")
    assert ApiToken.objects.get().last_used == first
    ApiToken.objects.update(last_used=timezone.now() - timedelta(minutes=2))
    client.get("/api/v1/versioned/")
    assert ApiToken.objects.get().last_used >= first


def test_a_token_is_looked_up_once_for_a_request(api_as, tester):
    client = api_as(tester)
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/api/v1/connections/").status_code == 200
    lookups = [query["sql"] for query in queries if 'FROM "core_apitoken"' in query["sql"]]
    assert len(lookups) == 1


def test_a_token_opens_no_page(tester, client):
    _, text = create_token(tester)
    answer = client.get("/connections/", headers={"Authorization": f"Token {text}"})
    assert answer["Location"] == "/login/?next=/connections/"


def test_a_token_needs_no_csrf_token(tester):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Token {create_token(tester)[1]}")
    assert client.post("/api/v1/counter/").status_code == 201


# manage.py token


def test_the_command_prints_the_token_alone_on_the_last_line(tester, capsys):
    call_command("token", "create", "tester", "--name", "ci", "--scope", "test")
    token = find_token(capsys.readouterr().out.splitlines()[-1])
    assert (token.user, token.name, token.scope, token.expires) == (tester, "ci", "test", None)


def test_the_command_takes_a_day_that_is_included(tester, capsys):
    call_command("token", "create", "tester", "--expires", "2999-01-31")
    assert ApiToken.objects.get().expires == datetime(2999, 2, 1, tzinfo=UTC)


def test_the_command_takes_a_number_of_days(tester, capsys):
    before = timezone.now()
    call_command("token", "create", "tester", "--expires", "90d")
    assert timedelta(0) <= ApiToken.objects.get().expires - before - timedelta(days=90) < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["2020-01-01", "tomorrow", "0d", "99999d", "2026-13-01", "9999-12-31"])
def test_the_command_refuses_a_time_that_is_none_or_over(tester, text):
    with pytest.raises(CommandError) as error:
        call_command("token", "create", "tester", "--expires", text)
    assert (error.value.returncode, ApiToken.objects.count()) == (2, 0)


def test_the_command_refuses_a_user_that_does_not_exist(db):
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("token", "create", "nobody")


def test_the_command_lists_tokens_without_their_text(tester, capsys):
    _, text = create_token(tester, name="ci")
    call_command("token", "list", "tester")
    shown = capsys.readouterr().out
    assert (text[:10] in shown, text[:12] in shown) == (True, False)


def test_the_command_revokes_a_token(tester, capsys):
    _, text = create_token(tester)
    call_command("token", "revoke", text[:10])
    assert find_token(text) is None
