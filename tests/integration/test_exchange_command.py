"""`manage.py connection apply` and `export`: the same rules and codes, from a shell."""

import io
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from cluster.models import Cluster
from cluster.services import save_cluster
from connections import services
from connections.exchange import writing
from connections.exchange.document import Format
from connections.models import Connection, SmtpConnection
from connections.selectors import connection_list
from core.audit.models import AuditEvent
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-Zq7-horse"
FILE = """\
version: 1
connections:
- kind: smtp
  name: orders-out
  host: mail.example.org
  port: 587
  connection_security: STARTTLS
  match_server_hostname: true
  username: orders
  password: {env: TEST_PASSWORD}
"""
FOREIGN = """\
connections:
- Connection Name: orders
  Host: mail.example.org
  Authentication: None
  Scope: user
"""


def run(*arguments):
    """Return exit status, standard output and standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command("connection", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("TEST_PASSWORD", CANARY)

    def write(text=FILE, name="connections.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_a_file_is_applied_and_then_has_nothing_to_do(file):
    path = file()
    assert run("apply", path) == (
        0, "created    smtp     orders-out\n1 created, 0 changed, 0 unchanged, 0 refused.\n", "",
    )  # fmt: skip
    events = AuditEvent.objects.count()
    assert run("apply", path) == (
        0, "unchanged  smtp     orders-out\n0 created, 0 changed, 1 unchanged, 0 refused.\n", "",
    )  # fmt: skip
    assert AuditEvent.objects.count() == events


def test_a_dry_run_says_what_would_be_done_and_does_nothing(file):
    status, out, err = run("apply", file(), "--dry-run")
    assert (status, out.splitlines()[-1], err, Connection.objects.count()) == (
        0, "1 create, 0 update, 0 unchanged, 0 refused: nothing was written (a dry run).", "", 0,
    )  # fmt: skip


def test_who_runs_the_command_is_recorded(file):
    run("apply", file())
    assert set(AuditEvent.objects.values_list("door", flat=True)) == {"command"}


def test_a_changed_field_is_named(file):
    run("apply", file())
    out = run("apply", file(FILE.replace("587", "2525")))[1]
    assert out.splitlines()[0] == "changed    smtp     orders-out: port"


def test_standard_input_is_applied(file, monkeypatch):
    file()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FILE.encode())))
    assert run("apply", "-")[0] == 0
    assert SmtpConnection.objects.get().secret_is_set("password")


def test_a_plan_is_printed_as_json(file):
    status, out, _ = run("apply", file(), "--dry-run", "--json")
    said = json.loads(out)
    assert (status, said["applied"], said["counts"]["create"], said["rows"][0]["line"]) == (0, False, 1, 3)


def test_a_refused_row_ends_with_status_2_and_says_where_it_stands(file):
    status, out, err = run("apply", file(FILE.replace("587", "0")))
    assert (status, err) == (2, "port: out_of_range: Must be between 1 and 65,535. (orders-out, line 3)\n")
    assert out.splitlines()[-1].endswith("nothing was written (a row is refused).")
    assert Connection.objects.count() == 0


def test_what_is_sound_is_applied_on_demand(file):
    text = FILE + "- kind: smtp\n  name: other\n"
    status, out, _ = run("apply", file(text), "--partial")
    assert (status, Connection.objects.get().name) == (2, "orders-out")
    assert out.splitlines()[-1] == "1 created, 0 changed, 0 unchanged, 1 refused."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: *x\n", "malformed: This is not YAML as we read it: "),
        ("version: 2\nconnections: []\n", "version: invalid_choice: "),
        ("", "request: invalid_type: "),
        ("system: notes\nconnections: []\n", "system: invalid_choice: "),
    ],
)
def test_what_is_no_document_ends_with_status_2_and_its_code(file, text, said):
    status, out, err = run("apply", file(text))
    assert (status, out, err.startswith(said)) == (2, "", True)


def test_a_file_that_is_not_there_ends_with_status_2(tmp_path):
    status, _, err = run("apply", str(tmp_path / "none.yaml"))
    assert (status, err.startswith("file: not_found:")) == (2, True)


def test_a_secret_is_read_from_a_file_beside_the_document(file, tmp_path):
    (tmp_path / "pass").write_text(f"{CANARY}\n")
    assert run("apply", file(FILE.replace("env: TEST_PASSWORD", "file: pass")))[0] == 0
    row = SmtpConnection.objects.get()
    again = services.save(SmtpConnection, row, {"password": CANARY}, user=None, partial=True)
    assert again.changed == ()


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        (CANARY, "malformed"),
        ("{env: NO_SUCH_VARIABLE}", "not_found"),
        ("{file: no-such-file}", "not_found"),
        ("{file: .}", "not_found"),
        ("{env: 5}", "invalid_type"),
        ("{env: A, file: b}", "malformed"),
        ("{env: A, is_set: true, x: 1}", "malformed"),
        ("{vault: a}", "invalid_type"),
        ("5", "invalid_type"),
        ("''", "too_short"),
    ],
)
def test_a_secret_that_does_not_come_from_where_secrets_are_kept_is_refused(file, secret, code):
    status, out, err = run("apply", file(FILE.replace("{env: TEST_PASSWORD}", secret)))
    assert (status, err.partition(": ")[2].partition(":")[0], err.count("\n")) == (2, code, 1)
    assert CANARY not in out + err


def test_a_file_of_two_lines_is_no_secret(file, tmp_path):
    (tmp_path / "pass").write_text("a\nb\n")
    err = run("apply", file(FILE.replace("env: TEST_PASSWORD", "file: pass")))[2]
    assert err.startswith("password: forbidden_character:")


def test_a_spreadsheet_names_the_variables_of_its_secrets(file):
    text = "kind,name,host,port,connection_security,username,password.env\nsmtp,a,h.example,25,NONE,u,TEST_PASSWORD\n"
    assert run("apply", file(text, "a.csv"))[0] == 0
    assert SmtpConnection.objects.get().secret_is_set("password")


def test_a_secret_in_a_spreadsheet_is_refused(file):
    text = f"kind,name,host,port,connection_security,username,password\nsmtp,a,h.example,25,NONE,u,{CANARY}\n"
    status, out, err = run("apply", file(text, "a.csv"))
    assert (status, err.startswith("password: malformed:"), CANARY in out + err) == (2, True, False)


def test_a_file_in_the_words_of_another_system_is_recognised_and_said(file):
    status, out, _ = run("apply", file(FOREIGN))
    assert (status, out.splitlines()[0]) == (0, "Recognised by its labels: ASTERIA Warp.")
    assert (SmtpConnection.objects.get().port, SmtpConnection.objects.get().tags) == (25, ["asteria-user"])


def test_the_system_can_be_said(file):
    text = "connections:\n- {NAME: orders, HOST: h.example, PORT: 25, CONNECTION SECURITY: NONE}\n"
    assert run("apply", file(text), "--from", "data-one")[0] == 0
    assert SmtpConnection.objects.get().name == "orders"


def test_what_a_file_says_of_itself_is_not_overruled(file):
    status, _, err = run("apply", file("system: asteria\n" + FOREIGN), "--from", "iconduct")
    assert (status, err) == (2, "system: invalid_choice: The file says “asteria” of itself.\n")


def test_a_hostile_name_cannot_move_the_cursor(file):
    _, out, err = run("apply", file(FILE.replace("orders-out", '"a\\x1b[2J\\u202eb"')))
    assert ("\x1b" in out + err, "\u202e" in out + err) == (False, False)


@pytest.mark.parametrize("format_", ["yaml", "json", "csv"])
def test_an_export_is_applied_without_a_change(file, format_):
    run("apply", file())
    run("apply", file(FILE.replace("kind: smtp", "kind: mailbox").replace("orders-out", "invoices")))
    status, out, _ = run("export", "--format", format_)
    assert (status, CANARY in out) == (0, False)
    events = AuditEvent.objects.count()
    assert run("apply", file(out, f"export.{format_}"))[1].endswith("0 created, 0 changed, 2 unchanged, 0 refused.\n")
    assert AuditEvent.objects.count() == events


def test_an_export_is_yaml_that_people_can_read(file):
    run("apply", file(FILE + "  description: |-\n    First line.\n\n    Second line.\n  tags: [eu, 'no']\n"))
    lines = run("export")[1].splitlines()
    assert lines[2:10] == [
        "version: 1",
        "connections:",
        "- kind: smtp",
        "  name: orders-out",
        "  description: |-",
        "    First line.",
        "",
        "    Second line.",
    ]
    assert "  password: {is_set: true}" in lines
    assert '  tags: [eu, "no"]' in lines
    assert "  cluster: null" in lines


def test_an_export_writes_every_field_that_can_be_written(file):
    run("apply", file())
    row = json.loads(run("export", "--format", "json")[1])["connections"][0]
    assert set(row) == {"kind", *SmtpConnection.writable()}


def test_an_export_is_in_the_order_of_names_and_can_be_narrowed(file):
    for name in ("b", "C", "a"):
        run("apply", file(FILE.replace("orders-out", name)))
    run("apply", file(FILE.replace("orders-out", "d").replace("mail.example", "other.example")))
    names = [row["name"] for row in json.loads(run("export", "--format", "json")[1])["connections"]]
    some = json.loads(run("export", "--format", "json", "--host", "other.example.org")[1])["connections"]
    assert (names, [row["name"] for row in some]) == (["a", "b", "C", "d"], ["d"])


@pytest.mark.parametrize("format_", ["yaml", "json", "csv"])
def test_an_empty_export_can_be_applied(file, format_):
    out = run("export", "--format", format_)[1]
    assert run("apply", file(out, f"export.{format_}"))[0] == 0


def test_an_export_is_recorded_with_its_filters(file):
    run("apply", file())
    run("export", "--format", "csv", "--q", "orders")
    event = AuditEvent.objects.get(act="definitions.exported")
    assert event.extra == {"format": "csv", "count": 1, "filters": {"q": "orders"}}


def test_a_filter_that_matches_nothing_by_mistake_is_refused():
    status, out, err = run("export", "--status", "enabled")
    assert (status, out, err.startswith("status: invalid_choice:")) == (2, "", True)


def test_the_documented_file_can_be_applied(file, tmp_path, monkeypatch):
    text = (ROOT / "docs" / "automation.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    monkeypatch.setenv("ORDERS_PASSWORD", CANARY)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "invoices").write_text(CANARY)
    save_cluster(Cluster(), {"name": "south"}, timezone.now())
    assert run("apply", file(text))[2] == ""
    assert list(Connection.objects.order_by("name_key").values_list("name", flat=True)) == ["invoices-in", "orders-out"]


def test_an_export_goes_on_behind_its_last_batch(file):
    names = [f"n{number:02}" for number in range(7)]
    text = FILE.partition("- ")[0] + "".join(FILE[FILE.index("- ") :].replace("orders-out", name) for name in names)
    run("apply", file(text))
    assert [row.name for row in connection_list({}).definitions(size=3)] == names


def test_an_export_takes_rows_only_as_they_are_sent(file):
    taken = []

    def rows():
        for number in range(1_000):
            taken.append(number)
            yield SmtpConnection(name=f"n{number}", host="h.example", port=25)

    pieces = writing.write(Format.YAML, rows())
    next(pieces)
    assert len(taken) == 100


def test_errors_that_are_not_listed_are_counted(file):
    row = {"kind": "smtp", **GOOD, **dict.fromkeys((f"k{number}" for number in range(149)), 1)}
    status, _, err = run("apply", file(json.dumps({"connections": [row]}), "one.json"))
    # The password that stands in the file is one error more.
    *listed, last = err.splitlines()
    assert (status, len(listed), last) == (2, 100, "150 errors in all, of which 100 are listed.")
