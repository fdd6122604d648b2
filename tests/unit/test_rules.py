"""The rules between the fields of a definition."""

import pytest

from connections import rules

GOOD = {
    "authentication_type": "BASIC",
    "username": "u",
    "connection_security": "STARTTLS",
    "port": 587,
    "match_server_hostname": True,
    "ssl_protocol_mode": "ALL",
    "cipher_suite_mode": "ALL",
    "basic_mechanism": "AUTO",
}


def with_password(name):
    return name == "password"


def without_secrets(name):
    return False


def codes(changes, is_set=with_password):
    return [(problem.field, problem.code) for problem in rules.advisories({**GOOD, **changes}, is_set)]


def lacks(changes, is_set=with_password):
    return [(problem.field, problem.code) for problem in rules.missing({**GOOD, **changes}, is_set)]


def test_a_sound_definition_has_nothing_to_say():
    assert codes({}) == []


def test_a_sound_definition_lacks_nothing():
    assert lacks({}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"port": 465}, [("port", "unusual_port")]),
        ({"connection_security": "SSL_TLS", "port": 587}, [("port", "unusual_port")]),
        ({"connection_security": "SSL_TLS", "port": 993}, [("port", "unusual_port")]),
        ({"connection_security": "SSL_TLS", "port": 465}, []),
        ({"port": 10025}, []),
        ({"match_server_hostname": False}, [("match_server_hostname", "hostname_check_off")]),
        (
            {"connection_security": "NONE"},
            [("connection_security", "clear_text_login"), ("match_server_hostname", "hostname_check_unused")],
        ),
        (
            {"connection_security": "NONE", "match_server_hostname": False, "ssl_protocol_mode": "SPECIFIC",
             "ssl_protocols": ["TLSv1_2"]},
            [("connection_security", "clear_text_login"), ("ssl_protocol_mode", "tls_settings_unused")],
        ),
        (
            {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2", "TLSv1"]},
            [("ssl_protocols", "legacy_protocol")],
        ),
        (
            {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2", "SSLv3"]},
            [("ssl_protocols", "protocol_not_available")],
        ),
        (
            {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["SSLv3"], "cipher_suite_mode": "SPECIFIC"},
            [("ssl_protocols", "protocol_not_available")],
        ),
        (
            {"cipher_suite_mode": "SPECIFIC",
             "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "SSL_RSA_WITH_RC4_128_MD5"]},
            [("cipher_suites", "cipher_not_available")],
        ),
        (
            {"cipher_suite_mode": "SPECIFIC",
             "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]},
            [],
        ),
        (
            {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_3"], "cipher_suite_mode": "SPECIFIC",
             "cipher_suites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]},
            [("cipher_suites", "tls13_without_suite")],
        ),
        (
            {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2"], "cipher_suite_mode": "SPECIFIC",
             "cipher_suites": ["TLS_AES_128_GCM_SHA256"]},
            [("cipher_suites", "suite_without_tls13")],
        ),
        ({"ssl_protocol_mode": "SPECIFIC", "cipher_suite_mode": "SPECIFIC"}, []),
        ({"max_retries": 3}, [("retry_interval", "no_retry_interval")]),
        ({"max_retries": 3, "retry_interval": 0}, [("retry_interval", "no_retry_interval")]),
        ({"max_retries": 3, "retry_interval": 10}, []),
        ({"authentication_type": "NONE"}, [("password", "field_ignored")]),
    ],
)  # fmt: skip
def test_what_is_allowed_and_doubtful_is_said(changes, expected):
    assert codes(changes) == expected


def test_no_user_and_no_password_is_an_anonymous_login():
    assert codes({"username": ""}, without_secrets) == [("username", "anonymous_login")]


@pytest.mark.parametrize(
    ("changes", "is_set", "expected"),
    [
        ({}, without_secrets, [("password", "required")]),
        ({"username": ""}, with_password, [("username", "required")]),
        ({"username": ""}, without_secrets, []),
        ({"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": []}, with_password, [("ssl_protocols", "required")]),
        ({"cipher_suite_mode": "SPECIFIC"}, with_password, [("cipher_suites", "required")]),
        ({"authentication_type": "OAUTH2_CLIENT_CREDENTIAL"}, without_secrets, [("credential", "required")]),
        (
            {"authentication_type": "POP_BEFORE_SMTP", "pop_host": "p", "pop_port": 110, "pop_security": "NONE"},
            without_secrets,
            [("pop_username", "required"), ("pop_password", "required")],
        ),
        ({"authentication_type": "NONE", "username": ""}, without_secrets, []),
    ],
)
def test_what_the_values_make_mandatory_is_missed(changes, is_set, expected):
    assert lacks(changes, is_set) == expected


STORED = {**GOOD, "host_canonical": "a.example"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"host_canonical": "b.example"}, ["host_canonical"]),
        ({"port": 25}, ["port"]),
        ({"username": "v"}, ["username"]),
        ({"connection_security": "NONE"}, ["connection_security"]),
        ({"connection_security": "SSL_TLS"}, []),
        ({"match_server_hostname": False}, ["match_server_hostname"]),
        ({"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2"]}, []),
        ({"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_2", "TLSv1"]}, ["ssl_protocols"]),
        ({"timeout_ms": 5000}, []),
    ],
)
def test_a_stored_password_follows_no_change_that_leads_it_elsewhere(changes, expected):
    assert rules.redirected("password", STORED, {**STORED, **changes}) == expected


def test_a_password_kept_from_clear_text_by_a_challenge_is_not_sent_readable_afterwards():
    clear = {**STORED, "connection_security": "NONE", "basic_mechanism": "CRAM_MD5"}
    assert rules.redirected("password", clear, {**clear, "basic_mechanism": "PLAIN"}) == ["basic_mechanism"]


def test_tightening_does_not_ask_for_the_password():
    loose = {**STORED, "match_server_hostname": False, "connection_security": "NONE"}
    assert rules.redirected("password", loose, STORED) == []


def test_each_condition_names_fields_of_the_enumeration_it_reads():
    attributes = {condition.attribute for condition in rules.CONDITIONS.values()}
    assert "max_retries>=1" in attributes


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_3"]},
            {"ssl_protocol_mode": "ALL"},
            ["ssl_protocols"],
        ),
        ({}, {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1_3"]}, []),
        (
            {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["TLS_AES_256_GCM_SHA384"]},
            {"cipher_suite_mode": "ALL"},
            ["cipher_suites"],
        ),
        ({}, {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["TLS_RSA_WITH_AES_128_CBC_SHA256"]}, []),
        ({}, {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["SSL_RSA_WITH_RC4_128_MD5"]}, ["cipher_suites"]),
    ],
    ids=str,
)
def test_a_looser_choice_of_versions_and_suites_asks_for_the_password(old, new, expected):
    assert rules.redirected("password", {**STORED, **old}, {**STORED, **old, **new}) == expected
