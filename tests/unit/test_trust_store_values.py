"""Single values of trust as every door hands them over."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from core.moments import read_moment
from untrusted_cache.validators import read_endpoint, read_fingerprint, read_host, read_kind

PRINT = "0123456789abcdef" * 4
PAIRS = ":".join(PRINT[place : place + 2] for place in range(0, 64, 2))


@pytest.mark.parametrize(
    "text",
    [
        PRINT,
        PRINT.upper(),
        PAIRS,
        f"{PAIRS[:48]}\n{PAIRS[48:]}",
        f"SHA256 Fingerprint={PAIRS.upper()}",
        f"sha256:{PRINT}",
        f" SHA-256: {PRINT} ",
    ],
)
def test_a_fingerprint_is_read_in_any_dress(text):
    assert read_fingerprint(text) == PRINT


@pytest.mark.parametrize("text", ["", PRINT[:-1], PRINT + "0", PRINT[:-1] + "g", f"SHA1 Fingerprint={PRINT}"])
def test_what_is_no_sha256_fingerprint_is_none(text):
    assert read_fingerprint(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-03-31", dt.datetime(2027, 3, 31, 23, 59, 59, tzinfo=dt.UTC)),
        ("2027-03-31T12:00:00Z", dt.datetime(2027, 3, 31, 12, tzinfo=dt.UTC)),
        ("2027-03-31T12:00:00+02:00", dt.datetime(2027, 3, 31, 10, tzinfo=dt.UTC)),
        ("2027-03-31T12:00:00 02:00", dt.datetime(2027, 3, 31, 10, tzinfo=dt.UTC)),
        ("2027-03-31 12:00:00+02:00", dt.datetime(2027, 3, 31, 10, tzinfo=dt.UTC)),
        ("", None),
        (None, None),
    ],
)
def test_an_end_is_read(text, expected):
    assert read_moment(text, end_of_day=True) == expected


def test_a_start_on_a_day_is_its_first_second():
    assert read_moment("2027-03-31") == dt.datetime(2027, 3, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize("value", ["31.03.2027", "2027-02-30", "2027-03-31T12:00:00", 5, True, [], "2" * 5000])
def test_what_is_no_moment_is_an_invalid_type(value):
    with pytest.raises(ValidationError) as caught:
        read_moment(value)
    assert caught.value.code == "invalid_type"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("MAIL.example:25", ("mail.example", 25)), ("[2001:DB8::1]:465", ("2001:db8::1", 465)), ("", None), (None, None)],
)
def test_an_endpoint_is_read_in_its_canonical_form(text, expected):
    assert read_endpoint(text) == expected


@pytest.mark.parametrize(
    ("value", "code"),
    [("mail.example", "host_invalid"), ("a b:25", "host_invalid"), ("a:65536", "host_invalid"), (25, "invalid_type")],
)
def test_what_is_no_endpoint_is_refused(value, code):
    with pytest.raises(ValidationError) as caught:
        read_endpoint(value)
    assert caught.value.code == code


def test_a_host_of_a_scope_is_read_in_its_canonical_form():
    assert read_host("Bücher.Example.") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("value", "code"), [("", "required"), (None, "required"), (5, "invalid_type"), ("Anchor", "invalid_choice")]
)
def test_what_is_no_kind_is_refused(value, code):
    with pytest.raises(ValidationError) as caught:
        read_kind(value)
    assert caught.value.code == code
