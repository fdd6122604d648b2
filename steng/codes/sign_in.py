"""What can happen when the STENG signs in, and when it names a sender."""

from __future__ import annotations

from collections.abc import Iterator

from steng.codes.outcome import Outcome
from steng.wire import StageName


def outcomes() -> Iterator[Outcome]:
    """Yield them."""
    auth, sender = StageName.AUTH, StageName.SENDER
    yield Outcome(
        auth,
        "credentials_refused",
        "The server refused user name or password.",
        "Check the user name first (some servers want the whole e-mail address), then type the password again. "
        "One attempt was made; repeated wrong ones lock accounts.",
        "password",
    )
    yield Outcome(
        auth,
        "mechanism_not_offered",
        "The server does not offer the sign-in mechanism that the definition asks for.",
        "Choose AUTO or one of the mechanisms that the server offers.",
        "basic_mechanism",
    )
    yield Outcome(
        auth,
        "clear_text_login_disabled",
        "The server accepts a sign-in only over an encrypted connection.",
        "Choose STARTTLS or SSL/TLS as the connection security.",
        "connection_security",
    )
    yield Outcome(
        auth,
        "clear_text_login",
        "The password was sent over an unencrypted connection, as the definition says.",
        "Choose STARTTLS or SSL/TLS if the server has it: anyone on the way can read the password.",
        "connection_security",
    )
    yield Outcome(
        auth,
        "auth_temporarily_unavailable",
        "The server cannot check sign-ins now.",
        "Try again later; the server's own user directory may be down.",
    )
    yield Outcome(
        auth,
        "rate_limited",
        "The server limits sign-ins and asks to wait.",
        "Wait some minutes before testing again, and ask whether other programs use this account.",
    )
    yield Outcome(
        auth,
        "account_locked",
        "The account is locked.",
        "Ask the server's operator to unlock it, and find out who used wrong passwords before testing again.",
        "username",
    )
    yield Outcome(
        auth,
        "app_password_required",
        "The server wants a password made for this application.",
        "Make an app password in the account's settings and use it here.",
        "password",
    )
    yield Outcome(
        auth,
        "auth_disabled_by_policy",
        "Sign-in with a password is switched off for this account.",
        "Ask the server's operator to allow this kind of sign-in for the account, or use OAuth2.",
        "authentication_type",
    )
    yield Outcome(
        auth,
        "password_expired",
        "The password has expired, or the account has.",
        "Set a new password at the server, then type it here.",
        "password",
    )
    yield Outcome(
        auth,
        "mailbox_in_use",
        "Another session holds the mailbox, and the server lets in only one at a time.",
        "Wait until it ends, then test again. If it lasts, find the program that keeps this mailbox open.",
    )
    yield Outcome(
        auth,
        "auth_suspended",
        "The server has refused this very sign-in before, so it was not tried again: repeated refusals lock accounts.",
        "Change the password, which is then tried at once, or have the suspended sign-in lifted.",
        "password",
    )
    yield Outcome(
        auth,
        "auth_failed",
        "The server refused the sign-in without a clear reason.",
        "Show the reply code and the time of the test to the server's operator: its own log says why. "
        "What the server writes after it got the password is not shown, since it could hold the password.",
        "username",
    )
    yield Outcome(
        sender,
        "sender_refused",
        "The server does not accept this sender address.",
        "Use an address that the account may send from.",
        "sender_address",
    )
