"""The rules between the fields of a definition: pure functions, values in, problems out.

`CONDITIONS` is the one declaration of which field applies when. The server drops the value of a
field that does not apply, the template renders the condition as an attribute, and the script and
the stylesheet read that attribute.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connections.choices import SAFE_PROTOCOLS, Authentication, BasicMechanism, Security, Selection, SslProtocol
from steng.suites import SUITES

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to say about a field: an `error` blocks the save, a `warning` (advisory) never does."""

    field: str
    code: str
    detail: str
    severity: str = "error"
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def advisory_to_json(problem: Problem) -> dict[str, Any]:
    """Return an advisory as every answer shows it."""
    return {"pointer": f"/{problem.field}", "code": problem.code, "detail": problem.detail, **problem.params}


@dataclass(frozen=True, slots=True)
class Condition:
    """A field applies only while `controller` has one of `values`, or is at least `minimum`."""

    controller: str
    values: tuple[str, ...] = ()
    minimum: int | None = None

    def holds(self, values: Values) -> bool:
        """Tell whether the field applies."""
        value = values.get(self.controller)
        if self.minimum is not None:
            return isinstance(value, int) and value >= self.minimum
        return value in self.values

    @property
    def attribute(self) -> str:
        """Return the condition as the page carries it: `name=A|B` or `name>=1`."""
        if self.minimum is not None:
            return f"{self.controller}>={self.minimum}"
        return f"{self.controller}={'|'.join(self.values)}"


_BASIC = Condition("authentication_type", (Authentication.BASIC.value,))
_OAUTH2 = Condition("authentication_type", (Authentication.OAUTH2_CLIENT_CREDENTIAL.value,))
_POP = Condition("authentication_type", (Authentication.POP_BEFORE_SMTP.value,))

POP_FIELDS = (
    "pop_host", "pop_port", "pop_security", "pop_username", "pop_password", "pop_use_apop", "pop_interval_ms",
)  # fmt: skip

CONDITIONS: dict[str, Condition] = {
    "username": Condition(
        "authentication_type", (Authentication.BASIC.value, Authentication.OAUTH2_CLIENT_CREDENTIAL.value)
    ),
    "password": _BASIC,
    "basic_mechanism": _BASIC,
    "credential": Condition(
        "authentication_type", (Authentication.BASIC.value, Authentication.OAUTH2_CLIENT_CREDENTIAL.value)
    ),
    "oauth2_mechanism": _OAUTH2,
    **dict.fromkeys(POP_FIELDS, _POP),
    "ssl_protocols": Condition("ssl_protocol_mode", (Selection.SPECIFIC.value,)),
    "cipher_suites": Condition("cipher_suite_mode", (Selection.SPECIFIC.value,)),
    "retry_interval": Condition("max_retries", minimum=1),
}

USUAL_PORTS: dict[str, tuple[int, ...]] = {
    Security.STARTTLS.value: (587, 25, 2525),
    Security.SSL_TLS.value: (465,),
    Security.NONE.value: (25, 587, 2525),
}
"""The ports that go with a security; the first is the one to propose."""

# Ports that custom gives to one way of speaking only.
_CONTRADICTIONS: dict[int, str] = {
    465: "Port 465 is usually SSL/TLS.",
    587: "Port 587 is usually STARTTLS.",
    25: "Port 25 is usually STARTTLS or clear text.",
    110: "Port 110 is usually POP3.",
    143: "Port 143 is usually IMAP.",
    993: "Port 993 is usually IMAP over SSL/TLS.",
    995: "Port 995 is usually POP3 over SSL/TLS.",
}


def hidden(values: Values) -> set[str]:
    """Return the fields that do not apply to these values."""
    return {name for name, condition in CONDITIONS.items() if not condition.holds(values)}


def missing(values: Values, is_set: Callable[[str], bool]) -> Iterator[Problem]:
    """Yield `required` for what these values make mandatory; `is_set` tells whether a secret is there."""
    if values.get("ssl_protocol_mode") == Selection.SPECIFIC and not values.get("ssl_protocols"):
        yield _required("ssl_protocols", "Choose at least one version, or ALL.")
    if values.get("cipher_suite_mode") == Selection.SPECIFIC and not values.get("cipher_suites"):
        yield _required("cipher_suites", "Choose at least one cipher suite, or ALL.")
    sign_in = _MISSING.get(values.get("authentication_type", ""))
    if sign_in is not None:
        yield from sign_in(values, is_set)


def _missing_basic(values: Values, is_set: Callable[[str], bool]) -> Iterator[Problem]:
    if values.get("username") and not is_set("password"):
        yield _required("password", "A user name needs its password; leave both empty to send without a sign-in.")
    if is_set("password") and not values.get("username"):
        yield _required("username", "A password needs its user name; leave both empty to send without a sign-in.")


def _missing_oauth2(values: Values, _: Callable[[str], bool]) -> Iterator[Problem]:
    if not values.get("credential"):
        yield _required("credential", "OAuth2 needs a credential.")
    if not values.get("username"):
        yield _required("username", "OAuth2 needs the mailbox as user name.")


def _missing_pop(values: Values, is_set: Callable[[str], bool]) -> Iterator[Problem]:
    for name in ("pop_host", "pop_port", "pop_security", "pop_username"):
        if values.get(name) in (None, ""):
            yield _required(name, "POP before SMTP needs this field.")
    if not is_set("pop_password"):
        yield _required("pop_password", "POP before SMTP needs a password.")


_MISSING: dict[str, Callable[[Values, Callable[[str], bool]], Iterator[Problem]]] = {
    Authentication.BASIC.value: _missing_basic,
    Authentication.OAUTH2_CLIENT_CREDENTIAL.value: _missing_oauth2,
    Authentication.POP_BEFORE_SMTP.value: _missing_pop,
}


def advisories(values: Values, is_set: Callable[[str], bool]) -> list[Problem]:
    """Return what is allowed and yet worth knowing, in the order of the form."""
    return [
        *_server_advisories(values),
        *_sign_in_advisories(values, is_set),
        *_tls_advisories(values),
        *_retry_advisories(values),
    ]


def _server_advisories(values: Values) -> Iterator[Problem]:
    port, security = values.get("port"), values.get("connection_security")
    if (
        isinstance(port, int)
        and security in USUAL_PORTS
        and port in _CONTRADICTIONS
        and port not in USUAL_PORTS[security]
    ):
        usual = USUAL_PORTS[security][0]
        yield _advice(
            "port",
            "unusual_port",
            f"{_CONTRADICTIONS[port]} With this security {usual} is usual.",
            suggestion={"port": usual},
        )


def _sign_in_advisories(values: Values, is_set: Callable[[str], bool]) -> Iterator[Problem]:
    authentication, clear = values.get("authentication_type"), values.get("connection_security") == Security.NONE
    if authentication == Authentication.BASIC:
        if clear and is_set("password"):
            yield _advice(
                "connection_security",
                "clear_text_login",
                "Anyone on the way can read what is sent: the connection is not encrypted.",
            )
        if not values.get("username") and not is_set("password"):
            yield _advice("username", "anonymous_login", "Without user name and password no sign-in is made.")
    if authentication == Authentication.POP_BEFORE_SMTP and values.get("pop_security") == Security.NONE:
        yield _advice("pop_security", "clear_text_login", "The POP3 sign-in is not encrypted.")
    for secret in ("password", "pop_password"):
        if is_set(secret) and not CONDITIONS[secret].holds(values):
            yield _advice(
                secret, "field_ignored", "A stored secret is kept but not used with this authentication type."
            )


def _tls_advisories(values: Values) -> Iterator[Problem]:
    protocols, suites = chosen_protocols(values), chosen_suites(values)
    clear = values.get("connection_security") == Security.NONE
    match = values.get("match_server_hostname")
    if clear:
        if match:
            yield _advice(
                "match_server_hostname", "hostname_check_unused", "Without TLS there is no certificate to match."
            )
        if protocols is not None or suites is not None:
            yield _advice(
                "ssl_protocol_mode", "tls_settings_unused", "TLS settings have no effect without TLS; they are kept."
            )
    elif not match:
        yield _advice(
            "match_server_hostname",
            "hostname_check_off",
            "The certificate may be made for any host: any server with a trusted certificate gets the password.",
        )
    legacy = [name for name in protocols or () if name not in SAFE_PROTOCOLS]
    if legacy:
        yield _advice(
            "ssl_protocols",
            "legacy_protocol",
            f"{', '.join(legacy)}: broken or outdated. Use it only until the server is renewed.",
        )
    if suites and protocols != ():
        has13 = any(SUITES[name].tls13 for name in suites if name in SUITES)
        only13 = all(SUITES[name].tls13 for name in suites if name in SUITES)
        allowed = protocols if protocols is not None else tuple(SAFE_PROTOCOLS)
        if set(allowed) == {SslProtocol.TLSV1_3} and not has13:
            yield _advice(
                "cipher_suites", "tls13_without_suite", "Only TLSv1_3 is allowed, but none of the suites belongs to it."
            )
        if SslProtocol.TLSV1_3 not in allowed and only13:
            yield _advice("cipher_suites", "suite_without_tls13", "All suites belong to TLSv1_3, which is not allowed.")


def _retry_advisories(values: Values) -> Iterator[Problem]:
    if (values.get("max_retries") or 0) > 0 and not values.get("retry_interval"):
        yield _advice(
            "retry_interval", "no_retry_interval", "Without an interval no retry is made, whatever the maximum says."
        )


def chosen_protocols(values: Values) -> tuple[str, ...] | None:
    """Return the selected protocol versions, None for ALL."""
    return tuple(values.get("ssl_protocols") or ()) if values.get("ssl_protocol_mode") == Selection.SPECIFIC else None


def chosen_suites(values: Values) -> tuple[str, ...] | None:
    """Return the selected cipher suites, None for ALL."""
    return tuple(values.get("cipher_suites") or ()) if values.get("cipher_suite_mode") == Selection.SPECIFIC else None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a stored secret goes: it follows no change of `fields`, and no loosening of what protects it."""

    fields: tuple[str, ...]
    security: str
    reveals: Callable[[Values], bool]


def _basic_reveals(values: Values) -> bool:
    return values.get("basic_mechanism") in {BasicMechanism.PLAIN, BasicMechanism.LOGIN}


def _pop_reveals(values: Values) -> bool:
    return not values.get("pop_use_apop")


DESTINATIONS: dict[str, Destination] = {
    "password": Destination(("host_canonical", "port", "username"), "connection_security", _basic_reveals),
    "pop_password": Destination(("pop_host", "pop_port", "pop_username"), "pop_security", _pop_reveals),
}


def redirected(secret: str, old: Values, new: Values) -> list[str]:
    """Return the fields by which a stored secret would reach another destination, or a less protected one."""
    where = DESTINATIONS[secret]
    moved = [name for name in where.fields if old.get(name) != new.get(name)]
    return moved + list(_loosened(where, old, new))


def _loosened(where: Destination, old: Values, new: Values) -> Iterable[str]:
    clear = new.get(where.security) == Security.NONE
    if clear and old.get(where.security) != Security.NONE:
        yield where.security
    if clear and where.reveals(new) and not where.reveals(old):
        # From a challenge-response mechanism to one that sends the secret itself, readable on the way.
        yield "basic_mechanism" if where.security == "connection_security" else "pop_use_apop"
    if not clear and old.get("match_server_hostname") and not new.get("match_server_hostname"):
        yield "match_server_hostname"
    if not clear and _oldest(new) > _oldest(old):
        yield "ssl_protocols"
    if not clear and _weaker_suites(old, new):
        yield "cipher_suites"


def _oldest(values: Values) -> int:
    """Return the place of the oldest version that is allowed; the larger, the older."""
    chosen = chosen_protocols(values)
    order = list(SslProtocol.values)
    return max((order.index(name) for name in chosen or SAFE_PROTOCOLS if name in order), default=0)


def _weaker_suites(old: Values, new: Values) -> bool:
    """Tell whether a suite is allowed now that was not, and that ALL would not allow either or that was excluded."""
    before, after = chosen_suites(old), chosen_suites(new)
    if before is not None:
        return after is None or not set(after) <= set(before)
    return any(SUITES[name].group == "weak" for name in after or () if name in SUITES)


def _required(name: str, detail: str) -> Problem:
    return Problem(name, "required", detail)


def _advice(name: str, code: str, detail: str, **params: Any) -> Problem:
    return Problem(name, code, detail, "warning", params)
