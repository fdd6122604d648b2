"""Patterns of host and port: what they mean, and when one list permits more than another."""

import pytest

from credentials.destinations import parse, permitted, widened


@pytest.mark.parametrize(
    ("pattern", "host", "port"),
    [
        ("mail.example.org:587", "mail.example.org", 587),
        ("Mail.Example.ORG.:587", "mail.example.org", 587),
        ("*.example.org:993", "imap.example.org", 993),
        ("*.example.org:993", "a.b.example.org", 993),
        ("mail.example.org:*", "mail.example.org", 1),
        ("192.0.2.1:25", "192.0.2.1", 25),
        ("[2001:DB8:0::25]:25", "2001:db8::25", 25),
        ("bücher.example:25", "xn--bcher-kva.example", 25),
        ("*.bücher.example:25", "mx.xn--bcher-kva.example", 25),
    ],
)
def test_a_pattern_permits(pattern, host, port):
    assert permitted([pattern], host, port) is True


@pytest.mark.parametrize(
    ("pattern", "host", "port"),
    [
        ("mail.example.org:587", "mail.example.org", 25),
        ("mail.example.org:587", "mail2.example.org", 587),
        ("mail.example.org:587", "a.mail.example.org", 587),
        ("*.example.org:993", "example.org", 993),
        ("*.example.org:993", "evilexample.org", 993),
        ("*.example.org:993", "example.org.evil.net", 993),
        ("192.0.2.1:25", "192.0.2.11", 25),
    ],
)
def test_a_pattern_does_not_permit(pattern, host, port):
    assert permitted([pattern], host, port) is False


def test_an_empty_list_permits_any_destination():
    assert permitted([], "anywhere.example", 1) is True


def test_one_pattern_of_a_list_is_enough():
    assert permitted(["a.example:25", "b.example:25"], "b.example", 25) is True


@pytest.mark.parametrize(
    "text",
    ["", "mail.example.org", "mail.example.org:", ":25", "*:25", "a.*.org:25", "*example.org:25", "**.example.org:25",
     "*.:25", "*.192.0.2.1:25", "*.[::1]:25", "2001:db8::25:25", "a b:25", "a:0", "a:65536", "a:-1", "a:²", "a:25 ",
     "https://a:25", "a/b:25", "a,b:25", "a:25\n"],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(ValueError, match=r"^[A-Z“].*\.$"):
        parse(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["a.example:25"], []),
        (["a.example:25"], ["a.example:25", "b.example:25"]),
        (["a.example:25"], ["a.example:*"]),
        (["a.example:25"], ["*.example:25"]),
        (["*.b.example:25"], ["*.example:25"]),
        (["*.example:25"], ["example:25"]),
        (["*.b.example:25"], ["*.xb.example:25"]),
    ],
    ids=str,
)
def test_a_list_that_permits_more_is_wider(before, after):
    assert widened(before, after) is True


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["a.example:25"]),
        ([], []),
        (["a.example:25"], ["A.example:25"]),
        (["a.example:25", "b.example:25"], ["b.example:25"]),
        (["a.example:*"], ["a.example:25"]),
        (["*.example:25"], ["a.example:25", "*.b.example:25"]),
        (["*.example:25"], ["*.example:25"]),
    ],
    ids=str,
)
def test_a_list_that_permits_no_more_is_not_wider(before, after):
    assert widened(before, after) is False
