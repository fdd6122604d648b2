"""The words of ASTERIA Warp, whose switches, sections and defaults are not ours."""

import pytest
from django.core.exceptions import ValidationError

from connections.exchange.foreign import asteria, systems

ASTERIA = {"Connection Name": "orders", "Host": "h.example", "Authentication": "SMTP Authentication [SMTP]"}


@pytest.mark.parametrize(
    ("over_ssl", "starttls", "security"),
    [
        ("No [smtp]", "No [default]", "NONE"),
        ("No", "Yes", "STARTTLS"),
        ("smtp", "starttls", "STARTTLS"),
        ("Yes [smtps]", "No [default]", "SSL_TLS"),
        (True, False, "SSL_TLS"),
        ("smtps", None, "SSL_TLS"),
        (None, None, "NONE"),
    ],
)
def test_the_two_switches_of_asteria_are_one_security(over_ssl, starttls, security):
    done = asteria.SMTP.translate({**ASTERIA, "Use SMTP over SSL": over_ssl, "Use STARTTLS": starttls})
    assert (done.values["connection_security"], done.errors) == (security, {})


def test_both_switches_of_asteria_are_refused():
    done = asteria.SMTP.translate({**ASTERIA, "Use SMTP over SSL": "Yes", "Use STARTTLS": "Yes [starttls]"})
    assert [error.code for error in done.errors["connection_security"]] == ["not_available"]
    assert "connection_security" not in done.values


def test_a_switch_that_is_none_is_an_error_at_the_security():
    done = asteria.SMTP.translate({**ASTERIA, "Use SMTP over SSL": "maybe"})
    assert {name: errors[0].code for name, errors in done.errors.items()} == {"connection_security": "invalid_choice"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("POP before SMTP", "POP_BEFORE_SMTP"), ("SMTP Authentication [SMTP]", "BASIC"), ("SMTP Authentication", "BASIC"),
     ("SMTP", "BASIC"), ("None", "NONE"), (None, "POP_BEFORE_SMTP")],
)  # fmt: skip
def test_the_authentication_of_asteria_has_its_own_default(theirs, ours):
    assert asteria.SMTP.translate({"Authentication": theirs}).values["authentication_type"] == ours


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("Plain [plain]", "PLAIN"), ("cram-md5", "CRAM_MD5"), ("CRAM-MD5", "CRAM_MD5"), (None, "PLAIN")],
)
def test_the_mechanism_of_asteria_is_carried(theirs, ours):
    done = asteria.SMTP.translate({**ASTERIA, "Authentication Type": theirs})
    assert done.values["basic_mechanism"] == ours


def test_seconds_of_asteria_become_milliseconds():
    assert asteria.SMTP.translate({**ASTERIA, "Timeout": "90"}).values["timeout_ms"] == 90_000
    assert asteria.SMTP.translate(ASTERIA).values["timeout_ms"] == 60_000


def test_the_ports_of_asteria_have_their_defaults():
    assert [form.translate({}).values["port"] for form in (asteria.SMTP, asteria.IMAP4, asteria.POP3)] == [25, 143, 110]


POP_OPTIONS = {
    "POP3 Server": "pop.example", "Use POP over SSL": "No [pop3]", "POP3 Port": 1100, "User": "u", "Password": "p",
    "Use APOP": "false", "Interval Time": 70,
}  # fmt: skip
POP_VALUES = {
    "pop_host": "pop.example", "pop_port": 1100, "pop_username": "u", "pop_password": "p", "pop_use_apop": False,
    "pop_interval_ms": 70,
}  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {**POP_OPTIONS, "POP3 Use STARTTLS": "Yes"},
        {asteria.POP_SECTION: {**POP_OPTIONS, "Use STARTTLS": "Yes"}},
        {**POP_OPTIONS, f"{asteria.POP_SECTION}: Use STARTTLS": "Yes"},
    ],
    ids=["flat", "in its section", "with its section"],
)
def test_the_options_of_pop_before_smtp_are_carried(options):
    values = asteria.SMTP.translate({"Connection Name": "a", "Host": "h", **options}).values
    assert {name: values[name] for name in values if name.startswith("pop_")} == {
        **POP_VALUES, "pop_security": "STARTTLS",
    }  # fmt: skip
    assert (values["connection_security"], "basic_mechanism" in values) == ("NONE", False)


def test_starttls_outside_any_section_is_that_of_smtp():
    values = asteria.SMTP.translate({**POP_OPTIONS, "Use STARTTLS": "Yes"}).values
    assert (values["connection_security"], values["pop_security"]) == ("STARTTLS", "NONE")


def test_the_options_of_an_authentication_that_is_not_chosen_have_no_defaults():
    values = asteria.SMTP.translate({"Authentication": "None"}).values
    assert [name for name in values if name.startswith(("pop_", "basic"))] == []


def test_the_scope_of_asteria_becomes_a_tag():
    assert asteria.SMTP.translate({**ASTERIA, "Scope": "System"}).values["tags"] == ["asteria-system"]
    assert "tags" not in asteria.SMTP.translate(ASTERIA).values


def test_dynamic_is_carried():
    assert asteria.SMTP.translate({**ASTERIA, "Dynamic": "true"}).values["dynamic"] is True


def test_the_mailboxes_of_asteria_are_carried():
    raw = {"Connection Name": "in", "Use STARTTLS": "Yes", "Authentication Type": "cram-md5", "Mailbox": "Orders"}
    values = asteria.IMAP4.translate(raw).values
    names = ("store_type", "connection_security", "basic_mechanism", "folder")
    assert [values[name] for name in names] == ["IMAP", "STARTTLS", "CRAM_MD5", "Orders"]
    values = asteria.POP3.translate({"Use POP over SSL": "Yes [pops]", "Authentication Type": "APOP"}).values
    assert [values[name] for name in names if name != "folder"] == ["POP3", "SSL_TLS", "APOP"]


@pytest.mark.parametrize(
    ("labels", "form"),
    [
        (["Connection Name", "Use SMTP over SSL"], asteria.SMTP),
        (["Connection Name", "Authentication"], asteria.SMTP),
        (["Connection Name", "POP3 Server", "Use POP over SSL"], asteria.SMTP),
        (["Connection Name", "Mailbox"], asteria.IMAP4),
        (["Connection Name", "Use POP over SSL"], asteria.POP3),
    ],
)
def test_the_labels_of_asteria_tell_the_kind(labels, form):
    assert systems.SYSTEMS["asteria"].form_of(dict.fromkeys(labels), None) is form


@pytest.mark.parametrize("kind", ["imap4", "pop3", "smtp"])
def test_the_kind_of_asteria_can_be_said(kind):
    assert systems.SYSTEMS["asteria"].form_of({"Host": "h"}, kind).variant == kind


@pytest.mark.parametrize(
    ("kind", "code"), [(None, "required"), ("mailbox", "required"), ("ftp", "invalid_choice")], ids=str
)
def test_a_kind_that_cannot_be_told_is_asked_for(kind, code):
    with pytest.raises(ValidationError) as refused:
        systems.SYSTEMS["asteria"].form_of({"Host": "h", "Port": 1}, kind)
    assert refused.value.error_dict["kind"][0].code == code
