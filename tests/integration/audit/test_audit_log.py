"""The page and the resource of the audit log: filters, pages that begin where another ended, and who sees it."""

import datetime as dt
import re
from itertools import chain

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from cluster.models import Cluster
from cluster.services import delete_cluster, save_cluster
from core import audit
from core.audit import filters, selectors
from core.audit.models import AuditEvent
from tests.integration.untrusted import words

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
PAGE, API = "/audit/", "/api/v1/audit/"
MINUTE = dt.timedelta(minutes=1)
TABLE = [
    # act, name, who, door, reason
    ("connection.created", "mail-in", "a.rossi", "page", ""),
    ("connection.changed", "mail-in", "b.bianchi", "api", "Moved to another host."),
    ("connection.deleted", "mail-out", "a.rossi", "api", ""),
    ("steng.disabled", "east-1", "a.rossi", "page", "Its host is restarted at 50%_."),
    ("vault.rotated", "vault", "root", "command", ""),
]


@pytest.fixture
def trail():
    """Record an event a minute, the first at NOW."""
    for number, (act, name, who, door, reason) in enumerate(TABLE):
        with audit.acting(audit.Actor(number, who, audit.Door(door), "192.0.2.7")):
            subject = audit.Thing(audit.group_of(act), f"id-{name}", name)
            audit.record(
                act, subject, before={"port": 25}, after={"port": 587}, reason=reason, now=NOW + number * MINUTE
            )


@pytest.fixture
def officer(client_as):
    return client_as("security officer")


@pytest.fixture
def reader(api_as, make_user):
    return api_as(make_user("officer", role="security officer"), "read")


@pytest.fixture
def many():
    """Record 120 events, many of them in the same instant, as a batch does."""
    with audit.acting(audit.Actor(1, "a.rossi", audit.Door.PAGE, "")):
        for number in range(120):
            audit.record(
                "test.requested", audit.Thing("test", str(number), f"t-{number}"), now=NOW + number // 50 * MINUTE
            )


def acts(answer):
    return [event["act"] for event in answer.json()["results"] if event["at"].startswith("2026-05-04")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["vault.rotated", "steng.disabled", "connection.deleted", "connection.changed", "connection.created"]),
        ("actor=a.rossi", ["steng.disabled", "connection.deleted", "connection.created"]),
        ("actor=a.ross", []),
        ("act=connection", ["connection.deleted", "connection.changed", "connection.created"]),
        ("act=connection.changed", ["connection.changed"]),
        ("kind=connection&name=mail-in", ["connection.changed", "connection.created"]),
        ("kind=steng&name=mail-in", []),
        ("kind=connection&id=id-mail-out", ["connection.deleted"]),
        ("kind=steng", ["steng.disabled"]),
        ("door=command", ["vault.rotated"]),
        ("actor=a.rossi&door=api", ["connection.deleted"]),
        ("q=ANOTHER+host", ["connection.changed"]),
        ("q=bianchi", ["connection.changed"]),
        ("q=50%25_", ["steng.disabled"]),
        ("q=mail&actor=a.rossi", ["connection.deleted", "connection.created"]),
        ("from=2026-05-04T12:03:00Z", ["vault.rotated", "steng.disabled"]),
        ("to=2026-05-04T12:01:00Z", ["connection.changed", "connection.created"]),
        ("from=2026-05-04T14:03:00+02:00&to=2026-05-04T12:03:00Z", ["steng.disabled"]),
        ("from=2026-05-04&to=2026-05-04&kind=vault", ["vault.rotated"]),
        ("to=2026-05-03", []),
        ("from=2026-05-05", []),
    ],
)
def test_events_are_found_by(trail, reader, query, found):
    assert acts(reader.get(f"{API}?{query}")) == found


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ("act=connection.painted", "act", "invalid_choice"),
        ("door=window", "door", "invalid_choice"),
        ("from=yesterday", "from", "invalid_type"),
        ("to=2026-05-04T12:00:00", "to", "invalid_type"),
        ("older=here", "older", "invalid_type"),
        ("newer=1-99999999999999999999", "newer", "invalid_type"),
        ("user=a.rossi", "user", "unknown_field"),
        ("offset=50", "offset", "unknown_field"),
        ("limit=501", "limit", "out_of_range"),
        ("q=" + "q" * 301, "q", "too_long"),
        ("q=%00", "q", "forbidden_character"),
    ],
)
def test_what_is_no_filter_is_refused(reader, query, name, code):
    answer = reader.get(f"{API}?{query}")
    assert (answer.status_code, [(e["pointer"], e["code"]) for e in answer.json()["errors"]]) == (
        400,
        [(f"/{name}", code)],
    )


class TestOneEvent:
    def test_the_resource_says_everything(self, trail, reader):
        event = AuditEvent.objects.get(act="connection.changed")
        assert reader.get(f"{API}{event.pk}/").json() == {
            "id": event.pk,
            "at": "2026-05-04T12:01:00Z",
            "act": "connection.changed",
            "sentence": "The definition of a connection was changed.",
            "actor": {"id": 1, "name": "b.bianchi"},
            "door": "api",
            "address": "192.0.2.7",
            "object": {"kind": "connection", "id": "id-mail-in", "name": "mail-in"},
            "before": {"port": 25},
            "after": {"port": 587},
            "reason": "Moved to another host.",
            "extra": {},
        }

    @pytest.mark.parametrize("number", [0, 10**9, 2**63, 10**30])
    def test_an_event_that_does_not_exist_is_not_found(self, reader, number):
        assert reader.get(f"{API}{number}/").status_code == 404

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_nothing_can_be_written(self, trail, api, method):
        event = AuditEvent.objects.latest("pk")
        assert getattr(api, method)(f"{API}{event.pk}/", {}).status_code == 405
        assert AuditEvent.objects.filter(pk=event.pk).exists()


class TestPages:
    def walk(self, reader, address):
        pages = []
        while address:
            answer = reader.get(address).json()
            pages.append([event["object"]["name"] for event in answer["results"]])
            address = answer["next"]
        return pages

    @pytest.mark.parametrize("query", ["act=test", "act=test&door=page", "act=test&q=t-"])
    def test_every_event_stands_on_exactly_one_page(self, many, reader, query):
        pages = self.walk(reader, f"{API}?limit=33&{query}")
        assert [len(page) for page in pages] == [33, 33, 33, 21]
        assert list(chain(*pages)) == [f"t-{number}" for number in reversed(range(120))]

    @pytest.mark.parametrize("query", ["act=test", "act=test&q=t-"])
    def test_the_way_back_leads_over_the_same_pages(self, many, reader, query):
        first = reader.get(f"{API}?limit=40&{query}").json()
        second = reader.get(first["next"]).json()
        third = reader.get(second["next"]).json()
        assert reader.get(third["previous"]).json()["results"] == second["results"]
        assert reader.get(second["previous"]).json()["results"] == first["results"]

    def test_the_newest_page_has_none_before_it(self, many, reader):
        assert reader.get(f"{API}?act=test").json()["previous"] is None

    def test_what_comes_meanwhile_moves_nothing(self, many, reader):
        following = reader.get(f"{API}?limit=40&act=test").json()["next"]
        expected = reader.get(following).json()["results"]
        audit.record("test.requested", audit.Thing("test", "x", "late"))
        assert reader.get(following).json()["results"] == expected

    def test_a_page_searches_through_a_bounded_number_of_events(self, many, reader, monkeypatch):
        monkeypatch.setattr(selectors, "WINDOW", 50)
        pages = self.walk(reader, f"{API}?act=test&q=t-5")
        assert pages == [[], ["t-59", "t-58", "t-57", "t-56", "t-55", "t-54", "t-53", "t-52", "t-51", "t-50"], ["t-5"]]

    def test_a_page_that_is_full_before_the_window_ends_goes_on_where_it_ended(self, many, reader, monkeypatch):
        monkeypatch.setattr(selectors, "WINDOW", 50)
        pages = self.walk(reader, f"{API}?act=test&q=t-&limit=30")
        assert list(chain(*pages)) == [f"t-{number}" for number in reversed(range(120))]

    def test_the_page_says_where_the_search_ended(self, many, officer, monkeypatch):
        monkeypatch.setattr(selectors, "WINDOW", 50)
        page = officer.get(f"{PAGE}?act=test&q=t-5")
        assert "The search went only so far back: go on with “Older”." in words(page)
        assert "No event matches" not in words(page)

    def test_few_events_are_counted(self, many, reader):
        assert reader.get(f"{API}?act=test").json()["count"] == 120

    def test_many_events_are_not(self, many, reader, monkeypatch):
        monkeypatch.setattr(selectors, "MAX_COUNT", 100)
        assert reader.get(f"{API}?act=test").json()["count"] is None

    def test_events_beyond_the_window_are_not_counted(self, many, reader, monkeypatch):
        monkeypatch.setattr(selectors, "WINDOW", 50)
        assert reader.get(f"{API}?act=test&q=t-5").json()["count"] is None

    @pytest.mark.parametrize(
        ("query", "index"),
        [
            ({}, "audit_newest"),
            ({"q": "mail"}, "audit_newest"),
            ({"actor": "a.rossi"}, "audit_by_actor"),
            ({"act": "vault"}, "audit_by_group"),
            ({"act": "vault.rotated"}, "audit_by_act"),
            ({"kind": "connection", "id": "1"}, "audit_by_object"),
            ({"kind": "connection"}, "audit_by_kind"),
            ({"name": "mail-in", "door": "api"}, "audit_by_object_name"),
            ({"door": "api", "from": "2026-01-01"}, "audit_by_door"),
        ],
    )
    def test_every_statement_of_a_page_keeps_to_one_index(self, many, query, index, monkeypatch):
        monkeypatch.setattr(selectors, "WINDOW", 50)
        wanted = filters.read(query)
        place = selectors.Place(NOW + MINUTE, 50)
        with CaptureQueriesContext(
            database,
        ) as captured:
            selectors.page(wanted, 50)
            selectors.page(wanted, 50, older=place)
            selectors.page(wanted, 50, newer=place)
        for statement in captured.captured_queries:
            with database.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {statement['sql']}")
                plan = [row[3] for row in cursor.fetchall()]
            assert len(plan) == 1
            assert re.search(rf"USING (?:COVERING )?INDEX {index}\b", plan[0]), (statement["sql"], plan)


class TestThePage:
    def test_it_shows_who_did_what_when_and_why(self, trail, officer):
        shown = words(officer.get(f"{PAGE}?kind=connection&name=mail-in"))
        for text in ("4 May 2026 12:01:00 UTC", "b.bianchi", "API", "192.0.2.7", "Moved to another host.", "mail-in"):
            assert text in shown
        assert "The definition of a connection was changed." in shown

    def test_it_shows_what_was_before_and_after(self, trail, officer):
        shown = words(officer.get(f"{PAGE}?act=connection.changed"))
        assert "Field Before After Port 25 587" in shown

    def test_a_secret_is_set_and_no_more(self, officer):
        secret = {"is_set": True, "changed_at": "2026-05-04T12:00:00+00:00"}
        audit.record("connection.created", audit.Thing("connection", "1", "c"), after={"password": secret})
        assert "Password set since 4 May 2026 12:00:00 UTC" in words(officer.get(PAGE))

    def test_values_are_called_as_in_the_forms(self, officer):
        steng = audit.Thing("steng", "", "east-1")
        audit.record("steng.changed", steng, before={"slots": 7, "drain": False}, after={"slots": 9, "drain": True})
        assert "Slots 7 9 Drain off on" in words(officer.get(PAGE))

    def test_of_what_is_created_only_what_is_set_is_shown(self, officer):
        audit.record("cluster.created", audit.Thing("cluster", "", "c"), after={"name": "c", "description": ""})
        assert "Description" not in words(officer.get(PAGE))

    @pytest.mark.parametrize(
        "text", ["2026-99-99T12:00:00+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00"]
    )
    def test_what_only_looks_like_a_moment_is_shown_as_it_is(self, officer, text):
        audit.record("cluster.created", audit.Thing("cluster", "", "c"), after={"description": text})
        assert f"Description {text}" in words(officer.get(PAGE))

    def test_what_is_still_there_can_be_opened(self, admin_client):
        cluster = save_cluster(Cluster(), {"name": "east"}, NOW)
        assert f'href="/setup/clusters/{cluster.pk}/"' in admin_client.get(f"{PAGE}?kind=cluster").content.decode()

    @pytest.mark.parametrize(("role", "opened"), [("administrator", True), ("security officer", False)])
    def test_a_user_can_be_opened_by_who_manages_users(self, client_as, make_user, role, opened):
        person = make_user("a.rossi")
        audit.record("user.changed", person, after={"email": "a@example.org"})
        page = client_as(role).get(f"{PAGE}?kind=user").content.decode()
        assert (f'href="/users/{person.pk}/"' in page) is opened

    def test_what_is_gone_is_named_without_a_link(self, officer):
        cluster = save_cluster(Cluster(), {"name": "east"}, NOW)
        key = cluster.pk
        delete_cluster(cluster)
        page = officer.get(f"{PAGE}?kind=cluster&id={key}")
        assert "east" in words(page)
        assert f'href="/setup/clusters/{key}/"' not in page.content.decode()

    def test_what_was_typed_is_escaped(self, officer):
        audit.record("cluster.created", audit.Thing("cluster", "", "<script>x"), reason="<b>", after={"<i>": "<u>"})
        page = officer.get(PAGE).content.decode()
        assert not re.search(r"<script>x|<b>|<i>|<u>", page)

    def test_an_address_that_has_aged_is_answered_without_the_filter(self, trail, officer):
        page = officer.get(f"{PAGE}?act=connection.painted&older=nowhere&actor=root")
        assert "Not a filter of this log: act." in words(page)
        assert "The key of the vault was changed." in words(page)

    def test_filters_stay_when_a_page_is_turned(self, many, officer):
        page = officer.get(f"{PAGE}?act=test").content.decode()
        older = re.search(r'rel="next" href="\?([^"]+)"', page)[1].replace("&amp;", "&")
        assert "act=test" in older
        assert "50 of 120 events" in words(officer.get(f"{PAGE}?{older}"))

    def test_a_page_takes_few_queries_however_many_events_it_shows(self, many, trail, officer):
        with CaptureQueriesContext(database) as captured:
            officer.get(PAGE)
        assert len(captured) <= 12

    def test_an_empty_log_says_so(self, officer):
        assert "No event yet" in words(officer.get(PAGE))


class TestWhoSeesIt:
    @pytest.mark.parametrize("role", ["security officer", "support", "administrator"])
    def test_who_may_sees_the_log_and_its_entry_in_the_navigation(self, client_as, role):
        client = client_as(role)
        assert client.get(PAGE).status_code == 200
        assert f'href="{PAGE}"' in client.get("/connections/").content.decode()

    @pytest.mark.parametrize("role", ["viewer", "operator", "editor"])
    def test_who_may_not_is_told_so_and_sees_no_entry(self, client_as, role):
        client = client_as(role)
        assert client.get(PAGE).status_code == 403
        assert f'href="{PAGE}"' not in client.get("/connections/").content.decode()

    @pytest.mark.parametrize("role", ["viewer", "operator", "editor", ""])
    def test_by_the_api_a_list_is_refused_and_an_event_does_not_exist(self, trail, api_as, make_user, role):
        client = api_as(make_user(role=role))
        event = AuditEvent.objects.first()
        assert client.get(API).status_code == 403
        assert client.get(f"{API}{event.pk}/").status_code == 404

    def test_a_reading_token_is_enough(self, trail, reader):
        assert reader.get(API).status_code == 200

    def test_on_the_support_pages_it_is_read_only(self, trail, admin_client):
        event = AuditEvent.objects.first()
        page = admin_client.get(f"/admin/core/auditevent/{event.pk}/change/")
        assert page.status_code == 200
        assert 'name="_save"' not in page.content.decode()
        assert admin_client.post(f"/admin/core/auditevent/{event.pk}/change/", {"reason": "x"}).status_code == 403
        assert admin_client.post(f"/admin/core/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
        assert admin_client.get("/admin/core/auditevent/add/").status_code == 403

    def test_on_the_support_pages_nothing_can_be_deleted_from_the_list(self, trail, admin_client):
        values = {"action": "delete_selected", "_selected_action": [event.pk for event in AuditEvent.objects.all()]}
        admin_client.post("/admin/core/auditevent/", {**values, "post": "yes"})
        assert AuditEvent.objects.filter(at__lt=NOW + 5 * MINUTE).count() == len(TABLE)

    def test_the_support_pages_find_events(self, trail, admin_client):
        shown = words(admin_client.get("/admin/core/auditevent/?q=mail-in"))
        assert "connection.changed" in shown
        assert "vault.rotated" not in shown

    def test_the_support_pages_filter_by_what_it_is_about(self, trail, admin_client):
        shown = words(admin_client.get("/admin/core/auditevent/?act_group=vault"))
        assert "vault.rotated" in shown
        assert "connection.changed" not in shown

    @pytest.mark.parametrize("query", ["", "?q=mail-in", "?act_group=connection&door__exact=api", "?p=2"])
    def test_a_list_of_the_support_pages_takes_few_queries(self, trail, many, admin_client, query):
        with CaptureQueriesContext(database) as captured:
            assert admin_client.get(f"/admin/core/auditevent/{query}").status_code == 200
        assert len(captured) <= 8

    def test_whoever_may_only_open_the_support_pages_sees_no_event_there(self, trail, make_user, client):
        client.force_login(make_user("desk", "support.open", role="viewer", is_staff=True))
        assert client.get("/admin/core/auditevent/").status_code == 403
