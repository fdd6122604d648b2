"""What is exported can be applied back and changes nothing: no field, no secret, no event of the audit trail."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections import services
from connections.choices import SslProtocol
from connections.exchange import document, plan, secret_sources, writing
from connections.exchange.document import Format
from connections.kinds import KINDS
from connections.models import Connection
from connections.selectors import connection_list
from core.audit.models import AuditEvent
from core.text import first_forbidden
from steng.suites import SUITES
from tests.definitions import GOOD

pytestmark = pytest.mark.django_db

MAILBOX = {**GOOD, "name": "invoices-in", "port": 993, "connection_security": "SSL_TLS"}
TRAPS = [
    "no", "Yes", "on", "null", "~", "true", "1e3", "0777", "0x1F", "1_000", "1:30", "2024-01-01", ".inf", "=1+1",
    "@SUM(A1)", "+49", "-5", "=x", "&a", "*a", "!x", "%a", "#a", "- a", "? a", "a: b", "{a}", "[a]", "<<", "---",
    "...", "ünï", "📮", "👩🏽‍🚀", "＝1", "a,b", "a;b", "\\", "\\n", "''", "a#b", "a #b", "a:", ",", "`", "|", ">",
]  # fmt: skip


def allowed(text):
    return first_forbidden(text) is None


def texts(size, *, lines=False):
    """Return texts that a description or a user name may be, those among them that files stumble over."""
    letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cf"])
    traps = [*TRAPS, '"', "'", '"a"', " a", "a ", " ", "'=1"]
    plain = st.text(letters, max_size=size) | st.sampled_from(traps)
    if lines:
        plain = st.lists(plain, max_size=5).map("\n".join) | plain | st.just("a\tb\n\n  c\n")
    return plain.filter(lambda text: len(text) <= size and allowed(text.replace("\n", " ").replace("\t", " ")))


def names(size=40):
    traps = [trap for trap in TRAPS if not set(trap) & set(" '\"|,")]
    letters = st.characters(exclude_categories=["Cs", "Cc", "Z", "Cf"], exclude_characters="'\"|,")
    return (st.text(letters, min_size=1, max_size=size) | st.sampled_from(traps)).filter(
        lambda text: allowed(text) and not any(map(str.isspace, text))
    )


COMMON = {
    "name": names(),
    "description": texts(200, lines=True),
    "status": st.sampled_from(["ENABLED", "DISABLED"]),
    "host": st.sampled_from(["mail.example.org", "192.0.2.1", "[2001:db8::1]", "2001:db8::1", "bücher.example", "no"]),
    "port": st.integers(1, 65_535),
    "connection_security": st.sampled_from(["STARTTLS", "SSL_TLS", "NONE"]),
    "match_server_hostname": st.booleans(),
    "timeout_ms": st.integers(1_000, 600_000),
    "max_retries": st.none() | st.integers(0, 100),
    "retry_interval": st.none() | st.integers(0, 86_400),
    "dynamic": st.booleans(),
    "tags": st.lists(names(12), max_size=4),
    "partner": st.just("") | names(20),
    "ssl_protocol_mode": st.sampled_from(["ALL", "SPECIFIC"]),
    "ssl_protocols": st.lists(st.sampled_from(SslProtocol.values), min_size=1),
    "cipher_suite_mode": st.sampled_from(["ALL", "SPECIFIC"]),
    "cipher_suites": st.lists(st.sampled_from([name for name, suite in SUITES.items() if suite.protects]), min_size=1),
    "username": texts(40).filter(bool),
    "password": st.just("correct horse"),
}
SMTP = {
    "authentication_type": st.sampled_from(["BASIC", "POP_BEFORE_SMTP", "NONE"]),
    "basic_mechanism": st.sampled_from(["AUTO", "PLAIN", "LOGIN", "CRAM_MD5"]),
    "pop_host": st.just("pop.example.org"),
    "pop_port": st.integers(1, 65_535),
    "pop_security": st.sampled_from(["STARTTLS", "SSL_TLS", "NONE"]),
    "pop_username": texts(40).filter(bool),
    "pop_password": st.just("battery staple"),
    "pop_use_apop": st.booleans(),
    "pop_interval_ms": st.integers(0, 600_000),
    "sender_address": st.sampled_from(["", "orders@example.org", "+x@example.org"]),
    "helo_name": st.sampled_from(["", "steng.example.org", "[192.0.2.1]"]),
    "use_html_body": st.booleans(),
}
IMAP = {
    "store_type": st.just("IMAP"),
    "basic_mechanism": st.sampled_from(["AUTO", "PLAIN", "LOGIN", "CRAM_MD5"]),
    "folder": texts(40).filter(bool),
    "disposition": st.sampled_from(["KEEP", "SEEN", "DELETE"]),
    "pull_disposition": st.sampled_from(["GET_FIRST_MESSAGE", "GET_LAST_UNREAD_MESSAGE"]),
}
POP3 = {
    "store_type": st.just("POP3"),
    "basic_mechanism": st.sampled_from(["AUTO", "USER_PASS", "APOP"]),
    "disposition": st.sampled_from(["KEEP", "DELETE"]),
    "pull_disposition": st.sampled_from(["GET_FIRST_MESSAGE", "GET_LAST_MESSAGE"]),
}
DEFINITIONS = st.one_of(
    st.tuples(st.just("smtp"), st.fixed_dictionaries(COMMON | SMTP)),
    st.tuples(st.just("mailbox"), st.fixed_dictionaries(COMMON | IMAP)),
    st.tuples(st.just("mailbox"), st.fixed_dictionaries(COMMON | POP3)),
)


def exported(format_):
    return "".join(writing.write(format_, connection_list({}).definitions()))


def planned(text, format_=None, secret=secret_sources.as_it_stands):
    return plan.make(document.read(text.encode(), format_), secret, user=None)


def stored():
    """Return every row whole, the secrets as they are sealed and the times among them."""
    return [sorted((name, str(value)) for name, value in vars(row).items() if name != "_state")
            for model in KINDS.values() for row in model.objects.order_by("pk")]  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definitions=st.lists(DEFINITIONS, min_size=1, max_size=3), format_=st.sampled_from(Format))
def test_an_export_that_is_applied_changes_nothing(db, definitions, format_):
    Connection.objects.all().delete()
    for place, (kind, values) in enumerate(definitions):
        services.save(KINDS[kind], None, {**values, "name": f"{values['name']}{place}"}, user=None)
    before, events = stored(), AuditEvent.objects.count()
    made = plan.apply(planned(exported(format_), format_), user=None)
    assert (made.applied, made.counts["unchanged"], made.errors()) == (True, len(definitions), [])
    assert (stored(), AuditEvent.objects.count()) == (before, events)
