"""The whole story as a script tells it: REST and the command line, `manage.py up`, and the lab's real Postfix."""

import base64
import json
import shutil

import pytest

from tests.lab.ports import Ports
from tests.running import Console

pytestmark = pytest.mark.postfix

SECURITIES = {"STARTTLS": "submission", "SSL_TLS": "smtps"}


@pytest.fixture(scope="module")
def installation(prepared, tmp_path_factory):
    """Return a running console with a token of its administrator."""
    data = tmp_path_factory.mktemp("journey") / "data"
    shutil.copytree(prepared, data, ignore=shutil.ignore_patterns("*.bell"))
    ports = Ports()
    with Console(data, ports.reserve()) as console:
        console.start()
        console.log_in()
        yield console
        console.stop()
    ports.release()


def definition(lab, security, **changes):
    return {
        "host": lab.host,
        "port": getattr(lab.postfix, SECURITIES[security]),
        "connection_security": security,
        "username": "alice",
        "password": lab.users["alice"],
        **changes,
    }


def draft_test(console, values):
    status, job = console.ask("POST", "connections/smtp/test/?wait=30", values)
    assert status == 200, job
    return job


def outcomes(job):
    return {stage["name"]: (stage["outcome"], stage["code"]) for stage in job["stages"]}


def trust_root(console, lab, job=None, port=None):
    body = {"certificate": lab.ca_file.read_text(), "as": "anchor", "reason": "handed over in person"}
    return console.ask("POST", "trust-store/certificates/", body)


def trust_presented(role, kind):
    def trust(console, lab, job, port):
        (found,) = [item for item in job["untrusted_certificates"] if item["role"] == role]
        spelled = ":".join(found["fingerprint"].upper()[place : place + 2] for place in range(0, 64, 2))
        body = {"as": kind, "fingerprint": spelled, "reason": "compared by telephone"}
        if kind == "pin":
            body["endpoint"] = f"{lab.host}:{port}"
        return console.ask("POST", f"untrusted-cache/certificates/{found['id']}/trust/", body)

    return trust


WAYS = {
    "an imported root": trust_root,
    "a pin of the leaf": trust_presented("leaf", "pin"),
    "an anchor of the intermediate": trust_presented("intermediate", "anchor"),
}


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize("way", WAYS)
def test_a_connection_goes_from_red_to_green_by(way, security, installation, lab):
    console = installation
    red = draft_test(console, definition(lab, security))
    assert (red["verdict"], red["failed_stage"], red["code"]) == ("failure", "trust", "certificate_unknown_issuer")
    assert [item["role"] for item in red["untrusted_certificates"]] == ["leaf", "intermediate"]
    assert outcomes(red)["auth"] == ("skipped", None)
    status, entry = WAYS[way](console, lab, red, definition(lab, security)["port"])
    assert status == 201, entry
    try:
        green = draft_test(console, definition(lab, security))
        assert (green["verdict"], green["code"], set(outcomes(green).values())) == ("success", None, {("ok", None)})
        assert all(stage["duration_ms"] is not None for stage in green["stages"])
    finally:
        console.ask("DELETE", f"trust-store/certificates/{entry['id']}/")
    again = draft_test(console, definition(lab, security))
    assert again["code"] == "certificate_unknown_issuer"


def test_the_command_line_tells_the_same_story(installation, lab):
    console, name = installation, "by-command"
    values = definition(lab, "STARTTLS", password="env:SECRET")
    arguments = [f"{key}={value}" for key, value in values.items()]
    console.manage("connection", "set", name, *arguments, SECRET=lab.users["alice"])
    red = console.manage("connection", "test", name, "--json", check=False)
    assert (red.returncode, json.loads(red.stdout)["code"]) == (1, "certificate_unknown_issuer")
    console.manage("trust", "import", str(lab.ca_file), "--reason", "handed over in person")
    try:
        green = console.manage("connection", "test", name, check=False)
        assert (green.returncode, "\nOK: by-command: " in green.stdout) == (0, True)
    finally:
        _, listed = console.ask("GET", "trust-store/certificates/")
        for entry in listed["results"]:
            console.ask("DELETE", f"trust-store/certificates/{entry['id']}/")
    assert console.manage("connection", "test", "no-such-one", check=False).returncode == 2


def test_a_wrong_password_is_refused_after_one_attempt(installation, lab):
    console = installation
    _, entry = trust_root(console, lab)
    try:
        before = lab.dovecot.login_attempts("bob")
        job = draft_test(console, definition(lab, "STARTTLS", username="bob", password="wrong"))
        assert (job["failed_stage"], job["code"], job["field"]) == ("auth", "credentials_refused", "password")
        assert lab.dovecot.login_attempts("bob") - before == 1
    finally:
        console.ask("DELETE", f"trust-store/certificates/{entry['id']}/")


def test_a_secret_is_readable_nowhere_after_use(installation, lab):
    console, secret = installation, "Canary-7Zq9-wörd"
    _, entry = trust_root(console, lab)
    values = definition(lab, "STARTTLS", name="canary", password=secret)
    status, saved = console.ask("POST", "connections/smtp/", values)
    assert status == 201
    console.ask("POST", f"connections/smtp/{saved['id']}/test/?wait=30")
    draft_test(console, values | {"name": "canary-draft"})
    seen = json.dumps([console.ask("GET", path)[1] for path in ("connections/smtp/", "jobs/", "connections/")])
    _, jobs = console.ask("GET", "jobs/")
    seen += json.dumps([console.ask("GET", f"jobs/{job['id']}/transcript/")[1] for job in jobs["results"]])
    console.ask("DELETE", f"trust-store/certificates/{entry['id']}/")
    stored = b"".join(path.read_bytes() for path in console.data.rglob("*") if path.is_file())
    forms = {
        secret.encode(),
        secret.encode("utf-16-le"),
        base64.b64encode(secret.encode()),
        base64.b64encode(f"\0alice\0{secret}".encode()),
        json.dumps(secret)[1:-1].encode(),
    }
    assert [form for form in forms if form in stored or form in seen.encode()] == []
