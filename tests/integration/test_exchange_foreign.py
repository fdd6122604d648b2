"""Definitions in the words of other systems, on their way through a plan into the console."""

import pytest
from django.utils import timezone

from cluster.models import Cluster, Steng
from cluster.services import save_cluster, save_steng
from connections.exchange import document, plan, secret_sources
from connections.models import MailboxConnection, SmtpConnection

pytestmark = pytest.mark.django_db

ASTERIA = """\
system: asteria
connections:
- Connection Name: orders
  Host: mail.example.org
  Use STARTTLS: Yes [starttls]
  Port: 587
  Authentication: SMTP Authentication [SMTP]
  SMTP Username: orders
  SMTP Password: correct horse
  Scope: user
"""
ICONDUCT = """\
connections:
- Connection*: orders
  Is Active: true
  Cloud Agent*: AGENT
  Is Target: true
  Timeout: 30000
  Server URL*: mail.example.org
  Port*: 465
  Use SSL: true
"""


def planned(text):
    return plan.make(document.read(text.encode()), secret_sources.as_it_stands, user=None)


def applied(text):
    made = plan.apply(planned(text), user=None)
    assert (made.applied, made.errors()) == (True, [])
    return made


def faults(made):
    return [(error["pointer"], error["code"]) for error in made.errors()]


def test_a_connection_of_asteria_arrives_whole():
    applied(ASTERIA)
    row = SmtpConnection.objects.get()
    assert (row.name, row.endpoint, row.connection_security, row.basic_mechanism, row.timeout_ms, row.tags) == (
        "orders", "mail.example.org:587", "STARTTLS", "PLAIN", 60_000, ["asteria-user"],
    )  # fmt: skip


def test_the_second_import_changes_nothing():
    applied(ASTERIA)
    assert applied(ASTERIA).counts["unchanged"] == 1


def test_what_their_words_cannot_say_stays_as_it_is():
    applied(ASTERIA)
    row = SmtpConnection.objects.get()
    SmtpConnection.objects.filter(pk=row.pk).update(
        description="Ours", tags="\nours\nasteria-user\n", max_retries=3, match_server_hostname=False
    )
    made = applied(ASTERIA.replace("Scope: user", "Scope: system").replace("587", "25"))
    row.refresh_from_db()
    assert made.entries[0].changed == ("port", "tags")
    assert (row.description, row.tags, row.max_retries) == ("Ours", ["ours", "asteria-system"], 3)


def test_both_of_the_switches_of_asteria_are_refused_at_the_field():
    made = planned(ASTERIA + "  Use SMTP over SSL: Yes [smtps]\n")
    assert faults(made) == [("/connections/0/connection_security", "not_available")]


def test_a_timeout_beyond_the_limit_is_named_in_our_unit():
    made = planned(ASTERIA + "  Timeout: 601\n")
    assert (faults(made), made.errors()[0]["value"]) == ([("/connections/0/timeout_ms", "out_of_range")], 601_000)


def test_an_unknown_label_is_refused_at_itself():
    assert faults(planned(ASTERIA + "  Colour/Hue: red\n")) == [("/connections/0/Colour~1Hue", "unknown_field")]


def test_an_agent_is_the_steng_of_its_name_with_its_cluster():
    cluster = _cluster("south")
    _steng("AGENT", cluster)
    made = applied(ICONDUCT)
    row = SmtpConnection.objects.get()
    assert (made.system.key, made.recognised, row.steng.name, row.cluster) == ("iconduct", True, "AGENT", cluster)


def test_an_agent_is_else_the_cluster_of_its_name():
    _cluster("agent")
    applied(ICONDUCT)
    row = SmtpConnection.objects.get()
    assert (row.steng, row.cluster.name) == (None, "agent")


def test_an_agent_that_nobody_is_called_is_not_found():
    assert faults(planned(ICONDUCT)) == [("/connections/0/cluster", "not_found")]


def test_the_cloud_is_no_agent_and_is_said():
    made = applied(ICONDUCT.replace("AGENT", "IConduct"))
    assert [note.label for note in made.entries[0].notes] == ["Cloud Agent"]
    assert SmtpConnection.objects.get().cluster is None


def test_a_source_of_iconduct_becomes_a_mailbox():
    text = ICONDUCT.replace("Is Target", "Is Source").replace("AGENT", "IConduct").replace("465", "993")
    applied(text + "  Username: u\n  Password: p\n")
    assert MailboxConnection.objects.get().store_type == "IMAP"


def test_a_mailbox_of_asteria_loses_no_mail_until_somebody_decides_so():
    text = "system: asteria\nkind: pop3\nconnections:\n- {Connection Name: in, Host: h.example, User: u, Password: p}\n"
    applied(text)
    row = MailboxConnection.objects.get()
    MailboxConnection.objects.update(disposition="DELETE")
    assert (row.disposition, applied(text).counts["unchanged"]) == ("KEEP", 1)


def test_every_word_that_is_left_behind_is_listed_by_row():
    made = planned(ICONDUCT.replace("AGENT", "IConduct") + "  Query: x\n  Implementation Type: Java\n")
    shown = made.to_json()["rows"][0]["notes"]
    assert [(note["label"], note["fate"]) for note in shown] == [
        ("Query", "ignored"), ("Cloud Agent", "noted"), ("Implementation Type", "not_carried"),
    ]  # fmt: skip


def test_a_spreadsheet_in_their_words_is_read():
    header = "NAME *,HOST *,PORT *,CONNECTION SECURITY,STORE TYPE,FOLDER *,USERNAME *,PASSWORD *"
    applied(f"{header}\nin,h.example,110,NONE,POP3,INBOX,u,'p\n")
    row = MailboxConnection.objects.get()
    assert (row.store_type, row.disposition, row.port) == ("POP3", "DELETE", 110)


@pytest.mark.parametrize("system", ["data-one", "data-mover"])
def test_both_editions_of_primeur_are_read(system):
    text = f"system: {system}\nconnections:\n- {{NAME: a, HOST: h.example, PORT: 25, CONNECTION SECURITY: NONE}}\n"
    assert applied(text).system.key == system


def test_our_own_words_can_be_said_to_be_ours():
    made = planned("system: postern\nconnections:\n- NAME: a\n  kind: smtp\n")
    assert faults(made)[0] == ("/connections/0/NAME", "unknown_field")


def _cluster(name):
    return save_cluster(Cluster(), {"name": name}, timezone.now())


def _steng(name, cluster):
    return save_steng(Steng(), {"name": name, "cluster": cluster}, timezone.now())
