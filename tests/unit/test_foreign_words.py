"""The words of other systems: every label of their documents has its row in the table, and means what it says."""

import pytest
from django.core.exceptions import ValidationError

from connections.exchange import document
from connections.exchange.foreign import asteria, iconduct, primeur, systems, vocabulary, words
from connections.exchange.foreign.words import Fate, comparable
from connections.kinds import KINDS

# The labels of the forms as their documents write them, in their order.
PRIMEUR_SMTP = (
    "NAME *", "DESCRIPTION", "STATUS", "HOST *", "PORT *", "USERNAME *", "(new) AUTHENTICATION TYPE *", "PASSWORD *",
    "(new) SEARCH CREDENTIAL *", "MATCH SERVER HOSTNAME", "CLIENT KEY LABEL", "SSL AUTHENTICATION PROTOCOL",
    "ACCEPTED CIPHER SUITES", "SIGN KEY ALIAS", "CONNECTION SECURITY", "MAX RETRIES", "RETRY INTERVAL",
    "CONFIGURATION TEST",
)  # fmt: skip
DATA_MOVER_SMTP = (
    "STATUS", "NAME *", "DESCRIPTION", "HOST *", "PORT *", "USERNAME", "AUTHENTICATION TYPE *", "PASSWORD",
    "SEARCH CREDENTIAL *", "MATCH SERVER HOSTNAME", "CLIENT KEY LABEL", "SSL AUTHENTICATION PROTOCOL",
    "ACCEPTED CIPHER SUITES", "SIGN KEY ALIAS", "CONNECTION SECURITY", "MAX RETRIES *", "RETRY INTERVAL",
    "CONFIGURATION TEST",
)  # fmt: skip
ICONDUCT_SMTP = (
    "Connection*", "Is Active", "Cloud Agent*", "Implementation Type*", "Is Source", "Is Target", "Timeout", "Query",
    "DateTime Format", "Username*", "Password*", "Server URL*", "Port*", "Use SSL", "Use HTML Body", "Test Connection",
)  # fmt: skip
ASTERIA_SMTP = (
    "Connection Name", "Host", "Use SMTP over SSL", "Use STARTTLS", "Port", "Authentication", "Timeout", "Dynamic",
    "POP3 Server", "Use POP over SSL", "POP3 Port", "User", "Password", "Use APOP", "Interval Time", "SMTP Username",
    "SMTP Password", "Authentication Type",
)  # fmt: skip
PRIMEUR_MAILBOX = (
    "NAME *", "DESCRIPTION", "STATUS", "HOST *", "PORT *", "USERNAME *", "PASSWORD *", "MATCH SERVER HOSTNAME",
    "CLIENT KEY LABEL", "SSL AUTHENTICATION PROTOCOL", "ACCEPTED CIPHER SUITES", "STORE TYPE", "FOLDER *",
    "CONNECTION SECURITY", "DISPOSITION", "PULL DISPOSITION", "MAX RETRIES", "RETRY INTERVAL", "CONFIGURATION TEST",
)  # fmt: skip
ASTERIA_MAILBOX = (
    "Connection Name", "Host", "Use STARTTLS", "Port", "Authentication Type", "User", "Password", "Timeout", "Dynamic",
)  # fmt: skip
DOCUMENTS = (
    (primeur.SMTP, PRIMEUR_SMTP),
    (primeur.SMTP, DATA_MOVER_SMTP),
    (primeur.MAILBOX, PRIMEUR_MAILBOX),
    (iconduct.SMTP, ICONDUCT_SMTP),
    (asteria.SMTP, ASTERIA_SMTP),
    (asteria.IMAP4, (*ASTERIA_MAILBOX, "Use IMAP over SSL", "Mailbox")),
    (asteria.POP3, (*ASTERIA_MAILBOX, "Use POP over SSL")),
)
FORMS = [form for system in systems.SYSTEMS.values() for form in system.vocabularies]


def translated(form, **labels):
    """Return our values of a row; underscores stand for the blanks of its labels."""
    done = form.translate({label.replace("_", " "): value for label, value in labels.items()})
    return done.values | {f"! {name}": error[0].code for name, error in done.errors.items()}


def notes(form, **labels):
    done = form.translate({label.replace("_", " "): value for label, value in labels.items()})
    return {note.label: note.fate for note in done.notes}


@pytest.mark.parametrize(("form", "label"), [(form, label) for form, labels in DOCUMENTS for label in labels], ids=str)
def test_every_label_of_the_documents_is_in_the_table(form, label):
    assert comparable(label) in form.labels


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_every_word_is_carried_to_a_field_or_says_why_not(form):
    model = KINDS[form.kind]
    private = {iconduct.AGENT}
    for word in form.words:
        ours = {name for name in word.fields if not name.startswith("_")} - private
        assert ours <= set(model.writable()), word.label
        assert (word.fate in {Fate.IGNORED, Fate.NOT_CARRIED}) == (not word.fields), word.label
        assert word.fields or word.meaning, word.label


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.title)
def test_no_label_stands_for_two_words_of_one_place(form):
    seen = {}
    for word in form.words:
        for key in word.keys:
            assert seen.setdefault((word.section, key), word) is word


@pytest.mark.parametrize("label", ["Name", " name ", "NAME *", "NAME*", "Name:", "(new) NAME *", "n\u0041mE"])
def test_a_label_is_known_in_any_dress(label):
    assert comparable(label) == "name"


def test_primeur_smtp_is_carried_word_by_word():
    raw = dict.fromkeys(PRIMEUR_SMTP, None) | {
        "NAME *": "orders", "DESCRIPTION": "Text", "STATUS": "Disabled", "HOST *": "h.example", "PORT *": 465,
        "USERNAME *": "u", "(new) AUTHENTICATION TYPE *": "OAUTH2_CLIENT_CREDENTIAL", "PASSWORD *": "p",
        "(new) SEARCH CREDENTIAL *": "office", "MATCH SERVER HOSTNAME": "Enabled", "CLIENT KEY LABEL": "key",
        "SSL AUTHENTICATION PROTOCOL": ["TLSv1_2", "SSLv2Hello"], "ACCEPTED CIPHER SUITES": "ALL",
        "SIGN KEY ALIAS": "sign", "CONNECTION SECURITY": "SSL_TLS", "MAX RETRIES": "3", "RETRY INTERVAL": 60,
    }  # fmt: skip
    done = primeur.SMTP.translate(raw)
    assert (done.values, done.errors, done.notes) == (
        {
            "name": "orders", "description": "Text", "status": "DISABLED", "host": "h.example", "port": 465,
            "username": "u", "authentication_type": "OAUTH2_CLIENT_CREDENTIAL", "password": "p",
            "credential": "office", "match_server_hostname": True, "client_key_label": "key",
            "ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2", "SSLv2Hello"], "cipher_suite_mode": "ALL",
            "cipher_suites": [], "sign_key_alias": "sign", "connection_security": "SSL_TLS", "max_retries": 3,
            "retry_interval": 60,
        },
        {},
        [],
    )  # fmt: skip


def test_the_defaults_of_primeur_are_carried():
    assert translated(primeur.MAILBOX, NAME="in") == {
        "name": "in", "status": "ENABLED", "authentication_type": "BASIC", "match_server_hostname": False,
        "ssl_protocol_mode": "ALL", "ssl_protocols": [], "cipher_suite_mode": "ALL", "cipher_suites": [],
        "store_type": "IMAP",
    }  # fmt: skip


def test_primeur_mailboxes_are_carried_word_by_word():
    values = translated(
        primeur.MAILBOX, STORE_TYPE="POP3", FOLDER="INBOX", DISPOSITION="DELETE", PULL_DISPOSITION="GET_LAST_MESSAGE"
    )
    names = ("store_type", "folder", "disposition", "pull_disposition")
    assert [values[name] for name in names] == ["POP3", "INBOX", "DELETE", "GET_LAST_MESSAGE"]


@pytest.mark.parametrize(
    ("written", "mode", "names"),
    [
        ("ALL", "ALL", []),
        ("all", "ALL", []),
        (["ALL"], "ALL", []),
        (["TLSv1_3", "TLSv1_2"], "SPECIFIC", ["TLSv1_3", "TLSv1_2"]),
        ("TLSv1_3, TLSv1_2", "SPECIFIC", ["TLSv1_3", "TLSv1_2"]),
        ("ONLY SPECIFIC VALUES: TLSv1_2; TLSv1", "SPECIFIC", ["TLSv1_2", "TLSv1"]),
        ("Only Specific Values", "SPECIFIC", []),
        ({"ONLY SPECIFIC VALUES": ["SSLv3"]}, "SPECIFIC", ["SSLv3"]),
        ({"ONLY SPECIFIC VALUES": None}, "SPECIFIC", []),
    ],
)
def test_all_and_specific_values_are_carried_as_mode_and_list(written, mode, names):
    values = translated(primeur.SMTP, SSL_AUTHENTICATION_PROTOCOL=written)
    assert (values["ssl_protocol_mode"], values["ssl_protocols"]) == (mode, names)


def test_an_act_of_their_form_is_left_behind_and_said():
    assert notes(primeur.SMTP, CONFIGURATION_TEST="TEST") == {"CONFIGURATION TEST": Fate.IGNORED}
    assert notes(iconduct.SMTP, Test_Connection="yes")["Test Connection"] == Fate.IGNORED


def test_iconduct_is_carried_word_by_word():
    done = iconduct.SMTP.translate(
        {
            "Connection*": "orders", "Is Active": True, "Cloud Agent*": "south-agent",
            "Implementation Type*": "Default", "Is Source": False, "Is Target": True, "Timeout": 30_000, "Query": "",
            "DateTime Format": None,
            "Username*": "u", "Password*": "p", "Server URL*": "h.example", "Port*": "465", "Use SSL": "Yes",
            "Use HTML Body": "No",
        }
    )  # fmt: skip
    assert (done.kind, done.values, done.errors, done.notes) == (
        "smtp",
        {
            "authentication_type": "BASIC", "name": "orders", "status": "ENABLED", "agent": "south-agent",
            "timeout_ms": 30_000, "username": "u", "password": "p", "host": "h.example", "port": 465,
            "connection_security": "SSL_TLS", "use_html_body": False,
        },
        {},
        [],
    )  # fmt: skip


def test_what_iconduct_does_not_use_either_is_ignored_and_said():
    assert notes(iconduct.SMTP, Query="SELECT", DateTime_Format="yyyy", Is_Source="Yes") == {
        "Query": Fate.IGNORED, "DateTime Format": Fate.IGNORED, "Is Source": Fate.IGNORED,
    }  # fmt: skip


def test_the_java_agent_and_the_search_of_a_mailbox_are_not_carried():
    assert notes(iconduct.SMTP, Implementation_Type="Java") == {"Implementation Type": Fate.NOT_CARRIED}
    assert notes(iconduct.IMAP, Query="UNSEEN") == {"Query": Fate.NOT_CARRIED}


def test_the_cloud_of_iconduct_is_any_cluster():
    done = iconduct.SMTP.translate({"Cloud Agent": "IConduct"})
    assert ("agent" in done.values, [note.label for note in done.notes]) == (False, ["Cloud Agent"])


def test_iconduct_without_ssl_is_clear_text_and_said():
    assert translated(iconduct.SMTP, Use_SSL="No")["connection_security"] == "NONE"
    assert notes(iconduct.SMTP, Use_SSL=False) == {"Use SSL": Fate.NOTED}


@pytest.mark.parametrize(
    ("source", "target", "form"),
    [("Yes", "No", iconduct.IMAP), (True, None, iconduct.IMAP), ("No", "Yes", iconduct.SMTP),
     ("Yes", "Yes", iconduct.SMTP), (None, None, iconduct.SMTP), (False, False, iconduct.SMTP)],
)  # fmt: skip
def test_the_direction_of_iconduct_is_the_kind(source, target, form):
    assert systems.SYSTEMS["iconduct"].form_of({"Is Source": source, "Is Target *": target}, None) is form


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


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        (PRIMEUR_SMTP, "data-mover"),
        (PRIMEUR_MAILBOX, "data-mover"),
        (["NAME", "HOST", "PORT"], "data-mover"),
        (ICONDUCT_SMTP, "iconduct"),
        (ASTERIA_SMTP, "asteria"),
        (["Connection Name", "Host", "Colour"], "asteria"),
        (["name", "host", "Port"], None),
        (["kind", "name"], None),
        (["Colour", "Taste"], None),
        (["Connection Name", "Colour"], None),
        ([], None),
    ],
)
def test_a_system_is_recognised_by_its_labels(labels, key):
    found = systems.recognise(labels, frozenset({"name", "host", "kind", "port"}))
    assert (found.key if found else None) == key


def test_labels_that_fit_several_systems_are_asked_for():
    with pytest.raises(ValidationError) as refused:
        systems.recognise(["Port", "Host"], frozenset())
    assert refused.value.error_dict["system"][0].code == "required"


@pytest.mark.parametrize("name", ["data-one", "Data One", "DATA_ONE"])
def test_a_system_is_found_by_its_name(name):
    assert systems.find(name).key == "data-one"


def test_our_own_words_have_a_name_too():
    assert systems.find("postern") is None


def test_a_system_that_nobody_knows_is_refused():
    with pytest.raises(ValidationError) as refused:
        systems.find("notes")
    assert refused.value.error_dict["system"][0].code == "invalid_choice"


def test_a_misspelt_label_never_means_nothing():
    assert translated(primeur.SMTP, SSL_AUTHENTICATION_PROTOCOLL="ALL")["! SSL AUTHENTICATION PROTOCOLL"] == (
        "unknown_field"
    )


def test_a_label_that_stands_twice_is_refused():
    done = primeur.SMTP.translate({"NAME": "a", "Name *": "b"})
    assert done.errors["Name *"][0].code == "malformed"


@pytest.mark.parametrize(
    ("label", "value", "field"),
    [("STATUS", "On", "status"), ("STATUS", 5, "status"), ("CONNECTION SECURITY", "TLS", "connection_security"),
     ("MATCH SERVER HOSTNAME", ["x"], "match_server_hostname")],
)  # fmt: skip
def test_a_value_that_their_form_does_not_have_is_refused(label, value, field):
    assert primeur.SMTP.translate({label: value}).errors[field][0].code == "invalid_choice"


@pytest.mark.parametrize("value", ["abc", "25.9", 25.9, True, [25]])
def test_what_is_no_number_is_left_for_the_field_to_judge(value):
    assert primeur.SMTP.translate({"PORT": value}).values["port"] == value


def test_an_error_of_a_word_without_a_field_stands_at_its_label():
    assert iconduct.SMTP.translate({"Implementation Type": "Perl"}).errors["Implementation Type"]


def test_a_document_says_whose_words_it_uses():
    read = document.read(b"system: asteria\nkind: imap4\nconnections: []\n")
    assert (read.system, read.kind) == ("asteria", "imap4")


def test_a_label_is_brought_into_its_comparable_form_once_however_many_forms_there_are(monkeypatch):
    asked = []
    monkeypatch.setattr(systems, "comparable", lambda label: asked.append(label) or label)
    monkeypatch.setattr(words, "comparable", None)
    monkeypatch.setattr(vocabulary, "comparable", None)
    labels = {f"label {number}" for number in range(500)}
    assert systems.recognise(labels, frozenset()) is None
    assert (len(asked), set(asked)) == (500, labels)
