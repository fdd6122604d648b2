"""Hosts and endpoints in the form in which they are compared."""

import pytest

from core.net import canonical_host, endpoint, split_endpoint


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Mail.Example.COM", "mail.example.com"),
        ("mail.example.com.", "mail.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("2001:db8:0:0::1", "2001:db8::1"),
        ("under_score.example", "under_score.example"),
        ("localhost", "localhost"),
    ],
)
def test_a_host_has_one_canonical_form(typed, canonical):
    assert canonical_host(typed) == canonical


@pytest.mark.parametrize(
    "typed",
    ["", "a b", "a..b", "-a.example", "a-.example", "300.1.2.3", "1.2.3", "[192.0.2.7]", "[mail]", "fe80::1%eth0",
     "a" * 64 + ".example", "x." * 127 + "example", "a/b", "mail.example:25", "0x7f.1.0x1"],
)  # fmt: skip
def test_what_is_no_host_is_refused(typed):
    with pytest.raises(ValueError, match=r"address|host name|brackets|zone"):
        canonical_host(typed)


@pytest.mark.parametrize("text", ["mail.example:25", "[2001:db8::1]:25"])
def test_an_endpoint_is_split_and_put_together_again(text):
    assert endpoint(*split_endpoint(text)) == text


@pytest.mark.parametrize(
    "text", ["mail.example", "mail.example:0", "mail.example:65536", "2001:db8::1", ":25", "a b:25"]
)
def test_what_is_no_endpoint_is_refused(text):
    with pytest.raises(ValueError, match=r"host:port|host name"):
        split_endpoint(text)


def test_an_ipv4_address_in_the_digits_of_ipv6_is_the_same_host():
    assert canonical_host("::ffff:192.0.2.7") == "192.0.2.7"
