"""Logging in and out, the brake on guessing, the forced change of a password, and what a browser is told to enforce."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core import login_guard
from core.models import LogInAttempt, User
from core.services import create_administrator

PASSWORD = "correct-horse-battery"
NEW = "a-horse-of-another-colour"


@pytest.fixture
def person(make_user):
    return make_user("a.rossi")


def log_in(client, password=PASSWORD, username="a.rossi", **extra):
    return client.post("/login/", {"username": username, "password": password, **extra})


def test_the_right_password_leads_to_the_connections(client, person):
    assert (log_in(client)["Location"], client.get("/")["Location"]) == ("/", "/connections/")


def test_after_the_log_in_one_is_where_one_wanted_to_be(client, person):
    address = client.get("/connections/?q=a")["Location"]
    assert client.post(address, {"username": "a.rossi", "password": PASSWORD})["Location"] == "/connections/?q=a"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_led_to_another_site(client, person, target):
    assert log_in(client, next=target)["Location"] == "/"


def test_a_wrong_password_keeps_the_name_and_not_the_password(client, person):
    answer = log_in(client, password="wrong-secret")
    assert (answer.status_code, b"a.rossi" in answer.content, b"wrong-secret" in answer.content) == (422, True, False)


def test_an_inactive_user_cannot_log_in(client, make_user):
    make_user("a.rossi", is_active=False)
    assert log_in(client).status_code == 422


def test_who_is_made_inactive_is_out_at_once(client, person):
    log_in(client)
    User.objects.update(is_active=False)
    assert client.get("/")["Location"] == "/login/?next=/"


def test_logging_out_takes_a_post(client, person):
    log_in(client)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/")["Location"] == "/login/?next=/"


def test_the_session_cookie_is_for_this_browser_session_only_and_not_for_scripts(client, person):
    log_in(client)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["expires"]) == (True, "Lax", "", "")


def test_reading_a_page_writes_nothing(admin_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(5) as queries:
        admin_client.get("/password/")
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []


# The brake


def fail(client, times, username="a.rossi", **extra):
    return [log_in(client, password="wrong", username=username, **extra).status_code for _ in range(times)]


def test_after_ten_failures_even_the_right_password_has_to_wait(client, person):
    assert fail(client, 10) == [422] * 10
    answer = log_in(client)
    assert (answer.status_code, 0 < int(answer["Retry-After"]) <= 900) == (429, True)


def test_another_user_need_not_wait(client, person, make_user):
    make_user("b.verdi")
    fail(client, 11)
    assert log_in(client, username="b.verdi").status_code == 302


def test_another_address_need_not_wait(client, person):
    fail(client, 11)
    answer = client.post("/login/", {"username": "a.rossi", "password": PASSWORD}, REMOTE_ADDR="192.0.2.9")
    assert answer.status_code == 302


def test_the_name_in_other_letters_is_the_same_name(client, person):
    fail(client, 5)
    fail(client, 5, username="A.ROSSI")
    assert log_in(client).status_code == 429


@pytest.mark.parametrize(
    "spelling", [" a.rossi ", "a.rossi\u3000", "ａ.rossi"], ids=["blanks", "a wide blank", "a wide letter"]
)
def test_a_spelling_that_the_log_in_takes_for_the_name_is_the_same_name(spelling, client, person):
    fail(client, 5)
    fail(client, 5, username=spelling)
    assert log_in(client).status_code == 429


def test_one_password_tried_with_many_names_is_braked_by_the_address(client, person, settings):
    settings.POSTERN_LOGIN_FAILURES_PER_ADDRESS = 15
    assert [fail(client, 1, username=f"user{number}")[0] for number in range(16)] == [422] * 15 + [429]


def test_a_success_does_not_free_the_whole_address(client, person, settings):
    settings.POSTERN_LOGIN_FAILURES_PER_ADDRESS = 5
    fail(client, 4, username="somebody")
    log_in(client)
    client.logout()
    assert fail(client, 2, username="somebody.else") == [422, 429]


def test_behind_the_proxy_the_address_is_what_the_proxy_saw(client, person, settings):
    settings.POSTERN_BEHIND_TLS = True

    def wrong_from(forwarded):
        data = {"username": "a.rossi", "password": "wrong"}
        return client.post("/login/", data, headers={"X-Forwarded-For": forwarded}).status_code

    assert {wrong_from("192.0.2.1") for _ in range(10)} == {422}
    assert (wrong_from("198.51.100.1, 192.0.2.1"), wrong_from("192.0.2.1, 192.0.2.2")) == (429, 422)


def test_a_name_that_does_not_exist_is_braked_alike(client, db):
    assert fail(client, 11, username="nobody")[-2:] == [422, 429]


def test_a_success_strikes_the_failures_out(client, person):
    fail(client, 9)
    log_in(client)
    client.logout()
    assert (fail(client, 9), log_in(client).status_code) == ([422] * 9, 302)


def test_failures_are_forgotten_after_the_window(client, person):
    now = timezone.now()
    for minute in range(10):
        assert login_guard.book("a.rossi", "127.0.0.1", now - timedelta(minutes=24 - minute)) == 0
    assert log_in(client).status_code == 302


def test_a_refused_try_is_not_booked_so_that_waiting_helps(client, person):
    fail(client, 20)
    # Each try stands once for the name and once for the address.
    assert LogInAttempt.objects.count() == 2 * 10


def test_the_wait_ends_when_the_oldest_failure_leaves_the_window(db):
    now = timezone.now()
    for second in range(10):
        login_guard.book("a.rossi", "::1", now + timedelta(seconds=second))
    assert login_guard.book("a.rossi", "::1", now + timedelta(seconds=60)) == 840
    assert login_guard.book("a.rossi", "::1", now + timedelta(seconds=900)) == 0


# The password


def test_who_must_change_the_password_sees_nothing_else(client, make_user):
    make_user("a.rossi", must_change_password=True)
    log_in(client)
    assert [client.get(path)["Location"] for path in ("/", "/connections/", "/admin/", "/nothing/")] == [
        "/password/"
    ] * 4


def test_who_must_change_the_password_cannot_use_the_api_with_the_session(client, make_user):
    make_user("a.rossi", must_change_password=True)
    log_in(client)
    answer = client.get("/api/v1/schema/")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_token_goes_on_while_the_password_must_be_changed(api_as, make_user):
    assert api_as(make_user(must_change_password=True)).get("/api/v1/schema/").status_code == 200


def change(client, old=PASSWORD, new=NEW, again=None):
    return client.post("/password/", {"old_password": old, "new_password1": new, "new_password2": again or new})


def test_a_changed_password_opens_the_console(client, make_user):
    make_user("a.rossi", must_change_password=True)
    log_in(client)
    assert change(client)["Location"] == "/"
    assert client.get("/")["Location"] == "/connections/"
    assert User.objects.get().check_password(NEW)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"old": "wrong"}, "old_password"),
        ({"new": PASSWORD}, "new_password2"),
        ({"new": "short"}, "new_password2"),
        ({"new": "123456789012"}, "new_password2"),
        ({"new": "a.rossi12345"}, "new_password2"),
        ({"new": NEW, "again": NEW + "x"}, "new_password2"),
    ],
)
def test_a_password_that_will_not_do_is_refused(client, make_user, fields, name):
    make_user("a.rossi", must_change_password=True)
    log_in(client)
    answer = change(client, **fields)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [name])
    assert User.objects.get().must_change_password


def test_a_new_password_ends_the_other_sessions(client, person):
    other = Client()
    log_in(other)
    log_in(client)
    change(client)
    assert (client.get("/")["Location"], other.get("/")["Location"]) == ("/connections/", "/login/?next=/")


def test_the_first_administrator_is_made_once(db):
    assert create_administrator("admin", PASSWORD, must_change=True).must_change_password
    assert create_administrator("admin", NEW, must_change=False) is None
    assert User.objects.get().check_password(PASSWORD)


# The admin


def test_who_is_no_staff_finds_no_second_log_in(viewer_client):
    assert viewer_client.get("/admin/login/").status_code == 403


def test_staff_without_superuser_cannot_touch_superusers_or_gain_rights(client, make_user, admin_user):
    staff = make_user("staff", "users.manage", "support.open", is_staff=True)
    client.force_login(staff)
    own = reverse("admin:core_user_change", args=[staff.pk])
    client.post(
        own,
        {
            "username": "staff",
            "is_active": "on",
            "is_superuser": "on",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00",
        },
    )
    staff.refresh_from_db()
    foreign = reverse("admin:auth_user_password_change", args=[admin_user.pk])
    assert (staff.is_superuser, client.get(foreign).status_code) == (False, 403)


def test_a_password_that_somebody_else_set_must_be_changed(admin_client, person):
    address = reverse("admin:auth_user_password_change", args=[person.pk])
    admin_client.post(address, {"password1": NEW, "password2": NEW, "usable_password": "true"})
    person.refresh_from_db()
    assert (person.check_password(NEW), person.must_change_password) == (True, True)


# What browsers are told

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "font-src 'self'",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'", "manifest-src 'self'",
}  # fmt: skip


def policy_of(answer):
    return set(answer["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize("path", ["/login/", "/healthz", "/password/", "/nothing/", "/api/v1/nothing/", "/admin/"])
def test_every_answer_has_the_strict_policy(admin_client, path):
    assert policy_of(admin_client.get(path)) == POLICY


def test_a_stranger_gets_the_strict_policy_too(client, db):
    assert [policy_of(client.get(path)) for path in ("/", "/api/v1/", "/login/")] == [POLICY] * 3


def test_only_the_page_of_the_api_may_style_inline(admin_client):
    widened = POLICY - {"style-src 'self'", "img-src 'self'"} | {
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
    }
    assert policy_of(admin_client.get("/api/v1/docs/")) == widened


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
    ],
)
def test_every_page_has_the_header(admin_client, header, value):
    assert [admin_client.get(path)[header] for path in ("/login/", "/password/", "/api/v1/nothing/")] == [value] * 3


@pytest.mark.parametrize(
    ("theme", "stored"), [("dark", "dark"), ("light", "light"), ("system", "system"), ("x\r\ny", None)]
)
def test_the_theme_is_a_cookie_of_three_values(viewer_client, theme, stored):
    answer = viewer_client.post("/theme/", {"theme": theme, "next": "/connections/"})
    cookie = answer.cookies.get("theme")
    assert (answer["Location"], cookie and cookie.value) == ("/connections/", stored)


def test_the_theme_leads_to_no_other_site(viewer_client):
    assert viewer_client.post("/theme/", {"theme": "dark", "next": "https://evil.example/"})["Location"] == "/"


def test_a_form_of_another_site_is_refused(person):
    client = Client(enforce_csrf_checks=True)
    assert log_in(client).status_code == 403


@pytest.mark.parametrize("path", ["/connections/", "/setup/trust/", "/password/", "/nowhere/", "/api/v1/docs/"])
def test_no_page_is_kept_by_a_browser(path, admin_client):
    assert "no-store" in admin_client.get(path)["Cache-Control"]


@pytest.mark.parametrize("path", ["/api/v1/connections/smtp/", "/api/v1/jobs/?limit=x", "/api/v1/nowhere/"])
def test_no_answer_of_the_api_is_kept(path, api):
    assert api.get(path)["Cache-Control"] == "no-store"


def test_what_says_itself_how_long_it_is_good_is_kept(admin_client):
    assert "no-store" not in admin_client.get(reverse("connections:conditions"))["Cache-Control"]
