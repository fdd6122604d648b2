"""Definitions in files through REST: an export in a stream, an import with a plan, codes with pointers into it."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from connections.exchange import document
from connections.models import Connection, SmtpConnection
from core.audit.models import AuditEvent
from tests.definitions import GOOD
from tests.roles import user_with

pytestmark = pytest.mark.django_db

IMPORT = "/api/v1/connections/import/"
EXPORT = "/api/v1/connections/export/"
CANARY = "canary-Zq7-horse"
ORDERS = {"kind": "smtp", **GOOD, "password": CANARY}
YAML = """\
version: 1
connections:
- kind: smtp
  name: orders-out
  host: mail.example.org
  port: 587
  connection_security: STARTTLS
"""


def send(client, body, type_="application/yaml", query=""):
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.generic("POST", IMPORT + query, data, type_)


def send_json(client, *rows, query=""):
    return send(client, {"version": 1, "connections": list(rows)}, "application/json", query)


def fetch(client, query=""):
    answer = client.get(EXPORT + query)
    return b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize(
    "type_", ["application/yaml", "application/x-yaml", "text/yaml", "application/yaml; charset=utf-8"]
)
def test_yaml_is_imported(api, type_):
    answer = send(api, YAML, type_)
    row = SmtpConnection.objects.get()
    assert (answer.status_code, answer.json()["applied"], answer.json()["rows"][0]["id"]) == (200, True, str(row.pk))


def test_json_is_imported_with_the_secret_in_it(api):
    assert send_json(api, ORDERS).json()["counts"] == {"create": 1, "update": 0, "unchanged": 0, "refused": 0}
    assert SmtpConnection.objects.get().secret_is_set("password")


def test_csv_is_imported(api):
    text = "kind,name,host,port,connection_security\nsmtp,a,h.example,25,NONE\n"
    assert send(api, text, "text/csv").status_code == 200
    assert SmtpConnection.objects.get().name == "a"


@pytest.mark.parametrize(("name", "text"), [("a.yml", YAML), ("unknown", YAML), ("a.json", '{"connections": []}')])
def test_a_file_is_uploaded(api, name, text):
    answer = api.post(IMPORT, {"file": SimpleUploadedFile(name, text.encode())}, format="multipart")
    assert (answer.status_code, answer.json()["applied"]) == (200, True)


def test_a_form_without_a_file_says_so(api):
    answer = api.post(IMPORT, {"files": "x"}, format="multipart")
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/file", "required")]


@pytest.mark.parametrize("type_", ["text/plain", "application/xml"])
def test_what_is_no_file_of_ours_is_an_unsupported_media_type(api, type_):
    assert (send(api, YAML, type_).status_code, Connection.objects.count()) == (415, 0)


def test_the_second_import_changes_nothing_not_even_the_audit_trail(api):
    send_json(api, ORDERS)
    events = AuditEvent.objects.count()
    assert send_json(api, ORDERS).json()["rows"][0]["action"] == "unchanged"
    assert AuditEvent.objects.count() == events


def test_a_dry_run_answers_the_plan_and_does_nothing(api):
    answer = send_json(api, ORDERS, {**ORDERS, "name": "b", "port": 0}, query="?dry_run=true")
    rows = answer.json()["rows"]
    assert (answer.status_code, answer.json()["applied"], Connection.objects.count()) == (200, False, 0)
    assert [(row["action"], [error["pointer"] for error in row["errors"]]) for row in rows] == [
        ("create", []), ("refused", ["/port"]),
    ]  # fmt: skip


def test_an_import_names_each_fault_with_its_pointer_and_applies_nothing(api):
    answer = send_json(api, {**ORDERS, "name": "first"}, {"kind": "smtp", **GOOD, "port": "25", "tags": ["a|b"]})
    found = {(error["pointer"], error["code"]) for error in answer.json()["errors"]}
    assert (answer.status_code, answer["Content-Type"], found) == (
        400,
        "application/problem+json",
        {("/connections/1/port", "invalid_type"), ("/connections/1/tags", "forbidden_character")},
    )
    assert Connection.objects.count() == 0


def test_an_error_knows_its_line(api):
    error = send(api, YAML.replace("587", "'587'")).json()["errors"][0]
    assert (error["pointer"], error["code"], error["line"]) == ("/connections/0/port", "invalid_type", 3)


def test_what_is_sound_is_applied_on_demand(api):
    answer = send_json(api, ORDERS, {"kind": "smtp"}, query="?partial=true")
    assert (answer.status_code, answer.json()["applied"], Connection.objects.get().name) == (200, True, "orders-out")
    assert answer.json()["rows"][1]["action"] == "refused"


def test_an_answer_has_a_most_of_errors(api):
    answer = send_json(api, *({"kind": "smtp", "x": 1} for _ in range(200)))
    assert (len(answer.json()["errors"]), answer.json()["more"]) == (500, 500)


def test_an_answer_counts_the_errors_of_a_row_that_are_not_listed(api):
    row = {"kind": "smtp", **GOOD, **dict.fromkeys((f"k{number}" for number in range(150)), 1)}
    answer = send_json(api, row).json()
    assert (len(answer["errors"]), answer["more"]) == (100, 50)
    shown = send_json(api, row, query="?dry_run=true").json()
    assert (len(shown["rows"][0]["errors"]), shown["rows"][0]["error_count"], shown["error_count"]) == (100, 150, 150)


def test_a_row_of_too_many_keys_is_a_problem_with_its_place(api):
    answer = send_json(api, ORDERS, dict.fromkeys((f"k{number}" for number in range(201)), 1))
    assert (answer.status_code, answer.json()["code"], answer.json()["place"]) == (400, "malformed", 1)


@pytest.mark.parametrize(
    ("body", "type_", "code"),
    [
        ("a: *x", "application/yaml", "malformed"),
        ("{", "application/json", "malformed"),
        ("kind,kind\n", "text/csv", "malformed"),
        ("", "application/yaml", "validation_failed"),
        ("", "application/json", "validation_failed"),
        ("[]", "application/json", "validation_failed"),
        ("version: 2\nconnections: []", "application/yaml", "validation_failed"),
    ],
)
def test_what_cannot_be_read_is_a_problem(api, body, type_, code):
    answer = send(api, body, type_)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_file_beyond_the_limit_is_a_problem(api, monkeypatch):
    monkeypatch.setattr(document, "MAX_BYTES", 100)
    assert (send(api, YAML).status_code, send(api, YAML).json()["code"]) == (413, "too_large")


def test_a_file_larger_than_any_other_body_is_read(api):
    padded = YAML + "#" * 3_000_000
    assert send(api, padded).status_code == 200


@pytest.mark.parametrize("source", [{"env": "PATH"}, {"file": "/etc/passwd"}])
def test_a_request_cannot_reach_for_what_only_this_machine_has(api, source):
    answer = send_json(api, {**ORDERS, "password": source})
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/connections/0/password", "not_available")
    ]


@pytest.mark.parametrize("query", ["?dry_run=yes", "?partial=1", "?dryrun=true", "?system=notes"])
def test_a_parameter_that_means_nothing_is_refused(api, query):
    assert (send_json(api, ORDERS, query=query).status_code, Connection.objects.count()) == (400, 0)


def test_the_system_can_be_said(api):
    row = {"NAME": "a", "HOST": "h.example", "PORT": 25, "CONNECTION SECURITY": "NONE"}
    answer = send_json(api, row, query="?system=data-one")
    assert (answer.json()["system"], answer.json()["recognised"]) == ("data-one", False)


@pytest.mark.parametrize("format_", ["yaml", "json", "csv"])
def test_an_export_is_imported_without_a_change(api, format_):
    send_json(api, ORDERS, {**ORDERS, "kind": "mailbox", "name": "invoices", "description": "=1+1\n-2"})
    text = fetch(api, f"?format={format_}")
    type_ = {"yaml": "application/yaml", "json": "application/json", "csv": "text/csv"}[format_]
    assert CANARY not in text
    assert send(api, text.encode(), type_).json()["counts"]["unchanged"] == 2


def test_an_export_is_a_download_in_yaml_unless_said_otherwise(api):
    answer = api.get(EXPORT)
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/yaml; charset=utf-8", 'attachment; filename="connections.yaml"',
    )  # fmt: skip


def test_an_export_is_narrowed_by_the_filters_of_the_list(api):
    send_json(api, ORDERS, {**ORDERS, "name": "b", "tags": ["eu"]})
    rows = json.loads(fetch(api, "?format=json&tag=eu"))["connections"]
    assert [row["name"] for row in rows] == ["b"]


@pytest.mark.parametrize("query", ["?format=xml", "?statuss=ENABLED", "?status=enabled", "?ordering=name"])
def test_an_export_that_nobody_could_mean_is_a_problem(api, query):
    answer = api.get(EXPORT + query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_an_export_is_given_whatever_is_accepted(api):
    assert api.get(EXPORT, headers={"Accept": "text/csv"}).status_code == 200


def test_who_exported_is_recorded(api):
    fetch(api, "?q=x")
    event = AuditEvent.objects.get(act="definitions.exported")
    assert (event.actor_name, event.door, event.extra["filters"]) == ("admin", "api", {"q": "x"})


def test_a_viewer_exports_and_imports_nothing(api_as, db):
    client = api_as(user_with("v", role_name="viewer"))
    assert (client.get(EXPORT).status_code, send(client, YAML).status_code) == (200, 403)


def test_an_editor_imports(api_as, db):
    assert send(api_as(user_with("e", role_name="editor")), YAML).status_code == 200


def test_a_token_that_may_only_read_imports_nothing(api_as, admin_user):
    assert send(api_as(admin_user, "read"), YAML).status_code == 403


def test_who_has_no_role_exports_nothing(api_as, db):
    assert api_as(user_with("n", role_name="")).get(EXPORT).status_code == 403


def test_an_import_that_is_sent_twice_with_a_key_is_done_once(api):
    answers = [send_json_with_key(api) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1].json()["rows"][0]["action"] == "create"


def send_json_with_key(client):
    body = json.dumps({"version": 1, "connections": [ORDERS]})
    return client.generic("POST", IMPORT, body, "application/json", headers={"Idempotency-Key": "one"})


def test_no_answer_shows_a_secret(api):
    answers = [
        send_json(api, {**ORDERS, "port": 0}),
        send_json(api, {**ORDERS, "passwort": CANARY}),
        send_json(api, ORDERS, query="?dry_run=true"),
        send_json(api, ORDERS),
        send(api, f"connections:\n- password: {CANARY}\n\tx: 1\n"),
    ]
    assert [CANARY in answer.content.decode() for answer in answers] == [False] * 5
