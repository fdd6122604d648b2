"""`manage.py trust`: the same rules and codes at the command line."""

import io
import json

import pytest
from django.core.management import call_command

from tests.integration.untrusted import ders, imported
from tests.lab.pki import Authority, Pki
from untrusted_cache.models import TrustEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def pki():
    return Pki()


def run(*arguments):
    """Return exit status, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("trust", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture
def root_file(pki, tmp_path):
    path = tmp_path / "root.der"
    path.write_bytes(ders(pki.root.certificate)[0])
    return str(path)


def test_a_file_is_imported(root_file):
    status, out, _ = run("import", root_file, "--reason", "CA.")
    assert (status, out.startswith("trusted: Lab-Root-CA-"), TrustEntry.objects.get().kind) == (0, True, "anchor")


def test_standard_input_is_imported(pki, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(pki.root.pem)))
    assert run("import", "-", "--reason", "CA.")[0] == 0


def test_a_known_certificate_is_no_mistake(pki, root_file):
    imported(pki)
    status, out, _ = run("import", root_file, "--reason", "CA.")
    assert (status, out.partition(":")[0]) == (0, "known")


def test_a_pin_is_imported_with_its_endpoint(pki, tmp_path):
    path = tmp_path / "leaf.pem"
    path.write_bytes(pki.leaf().pem)
    status, _, _ = run("import", str(path), "--as", "pin", "--endpoint", "mail.example:25", "--reason", "Renewal.")
    assert (status, TrustEntry.objects.get().endpoint) == (0, "mail.example:25")


def test_scope_and_end_are_read(root_file):
    run(
        "import",
        root_file,
        "--reason",
        "x",
        "--scope",
        "a.example,b.example",
        "--scope",
        "c.example",
        "--expires",
        "2099-03-31",
    )
    entry = TrustEntry.objects.get()
    assert (entry.scope, entry.expires.isoformat()) == (
        ["a.example", "b.example", "c.example"],
        "2099-03-31T23:59:59+00:00",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "reason: required:"),
        (("--reason", "x", "--as", "PIN"), "as: invalid_choice:"),
        (("--reason", "x", "--as", "pin"), "endpoint: required:"),
        (("--reason", "x", "--expires", "tomorrow"), "expires: invalid_type:"),
        (("--reason", "x", "--scope", "a:1"), "scope: host_invalid:"),
    ],
)
def test_a_mistake_ends_with_status_2_and_its_code(root_file, arguments, expected):
    status, out, err = run("import", root_file, *arguments)
    assert (status, out, err.startswith(expected)) == (2, "", True)


def test_a_file_that_is_not_there_ends_with_status_2(tmp_path):
    status, _, err = run("import", str(tmp_path / "none.pem"), "--reason", "x")
    assert (status, err.startswith("file: not_found:")) == (2, True)


def test_the_store_is_listed_with_fingerprints(pki):
    entry = imported(pki)
    status, out, _ = run("list")
    assert (status, out) == (
        0,
        f"{entry.name}  anchor for any host, until removed, CN=Lab Root CA\n  SHA-256 {entry.fingerprint}\n",
    )


def test_the_store_is_listed_as_json(pki):
    entry = imported(pki)
    assert json.loads(run("list", "--json")[1])["id"] == str(entry.id)


def test_the_list_is_searched(pki):
    imported(pki)
    assert run("list", "--q", "nothing")[1] == ""


def test_a_hostile_name_cannot_move_the_cursor(tmp_path):
    path = tmp_path / "root.pem"
    path.write_bytes(Authority.root("a\x1b[2Jb\u202ec").pem)
    _, out, _ = run("import", str(path), "--reason", "x")
    assert ("\x1b" in out, "\u202e" in out) == (False, False)
