"""What may stand in a text, and when two names are the same."""

import pytest

from core.text import comparison_key, describe, first_forbidden, normalise


@pytest.mark.parametrize(
    "text",
    ["plain", "Zürich", "日本語", "📮-post", "👩‍💻-dev", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "क्‍ष", "می‌خواهم", "👍🏽-ok"],
)
def test_letters_of_all_scripts_and_emoji_are_allowed(text):
    assert first_forbidden(text) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a\u202eb", 1),
        ("a\u200bb", 1),
        ("\ufeffa", 0),
        ("a\x00", 1),
        ("a\x7f", 1),
        ("ab\u200d", 2),
        ("a\u200db", 1),
        ("a\U000e0041", 1),
        ("a\u2028b", 1),
        ("a\ud800b", 1),
    ],
)
def test_a_hidden_character_is_found_at_its_place(text, place):
    found = first_forbidden(text)
    assert found == (text[place], place)


def test_names_are_the_same_regardless_of_case_and_composition():
    assert comparison_key("STRASSE\u0301") == comparison_key("straße\u0301".replace("ß", "ss"))


def test_the_composed_and_the_decomposed_form_are_one_name():
    assert normalise("u\u0308") == "ü"


def test_a_character_that_cannot_be_seen_is_described_by_its_name():
    assert describe("\u202e") == "right-to-left override (U+202E)"
