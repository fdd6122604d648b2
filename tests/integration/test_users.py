"""Users and their roles, by page and by the API."""

import re

import pytest
from django.contrib.auth.models import Group

from core.models import AuditEvent, User
from core.permissions import ACTS, may, outranks
from core.users import services
from tests.roles import PASSWORD, role

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief(make_user):
    """Return an administrator who is no superuser."""
    return make_user("chief", role="administrator")


@pytest.fixture
def browser(client, chief):
    client.force_login(chief)
    return client


def roles_of(user):
    return sorted(user.groups.values_list("name", flat=True))


def page_of(user):
    return f"/users/{user.pk}/"


def messages_of(answer):
    return re.findall(r'class="message is-(\w+)".*?<span>(.*?)</span>', answer.content.decode(), re.DOTALL)


def test_the_list_shows_everybody_with_roles(browser, make_user):
    make_user("a.rossi", role="editor")
    make_user("b.verdi", role="")
    page = browser.get("/users/").content.decode()
    rows = dict(re.findall(r"<bdi>([\w.]+)</bdi></a>.*?data-label=\"Roles\">(.*?)</td>", page, re.DOTALL))
    assert rows == {
        "a.rossi": "Editor",
        "b.verdi": '<span class="muted">No role</span>',
        "chief": "Administrator",
    }


def test_the_list_is_searched(browser, make_user):
    make_user("a.rossi")
    page = browser.get("/users/", {"q": "ROSS"}).content.decode()
    assert re.findall(r"<bdi>([\w.]+)</bdi></a>", page) == ["a.rossi"]


def test_roles_are_given_and_taken(browser, make_user):
    person = make_user("a.rossi")
    answer = browser.post(page_of(person), {"roles": ["editor", "operator"]}, follow=True)
    assert roles_of(person) == ["editor", "operator"]
    assert messages_of(answer) == [("success", "a.rossi is saved; it counts from the next click on.")]


def test_the_change_of_roles_is_recorded_once(browser, make_user):
    person = make_user("a.rossi")
    for _ in range(2):
        browser.post(page_of(person), {"roles": ["editor"]})
    event = AuditEvent.objects.get(act="user.changed")
    assert (event.object_name, event.before, event.after, event.actor_name) == (
        "a.rossi", {"groups": ["viewer"]}, {"groups": ["editor"]}, "chief",
    )  # fmt: skip


def test_a_role_that_does_not_exist_is_refused(browser, make_user):
    person = make_user("a.rossi")
    answer = browser.post(page_of(person), {"roles": ["king"]})
    errors = answer.context["form"].errors.as_data()
    assert (answer.status_code, [error.code for error in errors["roles"]]) == (422, ["not_found"])
    assert roles_of(person) == ["viewer"]


def test_support_brings_the_mark_of_the_staff_and_takes_it_along(chief, make_user):
    person = make_user("a.rossi")
    services.change(person, roles=["support"], by=chief)
    person.refresh_from_db()
    before = person.is_staff
    services.change(person, roles=["viewer"], by=chief)
    person.refresh_from_db()
    assert (before, person.is_staff) == (True, False)


def test_nobody_takes_the_role_administrator_from_himself(browser, chief):
    answer = browser.post(page_of(chief), {"roles": ["editor"]}, follow=True)
    assert roles_of(chief) == ["administrator"]
    assert messages_of(answer) == [
        ("error", "You cannot take the role administrator from yourself; another administrator can.")
    ]


def test_an_administrator_takes_the_role_from_another(chief, make_user):
    other = make_user("other", role="administrator")
    services.change(other, roles=["viewer"], by=chief)
    assert roles_of(other) == ["viewer"]


@pytest.mark.parametrize("wish", [{"roles": []}, {"is_active": False}])
def test_the_last_administrator_stays(make_user, chief, wish):
    from core.errors import Refused

    # Who may do everything by single rights is no administrator: nobody could make another one.
    mighty = make_user("mighty", *ACTS, role="")
    with pytest.raises(Refused) as caught:
        services.change(chief, by=mighty, **wish)
    assert caught.value.code == "conflict"


def test_a_superuser_counts_as_an_administrator(make_user, chief, admin_user):
    services.change(chief, roles=[], by=admin_user)
    assert roles_of(chief) == []


def test_who_manages_users_only_gives_no_role_that_may_do_more(client, make_user):
    person = make_user("a.rossi", role="")
    client.force_login(make_user("clerk", "users.manage"))
    answer = client.post(page_of(person), {"roles": ["editor"]})
    assert (answer.status_code, roles_of(person)) == (403, [])


def test_who_manages_users_only_gives_what_he_has(client, make_user):
    person = make_user("a.rossi", role="")
    client.force_login(make_user("clerk", "users.manage"))
    client.post(page_of(person), {"roles": ["viewer"]})
    assert roles_of(person) == ["viewer"]


@pytest.mark.parametrize("wish", [{"roles": []}, {"active": "off"}])
def test_who_may_do_less_does_not_touch_who_may_do_more(client, make_user, wish):
    person = make_user("a.rossi", role="editor")
    client.force_login(make_user("clerk", "users.manage"))
    answer = client.post(page_of(person), wish)
    person.refresh_from_db()
    assert (answer.status_code, roles_of(person), person.is_active) == (403, ["editor"], True)


def test_a_superuser_is_touched_by_superusers_only(browser, admin_user):
    answer = browser.post(page_of(admin_user), {"active": "off"})
    admin_user.refresh_from_db()
    assert (answer.status_code, admin_user.is_active) == (403, True)


def test_the_page_of_who_may_do_more_has_no_button(browser, admin_user):
    page = browser.get(page_of(admin_user)).content.decode()
    assert ("Save</button>" in page, 'name="active"' in page, "may do things that you may not" in page) == (
        False, False, True,
    )  # fmt: skip


def test_who_is_deactivated_is_out_at_once(browser, make_user, api_as):
    from django.test import Client

    person, other = make_user("a.rossi"), Client()
    script = api_as(person)
    other.force_login(person)
    browser.post(page_of(person), {"active": "off"})
    assert (other.get("/connections/").status_code, script.get("/api/v1/connections/").status_code) == (302, 401)


def test_who_is_activated_is_let_in_again(browser, make_user):
    person = make_user("a.rossi", is_active=False)
    browser.post(page_of(person), {"active": "on"})
    person.refresh_from_db()
    assert person.is_active


def test_nobody_deactivates_himself(browser, chief):
    browser.post(page_of(chief), {"active": "off"})
    chief.refresh_from_db()
    assert chief.is_active


def test_a_new_user_gets_a_password_that_is_shown_once_and_must_be_changed(browser, client):
    answer = browser.post("/users/new/", {"username": "a.rossi", "email": "", "roles": ["operator"]})
    password = re.search(r'<span class="code">(.*?)</span>', answer.content.decode())[1]
    made = User.objects.get(username="a.rossi")
    assert (made.check_password(password), made.must_change_password, roles_of(made)) == (True, True, ["operator"])
    assert password not in browser.get(page_of(made)).content.decode()


def test_the_password_of_a_new_user_is_not_recorded(browser):
    answer = browser.post("/users/new/", {"username": "a.rossi", "email": "", "roles": ["operator"]})
    password = re.search(r'<span class="code">(.*?)</span>', answer.content.decode())[1]
    event = AuditEvent.objects.get(act="user.created")
    assert (event.after["groups"], password in str(event.after)) == (["operator"], False)


@pytest.mark.parametrize(
    ("username", "email", "roles", "expected"),
    [
        ("", "", [], {("username", "required")}),
        ("a b", "", [], {("username", "invalid")}),
        ("chief", "", [], {("username", "unique")}),
        ("a.rossi", "no address", [], {("email", "invalid")}),
        ("a b", "", ["king"], {("username", "invalid"), ("roles", "not_found")}),
    ],
)
def test_a_bad_user_is_not_made(browser, username, email, roles, expected):
    answer = browser.post("/users/new/", {"username": username, "email": email, "roles": roles})
    errors = answer.context["form"].errors.as_data()
    assert {(name, {"blank": "required"}.get(error.code, error.code)) for name in errors for error in errors[name]} == (
        expected
    )
    assert (answer.status_code, User.objects.count()) == (422, 1)


def test_a_user_is_not_made_with_a_role_that_may_do_more(client, make_user):
    client.force_login(make_user("clerk", "users.manage"))
    answer = client.post("/users/new/", {"username": "a.rossi", "email": "", "roles": ["administrator"]})
    assert (answer.status_code, User.objects.filter(username="a.rossi").exists()) == (403, False)


# The API


def test_the_api_lists_users(api_as, chief):
    body = api_as(chief).get("/api/v1/users/").json()
    assert [(row["username"], row["roles"], row["is_active"]) for row in body["results"]] == [
        ("chief", ["administrator"], True)
    ]


def test_the_api_sets_roles(api_as, chief, make_user):
    person = make_user("a.rossi")
    answer = api_as(chief).put(f"/api/v1/users/{person.pk}/roles/", {"roles": ["editor"]})
    assert (answer.status_code, answer.json()["roles"], roles_of(person)) == (200, ["editor"], ["editor"])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/roles", "required"),
        ({"roles": "editor"}, "/roles", "invalid_type"),
        ({"roles": [1]}, "/roles", "invalid_type"),
        ({"roles": ["king"]}, "/roles", "not_found"),
        ({"role": []}, "/role", "unknown_field"),
    ],
)
def test_the_api_refuses_roles_that_are_none(api_as, chief, make_user, body, pointer, code):
    person = make_user("a.rossi")
    answer = api_as(chief).put(f"/api/v1/users/{person.pk}/roles/", body)
    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert (answer.status_code, errors) == (400, [(pointer, code)])


def test_the_api_says_why_a_role_stays(api_as, chief):
    answer = api_as(chief).put(f"/api/v1/users/{chief.pk}/roles/", {"roles": []})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_filter_that_does_not_exist_is_an_error(api_as, chief):
    assert api_as(chief).get("/api/v1/users/?role=x").json()["errors"][0]["code"] == "unknown_field"


# Roles of the installation's own, and the support pages


def test_a_role_of_ones_own_counts(make_user, browser):
    from tests.roles import right

    own = Group.objects.create(name="night shift")
    own.permissions.add(right("tests.cancel"))
    person = make_user("a.rossi", role="")
    browser.post(page_of(person), {"roles": ["night shift"]})
    assert may(User.objects.get(pk=person.pk), "tests.cancel")


def test_roles_are_edited_by_who_may_do_everything(client, make_user):
    client.force_login(make_user("clerk", "users.manage", "support.open", is_staff=True))
    address = f"/admin/auth/group/{role('viewer').pk}/change/"
    client.post(address, {"name": "viewer", "permissions": []})
    assert (client.get("/admin/auth/group/add/").status_code, role("viewer").permissions.count()) == (403, 4)


def test_the_support_pages_ask_for_the_mark_of_the_staff_too(client, make_user):
    client.force_login(make_user("a.rossi", role="support", is_staff=False))
    assert client.get("/admin/").status_code == 403


def test_the_mark_of_the_staff_alone_opens_nothing(client, make_user):
    client.force_login(make_user("a.rossi", is_staff=True))
    assert client.get("/admin/").status_code == 403


def test_an_administrator_sets_no_password_of_a_superuser(client, chief, admin_user):
    User.objects.filter(pk=chief.pk).update(is_staff=True)
    client.force_login(chief)
    answer = client.post(
        f"/admin/core/user/{admin_user.pk}/password/",
        {"password1": "new-horse-battery", "password2": "new-horse-battery"},
    )
    admin_user.refresh_from_db()
    assert (answer.status_code, admin_user.check_password(PASSWORD)) == (403, True)


def test_an_administrator_who_is_inactive_is_still_out_of_reach_of_who_may_do_less(make_user):
    sleeping = make_user("sleeping", role="administrator", is_active=False)
    assert outranks(make_user("b.verdi", "users.manage", role=""), sleeping) is False
