"""Single values: what an address is, in linear time."""

import pytest
from django.core.exceptions import ValidationError

from connections.validators import validate_mailbox_address


@pytest.mark.parametrize("text", ["orders@example.org", "a.b-c+d@bücher.example", "ö@example.org"])
def test_an_address_is_accepted(text):
    assert validate_mailbox_address(text) is None


@pytest.mark.parametrize(
    "text",
    ["orders", "@example.org", "a@", "a..b@example.org", ".a@example.org", "a.@example.org", "a b@example.org",
     "a@b@example.org", "a@example..org", "x" * 65 + "@example.org"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValidationError) as caught:
        validate_mailbox_address(text)
    assert caught.value.code == "invalid_address"


@pytest.mark.timeout(20)
def test_a_long_text_of_dots_is_refused_and_not_pondered():
    # With a class that holds the dot too, 60 atoms take longer than anybody waits; the time limit is the verdict.
    with pytest.raises(ValidationError):
        validate_mailbox_address("a." * 30 + "a ")
