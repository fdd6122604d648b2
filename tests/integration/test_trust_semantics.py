"""Every cell of docs/trust.md: what is presented x what is trusted, against a server that records what it receives."""

import ssl
from functools import cache

import pytest

from steng.probe import probe
from tests.lab.asking import PASSWORD, USER, ask, run
from tests.lab.facts import Security
from tests.lab.pki import Pki
from tests.lab.pyserver import RecordingSmtpServer
from tests.lab.semantics import PAGE, ROWS, WARNINGS, WAYS, page

IN_CLEAR = {"STARTTLS": b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n", "SSL_TLS": b""}
CELLS = [(row, way) for row in ROWS for way in WAYS]


@cache
def own():
    return Pki()


@cache
def presented(title):
    (row,) = [row for row in ROWS if row.title == title]
    return row.make(own())


async def resolver(_):
    return ["127.0.0.1"]


@pytest.mark.openssl
@pytest.mark.parametrize("security", IN_CLEAR)
@pytest.mark.parametrize(("row", "way"), CELLS, ids=[f"{row.title}, {way}" for row, way in CELLS])
def test_what_is_presented_is_judged_by_what_is_trusted(row, way, security):
    issued, expected = presented(row.title), row.told[list(WAYS).index(way)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # the server minds no weakness: the client has to
    issued._load_into(context)
    with RecordingSmtpServer(Security[security], tls_context=context, users={USER: PASSWORD}) as server:
        trust = WAYS[way](issued, row.root(own()))
        asked = ask(server.port, security, match=row.match, trust=trust, host=row.host)
        report = run(probe(asked, resolver=resolver))
        (session,) = server.wait_closed()
    stage = report.telling_stage
    goes_on = expected is None or expected in WARNINGS
    assert (stage.code if stage else None) == expected
    assert (report.verdict != "failure", len(session.logins)) == (goes_on, 1 if goes_on else 0)
    if not goes_on:
        assert session.received == IN_CLEAR[security]


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
