"""Who may do what, beyond the table of roles: what hangs on whose a thing is, and what pages offer."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from core.permissions import ACTS, ANYONE, LOGGED_IN, ActMixin, Need, acts_of, may, need_of, needs, visible
from tests.jobs import enqueue, local_steng

pytestmark = pytest.mark.django_db


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


@pytest.fixture
def ask(make_user):
    def ask(view, method, *acts, **address):
        request = RequestFactory().generic(method, "/")
        request.user = make_user(f"u{uuid.uuid4().hex}", *acts, role="")
        return view(request, **address).status_code

    return ask


# Drafts


@pytest.fixture
def draft(steng, make_user):
    """Return a test of values that nobody saved, and who asked for it."""
    owner = make_user("owner", "connections.draft")
    return enqueue(steng, now=timezone.now(), user=owner), owner


ADDRESSES = ("/tests/{}/", "/tests/{}/transcript/", "/api/v1/jobs/{}/", "/api/v1/jobs/{}/transcript/")


def statuses(client, user, job):
    client.force_login(user)
    return {client.get(address.format(job.pk)).status_code for address in ADDRESSES}


def listed(client, user):
    client.force_login(user)
    page = client.get("/tests/").context["page"]
    return page.paginator.count, client.get("/api/v1/jobs/").json()["count"]


def test_a_token_that_only_reads_reads_the_drafts_that_its_user_may_see(api_as, make_user, draft):
    assert api_as(make_user("editor", role="editor"), "read").get("/api/v1/jobs/").json()["count"] == 1


def test_a_draft_is_shown_to_who_asked_for_it(client, draft):
    job, owner = draft
    assert (statuses(client, owner, job), listed(client, owner)) == ({200}, (1, 1))


@pytest.mark.parametrize("role", ["viewer", "operator", "security officer"])
def test_a_draft_of_somebody_else_does_not_exist(client, draft, make_user, role):
    person = make_user("other", role=role)
    assert (statuses(client, person, draft[0]), listed(client, person)) == ({404}, (0, 0))


@pytest.mark.parametrize("role", ["editor", "support", "administrator"])
def test_a_draft_is_shown_to_who_changes_connections_or_gives_support(client, draft, make_user, role):
    person = make_user("other", role=role)
    assert (statuses(client, person, draft[0]), listed(client, person)) == ({200}, (1, 1))


def test_the_panel_of_a_draft_of_somebody_else_does_not_exist(client, draft, make_user):
    client.force_login(make_user("other"))
    assert client.get(f"/tests/{draft[0].pk}/panel/", headers={"HX-Request": "true"}).status_code == 404


def test_a_draft_of_somebody_else_cannot_be_cancelled_by_who_may_not_see_it(client, draft, make_user):
    job, _ = draft
    client.force_login(make_user("other", role="operator"))
    answers = [
        client.post(address).status_code for address in (f"/tests/{job.pk}/cancel/", f"/api/v1/jobs/{job.pk}/cancel/")
    ]
    job.refresh_from_db()
    assert (answers, job.state) == ([404, 404], "queued")


@pytest.mark.parametrize("address", ["/tests/{}/cancel/", "/api/v1/jobs/{}/cancel/"])
def test_ones_own_test_is_cancelled_without_the_act(client, draft, address):
    job, owner = draft
    client.force_login(owner)
    client.post(address.format(job.pk))
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_token_to_read_cancels_not_even_ones_own_test(api_as, draft):
    job, owner = draft
    answer = api_as(owner, "read").post(f"/api/v1/jobs/{job.pk}/cancel/")
    assert (answer.status_code, "scope" in answer.json()["detail"]) == (403, True)


def test_equal_drafts_of_two_people_are_two_tests(steng, make_user):
    first, second = (enqueue(steng, now=timezone.now(), user=make_user(name)) for name in ("one", "two"))
    assert first.pk != second.pk


def test_equal_tests_of_a_saved_connection_are_one(steng, make_user):
    connection = (uuid.uuid4(), "smtp", "orders-out")
    first, second = (
        enqueue(steng, now=timezone.now(), connection=connection, user=make_user(name)) for name in ("one", "two")
    )
    assert first.pk == second.pk


# The doors


def test_a_method_that_declares_nothing_is_not_answered(ask):
    assert ask(needs(get=LOGGED_IN)(lambda request: HttpResponse()), "POST") == 405


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_what_asks_whether_it_is_get_is_not_given_another_method(ask, method):
    view = needs(get=LOGGED_IN, post=LOGGED_IN)(lambda request: HttpResponse())
    assert ask(view, method) == 405


def test_a_page_of_a_class_without_acts_is_closed(ask):
    from django.views.generic import View

    class Forgetful(ActMixin, View):
        def get(self, request):
            return HttpResponse()

    with pytest.raises(PermissionDenied):
        ask(Forgetful.as_view(), "GET", *ACTS)


def test_a_list_is_refused_and_a_thing_hidden(ask):
    view = needs(get="trust.view")(lambda request, **address: HttpResponse())
    with pytest.raises(PermissionDenied, match="You may not see which certificates are trusted"):
        ask(view, "GET")
    with pytest.raises(Http404):
        ask(view, "GET", pk=1)


def test_a_part_that_chooses_a_kind_names_no_thing(ask):
    with pytest.raises(PermissionDenied):
        ask(needs(get="connections.view")(lambda request, kind: HttpResponse()), "GET", kind="smtp")


def test_an_act_that_does_not_exist_is_a_bug(make_user):
    with pytest.raises(KeyError):
        may(make_user(), "connections.fly")


def test_who_is_inactive_may_nothing(make_user):
    assert acts_of(make_user("gone", role="administrator", is_active=False)) == frozenset()


def test_visible_answers_like_nothing(make_user):
    with pytest.raises(Http404):
        visible(make_user(role=""), "connections.view")


def test_a_token_does_not_hide_what_its_user_sees(api_as, admin_user):
    answer = api_as(admin_user, "read").get(f"/api/v1/users/{admin_user.pk}/")
    detail = "The scope of this token, read, does not allow this: full is needed."
    assert (answer.status_code, answer.json()["detail"]) == (403, detail)


def test_options_are_for_who_may_see_the_thing(make_user):
    assert need_of({"get": ANYONE, "post": "connections.edit"}, "OPTIONS") == Need((ANYONE, "connections.view"))


# Pages


def test_who_has_no_role_is_told_so(client_as):
    page = client_as("").get("/").content.decode()
    assert ("You have no role yet" in page, "Ask an administrator" in page) == (True, True)


def test_who_has_a_role_is_led_to_the_connections(client_as):
    assert client_as("viewer").get("/")["Location"] == "/connections/"


def test_who_may_do_other_things_is_sent_to_the_navigation(client, make_user):
    client.force_login(make_user("auditor", "audit.view", role=""))
    page = client.get("/").content.decode()
    assert ("You have no role yet" in page, "stands in the navigation" in page) == (False, True)


def navigation(client):
    import re

    page = client.get("/password/").content.decode()
    return re.findall(r'<a class="nav-item" href="([^"]+)"', page)


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        ("", {"/connections/", "/tests/", "/setup/trust/", "/setup/clusters/", "/audit/", "/users/"}),
        ("viewer", {"/audit/", "/users/"}),
        ("security officer", {"/users/"}),
        ("administrator", set()),
    ],
)
def test_the_navigation_shows_what_can_be_opened(client_as, role, hidden):
    every = {"/connections/", "/tests/", "/setup/trust/", "/setup/clusters/", "/audit/", "/users/"}
    assert every - set(navigation(client_as(role))) == hidden


# Connections


@pytest.fixture
def saved(api):
    from tests.definitions import GOOD

    return api.post("/api/v1/connections/smtp/", GOOD).json()


def test_who_may_enable_changes_the_status_alone(saved, api_as, make_user):
    client = api_as(make_user("operator", role="operator"))
    address = f"/api/v1/connections/smtp/{saved['id']}/"
    answers = [client.patch(address, body) for body in ({"status": "DISABLED"}, {"status": "ENABLED", "port": 25})]
    assert [answer.status_code for answer in answers] == [200, 403]
    assert {name: client.get(address).json()[name] for name in ("status", "port")} == {
        "status": "DISABLED",
        "port": 587,
    }


def test_who_may_test_tests_no_draft(saved, api_as, make_user):
    from tests.definitions import GOOD

    answer = api_as(make_user("operator", role="operator")).post("/api/v1/connections/smtp/test/", GOOD)
    assert (answer.status_code, answer.json()["detail"]) == (403, "You may not test values that are not saved.")


def test_who_may_not_test_drafts_tests_what_is_saved(saved, steng, client_as):
    from cluster.models import Job

    client = client_as("operator")
    client.post(f"/connections/smtp/{saved['id']}/test/", {"host": "evil.example", "port": "25"})
    job = Job.objects.get()
    assert (job.definition["host"], str(job.connection_id)) == ("mail.example.org", saved["id"])
