"""What this STENG cannot do yet is refused, never ignored: each field and value that docs/fields.md says so of."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from connections import candidate, rules
from connections.kinds import KINDS
from core.rules import Term
from credentials import services as credentials
from tests.credentials import OAUTH2
from tests.fields import sound
from tests.fields.effects import (
    BEFORE_ANYTHING,
    BEFORE_SIGN_IN,
    BOTH,
    CREDENTIAL,
    EFFECTS,
    NO_KEYS,
    NO_TOKEN,
    NOT_YET,
)
from tests.fields.sound import where_it_applies
from tests.fields.trying import attempt, save, server_for, trust
from tests.jobs import local_steng
from tests.lab.facts import Protocol

pytestmark = pytest.mark.django_db
CODE = "not_supported_by_this_steng"
STAGE = {BEFORE_SIGN_IN: "auth", NO_TOKEN: "auth", BEFORE_ANYTHING: "resolve"}
SPEAKS = {"smtp": Protocol.SMTP, "mailbox": Protocol.IMAP}
WAITING = [place for place, effect in EFFECTS.items() if NOT_YET in effect.proofs]
KEYS = [place for place in WAITING if EFFECTS[place] is NO_KEYS]
OF_CREDENTIALS = [place for place in WAITING if place[0] == CREDENTIAL]
# A field of both kinds is tried with each of them.
OF_CONNECTIONS = [
    (kind, field, value)
    for section, field, value in WAITING
    if (section, field, value) not in {*KEYS, *OF_CREDENTIALS}
    for kind in (KINDS if section == BOTH else [section])
]


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


@pytest.fixture
def endpoint():
    """Return what nothing may reach: a token endpoint, and a server for the POP3 that comes before SMTP."""
    with server_for(Protocol.POP3) as serving:
        yield serving


@pytest.fixture(params=SPEAKS.values(), ids=SPEAKS)
def server(request, pki):
    trust(pki)
    with server_for(request.param, "SSL_TLS", pki) as serving:
        yield serving


@pytest.fixture
def start(pki):
    """Return servers by kind, under TLS."""
    trust(pki)
    with server_for(Protocol.SMTP, "SSL_TLS", pki) as smtp, server_for(Protocol.IMAP, "SSL_TLS", pki) as imap:
        yield {"smtp": smtp, "mailbox": imap}


def store(endpoint, **changes):
    address = f"http://127.0.0.1:{endpoint.port}/token"
    values = {**OAUTH2, "name": sound.OAUTH2_CREDENTIAL, "destinations": [], "token_endpoint": address}
    credentials.save(None, values | changes, user=None)


def with_value(kind, field, value):
    """Return the changes to a sound definition by which a field applies and has a value."""
    decided = [name for name, found in rules.CONDITIONS.items() if Term(field, (value,)) in found.alternatives[0]]
    changes = where_it_applies(KINDS[kind], decided[0] if value and decided else field)
    return {**changes, field: {"true": True, "false": False}.get(value, value)} if value else changes


@pytest.mark.parametrize(("kind", "field", "value"), OF_CONNECTIONS)
def test_what_this_steng_cannot_do_ends_the_test(steng, start, endpoint, kind, field, value):
    server, effect = start[kind], EFFECTS.get((kind, field, value)) or EFFECTS[BOTH, field, value]
    store(endpoint)
    changes = with_value(kind, field, value)
    if "pop_host" in changes:
        changes |= {"pop_host": "127.0.0.1", "pop_port": endpoint.port}
    tried = attempt(save(server, **changes), steng)
    assert tried.told == (STAGE[effect], CODE)
    sessions = server.wait_closed(0 if effect is BEFORE_ANYTHING else 1)
    assert [session.logins for session in sessions] == ([] if effect is BEFORE_ANYTHING else [[]])
    assert endpoint.sessions == []


@pytest.mark.parametrize("place", OF_CREDENTIALS, ids=str)
def test_what_this_steng_cannot_do_with_a_credential_ends_the_test(steng, server, endpoint, place):
    _, field, value = place
    others = {"client_id": "another", "client_secret": "another", "scope": "mail.send"}
    store(endpoint, **({field: value} if value else {field: others[field]} if field in others else {}))
    tried = attempt(save(server, **sound.OAUTH2), steng)
    assert tried.told == ("auth", CODE)
    assert (server.wait_closed()[0].logins, endpoint.sessions) == ([], [])


@pytest.mark.parametrize(("section", "field", "_"), KEYS)
def test_no_key_is_found_yet(section, field, _):
    for kind in KINDS if section == BOTH else [section]:
        with pytest.raises(ValidationError) as caught:
            candidate.build(KINDS[kind], sound.sound(kind, {field: "partner-key"}), None, user=None, partial=False)
        assert [error.code for error in caught.value.error_dict[field]] == ["not_found"]


def test_every_promise_is_tried():
    assert {*OF_CREDENTIALS, *KEYS} | {
        (section, field, value)
        for section, field, value in WAITING
        if any((kind, field, value) in OF_CONNECTIONS for kind in KINDS)
    } == set(WAITING)
