"""The pages of credentials: list, form, delete, and the search by name."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from credentials import rules, services
from credentials.forms import CredentialForm
from credentials.models import Credential
from tests.credentials import BASIC, OAUTH2, pretend_use

pytestmark = pytest.mark.django_db
LIST, NEW, SEARCH = (reverse(f"credentials:{name}") for name in ("list", "new", "search"))


@pytest.fixture
def row(admin_user):
    """Return a saved credential."""
    return services.save(None, BASIC, user=admin_user).credential


@pytest.fixture
def edit(row):
    """Return the address of its page."""
    return reverse("credentials:edit", args=[row.pk])


def page_of(client, address, status=200):
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def posted(**changes):
    values = {**BASIC, "destinations": "mail.example.org:587", "password": "", **changes}
    return {name: value for name, value in values.items() if value is not None}


def cells(page):
    """Return the rows of the table as texts by column."""
    body = re.search(r"<tbody>(.*)</tbody>", page, re.DOTALL)[1]
    rows = [
        re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in rows]


class TestTheList:
    def test_it_says_what_there_is(self, row, admin_client, monkeypatch):
        expires = dt.date(2100, 1, 31)
        services.save(
            None, {**OAUTH2, "destinations": [], "secret_expires": expires, "description": "Finance"}, user=None
        )
        pretend_use(monkeypatch, row)
        today = f"{row.password_changed_at:%d %b %Y}".lstrip("0")
        assert cells(page_of(admin_client, LIST)) == [
            ["orders-mailbox", "Basic", "mail.example.org:587", "1 connection", f"Set, changed {today}", ""],
            ["tenant-app", "OAuth2", "Any server", "Nothing", f"Set, changed {today}", "Finance"],
        ]

    def test_a_secret_that_ends_soon_is_marked(self, admin_client):
        services.save(None, {**OAUTH2, "secret_expires": "2020-01-31"}, user=None)
        assert "expired 31 Jan 2020" in page_of(admin_client, LIST)

    def test_it_is_narrowed_by_name_and_type(self, row, admin_client):
        services.save(None, OAUTH2, user=None)
        names = [
            [cell[0] for cell in cells(page_of(admin_client, f"{LIST}?{query}"))]
            for query in ("q=order", "kind=OAUTH2_CLIENT_CREDENTIAL", "")
        ]
        assert names == [["orders-mailbox"], ["tenant-app"], ["orders-mailbox", "tenant-app"]]

    def test_a_filter_that_is_none_is_left_out_and_said(self, row, admin_client):
        page = page_of(admin_client, f"{LIST}?kind=basic")
        assert ("Not a filter of this list: kind." in page, len(cells(page))) == (True, 1)

    def test_an_empty_list_says_what_a_credential_is(self, admin_client):
        assert "No credentials yet" in page_of(admin_client, LIST)

    def test_nothing_that_matches_is_another_thing_than_nothing(self, row, admin_client):
        assert "No credential matches" in page_of(admin_client, f"{LIST}?q=nothing")

    def test_it_costs_the_same_queries_for_one_row_and_for_twenty(self, row, admin_client):
        counts = []
        for more in (0, 20):
            for number in range(more):
                services.save(None, {**BASIC, "name": f"c{number}"}, user=None)
            with CaptureQueriesContext(connection) as queries:
                assert len(cells(page_of(admin_client, LIST))) == more + 1
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestTheForm:
    @pytest.mark.parametrize("values", [BASIC, OAUTH2], ids=lambda values: values["kind"])
    def test_it_saves_what_a_browser_posts_without_a_script(self, values, admin_client):
        # Without a script the controls of the other kind are posted too, with their defaults.
        empty = {"username": "", "client_id": "", "token_endpoint": "", "scope": "", "client_auth": "POST"}
        destinations = "\r\n".join(values["destinations"])
        answer = admin_client.post(
            NEW, {**empty, **values, "destinations": destinations, "secret_expires": ""}, follow=True
        )
        saved = Credential.objects.get()
        assert (saved.name, saved.destinations, saved.secret_is_set(rules.SECRET_OF[saved.kind])) == (
            values["name"],
            values["destinations"],
            True,
        )
        assert [str(message) for message in answer.context["messages"]] == [f"{saved.name} is saved."]

    def test_it_shows_destinations_one_a_line(self, admin_client):
        saved = services.save(None, {**BASIC, "destinations": ["a.example:25", "b.example:25"]}, user=None).credential
        page = page_of(admin_client, reverse("credentials:edit", args=[saved.pk]))
        assert re.search(r'<textarea name="destinations"[^>]*>\s*a\.example:25\nb\.example:25</textarea>', page)

    def test_it_keeps_what_was_typed_except_the_secret(self, admin_client):
        page = admin_client.post(NEW, posted(name="a b", description="Keep me", password="typed")).content.decode()
        assert ("Keep me" in page, 'value="a b"' in page, "typed" in page) == (True, True, False)

    def test_it_shows_every_field_that_a_door_may_write(self):
        assert set(CredentialForm.names) == set(Credential.writable())

    def test_a_mandatory_secret_cannot_be_cleared(self, edit, admin_client):
        page = page_of(admin_client, edit)
        assert ("Set, changed" in page, "Clear it" in page) == (True, False)

    def test_an_empty_password_keeps_the_stored_one(self, row, edit, admin_client):
        admin_client.post(edit, posted(description="new"))
        assert services.open_secret(Credential.objects.get(description="new")).reveal() == BASIC["password"]

    def test_what_is_the_same_changes_nothing(self, row, edit, admin_client):
        answer = admin_client.post(edit, posted(), follow=True)
        assert [str(message) for message in answer.context["messages"]] == ["Nothing was changed."]

    def test_a_dropped_value_is_said(self, row, edit, admin_client):
        answer = admin_client.post(edit, posted(scope="mail"), follow=True)
        said = [str(message) for message in answer.context["messages"]]
        assert said[-1].startswith("Scope: The value was dropped")

    def test_a_page_that_aged_does_not_overwrite(self, row, edit, admin_client):
        services.save(row, {"description": "theirs"}, user=None, partial=True)
        answer = admin_client.post(edit, posted(description="mine", version="1"))
        assert (answer.status_code, Credential.objects.get().description) == (409, "theirs")
        assert 'value="2"' in answer.content.decode()

    def test_the_kind_of_a_credential_in_use_stays(self, row, edit, admin_client, monkeypatch):
        pretend_use(monkeypatch, row)
        answer = admin_client.post(edit, {**OAUTH2, "destinations": "mail.example.org:587"})
        assert (answer.status_code, Credential.objects.get().kind) == (409, "BASIC")
        assert "The kind cannot change" in answer.content.decode()

    def test_it_names_who_uses_it(self, row, edit, admin_client, monkeypatch):
        user = pretend_use(monkeypatch, row)
        assert f'href="/connections/smtp/{user["id"]}/"' in page_of(admin_client, edit)

    def test_another_one_begins_with_the_same_kind(self, admin_client):
        answer = admin_client.post(NEW, {**OAUTH2, "destinations": "", "then": "another"})
        assert answer["Location"] == f"{NEW}?kind=OAUTH2_CLIENT_CREDENTIAL"
        page = page_of(admin_client, answer["Location"])
        assert re.search(r'value="OAUTH2_CLIENT_CREDENTIAL" checked', page)

    def test_the_stylesheet_and_the_page_carry_every_condition(self, admin_client):
        sheet = page_of(admin_client, reverse("credentials:conditions"))
        page = page_of(admin_client, NEW)
        for name, condition in rules.CONDITIONS.items():
            assert f'[data-show-if="{condition.attribute}"]{{display:none}}' in sheet
            opening = page.rindex('class="field', 0, page.index(f'name="{name}"'))
            assert f'data-show-if="{condition.attribute}"' in page[opening : page.index(f'name="{name}"')], name

    def test_it_limits_nothing_in_the_browser(self, admin_client):
        assert not re.search(
            r'maxlength|type="number"|style=|<script(?! src)|\son[a-z]+=|hx-on', page_of(admin_client, NEW)
        )

    def test_a_changed_field_is_answered_with_its_error_and_with_advice(self, admin_client):
        answer = admin_client.post(
            reverse("credentials:check-draft"), posted(name="a b", destinations="", _shown="name")
        )
        page = answer.content.decode()
        assert set(re.findall(r'data-code="(\w+)"', page)) == {"forbidden_character", "any_destination"}

    def test_a_changed_field_says_that_a_secret_must_be_typed_again(self, row, admin_client):
        answer = admin_client.post(reverse("credentials:check", args=[row.pk]), posted(username="eve"))
        assert re.findall(r'data-code="(\w+)"', answer.content.decode()) == ["secret_must_be_retyped"]


class TestDeletion:
    def test_it_asks_and_then_deletes(self, row, admin_client):
        address = reverse("credentials:delete", args=[row.pk])
        assert "Delete <bdi>orders-mailbox</bdi>?" in page_of(admin_client, address)
        assert admin_client.post(address, {"version": "1"}).status_code == 302
        assert Credential.objects.count() == 0

    def test_what_is_in_use_is_not_deleted_and_its_users_are_named(self, row, admin_client, monkeypatch):
        user = pretend_use(monkeypatch, row)
        address = reverse("credentials:delete", args=[row.pk])
        page = page_of(admin_client, address)
        assert (user["name"] in page, '<button type="submit" class="button is-danger' in page) == (True, False)
        assert admin_client.post(address).status_code == 409
        assert Credential.objects.count() == 1

    def test_what_changed_meanwhile_is_not_deleted(self, row, admin_client):
        services.save(row, {"description": "theirs"}, user=None, partial=True)
        admin_client.post(reverse("credentials:delete", args=[row.pk]), {"version": "1"})
        assert Credential.objects.count() == 1


class TestTheSearch:
    def options(self, client, query):
        return re.findall(r'<option value="([^"]+)"', page_of(client, f"{SEARCH}?{query}"))

    def test_it_offers_names(self, row, admin_client):
        services.save(None, OAUTH2, user=None)
        assert self.options(admin_client, "q=APP") == ["tenant-app"]
        assert self.options(admin_client, "kind=BASIC") == ["orders-mailbox"]

    def test_it_takes_the_fields_of_the_form_of_a_connection(self, row, admin_client):
        services.save(None, OAUTH2, user=None)
        assert self.options(admin_client, "credential=a&authentication_type=OAUTH2_CLIENT_CREDENTIAL") == ["tenant-app"]
        assert self.options(admin_client, "credential=&authentication_type=NONE") == []

    def test_a_name_is_no_markup(self, admin_client):
        services.save(None, {**BASIC, "name": "<b>", "description": "<i>"}, user=None)
        assert page_of(admin_client, SEARCH).strip() == '<option value="&lt;b&gt;">&lt;i&gt;</option>'


class TestWhoMay:
    def test_who_may_not_see_credentials_finds_no_entry_no_list_and_no_row(self, edit, viewer_client):
        assert 'href="/credentials/"' not in page_of(viewer_client, "/connections/")
        statuses = [viewer_client.get(address).status_code for address in (LIST, SEARCH, NEW, edit, f"{edit}delete/")]
        assert statuses == [403, 403, 403, 404, 404]

    def test_who_may_only_see_them_is_offered_no_change(self, edit, client_as):
        client = client_as("editor")
        assert "New credential" not in page_of(client, LIST)
        page = page_of(client, edit)
        assert "not change it" in page
        assert not re.search(r">Save<|/delete/|hx-post", page)
        statuses = [
            client.post(address, posted()).status_code for address in (edit, NEW, f"{edit}delete/", f"{edit}check/")
        ]
        assert statuses == [403, 403, 403, 403]
        assert Credential.objects.get().version == 1

    def test_a_security_officer_finds_the_list_and_changes(self, edit, client_as):
        client = client_as("security officer")
        assert 'href="/credentials/"' in page_of(client, LIST)
        assert client.post(edit, posted(description="new")).status_code == 302
