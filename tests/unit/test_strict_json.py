"""JSON bodies: read one way, or refused."""

import io

import pytest
from django.core.exceptions import ValidationError

from core.errors import Refused
from core.parsers import MAX_DEPTH, StrictJSONParser, parse_object


def nested(levels):
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": 1} x',
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "a": 1}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": [["\\ud83d"]]}',
        b'{"a\\u0000": 1}',
        b'{"a": "\x00"}',
        nested(MAX_DEPTH + 1),
        b"[" * 100_000,
    ],
)
def test_what_two_parsers_could_read_differently_is_malformed(body):
    with pytest.raises(Refused) as refused:
        parse_object(body)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_no_object_is_of_the_wrong_type(body):
    with pytest.raises(ValidationError) as error:
        parse_object(body)
    assert [each.code for each in error.value.error_dict["__all__"]] == ["invalid_type"]


def test_an_object_is_read_with_its_types():
    body = '{"port": 25, "ratio": 2.5, "on": true, "none": null, "text": "ü😀", "list": [1], "pair": "\\ud83d\\ude00"}'
    assert parse_object(body.encode()) == {
        "port": 25, "ratio": 2.5, "on": True, "none": None, "text": "ü😀", "list": [1], "pair": "😀",
    }  # fmt: skip


def test_the_deepest_allowed_nesting_is_read():
    assert parse_object(nested(MAX_DEPTH))


def test_a_problem_does_not_repeat_what_was_sent():
    with pytest.raises(Refused) as refused:
        parse_object(b'{"password": "geheim"')
    assert "geheim" not in refused.value.detail


def test_a_body_beyond_the_limit_is_refused_before_it_is_parsed(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    with pytest.raises(Refused) as refused:
        StrictJSONParser().parse(io.BytesIO(b'{"a": "12345"}'))
    assert refused.value.code == "too_large"
