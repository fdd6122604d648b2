"""Definitions that tests start from, and the faults that every door must name alike."""

from __future__ import annotations

GOOD = {
    "name": "orders-out",
    "host": "mail.example.org",
    "port": 587,
    "connection_security": "STARTTLS",
    "username": "orders",
    "password": "correct horse",
}
"""A sound SMTP connection."""

# changes to GOOD -> (field, code); JSON types are meant, a form or command line says the same in text.
FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "a blank in the name": ({"name": "a b"}, "name", "forbidden_character"),
    "a no-break space in the name": ({"name": "a\u00a0b"}, "name", "forbidden_character"),
    "an apostrophe in the name": ({"name": "a'b"}, "name", "forbidden_character"),
    "a quotation mark in the name": ({"name": 'a"b'}, "name", "forbidden_character"),
    "a bar in the name": ({"name": "a|b"}, "name", "forbidden_character"),
    "a bidi override in the name": ({"name": "a\u202eb"}, "name", "forbidden_character"),
    "129 characters in the name": ({"name": "n" * 129}, "name", "too_long"),
    "no name": ({"name": ""}, "name", "required"),
    "2049 characters of description": ({"description": "d" * 2049}, "description", "too_long"),
    "an unknown status": ({"status": "enabled"}, "status", "invalid_choice"),
    "no host": ({"host": ""}, "host", "required"),
    "a blank in the host": ({"host": "mail example"}, "host", "host_invalid"),
    "a URL as the host": ({"host": "smtp://h:25"}, "host", "host_has_scheme"),
    "a port in the host": ({"host": "h:25"}, "host", "host_has_port"),
    "254 characters of host": ({"host": "a." * 126 + "ab"}, "host", "too_long"),
    "no port": ({"port": None}, "port", "required"),
    "port 0": ({"port": 0}, "port", "out_of_range"),
    "port 65536": ({"port": 65536}, "port", "out_of_range"),
    "a word as the port": ({"port": "abc"}, "port", "invalid_type"),
    "a blank before the port": ({"port": " 25"}, "port", "invalid_type"),
    "a fraction as the port": ({"port": "25.9"}, "port", "invalid_type"),
    "no security": ({"connection_security": ""}, "connection_security", "required"),
    "an unknown security": ({"connection_security": "starttls"}, "connection_security", "invalid_choice"),
    "321 characters of user name": ({"username": "u" * 321}, "username", "too_long"),
    "a password without a user name": ({"username": ""}, "username", "required"),
    "1025 characters of password": ({"password": "p" * 1025}, "password", "too_long"),
    "an unknown mechanism": ({"basic_mechanism": "NTLM"}, "basic_mechanism", "invalid_choice"),
    "an unknown authentication type": ({"authentication_type": "KERBEROS"}, "authentication_type", "invalid_choice"),
    "OAuth2 without a credential": (
        {"authentication_type": "OAUTH2_CLIENT_CREDENTIAL"}, "credential", "required",
    ),
    "a credential that does not exist": (
        {"authentication_type": "OAUTH2_CLIENT_CREDENTIAL", "credential": "nobody"}, "credential", "not_found",
    ),
    "a client key that does not exist": ({"client_key_label": "nothing"}, "client_key_label", "not_found"),
    "a sign key that does not exist": ({"sign_key_alias": "nothing"}, "sign_key_alias", "not_found"),
    "a cluster that does not exist": ({"cluster": "nowhere"}, "cluster", "not_found"),
    "a STENG that does not exist": ({"steng": "nobody"}, "steng", "not_found"),
    "specific protocols without one": ({"ssl_protocol_mode": "SPECIFIC"}, "ssl_protocols", "required"),
    "an unknown protocol": (
        {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": ["TLSv1.2"]}, "ssl_protocols", "invalid_choice",
    ),
    "specific suites without one": ({"cipher_suite_mode": "SPECIFIC"}, "cipher_suites", "required"),
    "an unknown suite": (
        {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["TLS_FANCY"]}, "cipher_suites", "invalid_choice",
    ),
    "a suite that encrypts nothing": (
        {"cipher_suite_mode": "SPECIFIC", "cipher_suites": ["TLS_RSA_WITH_NULL_SHA256"]},
        "cipher_suites", "not_acceptable",
    ),
    "a timeout of 999 ms": ({"timeout_ms": 999}, "timeout_ms", "out_of_range"),
    "a timeout of 600001 ms": ({"timeout_ms": 600_001}, "timeout_ms", "out_of_range"),
    "101 retries": ({"max_retries": 101}, "max_retries", "out_of_range"),
    "a negative number of retries": ({"max_retries": -1}, "max_retries", "out_of_range"),
    "an interval of more than a day": ({"max_retries": 1, "retry_interval": 86_401}, "retry_interval", "out_of_range"),
    "a sender without a domain": ({"sender_address": "orders"}, "sender_address", "invalid_address"),
    "a HELO name with a blank": ({"helo_name": "a b"}, "helo_name", "host_invalid"),
    "POP before SMTP without its server": (
        {"authentication_type": "POP_BEFORE_SMTP", "pop_port": 110, "pop_security": "NONE", "pop_username": "u",
         "pop_password": "p"}, "pop_host", "required",
    ),
    "POP before SMTP with port 0": (
        {"authentication_type": "POP_BEFORE_SMTP", "pop_host": "p.example", "pop_port": 0, "pop_security": "NONE",
         "pop_username": "u", "pop_password": "p"}, "pop_port", "out_of_range",
    ),
    "a blank in the partner": ({"partner": "a b"}, "partner", "forbidden_character"),
    "a bar in a tag": ({"tags": ["a|b"]}, "tags", "forbidden_character"),
}  # fmt: skip

# What only JSON can express.
JSON_FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "a text as the port": ({"port": "25"}, "port", "invalid_type"),
    "true as the port": ({"port": True}, "port", "invalid_type"),
    "a fraction as a number": ({"port": 25.9}, "port", "invalid_type"),
    "a number as the name": ({"name": 5}, "name", "invalid_type"),
    "a text as a switch": ({"match_server_hostname": "true"}, "match_server_hostname", "invalid_type"),
    "a number as a switch": ({"dynamic": 1}, "dynamic", "invalid_type"),
    "a text as the list of protocols": (
        {"ssl_protocol_mode": "SPECIFIC", "ssl_protocols": "TLSv1_2"}, "ssl_protocols", "invalid_type",
    ),
    "a number as a cluster": ({"cluster": 5}, "cluster", "invalid_type"),
    "an empty password": ({"password": ""}, "password", "too_short"),
    "a line end in the password": ({"password": "a\nb"}, "password", "forbidden_character"),
    "a NUL in the password": ({"password": "a\x00b"}, "password", "forbidden_character"),
    "a NUL in the user name": ({"username": "a\x00b"}, "username", "forbidden_character"),
    "a misspelt key": ({"ssl_protocolss": ["TLSv1_2"]}, "ssl_protocolss", "unknown_field"),
}  # fmt: skip
