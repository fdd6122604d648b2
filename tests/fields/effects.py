"""What each field and each value does, and what proves it: a table that a test holds against the models.

A proof is a test, or one of two sentences where no server could show anything yet. A field with an enumeration has
its rows under its values.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connections.choices import OAuth2Mechanism, SslProtocol
from steng.offer import VERSIONS
from steng.suites import SUITES, Suite, is_signal

NOT_YET = "not supported by this STENG yet"
IN_JOBS = "effect in jobs"
BOTH, SMTP, MAILBOX, CREDENTIAL = "both", "smtp", "mailbox", "credential"

_FILES = {
    "any": "tests/integration/test_effects.py",
    "tls": "tests/integration/test_tls_policy.py",
    "mailbox": "tests/integration/test_effects_mailbox.py",
    "credential": "tests/integration/test_effects_credential.py",
    "definition": "tests/integration/test_definition.py",
    "stored": "tests/integration/test_credential.py",
}
"""The files of the proofs, by what they are called below."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a field or a value does, in a sentence, and its proofs: node ids of tests, `NOT_YET` or `IN_JOBS`."""

    says: str
    proofs: tuple[str, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        """Return the proofs that are tests."""
        return tuple(proof for proof in self.proofs if proof not in {NOT_YET, IN_JOBS})


def _of(says: str, *proofs: str) -> Effect:
    return Effect(says, tuple(_proof(proof) for proof in proofs))


def _proof(text: str) -> str:
    file, inside, name = text.partition("::")
    return f"{_FILES[file]}::{name}" if inside else text


_PROTECTED = "any::test_the_conversation_is_protected_as_chosen"
_MATCHED = "any::test_a_certificate_for_another_host_stops_the_test_where_hosts_are_matched"
_DISABLED = "any::test_the_report_says_whether_the_connection_is_disabled"
_MECHANISM = "any::test_the_mechanism_is_the_one_that_is_chosen"
_MAILBOX_MECHANISM = "mailbox::test_the_mechanism_is_the_one_that_is_chosen"
_RIGHTS = "mailbox::test_the_rights_that_the_disposition_needs_are_asked_for"
_OF_POP3 = "mailbox::test_the_disposition_of_pop3_is_carried_to_the_steng_and_nothing_is_done"
_TAKEN = "mailbox::test_the_message_that_a_poll_would_take_is_named"
_TAKEN_BY_POP3 = "mailbox::test_the_message_that_a_poll_of_pop3_would_take_is_named"
_KIND = "credential::test_a_credential_serves_the_sign_in_of_its_kind_alone"

_UNPROTECTED = _of(
    "It protects nothing, so it is not stored.", "any::test_a_suite_that_protects_nothing_cannot_be_stored"
)

_VERSION = _of(
    "It is offered, and a version that is not selected never is spoken.",
    "any::test_the_selected_versions_are_asked_of_the_steng",
    "tls::test_a_server_of_one_version_is_spoken_to_exactly_where_that_one_is_chosen",
)
_NO_VERSION = _of(
    "It can be stored, because other systems list it. A test ends before the handshake: no STENG speaks it.",
    "tls::test_what_no_agent_speaks_is_refused_by_name_before_a_byte",
)
_SUITE = _of(
    "It is offered, in its place.",
    "any::test_the_selected_suites_are_asked_of_the_steng_in_their_order",
    "tls::test_a_suite_that_is_chosen_alone_is_used",
    "tls::test_a_server_without_the_chosen_suite_is_refused",
)
_SUITE_OF_TLS13 = _of(
    "It is offered together with the other suites of TLS 1.3; alone it ends a test before the handshake, because "
    "Python before 3.15 cannot offer it alone.",
    "tls::test_all_suites_of_tls13_are_offered_where_all_are_chosen",
    "tls::test_a_part_of_tls13_is_refused_by_name_before_a_byte",
)
_SIGNAL = _of("It is no suite but a signal, which is always sent.", "tls::test_a_signal_among_the_suites_is_no_suite")
_NO_SUITE = _of(
    "It can be stored, because other systems list it. A test ends before the handshake: no STENG can offer it.",
    "tls::test_a_suite_that_cannot_be_offered_is_refused_by_name_before_a_byte",
)


def _suite(suite: Suite) -> Effect:
    if not suite.protects:
        return _UNPROTECTED
    if is_signal(suite.name):
        return _SIGNAL
    if not suite.openssl or not suite.certified:
        return _NO_SUITE
    return _SUITE_OF_TLS13 if suite.tls13 else _SUITE


BEFORE_SIGN_IN = _of("A test ends before the sign-in, and no credential is sent.", NOT_YET)
BEFORE_ANYTHING = _of("A test ends before anything is sent.", NOT_YET)
NO_KEYS = _of("No key is stored yet, so none is found.", NOT_YET)
NO_TOKEN = _of("No token is asked for: a test ends before the sign-in, and no credential is sent.", NOT_YET)

_TABLE: dict[str, dict[str, Effect | dict[str, Effect]]] = {
    BOTH: {
        "name": _of(
            "The connection is found by it, in any case.",
            "definition::test_a_connection_is_found_by_name_in_any_case_and_by_id",
        ),
        "description": _of(
            "It is shown in lists and with the connection.",
            "any::test_the_description_is_shown_wherever_the_connection_is",
        ),
        "status": {
            "ENABLED": _of("The report of a test says nothing of it.", _DISABLED),
            "DISABLED": _of(
                "The report of a test says `connection_disabled`; transfers refuse it.", _DISABLED, IN_JOBS
            ),
        },
        "host": _of("This host is asked, no other.", "any::test_the_host_that_is_named_is_the_one_that_is_asked"),
        "port": _of("This port is asked, no other.", "any::test_the_port_that_is_named_is_the_one_that_is_asked"),
        "connection_security": {
            "STARTTLS": _of("TLS is asked for in clear text, and nothing else is said before.", _PROTECTED),
            "SSL_TLS": _of("Nothing is said in clear text.", _PROTECTED),
            "NONE": _of("Everything is said in clear text.", _PROTECTED),
        },
        "username": _of("This user signs in.", "any::test_the_user_name_is_the_one_that_signs_in"),
        "password": _of("The sign-in is made with it.", "any::test_the_password_is_the_one_that_signs_in"),
        "credential": _of(
            "Its user name and password sign in, where its destinations allow it. A change of it makes verdicts stale.",
            "credential::test_a_connection_signs_in_with_the_user_name_and_the_password_of_its_credential",
            "credential::test_a_credential_is_sent_only_where_its_destinations_say",
            "credential::test_a_change_of_the_credential_makes_the_verdict_stale",
        ),
        "client_key_label": NO_KEYS,
        "match_server_hostname": {
            "true": _of("A certificate for another host ends the test before the sign-in.", _MATCHED),
            "false": _of("A certificate for another host is a warning, `hostname_mismatch_ignored`.", _MATCHED),
        },
        "ssl_protocol_mode": {
            "ALL": _of("TLSv1_2 and TLSv1_3 are offered.", "any::test_all_protocols_means_every_version_that_is_safe"),
            "SPECIFIC": _of(
                "Exactly the selected versions are offered.",
                "tls::test_a_server_of_all_versions_takes_the_newest_that_is_chosen",
            ),
        },
        "ssl_protocols": {name: _VERSION if name in VERSIONS else _NO_VERSION for name in SslProtocol.values},
        "cipher_suite_mode": {
            "ALL": _of(
                "The server chooses among all that are safe.",
                "any::test_all_suites_means_that_the_server_may_choose",
            ),
            "SPECIFIC": _of(
                "Exactly the selected suites are offered, in their order.",
                "tls::test_the_order_of_the_suites_is_the_order_of_preference",
            ),
        },
        "cipher_suites": {name: _suite(suite) for name, suite in SUITES.items()},
        "timeout_ms": _of(
            "A server that is silent for so long has failed.",
            "any::test_a_silent_server_is_waited_for_as_long_as_the_timeout_says",
        ),
        "max_retries": _of(
            "A transfer that fails is tried again so often. A test runs once.",
            IN_JOBS,
            "any::test_a_test_runs_once_whatever_retries_are_allowed",
        ),
        "retry_interval": _of(
            "So much time passes between two attempts. Retries without it are advised against.",
            IN_JOBS,
            "any::test_retries_without_an_interval_are_spoken_of",
        ),
        "dynamic": {
            "true": _of(
                "The values of one job override those of the connection.",
                "any::test_a_dynamic_connection_takes_overrides",
                "any::test_a_dynamic_mailbox_takes_overrides",
            ),
            "false": _of(
                "Overrides are refused with `not_dynamic`.", "any::test_a_connection_that_is_not_dynamic_takes_none"
            ),
        },
        "cluster": _of(
            "A test runs there, unless who asks for it names another place.",
            "any::test_a_test_runs_on_the_cluster_of_the_connection",
            "any::test_who_asks_for_another_place_gets_it",
        ),
        "steng": _of(
            "A test runs there, unless who asks for it names another place.",
            "any::test_a_test_runs_on_the_steng_of_the_connection",
            "any::test_who_asks_for_another_place_gets_it",
        ),
        "tags": _of("Lists are narrowed by each.", "any::test_a_list_is_narrowed_by_tag_and_by_partner"),
        "partner": _of("Lists are narrowed by it.", "any::test_a_list_is_narrowed_by_tag_and_by_partner"),
    },
    SMTP: {
        "authentication_type": {
            "BASIC": _of(
                "A sign-in with user name and password is made.",
                "any::test_a_sign_in_is_made_where_the_definition_says_so",
            ),
            "OAUTH2_CLIENT_CREDENTIAL": BEFORE_SIGN_IN,
            "POP_BEFORE_SMTP": BEFORE_ANYTHING,
            "NONE": _of("No sign-in is made.", "any::test_a_sign_in_is_made_where_the_definition_says_so"),
        },
        "basic_mechanism": {
            "AUTO": _of("Under TLS PLAIN is used where it is offered; one attempt is made.", _MECHANISM),
            "PLAIN": _of("PLAIN is used.", _MECHANISM),
            "LOGIN": _of("LOGIN is used.", _MECHANISM),
            "CRAM_MD5": _of("CRAM-MD5 is used: the password does not leave.", _MECHANISM),
        },
        "oauth2_mechanism": dict.fromkeys(OAuth2Mechanism.values, BEFORE_SIGN_IN),
        "pop_host": BEFORE_ANYTHING,
        "pop_port": BEFORE_ANYTHING,
        "pop_security": dict.fromkeys(("STARTTLS", "SSL_TLS", "NONE"), BEFORE_ANYTHING),
        "pop_username": BEFORE_ANYTHING,
        "pop_password": BEFORE_ANYTHING,
        "pop_use_apop": dict.fromkeys(("true", "false"), BEFORE_ANYTHING),
        "pop_interval_ms": BEFORE_ANYTHING,
        "sign_key_alias": NO_KEYS,
        "sender_address": _of(
            "MAIL FROM names it, and is taken back; empty, nothing is asked. Mails are sent with it.",
            "any::test_the_sender_address_is_what_mail_from_says",
            IN_JOBS,
        ),
        "helo_name": _of("EHLO says it; empty, the STENG's address.", "any::test_the_helo_name_is_what_ehlo_says"),
        "use_html_body": {
            "true": _of("Mails are sent as HTML.", IN_JOBS),
            "false": _of("Mails are sent as plain text.", IN_JOBS),
        },
    },
    MAILBOX: {
        "store_type": dict.fromkeys(
            ("IMAP", "POP3"),
            _of("This protocol is spoken.", "mailbox::test_the_mailbox_is_read_by_the_protocol_that_is_chosen"),
        ),
        "authentication_type": {
            "BASIC": _of(
                "A sign-in with user name and password is made.",
                "mailbox::test_a_mailbox_is_signed_in_to_with_user_name_and_password",
            ),
            "OAUTH2_CLIENT_CREDENTIAL": BEFORE_SIGN_IN,
        },
        "basic_mechanism": {
            "AUTO": _of("Under TLS PLAIN is used where it is offered; one attempt is made.", _MAILBOX_MECHANISM),
            "PLAIN": _of("PLAIN is used.", _MAILBOX_MECHANISM),
            "LOGIN": _of("LOGIN is used.", _MAILBOX_MECHANISM),
            "CRAM_MD5": _of("CRAM-MD5 is used: the password does not leave.", _MAILBOX_MECHANISM),
            "USER_PASS": _of("USER and PASS are used.", _MAILBOX_MECHANISM),
            "APOP": _of("APOP is used: the password does not leave.", _MAILBOX_MECHANISM),
        },
        "oauth2_mechanism": dict.fromkeys(OAuth2Mechanism.values, BEFORE_SIGN_IN),
        "folder": _of(
            "This folder is opened for reading only; its name is sent in modified UTF-7.",
            "mailbox::test_the_folder_is_the_one_that_is_examined",
        ),
        "disposition": {
            "KEEP": _of("It needs no right but to read. Messages that were taken stay.", _RIGHTS, _OF_POP3, IN_JOBS),
            "SEEN": _of(
                "A test looks for the right `s`. Messages that were taken are marked as read.", _RIGHTS, IN_JOBS
            ),
            "DELETE": _of(
                "A test looks for the rights `t` and `e`. Messages that were taken are deleted.",
                _RIGHTS,
                _OF_POP3,
                IN_JOBS,
            ),
        },
        "pull_disposition": {
            "GET_FIRST_MESSAGE": _of(
                "A test names the oldest message, a poll takes it.", _TAKEN, _TAKEN_BY_POP3, IN_JOBS
            ),
            "GET_FIRST_UNREAD_MESSAGE": _of(
                "A test names the oldest unread message, a poll takes it.", _TAKEN, IN_JOBS
            ),
            "GET_LAST_MESSAGE": _of(
                "A test names the newest message, a poll takes it.", _TAKEN, _TAKEN_BY_POP3, IN_JOBS
            ),
            "GET_LAST_UNREAD_MESSAGE": _of("A test names the newest unread message, a poll takes it.", _TAKEN, IN_JOBS),
        },
    },
    CREDENTIAL: {
        "kind": {
            "BASIC": _of(
                "It signs in where the connection's authentication type is the same.",
                _KIND,
                "credential::test_a_connection_signs_in_with_the_user_name_and_the_password_of_its_credential",
            ),
            "OAUTH2_CLIENT_CREDENTIAL": _of(
                "It serves no other authentication type. A test ends before the sign-in.", NOT_YET, _KIND
            ),
        },
        "name": _of(
            "Connections and searches find it by its name.",
            "credential::test_a_credential_is_named_by_the_connections_that_use_it",
            "stored::TestReading::test_a_search_takes_parts_of_the_name_in_any_order_and_case",
        ),
        "description": _of(
            "It is shown with the credential, and changes no verdict.",
            "credential::test_a_new_description_of_the_credential_changes_no_verdict_and_comes_back",
        ),
        "destinations": _of(
            "The credential is used for these servers alone.",
            "credential::test_a_credential_is_sent_only_where_its_destinations_say",
        ),
        "username": _of(
            "This user signs in.", "credential::test_another_user_name_in_the_credential_is_another_sign_in"
        ),
        "password": _of(
            "The sign-in is made with it; a change of it makes verdicts stale.",
            "credential::test_another_password_in_the_credential_is_another_sign_in",
            "credential::test_a_change_of_the_credential_makes_the_verdict_stale",
        ),
        "client_id": NO_TOKEN,
        "client_secret": NO_TOKEN,
        "token_endpoint": NO_TOKEN,
        "scope": NO_TOKEN,
        "client_auth": dict.fromkeys(("POST", "BASIC"), NO_TOKEN),
        "secret_expires": _of(
            "From thirty days before that day on the credential says so.",
            "stored::TestAdvisories::test_the_end_of_a_client_secret_is_spoken_of",
        ),
    },
}


def _rows() -> Iterator[tuple[tuple[str, str, str], Effect]]:
    for kind, fields in _TABLE.items():
        for field, said in fields.items():
            for value, effect in said.items() if isinstance(said, dict) else [("", said)]:
                yield (kind, field, value), effect


EFFECTS: dict[tuple[str, str, str], Effect] = dict(_rows())
"""By kind (or `both`), field and value ("" where the field has no enumeration)."""
