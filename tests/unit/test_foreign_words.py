"""The words of other systems: every label of their documents has its row in the table, and means what it says."""

import pytest
from django.core.exceptions import ValidationError

from connections.exchange import document
from connections.exchange.foreign import asteria, iconduct, primeur, systems, vocabulary, words
from connections.exchange.foreign.words import Fate, comparable
from connections.kinds import KINDS
from tests.translating import notes, translated

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
