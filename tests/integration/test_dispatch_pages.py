"""The pages of clusters and tests, as a browser without a script sees them, and the fragment for one with it."""

import uuid

import pytest
from django.utils import timezone

from cluster import dispatch
from cluster.models import Cluster, Job, Steng
from tests.jobs import enqueue, failure, local_steng, running, success

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


@pytest.fixture
def live(steng):
    return running(steng, now=timezone.now(), connection=(uuid.uuid4(), "smtp", "orders-out"))


def finished(live, report):
    job, claim = live
    dispatch.finish(job.pk, claim.attempt, report, timezone.now())
    return job


def test_the_page_of_clusters_shows_the_local_steng(steng, viewer_client):
    page = viewer_client.get("/setup/clusters/").content.decode()
    assert ("local" in page, "Online" in page) == (True, True)


def test_a_cluster_is_made_by_form(admin_client):
    answer = admin_client.post("/setup/clusters/new/", {"name": "dmz", "description": ""})
    assert (answer.status_code, Cluster.objects.get().name) == (302, "dmz")


def test_a_bad_name_stays_in_the_form_with_its_error(admin_client):
    answer = admin_client.post("/setup/clusters/new/", {"name": "a b", "description": "kept"})
    page = answer.content.decode()
    assert (answer.status_code, 'value="a b"' in page, "is not allowed here" in page) == (422, True, True)


def test_a_steng_is_made_and_changed_by_form(steng, admin_client):
    values = {"name": "dmz-1", "description": "", "cluster": "local", "slots": "20"}
    admin_client.post("/setup/stengs/new/", values)
    made = Steng.objects.get(name="dmz-1")
    admin_client.post(f"/setup/stengs/{made.pk}/", {**values, "slots": "30"})
    made.refresh_from_db()
    assert (made.slots, made.cluster_id) == (30, steng.cluster_id)


def test_an_empty_form_of_a_steng_names_all_that_is_missing(steng, admin_client):
    response = admin_client.post("/setup/stengs/new/", {"name": "", "cluster": "", "slots": "5"})
    errors = response.context["form"].errors.as_data()
    assert {(name, error.code) for name, found in errors.items() for error in found} == {
        ("name", "required"),
        ("cluster", "required"),
    }


def test_slots_that_are_no_number_are_an_error_at_their_field(steng, admin_client):
    values = {"name": "dmz-1", "description": "", "cluster": "local", "slots": "25.9"}
    answer = admin_client.post("/setup/stengs/new/", values)
    assert (answer.status_code, [error.code for error in answer.context["form"].errors.as_data()["slots"]]) == (
        422,
        ["invalid_type"],
    )


@pytest.mark.parametrize("wish", ["enable", "disable", "drain"])
def test_a_wish_is_made_by_a_button(wish, steng, admin_client):
    assert admin_client.post(f"/setup/stengs/{steng.pk}/{wish}/").status_code == 302
    steng.refresh_from_db()
    assert (steng.enabled, steng.drain) == {"enable": (True, False), "disable": (False, False), "drain": (True, True)}[
        wish
    ]


def test_there_is_no_other_wish(steng, admin_client):
    assert admin_client.post(f"/setup/stengs/{steng.pk}/explode/").status_code == 404


def test_a_cluster_in_use_stays_and_says_by_whom(steng, admin_client):
    page = admin_client.post(f"/setup/clusters/{steng.cluster_id}/delete/", follow=True).content.decode()
    assert ("Used by: local" in page, Cluster.objects.count()) == (True, 1)


@pytest.mark.parametrize(
    "path",
    ["clusters/new/", "clusters/{cluster}/delete/", "stengs/new/", "stengs/{steng}/drain/", "stengs/{steng}/delete/"],
)
def test_who_may_only_read_changes_nothing(path, steng, viewer_client):
    answer = viewer_client.post("/setup/" + path.format(cluster=steng.cluster_id, steng=steng.pk), {"name": "dmz"})
    steng.refresh_from_db()
    assert (answer.status_code, Cluster.objects.count(), steng.drain) == (403, 1, False)


def test_the_history_shows_a_test(live, viewer_client):
    finished(live, failure())
    assert "orders-out" in viewer_client.get("/tests/").content.decode()


@pytest.mark.parametrize(("query", "count"), [("verdict=failure", 1), ("verdict=success", 0), ("state=nonsense", 1)])
def test_the_history_is_filtered(query, count, live, viewer_client):
    finished(live, failure())
    assert viewer_client.get(f"/tests/?{query}").context["page"].paginator.count == count


def test_the_page_of_a_test_shows_reason_and_remedy(live, viewer_client):
    job = finished(live, failure())
    page = viewer_client.get(f"/tests/{job.pk}/").content.decode()
    assert ("It did not work." in page, "Mend it." in page, "credentials_refused" in page) == (True, True, True)


def test_the_panel_of_a_running_test_fetches_itself(live, viewer_client):
    page = viewer_client.get(f"/tests/{live[0].pk}/panel/", headers=HTMX).content.decode()
    assert 'hx-trigger="every 400ms"' in page


def test_the_panel_of_a_finished_test_does_not(live, viewer_client):
    job = finished(live, success())
    assert "every 400ms" not in viewer_client.get(f"/tests/{job.pk}/panel/", headers=HTMX).content.decode()


def test_the_panel_is_not_sent_again_while_nothing_is_new(live, viewer_client):
    address = f"/tests/{live[0].pk}/panel/?seen=running-0"
    assert viewer_client.get(address, headers=HTMX).status_code == 204
    dispatch.progress(live[0].pk, 1, success().stages)
    assert viewer_client.get(address, headers=HTMX).status_code == 200


def test_without_a_script_the_panel_is_the_page(live, viewer_client):
    answer = viewer_client.get(f"/tests/{live[0].pk}/panel/")
    assert (answer.status_code, answer["Location"]) == (302, f"/tests/{live[0].pk}/")


def test_a_button_cancels_and_leads_back(live, admin_client):
    answer = admin_client.post(f"/tests/{live[0].pk}/cancel/", {"next": "/connections/"})
    assert (answer["Location"], Job.objects.get().state) == ("/connections/", "cancelled")


def test_a_cancel_does_not_lead_to_strangers(live, admin_client):
    answer = admin_client.post(f"/tests/{live[0].pk}/cancel/", {"next": "https://evil.example/"})
    assert answer["Location"] == f"/tests/{live[0].pk}/"


def test_who_may_only_read_cancels_nothing(live, viewer_client):
    assert viewer_client.post(f"/tests/{live[0].pk}/cancel/").status_code == 403
    assert Job.objects.get().state == "running"


def test_the_transcript_has_its_page(live, viewer_client):
    job = finished(live, success())
    assert viewer_client.get(f"/tests/{job.pk}/transcript/").status_code == 200


@pytest.mark.parametrize("path", ["", "panel/", "transcript/"])
def test_a_test_that_does_not_exist_is_not_found(path, viewer_client):
    assert viewer_client.get(f"/tests/{uuid.uuid4()}/{path}", headers=HTMX).status_code == 404


def test_no_page_shows_what_is_sealed(steng, viewer_client):
    job = enqueue(steng, now=timezone.now())
    for address in (f"/tests/{job.pk}/", "/tests/", f"/tests/{job.pk}/transcript/"):
        assert job.sealed_request not in viewer_client.get(address).content.decode()
