"""Bulk acts from the list of connections, and the pages on which they are followed, without a script."""

import re
import uuid

import pytest
from django.urls import reverse

from cluster import dispatch
from cluster.batches.models import Batch, BatchItem
from connections import bulk
from connections.models import Connection
from connections.views import bulk as bulk_pages
from tests.bulk import NOW, current, perform, results, some, start
from tests.jobs import failure, local_steng, success

pytestmark = pytest.mark.django_db

LIST = "/connections/"


@pytest.fixture
def act(admin_client):
    """Post the form of the list as a browser does."""

    def post(action, rows=(), follow=True, **more):
        posted = {"action": action, "ids": [str(row.pk) for row in rows], "filters": "", "query": "", **more}
        return admin_client.post(reverse("connections:bulk"), posted, follow=follow)

    return post


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def hidden(answer):
    """Return what the form of a page posts by itself."""
    page = answer.content.decode()
    form = page[page.index('class="card-body stack"') :]
    found = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value.replace("&amp;", "&"))
    return found


def test_the_list_has_a_box_for_each_row_and_a_button_for_each_act(admin_client):
    rows = some(2)
    page = admin_client.get(LIST).content.decode()
    assert re.findall(r'name="ids" value="([^"]+)" aria-label="Select ([^"]+)"', page) == [
        (str(row.pk), row.name) for row in rows
    ]
    assert re.findall(r'name="action" value="(\w+)"', page) == ["enable", "disable", "test", "delete"]


@pytest.mark.parametrize(
    ("role", "buttons"),
    [
        ("viewer", []),
        ("operator", ["enable", "disable", "test"]),
        ("support", ["test"]),
        ("security officer", ["test"]),
    ],
)
def test_a_role_sees_the_buttons_of_what_it_may(role, buttons, client_as):
    some(1)
    page = client_as(role).get(LIST).content.decode()
    assert re.findall(r'name="action" value="(\w+)"', page) == buttons
    assert ('name="ids"' in page) == bool(buttons)


def test_who_may_not_delete_does_not_by_a_form_of_their_own_either(client_as):
    (row,) = some(1)
    answer = client_as("operator").post(
        reverse("connections:bulk"), {"action": "delete", "ids": [str(row.pk)], "confirmed": "1"}
    )
    assert (answer.status_code, Batch.objects.count()) == (403, 0)


def test_chosen_rows_are_disabled_and_the_result_is_shown(act, admin_client):
    rows = some(3)
    page = act("disable", rows[:2])
    batch = Batch.objects.get()
    assert page.redirect_chain == [(f"/bulk/{batch.pk}/", 302)]
    assert "0 of 2 finished" in text(page)
    perform()
    shown = text(admin_client.get(f"/bulk/{batch.pk}/"))
    assert ("2 of 2 finished" in shown, "Done 2" in shown, shown.count("Disabled")) == (True, True, 2)
    assert Connection.objects.filter(status="DISABLED").count() == 2


def test_without_a_script_the_page_of_a_batch_loads_itself_while_it_runs(act, admin_client):
    address = act("disable", some(1)).redirect_chain[0][0]
    reload = '<noscript><meta http-equiv="refresh"'
    assert reload in admin_client.get(address).content.decode()
    perform()
    assert reload not in admin_client.get(address).content.decode()


def test_nothing_chosen_is_said(act):
    some(1)
    assert "No connection was chosen." in text(act("test"))
    assert Batch.objects.count() == 0


def test_one_comes_back_to_the_list_as_it_was(act):
    assert act("test", query="q=orders&page=2", follow=False)["Location"] == "/connections/?q=orders&page=2"


def test_an_act_that_does_not_exist_is_no_act(act):
    assert "Choose what is to be done." in text(act("explode", some(1)))


def test_all_that_match_are_those_of_the_filters(act):
    some(1, name="here", host="a.example.org")
    some(1, name="there", host="b.example.org")
    act("disable", all="1", filters="host=a.example.org")
    perform()
    assert results(Batch.objects.get()) == {"here": ("done", "")}


def test_the_list_posts_the_filters_that_it_shows(admin_client):
    some(1)
    page = admin_client.get(f"{LIST}?q=c0&ordering=host&security=SSLv9").content.decode()
    assert 'name="filters" value="q=c0"' in page


def test_filters_that_are_none_change_nothing(act):
    some(1)
    assert "There is no filter “hosts”." in text(act("disable", all="1", filters="hosts=a"))
    assert Batch.objects.count() == 0


def test_deleting_asks_first_and_names_what_goes(act, admin_client):
    rows = some(2)
    question = act("delete", rows)
    assert "Delete 2 connections?" in text(question)
    assert [name in text(question) for name in ("c0000", "c0001")] == [True, True]
    assert (Batch.objects.count(), hidden(question)["confirmed"]) == (0, ["2"])
    done = admin_client.post(reverse("connections:bulk"), {**hidden(question), "reason": "Partner left"}, follow=True)
    perform()
    assert (Connection.objects.count(), Batch.objects.get().reason) == (0, "Partner left")
    assert done.redirect_chain[0][0] == f"/bulk/{Batch.objects.get().pk}/"


def test_more_than_a_page_asks_first(act, admin_client, monkeypatch):
    monkeypatch.setattr(bulk_pages, "WITHOUT_ASKING", 2)
    some(3)
    question = act("test", all="1")
    assert "Test 3 connections?" in text(question)
    admin_client.post(reverse("connections:bulk"), hidden(question))
    assert Batch.objects.get().total == 3


def test_what_changed_since_the_question_is_asked_again(act, admin_client):
    rows = some(2)
    question = act("delete", all="1")
    some(1, name="late")
    again = admin_client.post(reverse("connections:bulk"), hidden(question))
    assert (again.status_code, Batch.objects.count()) == (409, 0)
    assert "When you were asked, 2 matched; now it is 3." in text(again)
    admin_client.post(reverse("connections:bulk"), hidden(again))
    assert Batch.objects.get().total == len(rows) + 1


def test_the_question_does_not_list_names_without_end(act, monkeypatch):
    monkeypatch.setattr(bulk_pages, "NAMED", 2)
    some(3)
    question = text(act("delete", all="1"))
    assert ("c0001" in question, "c0002" in question, "and 1 more" in question) == (True, False, True)


def test_too_many_are_refused_in_a_sentence(act, monkeypatch):
    monkeypatch.setattr(bulk, "LIMIT", 1)
    assert "At most 1 connections at a time." in text(act("test", some(2)))


def test_failures_come_first_and_lead_to_their_tests(admin_client, admin_user):
    steng = local_steng(NOW)
    batch = start("test", [*some(2), *some(1, name="gone")], admin_user)
    Connection.objects.filter(name="gone").delete()
    perform()
    for item, report in zip(
        BatchItem.objects.filter(job__isnull=False).order_by("place"), (success(), failure()), strict=True
    ):
        dispatch.accept(item.job_id, NOW)
        dispatch.finish(item.job_id, dispatch.claim(item.job_id, steng, NOW).attempt, report, NOW)
    perform()
    page = admin_client.get(f"/bulk/{batch.pk}/")
    assert re.findall(r"c0001|gone|c0000", text(page).partition("Details")[2]) == [
        "c0001",
        "c0001",
        "gone",
        "c0000",
        "c0000",
    ]
    assert "Credentials refused" in text(page)
    assert f"/tests/{BatchItem.objects.get(name='c0001').job_id}/" in page.content.decode()
    assert "c0000" not in text(admin_client.get(f"/bulk/{batch.pk}/?show=failed")).partition("Details")[2]


def test_a_poll_answers_nothing_while_nothing_is_new(act, admin_client):
    some(1)
    address = act("disable", Connection.objects.all()).redirect_chain[0][0]
    page = admin_client.get(address)
    poll = re.search(r'hx-get="([^"]+)"', page.content.decode())[1].replace("&amp;", "&")
    assert admin_client.get(poll, headers={"HX-Request": "true"}).status_code == 204
    perform()
    last = admin_client.get(poll, headers={"HX-Request": "true"})
    assert ("hx-get" in last.content.decode(), 'id="announce" hx-swap-oob' in last.content.decode()) == (False, True)
    assert "Finished: Disable 1 connection, 0 failed." in text(last)


def test_a_poll_without_a_script_is_the_page(admin_client, admin_user):
    batch = start("disable", some(1), admin_user)
    assert admin_client.get(f"/bulk/{batch.pk}/live/")["Location"] == f"/bulk/{batch.pk}/"


def test_a_batch_is_cancelled_from_its_page(act, admin_client):
    address = act("disable", some(2)).redirect_chain[0][0]
    assert "Cancel the rest" in text(admin_client.get(address))
    page = admin_client.post(f"{address}cancel/", follow=True)
    assert ("Cancelled 2" in text(page), "Cancel the rest" in text(page)) == (True, False)


def test_cancelling_what_is_over_says_so(act, admin_client):
    address = act("disable", some(1)).redirect_chain[0][0]
    perform()
    assert "Everything was done already." in text(admin_client.post(f"{address}cancel/", follow=True))


def test_others_batches_are_cancelled_with_the_act_only(admin_user, client_as):
    batch = start("disable", some(1), admin_user)
    support, operator = client_as("support"), client_as("operator")
    assert "Cancel the rest" not in text(support.get(f"/bulk/{batch.pk}/"))
    assert support.post(f"/bulk/{batch.pk}/cancel/").status_code == 403
    assert operator.post(f"/bulk/{batch.pk}/cancel/").status_code == 302
    assert current(batch).cancelled_at is not None


def test_who_has_no_role_learns_nothing_of_batches(admin_user, client_as):
    batch = start("disable", some(1), admin_user)
    nobody = client_as("")
    addresses = ("/bulk/", f"/bulk/{batch.pk}/", f"/bulk/{batch.pk}/live/", f"/bulk/{uuid.uuid4()}/")
    assert [nobody.get(address).status_code for address in addresses] == [403, 404, 404, 404]


def test_past_batches_are_listed(admin_client, admin_user):
    assert "No bulk run yet" in text(admin_client.get("/bulk/"))
    start("disable", some(2), admin_user)
    perform()
    page = text(admin_client.get("/bulk/"))
    assert ("Disable 2 connections" in page, "2 done" in page, "Finished" in page) == (True, True, True)


def test_a_test_leads_back_to_its_bulk_run(admin_client, admin_user):
    local_steng(NOW)
    batch = start("test", some(1), admin_user)
    perform()
    page = admin_client.get(f"/tests/{BatchItem.objects.get().job_id}/").content.decode()
    assert f'href="/bulk/{batch.pk}/"' in page
