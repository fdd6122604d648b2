"""Users on the support pages: the rules of the console's own page of users hold there too."""

import re

import pytest
from django.urls import reverse

from core.errors import Refused
from core.models import AuditEvent, User
from core.permissions import ACTS
from core.tokens import create_token
from core.users import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief(make_user):
    """Return an administrator who is no superuser."""
    return make_user("chief", role="administrator", is_staff=True)


@pytest.fixture
def browser(client, chief):
    client.force_login(chief)
    return client


def page(user, name="change"):
    return reverse(f"admin:core_user_{name}", args=[user.pk])


def change(browser, user, **values):
    """Save the form of a user with a box left out being a box that is not ticked."""
    known = {"username": user.username, "email": "new@example.org", "date_joined_0": "2026-01-01"}
    answer = browser.post(page(user), known | {"date_joined_1": "12:00:00"} | values)
    assert answer.status_code == 302, answer.content.decode()
    return User.objects.get(pk=user.pk)


def delete(browser, *users):
    if len(users) == 1:
        return browser.post(page(users[0], "delete"), {"post": "yes"}, follow=True)
    chosen = {"action": "delete_selected", "_selected_action": [user.pk for user in users], "post": "yes"}
    return browser.post(reverse("admin:core_user_changelist"), chosen, follow=True)


def messages_of(answer):
    return [(message.level_tag, message.message) for message in answer.context["messages"]]


def names():
    return sorted(User.objects.values_list("username", flat=True))


def test_an_administrator_does_not_lock_himself_out_by_a_box(browser, chief):
    saved = change(browser, chief)
    assert (saved.email, saved.is_active) == ("new@example.org", True)


def test_a_superuser_gives_no_roles_past_the_page_of_users(admin_client, make_user, chief):
    role = chief.groups.get()
    person = make_user("a.rossi")
    saved = change(admin_client, person, groups=[role.pk])
    assert [group.name for group in saved.groups.all()] == ["viewer"]


def test_a_superuser_stays_one_until_another_takes_it(admin_client, admin_user):
    saved = change(admin_client, admin_user)
    assert (saved.is_staff, saved.is_superuser) == (True, True)


def test_a_superuser_takes_it_from_another(admin_client):
    other = User.objects.create_superuser("other")
    assert change(admin_client, other).is_superuser is False


def test_the_page_leads_to_where_roles_are_given(browser, make_user):
    person = make_user("a.rossi")
    text = browser.get(page(person)).content.decode()
    assert re.findall(r'<a href="(/users/\d+/)">', text) == [reverse("core:user", args=[person.pk])]


@pytest.mark.parametrize("others", [(), ("a.rossi",)], ids=["alone", "with another"])
def test_nobody_deletes_himself(browser, chief, make_user, others):
    answer = delete(browser, *(make_user(name) for name in others), chief)
    assert messages_of(answer) == [("error", "You cannot delete yourself; somebody else who manages users can.")]
    assert names() == sorted(["chief", *others])


def test_the_last_administrator_is_not_deleted(make_user, chief):
    # Who may do everything by single rights is no administrator: nobody could make another one.
    mighty = make_user("mighty", *ACTS, role="")
    with pytest.raises(Refused) as caught:
        services.delete(chief, by=mighty)
    assert (caught.value.code, names()) == ("conflict", ["chief", "mighty"])


def test_an_administrator_deletes_another(browser, make_user):
    delete(browser, make_user("other", role="administrator"))
    assert names() == ["chief"]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "with another"])
def test_an_administrator_deletes_no_superuser(browser, admin_user, make_user, together):
    delete(browser, *([make_user("a.rossi")] if together else []), admin_user)
    assert "admin" in names()


def test_the_tokens_of_who_is_deleted_are_revoked_first(browser, make_user):
    person = make_user("a.rossi")
    create_token(person, name="nightly")
    create_token(person, name="weekly")
    delete(browser, person)
    events = AuditEvent.objects.filter(act__in=["token.revoked", "user.deleted"]).order_by("pk")
    assert [(event.act, (event.before or {}).get("name")) for event in events] == [
        ("token.revoked", "nightly"), ("token.revoked", "weekly"), ("user.deleted", None),
    ]  # fmt: skip
