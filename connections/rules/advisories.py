"""What is allowed and yet worth knowing: advisories, which never block a save."""

from __future__ import annotations

from collections.abc import Iterator

from connections.choices import Authentication, Security, SslProtocol
from connections.rules.conditions import CONDITIONS
from connections.rules.ports import KNOWN_FOR, USUAL_PORTS, protocol_of
from connections.rules.tls import chosen_protocols, chosen_suites
from core.rules import IsSet, Problem, Values, advice
from steng.offer import SAFE, VERSIONS, NotAvailableError, offer_of, widest
from steng.suites import SUITES
from steng.wire import TlsPolicy


def advisories(values: Values, is_set: IsSet) -> list[Problem]:
    """Return what is allowed and yet worth knowing, in the order of the form."""
    return [
        *_server_advisories(values),
        *_sign_in_advisories(values, is_set),
        *_tls_advisories(values),
        *_retry_advisories(values),
    ]


def _server_advisories(values: Values) -> Iterator[Problem]:
    port, security = values.get("port"), values.get("connection_security")
    protocol = protocol_of(values)
    usual = USUAL_PORTS[protocol].get(str(security), ())
    if isinstance(port, int) and port in KNOWN_FOR and usual and port not in usual:
        yield advice(
            "port",
            "unusual_port",
            f"{KNOWN_FOR[port]} With {protocol} and this security {usual[0]} is usual.",
            suggestion={"port": usual[0]},
        )


def _sign_in_advisories(values: Values, is_set: IsSet) -> Iterator[Problem]:
    authentication, clear = values.get("authentication_type"), values.get("connection_security") == Security.NONE
    if authentication == Authentication.BASIC:
        if clear and (values.get("credential") or is_set("password")):
            yield advice(
                "connection_security",
                "clear_text_login",
                "Anyone on the way can read what is sent: the connection is not encrypted.",
            )
        if not (values.get("credential") or values.get("username") or is_set("password")):
            yield advice("username", "anonymous_login", "Without user name and password no sign-in is made.")
    if authentication == Authentication.POP_BEFORE_SMTP and values.get("pop_security") == Security.NONE:
        yield advice("pop_security", "clear_text_login", "The POP3 sign-in is not encrypted.")
    for secret in ("password", "pop_password"):
        if is_set(secret) and not CONDITIONS[secret].holds(values):
            because = "while a credential is chosen" if values.get("credential") else "with this authentication type"
            yield advice(secret, "field_ignored", f"A stored secret is kept but not used {because}.")


def _tls_advisories(values: Values) -> Iterator[Problem]:
    protocols, suites = chosen_protocols(values), chosen_suites(values)
    clear = values.get("connection_security") == Security.NONE
    match = values.get("match_server_hostname")
    if clear:
        if match:
            yield advice(
                "match_server_hostname", "hostname_check_unused", "Without TLS there is no certificate to match."
            )
        if protocols is not None or suites is not None:
            yield advice(
                "ssl_protocol_mode", "tls_settings_unused", "TLS settings have no effect without TLS; they are kept."
            )
    elif not match:
        yield advice(
            "match_server_hostname",
            "hostname_check_off",
            "The certificate may be made for any host: any server with a trusted certificate gets the password.",
        )
    legacy = [name for name in protocols or () if name in VERSIONS and name not in SAFE]
    if legacy:
        yield advice(
            "ssl_protocols",
            "legacy_protocol",
            f"{', '.join(legacy)}: outdated (RFC 8996). To speak it a STENG also lets SHA-1 sign the key exchange; "
            "certificates are judged as strictly as ever. Use it only until the server is renewed.",
        )
    found = list(_suites_of_no_version(protocols, suites))
    yield from found
    if not found and not clear:
        yield from _beyond_every_steng(protocols, suites)


def _suites_of_no_version(protocols: tuple[str, ...] | None, suites: tuple[str, ...] | None) -> Iterator[Problem]:
    if not suites or protocols == ():
        return
    has13 = any(SUITES[name].tls13 for name in suites if name in SUITES)
    only13 = all(SUITES[name].tls13 for name in suites if name in SUITES)
    allowed = SAFE if protocols is None else protocols
    if set(allowed) == {SslProtocol.TLSV1_3} and not has13:
        yield advice(
            "cipher_suites", "tls13_without_suite", "Only TLSv1_3 is allowed, but none of the suites belongs to it."
        )
    if SslProtocol.TLSV1_3 not in allowed and only13:
        yield advice("cipher_suites", "suite_without_tls13", "All suites belong to TLSv1_3, which is not allowed.")


def _beyond_every_steng(protocols: tuple[str, ...] | None, suites: tuple[str, ...] | None) -> Iterator[Problem]:
    """Name what no STENG could offer: it may be stored, but every test will end before its handshake."""
    if protocols == ():
        return  # an error says already that one is to be chosen; where suites are, the versions are judged all the same
    known = tuple(name for name in suites or () if name in SUITES) or None
    try:
        offer_of(TlsPolicy(protocols=protocols, cipher_suites=known), widest())
    except NotAvailableError as missing:
        kept = {"suggestion": {missing.field: list(missing.keeps)}} if missing.keeps else {}
        yield advice(missing.field, missing.code, f"{missing.detail} A test ends before the handshake.", **kept)


def _retry_advisories(values: Values) -> Iterator[Problem]:
    if (values.get("max_retries") or 0) > 0 and not values.get("retry_interval"):
        yield advice(
            "retry_interval", "no_retry_interval", "Without an interval no retry is made, whatever the maximum says."
        )
