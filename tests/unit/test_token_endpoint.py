"""The address that a client secret may be sent to."""

import pytest
from django.core.exceptions import ValidationError

from credentials.validators import check_endpoint


def code(text, *, allow_loopback=False):
    with pytest.raises(ValidationError) as caught:
        check_endpoint(text, allow_loopback=allow_loopback)
    return caught.value.code


@pytest.mark.parametrize(
    "text",
    ["https://login.example.org", "https://login.example.org/t", "HTTPS://login.example.org:8443/t?tenant=a%20b",
     "https://192.0.2.1/t", "https://[2001:db8::1]:443/t", "https://bücher.example/t", "https://login.example.org/a@b"],
)  # fmt: skip
def test_an_https_address_is_accepted(text):
    assert check_endpoint(text, allow_loopback=False) is None


@pytest.mark.parametrize(
    "text", ["http://localhost/t", "http://127.0.0.1:8080/t", "http://127.9.9.9/t", "http://[::1]/t"]
)
def test_http_is_for_the_loopback_of_a_lab_only(text):
    assert check_endpoint(text, allow_loopback=True) is None
    assert code(text) == "https_required"


@pytest.mark.parametrize(
    "text",
    ["http://login.example.org/t", "http://localhost.example.org/t", "http://10.0.0.1/t", "ftp://localhost/t"],
)  # fmt: skip
def test_another_scheme_is_refused_in_a_lab_too(text):
    assert code(text, allow_loopback=True) == "https_required"


@pytest.mark.parametrize("text", ["https://me@h.example/t", "https://me:pw@h.example/t", "https://@h.example/t"])
def test_user_information_is_refused(text):
    assert code(text) == "url_has_user_info"


@pytest.mark.parametrize("text", ["https://h.example/t#x", "https://h.example/t#", "https://h.example#@evil.example"])
def test_a_fragment_is_refused(text):
    assert code(text) == "url_has_fragment"


@pytest.mark.parametrize(
    "text",
    ["login", "https:/h.example", "https:///t", "https://:443/t", "https://h.example:0/t", "https://h.example:65536/t",
     "https://h.example:x/t", "https://a b.example/t", "https://h.example/a b", "https://h.example/ä",
     "https://h.example\\evil.example/t", "https://h.example/t\\x", " https://h.example", "https://[h.example]/t",
     "https://h.example/t\n", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    assert code(text) == "url_invalid"
