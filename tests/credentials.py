"""Credentials that tests start from, the faults that every door must name alike, and a pretended user of one."""

from __future__ import annotations

from core import usage

BASIC = {
    "kind": "BASIC",
    "name": "orders-mailbox",
    "destinations": ["mail.example.org:587"],
    "username": "orders@example.org",
    "password": "correct horse",
}
OAUTH2 = {
    "kind": "OAUTH2_CLIENT_CREDENTIAL",
    "name": "tenant-app",
    "destinations": ["*.example.org:993"],
    "client_id": "6f1c-client",
    "client_secret": "battery staple",
    "token_endpoint": "https://login.example.org/tenant/oauth2/v2.0/token",
}

# changes to BASIC -> (field, code); JSON types are meant, a form or command line says the same in text.
BASIC_FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "no kind": ({"kind": ""}, "kind", "required"),
    "an unknown kind": ({"kind": "basic"}, "kind", "invalid_choice"),
    "no name": ({"name": ""}, "name", "required"),
    "a blank in the name": ({"name": "a b"}, "name", "forbidden_character"),
    "a bar in the name": ({"name": "a|b"}, "name", "forbidden_character"),
    "129 characters in the name": ({"name": "n" * 129}, "name", "too_long"),
    "2049 characters of description": ({"description": "d" * 2049}, "description", "too_long"),
    "no user name": ({"username": ""}, "username", "required"),
    "321 characters of user name": ({"username": "u" * 321}, "username", "too_long"),
    "1025 characters of password": ({"password": "p" * 1025}, "password", "too_long"),
    "a destination without a port": ({"destinations": ["mail.example.org"]}, "destinations", "destination_invalid"),
    "a destination with port 0": ({"destinations": ["mail.example.org:0"]}, "destinations", "destination_invalid"),
    "a destination of an address below which nothing is": (
        {"destinations": ["*.192.0.2.1:25"]}, "destinations", "destination_invalid",
    ),
    "301 characters of destination": ({"destinations": ["a" * 301]}, "destinations", "too_long"),
    "a hidden character in a destination": (
        {"destinations": ["ma\u00adil.example.org:25"]}, "destinations", "forbidden_character",
    ),
}  # fmt: skip

OAUTH2_FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "no client id": ({"client_id": ""}, "client_id", "required"),
    "513 characters of client id": ({"client_id": "c" * 513}, "client_id", "too_long"),
    "4097 characters of client secret": ({"client_secret": "s" * 4097}, "client_secret", "too_long"),
    "no token endpoint": ({"token_endpoint": ""}, "token_endpoint", "required"),
    "a word as the token endpoint": ({"token_endpoint": "login"}, "token_endpoint", "url_invalid"),
    "a token endpoint in clear": ({"token_endpoint": "http://login.example.org/t"}, "token_endpoint", "https_required"),
    "a token endpoint with a password": (
        {"token_endpoint": "https://me:pw@login.example.org/t"}, "token_endpoint", "url_has_user_info",
    ),
    "a token endpoint with a fragment": (
        {"token_endpoint": "https://login.example.org/t#x"}, "token_endpoint", "url_has_fragment",
    ),
    "1025 characters of scope": ({"scope": "s" * 1025}, "scope", "too_long"),
    "an unknown client authentication": ({"client_auth": "post"}, "client_auth", "invalid_choice"),
    "a word as the day of expiry": ({"secret_expires": "soon"}, "secret_expires", "invalid_type"),
    "a day that is none": ({"secret_expires": "2027-02-30"}, "secret_expires", "invalid_type"),
}  # fmt: skip

FAULTS = {
    **{name: ({**BASIC, **changes}, field, code) for name, (changes, field, code) in BASIC_FAULTS.items()},
    **{name: ({**OAUTH2, **changes}, field, code) for name, (changes, field, code) in OAUTH2_FAULTS.items()},
}
"""Whole definitions with one fault -> (values, field, code)."""

JSON_FAULTS = {
    "no password at all": (
        {name: value for name, value in BASIC.items() if name != "password"},
        "password",
        "required",
    ),
    "null as the password": ({**BASIC, "password": None}, "password", "required"),
    "an empty password": ({**BASIC, "password": ""}, "password", "too_short"),
    "a number as the password": ({**BASIC, "password": 5}, "password", "invalid_type"),
    "a line end in the password": ({**BASIC, "password": "a\nb"}, "password", "forbidden_character"),
    "a NUL in the client secret": ({**OAUTH2, "client_secret": "a\x00b"}, "client_secret", "forbidden_character"),
    "a text as the destinations": ({**BASIC, "destinations": "a:25"}, "destinations", "invalid_type"),
    "an empty text as the day of expiry": ({**OAUTH2, "secret_expires": ""}, "secret_expires", "invalid_type"),
    "a time as the day of expiry": (
        {**OAUTH2, "secret_expires": "2027-01-31T00:00:00Z"},
        "secret_expires",
        "invalid_type",
    ),
    "a misspelt key": ({**BASIC, "passwort": "x"}, "passwort", "unknown_field"),
}
"""What only JSON can express."""


def pretend_use(monkeypatch, *rows, kind="smtp"):
    """Let a connection use these credentials, as far as anybody can ask."""
    keys = {row.pk for row in rows}
    user = {"kind": kind, "id": "00000000-0000-4000-8000-0000000000aa", "name": "orders-out"}

    def provider(thing):
        return [user] if thing.pk in keys else []

    monkeypatch.setitem(usage._providers, "credential", [provider])
    return user
