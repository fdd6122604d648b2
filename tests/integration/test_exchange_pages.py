"""The page that imports: a plan first, then a second button; nothing is lost on the way and no secret shown."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.exchange import carrying
from connections.exchange.carrying import Carried
from connections.exchange.document import Format
from connections.models import Connection, SmtpConnection
from core.audit.models import AuditEvent
from core.errors import Refused
from tests.roles import user_with

pytestmark = pytest.mark.django_db

CANARY = "canary-Zq7-horse"
TEXT = f"""\
version: 1
connections:
- kind: smtp
  name: orders-out
  host: mail.example.org
  port: 587
  connection_security: STARTTLS
  username: orders
  password: {CANARY}
"""
PLAIN = TEXT.partition("  username")[0]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def post(client, text="", **more):
    return client.post(reverse("connections:import"), {"text": text, "format": "", "system": "", **more})


def carried(answer):
    return re.search(r'name="carried" value="([^"]+)"', answer.content.decode())[1]


def apply(client, answer, step="apply"):
    return client.post(reverse("connections:import"), {"carried": carried(answer), "step": step})


def test_a_plan_is_shown_before_anything_is_changed(admin_client):
    answer = post(admin_client, TEXT, step="plan")
    assert (answer.status_code, Connection.objects.count()) == (200, 0)
    assert ">orders-out<" in answer.content.decode().replace("</th>", "<").replace(" <span", "<span")


def test_the_second_button_applies_what_was_shown(admin_client):
    answer = apply(admin_client, post(admin_client, TEXT))
    assert (answer.status_code, answer["Location"]) == (302, reverse("connections:list"))
    assert SmtpConnection.objects.get().secret_is_set("password")


def test_the_page_is_the_door_that_is_recorded(admin_client):
    apply(admin_client, post(admin_client, TEXT))
    assert list(AuditEvent.objects.filter(act="definitions.imported").values_list("door", "actor_name")) == [
        ("page", "admin")
    ]


@pytest.mark.parametrize("text", [TEXT, TEXT.replace("587", "0"), TEXT + "\t", TEXT.replace("password", "passwort")])
def test_the_page_never_shows_a_secret(admin_client, text):
    page = post(admin_client, text).content.decode()
    assert (CANARY in page, "a password may stand in it" in page) == (False, True)


def test_a_refused_row_is_named_with_its_field_and_what_was_typed_stays(admin_client):
    answer = post(admin_client, PLAIN.replace("587", "0"))
    page = answer.content.decode()
    assert (answer.status_code, 'data-code="out_of_range"' in page) == (422, True)
    assert "  port: 0" in page


def test_what_is_sound_is_applied_on_demand(admin_client):
    shown = post(admin_client, TEXT + "- kind: smtp\n  name: other\n")
    answer = apply(admin_client, shown, "partial")
    assert (answer.status_code, Connection.objects.get().name) == (200, "orders-out")
    assert "1 created, 0 changed, 0 unchanged, 1 refused." in answer.content.decode()


def test_a_refused_row_keeps_the_second_button_from_applying(admin_client):
    shown = post(admin_client, TEXT + "- kind: smtp\n  name: other\n")
    assert (apply(admin_client, shown).status_code, Connection.objects.count()) == (422, 0)


def test_what_is_there_already_needs_no_button(admin_client):
    apply(admin_client, post(admin_client, PLAIN))
    assert "there is nothing to apply" in post(admin_client, PLAIN).content.decode()


def test_a_file_is_uploaded(admin_client):
    file = SimpleUploadedFile("a.csv", b"kind,name,host,port,connection_security\nsmtp,a,h.example,25,NONE\n")
    assert apply(admin_client, post(admin_client, file=file)).status_code == 302
    assert Connection.objects.get().name == "a"


def test_an_uploaded_file_comes_back_as_text_to_be_mended(admin_client):
    page = post(admin_client, file=SimpleUploadedFile("a.yaml", b"version: 1\nconnections: [\n")).content.decode()
    assert ("connections: [" in page, "did not find expected" in page) == (True, True)


@pytest.mark.parametrize(
    ("sent", "field"),
    [({}, "file"), ({"text": "x: [", "format": "yaml"}, "text"), ({"text": "x", "format": "xml"}, "format"),
     ({"text": "x", "system": "notes"}, "system"), ({"text": "version: 2\nconnections: []"}, "text")],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_of_the_form(admin_client, sent, field):
    answer = admin_client.post(reverse("connections:import"), sent)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])


def test_the_system_that_was_recognised_is_said(admin_client):
    text = "connections:\n- Connection Name: a\n  Host: h.example\n  Authentication: None\n"
    assert "Recognised by its labels as ASTERIA Warp." in post(admin_client, text).content.decode()


def test_what_is_left_behind_is_listed(admin_client):
    text = "connections:\n- {NAME: a, HOST: h, PORT: 25, CONNECTION SECURITY: NONE, CONFIGURATION TEST: x}\n"
    assert 'data-fate="ignored">CONFIGURATION TEST: ' in post(admin_client, text).content.decode()


def test_names_of_a_file_are_escaped(admin_client):
    page = post(admin_client, PLAIN.replace("orders-out", "<script>x</script>")).content.decode()
    assert "<script>x" not in page


def test_a_long_plan_shows_what_is_refused_first_and_counts_the_rest(admin_client):
    rows = "".join(f"- {{kind: smtp, name: n{number}}}\n" for number in range(320))
    answer = post(admin_client, PLAIN + rows)
    assert (len(answer.context["rows"]), answer.context["more"]) == (300, 21)
    assert {row["entry"].action for row in answer.context["rows"]} == {"refused"}


def test_what_a_page_carries_is_for_one_user(admin_client):
    text = carried(post(admin_client, TEXT))
    other = Client()
    other.force_login(user_with("e", role_name="editor"))
    answer = other.post(reverse("connections:import"), {"carried": text, "step": "apply"})
    assert (answer.status_code, Connection.objects.count()) == (409, 0)


@pytest.mark.parametrize("text", ["", "x", "v1.a.b"])
def test_what_no_page_carried_is_refused(admin_client, text):
    answer = admin_client.post(reverse("connections:import"), {"carried": text, "step": "apply"})
    assert (answer.status_code, Connection.objects.count()) == (409, 0)


def test_what_a_page_carries_is_good_for_an_hour():
    text = carrying.pack(Carried(b"x", Format.CSV, "asteria"), 1, NOW)
    assert carrying.unpack(text, 1, NOW + timedelta(minutes=60)) == Carried(b"x", Format.CSV, "asteria")
    with pytest.raises(Refused, match="too long"):
        carrying.unpack(text, 1, NOW + timedelta(minutes=60, seconds=1))


def test_what_a_page_carries_cannot_be_read_in_it():
    assert CANARY not in carrying.pack(Carried(CANARY.encode(), None, None), 1, NOW)


def test_what_is_too_large_to_be_carried_says_where_else_it_can_go(monkeypatch, admin_client):
    monkeypatch.setattr(carrying, "MAX_CARRIED", 100)
    page = post(admin_client, PLAIN).content.decode()
    assert ("use the command line or the API" in page, 'name="carried"' in page) == (True, False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("name: a", True),
        ("  password: {is_set: true}\n  pop_password: {is_set: false}", True),
        ('{"password": {"is_set": true}}', True),
        ("kind,password.is_set,pop_password.is_set\n", True),
        ("password: x", False),
        ("PASSWORD *: x", False),
        ("SMTP Password: x", False),
        ("kind,password\n", False),
        ("passwort: x", False),
        ("  password: {is_set: true}\n  password: x", False),
        ("pwd=1", False),
    ],
)
def test_a_text_is_shown_again_only_where_no_password_can_stand_in_it(text, shown):
    assert carrying.may_be_shown(text) is shown


def test_an_export_of_ours_is_shown_again(admin_client):
    apply(admin_client, post(admin_client, TEXT))
    answer = admin_client.get(reverse("connections:export"))
    assert carrying.may_be_shown(b"".join(answer.streaming_content).decode())


@pytest.mark.parametrize("format_", ["yaml", "json", "csv"])
def test_the_list_leads_to_an_export_of_what_it_shows(admin_client, format_):
    apply(admin_client, post(admin_client, TEXT))
    page = admin_client.get(reverse("connections:list"), {"q": "orders", "page": 1}).content.decode()
    address = re.search(rf'href="([^"]*export[^"]*format={format_})"', page)[1].replace("&amp;", "&")
    text = b"".join(admin_client.get(address).streaming_content).decode()
    assert ("orders-out" in text, AuditEvent.objects.get(act="definitions.exported").extra["filters"]) == (
        True, {"q": "orders"},
    )  # fmt: skip


@pytest.mark.parametrize("query", ["?format=xml", "?status=enabled"])
def test_an_export_that_nobody_could_mean_leads_back_to_the_list(admin_client, query):
    answer = admin_client.get(reverse("connections:export") + query)
    assert (answer.status_code, answer["Location"]) == (302, reverse("connections:list"))


def test_who_may_only_see_finds_no_import(viewer_client):
    page = viewer_client.get(reverse("connections:list")).content.decode()
    assert (reverse("connections:import") in page, viewer_client.get(reverse("connections:import")).status_code) == (
        False, 403,
    )  # fmt: skip
    assert post(viewer_client, TEXT).status_code == 403


def test_who_may_only_see_exports(viewer_client):
    assert viewer_client.get(reverse("connections:export")).status_code == 200


def test_an_hour_is_measured_when_the_page_is_shown(admin_client, monkeypatch):
    text = carried(post(admin_client, TEXT))
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answer = admin_client.post(reverse("connections:import"), {"carried": text, "step": "apply"})
    assert (answer.status_code, "open for too long" in answer.content.decode()) == (409, True)


def test_a_plan_of_very_many_errors_lists_some_and_counts_the_others(admin_client):
    unknown = "".join(f"  k{number}: 1\n" for number in range(150))
    row = PLAIN.partition("connections:\n")[2]
    text = PLAIN + unknown + "".join(row.replace("orders-out", f"n{number}") + unknown for number in range(11))
    page = post(admin_client, text).content.decode()
    assert page.count('data-code="unknown_field"') == 1_000
    assert (page.count('data-more-errors="50"'), page.count('data-more-errors="150"')) == (10, 2)
    assert "1800 errors in all; 800 of them are not listed." in page
