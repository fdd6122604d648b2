"""What a server chose, read from the begin of its answer, however it ends."""

import pytest

from steng.probe.server_hello import Choice, choice_of

RANDOM, SESSION = bytes(32), b"\x20" + bytes(32)


def hello(version, suite, extensions=b"", session=SESSION):
    body = version + RANDOM + session + suite + b"\0" + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message


HELLOS = {
    "TLS 1.2": (hello(b"\x03\x03", b"\xc0\x2f"), Choice("TLSv1_2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")),
    "TLS 1.0, no session": (
        hello(b"\x03\x01", b"\x00\x2f", session=b"\0"), Choice("TLSv1", "TLS_RSA_WITH_AES_128_CBC_SHA"),
    ),
    "TLS 1.3": (
        hello(b"\x03\x03", b"\x13\x01", b"\x00\x2b\x00\x02\x03\x04"), Choice("TLSv1_3", "TLS_AES_128_GCM_SHA256"),
    ),
    "SSLv3": (hello(b"\x03\x00", b"\x00\x2f"), None),
    "a suite that nobody knows": (hello(b"\x03\x03", b"\xfa\xfa"), None),
    "an alert": (b"\x15\x03\x03\x00\x02\x02\x46", None),
    "another message": (b"\x16\x03\x03\x00\x04\x0b\x00\x00\x00", None),
    "text": (b"220 mail.test ESMTP\r\n", None),
    "nothing": (b"", None),
}  # fmt: skip


@pytest.mark.parametrize(("data", "choice"), HELLOS.values(), ids=HELLOS)
def test_the_choice_is_read(data, choice):
    assert choice_of(data) == choice


def test_what_ends_before_the_choice_is_none():
    begin = hello(b"\x03\x03", b"\x13\x01")[:78]
    assert [choice_of(begin[:end]) for end in range(len(begin) + 1)] == [None] * len(begin) + [choice_of(begin)]
    assert choice_of(begin) is not None
