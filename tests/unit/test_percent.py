"""Percent signs that people type are only percent signs, in whatever sentence they come back."""

import pytest

from core.errors import invalid
from core.problems import field_errors


@pytest.mark.parametrize("typed", ["100%", "50%(x)s", "5%s", "a % b", "%%", "plain"])
def test_a_sentence_with_a_percent_sign_is_the_same_by_form_and_api(typed):
    error = invalid("invalid_choice", f"“{typed}” is not known here.", value=typed)
    sentence = f"“{typed}” is not known here."
    assert (error.messages, field_errors(error)[0]["detail"]) == ([sentence], sentence)
