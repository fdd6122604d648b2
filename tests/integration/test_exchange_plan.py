"""What a file would do and does: create, change, leave alone, refuse; all rows or none; twice is once."""

import json

import pytest
from django.utils import timezone

from cluster.models import Cluster
from cluster.services import save_cluster
from connections import services
from connections.exchange import document, plan, secret_sources
from connections.exchange.document import Format
from connections.exchange.plan import Action
from connections.models import Connection, MailboxConnection, SmtpConnection
from core.audit.models import AuditEvent
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db

ORDERS = """\
- kind: smtp
  name: orders-out
  host: mail.example.org
  port: 587
  connection_security: STARTTLS
  username: orders
  password: correct horse
"""
INVOICES = """\
- kind: mailbox
  name: invoices-in
  host: mail.example.org
  port: 993
  connection_security: SSL_TLS
  username: invoices
  password: correct horse
"""


def planned(text, secret=secret_sources.as_it_stands, **more):
    data = text.encode() if text.startswith(("{", "kind")) else f"version: 1\nconnections:\n{text}".encode()
    return plan.make(document.read(data), secret, user=None, **more)


def applied(text, **more):
    return plan.apply(planned(text), user=None, **more)


def actions(made):
    return [(entry.name, entry.action.value, entry.changed) for entry in made.entries]


def faults(made):
    return [(error["pointer"], error["code"]) for error in made.errors()]


def test_a_plan_writes_nothing():
    before = AuditEvent.objects.count()
    assert actions(planned(ORDERS + INVOICES)) == [("orders-out", "create", ()), ("invoices-in", "create", ())]
    assert (Connection.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_a_plan_takes_no_write_lock(django_assert_num_queries):
    applied(ORDERS)
    with django_assert_num_queries(3) as queries:
        planned(ORDERS)
    assert [query["sql"].partition(" ")[0] for query in queries.captured_queries] == ["SELECT"] * 3


def test_a_file_creates_connections_of_both_kinds():
    made = applied(ORDERS + INVOICES)
    smtp, mailbox = SmtpConnection.objects.get(), MailboxConnection.objects.get()
    assert (made.applied, [entry.id for entry in made.entries]) == (True, [str(smtp.pk), str(mailbox.pk)])
    assert (smtp.name, smtp.secret_is_set("password"), mailbox.folder) == ("orders-out", True, "INBOX")


def test_the_second_time_nothing_is_written():
    applied(ORDERS + INVOICES)
    events, versions = AuditEvent.objects.count(), list(Connection.objects.values_list("version", "updated"))
    made = applied(ORDERS + INVOICES)
    assert (made.applied, {entry.action for entry in made.entries}) == (True, {Action.UNCHANGED})
    assert (AuditEvent.objects.count(), list(Connection.objects.values_list("version", "updated"))) == (
        events,
        versions,
    )


def test_a_plan_names_the_fields_that_would_change():
    applied(ORDERS)
    changed = ORDERS.replace("587", "25").replace("name: orders-out", "name: Orders-Out")
    assert actions(planned(changed)) == [("Orders-Out", "update", ("name", "port"))]


def test_a_field_that_is_left_out_takes_its_default():
    applied(ORDERS + "  description: Old\n")
    assert actions(applied(ORDERS)) == [("orders-out", "update", ("description",))]
    assert SmtpConnection.objects.get().description == ""


def test_a_secret_that_is_left_out_is_kept():
    applied(ORDERS)
    sealed = SmtpConnection.objects.get().password_sealed
    assert actions(applied(ORDERS.replace("  password: correct horse\n", ""))) == [("orders-out", "unchanged", ())]
    assert SmtpConnection.objects.get().password_sealed == sealed


@pytest.mark.parametrize("kept", ["{is_set: true}", "{is_set: false}", "{is_set: true, changed_at: null}"])
def test_what_an_export_says_of_a_secret_keeps_it(kept):
    applied(ORDERS)
    assert actions(planned(ORDERS.replace("correct horse", kept))) == [("orders-out", "unchanged", ())]


def test_an_exported_secret_does_not_arrive_in_another_installation():
    made = planned(ORDERS.replace("correct horse", "{is_set: true}"))
    assert faults(made) == [("/connections/0/password", "required")]


def test_null_clears_a_secret():
    applied(ORDERS)
    made = applied(ORDERS.replace("correct horse", "null").replace("  username: orders\n", ""))
    assert (made.applied, SmtpConnection.objects.get().password_sealed) == (True, "")


def test_a_secret_does_not_follow_to_another_host():
    applied(ORDERS)
    elsewhere = ORDERS.replace("mail.example", "evil.example").replace("correct horse", "{is_set: true}")
    assert faults(planned(elsewhere)) == [("/connections/0/password", "secret_must_be_retyped")]


def test_one_refused_row_keeps_all_others_from_being_applied():
    made = applied(ORDERS + INVOICES.replace("993", "0"))
    assert (made.applied, faults(made)) == (False, [("/connections/1/port", "out_of_range")])
    assert Connection.objects.count() == 0


def test_what_is_sound_is_applied_where_that_was_asked_for():
    made = applied(ORDERS + INVOICES.replace("993", "0"), partial=True)
    assert (made.applied, made.counts) == (True, {"create": 1, "update": 0, "unchanged": 0, "refused": 1})
    assert Connection.objects.get().name == "orders-out"


@pytest.mark.parametrize("partial", [False, True])
def test_a_row_that_became_unsound_since_the_plan_is_refused(partial):
    made = planned(ORDERS + INVOICES)
    services.save(MailboxConnection, None, {**GOOD, "name": "ORDERS-out"}, user=None)
    plan.apply(made, user=None, partial=partial)
    assert (made.applied, faults(made)) == (partial, [("/connections/0/name", "not_unique")])
    assert Connection.objects.count() == 1 + partial
    assert made.entries[0].id is None


def test_a_connection_that_was_deleted_since_the_plan_is_created():
    applied(ORDERS)
    made = planned(ORDERS.replace("587", "25"))
    services.delete(SmtpConnection.objects.get())
    assert plan.apply(made, user=None).applied
    assert SmtpConnection.objects.get().port == 25


def test_a_name_that_stands_twice_in_a_file_is_refused_with_the_other_line():
    made = planned(ORDERS + ORDERS.replace("orders-out", "ORDERS-OUT"))
    assert faults(made) == [("/connections/1/name", "not_unique")]
    assert made.errors()[0]["detail"] == "The connection at line 3 has this name too."


def test_a_name_of_the_other_kind_is_not_unique():
    applied(ORDERS)
    assert faults(planned(INVOICES.replace("invoices-in", "orders-out"))) == [("/connections/0/name", "not_unique")]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("", "required"), ("kind: null", "required"), ("kind: imap", "invalid_choice"), ("kind: 5", "invalid_type"),
     ("kind: [smtp]", "invalid_type"), ("kind: SMTP", "invalid_choice")],
)  # fmt: skip
def test_the_kind_has_to_be_said(kind, code):
    row = ORDERS.replace("kind: smtp", kind or "description: x")
    assert faults(planned(row)) == [("/connections/0/kind", code)]


def test_the_head_can_say_the_kind_of_every_row():
    text = "kind: smtp\nconnections:\n" + ORDERS.replace("- kind: smtp\n  name", "- name")
    made = plan.make(document.read(text.encode()), secret_sources.as_it_stands, user=None)
    assert actions(made) == [("orders-out", "create", ())]


def test_a_row_that_is_no_mapping_is_refused():
    assert faults(planned("- orders\n")) == [("/connections/0", "invalid_type")]


def test_what_only_a_read_adds_is_passed_over():
    added = "  id: 5\n  version: 7\n  stale: true\n  created: never\n  last_test: null\n  advisories: []\n"
    assert actions(planned(ORDERS + added)) == [("orders-out", "create", ())]


def test_every_fault_of_every_row_is_named():
    made = planned("- kind: smtp\n  name: a b\n  port: '25'\n  host: smtp://h\n- kind: smtp\n  nam: x\n")
    assert faults(made) == [
        ("/connections/0/port", "invalid_type"),
        ("/connections/0/name", "forbidden_character"),
        ("/connections/0/host", "host_has_scheme"),
        ("/connections/0/connection_security", "required"),
        ("/connections/1/nam", "unknown_field"),
        ("/connections/1/name", "required"),
        ("/connections/1/host", "required"),
        ("/connections/1/port", "required"),
        ("/connections/1/connection_security", "required"),
    ]


def test_references_are_names():
    save_cluster(Cluster(), {"name": "south"}, timezone.now())
    assert applied(ORDERS + "  cluster: SOUTH\n").applied
    assert SmtpConnection.objects.get().cluster.name == "south"
    assert faults(planned(ORDERS + "  cluster: north\n")) == [("/connections/0/cluster", "not_found")]


def test_a_spreadsheet_creates_what_it_says():
    text = (
        "kind;name;host;port;connection_security;tags;match_server_hostname;username;password;folder\r\n"
        "mailbox;invoices;h.example;993;SSL_TLS;eu finance;true;'=u;'secret;\r\n"
        "smtp;orders;h.example;25;NONE;;;;;\r\n"
    )
    assert applied(text).applied
    row = MailboxConnection.objects.get()
    assert (row.port, row.tags, row.match_server_hostname, row.username) == (993, ["eu", "finance"], True, "=u")
    assert SmtpConnection.objects.get().tags == []


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [("port", "25.9", "invalid_type"), ("port", " 25", "invalid_type"), ("dynamic", "maybe", "invalid_type"),
     ("status", "enabled", "invalid_choice"), ("folder", "x", "unknown_field"), ("colour", "red", "unknown_field")],
)  # fmt: skip
def test_a_cell_that_spells_no_value_is_named(column, cell, code):
    cells = {"kind": "smtp", "name": "a", "host": "h.example", "port": "25", "connection_security": "NONE"}
    cells[column] = cell
    made = planned(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    assert faults(made) == [(f"/connections/0/{column}", code)]


def test_an_import_is_recorded_beside_its_changes():
    applied(ORDERS + INVOICES)
    services.save(SmtpConnection, SmtpConnection.objects.get(), {"description": "x"}, user=None, partial=True)
    applied(ORDERS)
    events = AuditEvent.objects.order_by("pk")
    assert [(event.act, event.extra) for event in events if event.act == "definitions.imported"] == [
        ("definitions.imported", {"format": "yaml", "created": 2, "changed": 0}),
        ("definitions.imported", {"format": "yaml", "created": 0, "changed": 1}),
    ]
    assert [event.act for event in events] == [
        "connection.created", "connection.created", "definitions.imported", "connection.changed", "connection.changed",
        "definitions.imported",
    ]  # fmt: skip


def test_what_is_taken_back_leaves_no_event():
    made = planned(ORDERS + INVOICES)
    services.save(MailboxConnection, None, {**GOOD, "name": "invoices-IN", "port": 110}, user=None)
    MailboxConnection.objects.update(name_key="orders-out")
    events = AuditEvent.objects.count()
    assert (plan.apply(made, user=None).applied, AuditEvent.objects.count()) == (False, events)


def test_an_import_that_came_to_nothing_is_not_recorded():
    made = planned(ORDERS)
    services.save(MailboxConnection, None, {**GOOD, "name": "ORDERS-out"}, user=None)
    events = AuditEvent.objects.count()
    assert (plan.apply(made, user=None, partial=True).applied, AuditEvent.objects.count()) == (True, events)


def test_the_format_of_a_file_is_said():
    assert planned('{"connections": []}').format is Format.JSON


def test_nothing_on_the_way_shows_a_secret_by_itself():
    read = document.read(f"connections:\n{ORDERS}".encode())
    made = plan.make(read, secret_sources.as_it_stands, user=None)
    shown = [read, read.rows[0], made, made.entries[0], made.entries[0].incoming, made.to_json()]
    assert ["correct horse" in repr(each) for each in shown] == [False] * 6


def test_a_plan_lists_a_most_of_errors_and_counts_them_all():
    unknown = dict.fromkeys((f"k{number}" for number in range(150)), 1)
    rows = [{"kind": "smtp", **GOOD, "name": f"n{number}", **unknown} for number in range(12)]
    made = planned(json.dumps({"connections": rows}))
    shown = made.to_json()
    assert [len(row["errors"]) for row in shown["rows"]] == [100] * 10 + [0] * 2
    assert {(row["action"], row["error_count"]) for row in shown["rows"]} == {("refused", 150)}
    assert (shown["error_count"], made.error_count, len(made.errors())) == (1_800, 1_800, 1_000)
    assert not any(entry.incoming.errors for entry in made.entries)


def test_a_plan_of_few_errors_lists_all_of_them():
    shown = planned(ORDERS.replace("587", "0")).to_json()
    assert (shown["error_count"], shown["rows"][0]["error_count"], len(shown["rows"][0]["errors"])) == (1, 1, 1)
