"""Files of definitions: YAML without surprises, CSV without formulas, and every text back as it was."""

import csv
import io
import json

import pytest
import yaml
from django.core.exceptions import ValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from connections.exchange import document, sheet, strict_yaml, writing
from connections.exchange.document import Format
from core.errors import Refused

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.lists(
    st.text(st.sampled_from("ab ;:#-\t'\"|>\\="), max_size=6), max_size=4
).map("\n".join)


def malformed(text, format_=Format.YAML):
    with pytest.raises(Refused) as refused:
        document.read(text if isinstance(text, bytes) else text.encode(), format_)
    return refused.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("No", "No"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("True", "True"),
        ("0777", "0777"), ("0o17", "0o17"), ("0x1F", "0x1F"), ("0b11", "0b11"), ("1_000", "1_000"), ("+5", "+5"),
        ("1:30", "1:30"), ("12:30:45", "12:30:45"), ("2024-01-01", "2024-01-01"), ("2024-01-01T10:00:00Z",) * 2,
        (".inf", ".inf"), (".nan", ".nan"), (".5", ".5"), ("5.", "5."), ("1e999", "1e999"), ("NULL", "NULL"),
        ("<<", "<<"), ("=", "="), ("true", True), ("false", False), ("null", None), ("~", None), ("", None),
        ("25", 25), ("-1", -1), ("0", 0), ("25.9", 25.9), ("1e3", 1000.0), ("'25'", "25"), ('"true"', "true"),
        ("'no'", "no"), ("9" * 99, int("9" * 99)), ("9" * 100, "9" * 100), ("ü📮", "ü📮"), ('"\\U0001F4EE"', "📮"),
    ],
)  # fmt: skip
def test_a_plain_scalar_is_what_json_would_take_it_for_and_else_its_text(written, value):
    found = strict_yaml.parse(f"name: {written}\n")["name"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("key", ["no", "25", "true", "null", "2024-01-01", "<<"])
def test_a_key_is_always_its_text(key):
    assert strict_yaml.parse(f"{key}: 1") == {key: 1}


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1),
        ("a:\n  x: 1\n  x: 1\n", 3, 3),
        ("a: &x 1\n", 1, 4),
        ("a: 1\nb: *x\n", 2, 4),
        ("&x a: 1\n", 1, 1),
        ("a: !!str 1\n", 1, 4),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4),
        ("a: ! x\n", 1, 4),
        ("a: 1\n---\nb: 2\n", 2, 1),
        ("? [a]\n: 1\n", 1, 3),
        ("a: b: c\n", 1, 5),
        ("a:\n\tb: 1\n", 2, 1),
        ('a: "x\n', 2, 1),
        ("a: [1, 2\n", 2, 1),
        ('a: "\\ud800"\n', 1, 7),
    ],
)
def test_what_yaml_could_mean_by_surprise_is_malformed_with_its_place(text, line, column):
    refused = malformed(text)
    assert (refused.code, refused.extra) == ("malformed", {"line": line, "column": column})


def test_a_merge_key_merges_nothing():
    assert strict_yaml.parse("a: {x: 1}\nb:\n  <<: {x: 1}\n")["b"] == {"<<": {"x": 1}}


def test_a_control_character_is_malformed_with_its_line():
    assert malformed("a: ü\nb: \x1b[2J\n").extra == {"line": 2}


def test_what_is_not_utf_8_is_malformed_with_its_line():
    assert malformed(b"a: 1\nb: \xff\n").extra == {"line": 2}


def test_a_few_lines_cannot_grow_to_a_billion():
    laughs = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True))
    assert malformed(laughs).extra["line"] == 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_malformed(opening):
    assert malformed(opening * 50_000).code == "malformed"


def test_twelve_levels_are_read_and_thirteen_are_not():
    assert strict_yaml.parse("[" * 12 + "]" * 12) == [[[[[[[[[[[[]]]]]]]]]]]]
    assert "nested deeper than 12" in malformed("[" * 13 + "]" * 13).detail


@pytest.mark.parametrize("text", ["password: 'hunter2\n", "a: [hunter2\n", "hunter2: hunter2: hunter2", "*hunter2"])
def test_the_error_of_a_file_never_shows_what_stands_in_it(text):
    assert "hunter2" not in malformed(text).detail


def test_a_byte_order_mark_is_passed_over():
    assert document.read(b"\xef\xbb\xbfconnections: []\n").rows == []


def test_a_file_beyond_the_limit_is_too_large(monkeypatch):
    monkeypatch.setattr(document, "MAX_BYTES", 30)
    assert malformed("connections: []\n" + "#" * 20).code == "too_large"


def test_a_file_has_a_most_of_rows(monkeypatch):
    monkeypatch.setattr(document, "MAX_ROWS", 2)
    with pytest.raises(ValidationError) as refused:
        document.read(b"connections: [{}, {}, {}]")
    assert refused.value.error_dict["connections"][0].code == "too_long"


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("", "", "invalid_type"),
        ("- kind: smtp\n", "", "invalid_type"),
        ("version: 1\n", "connections", "required"),
        ("connections: 5\n", "connections", "invalid_type"),
        ("connections: {}\nconections: []\n", "conections", "unknown_field"),
        ("version: 2\nconnections: []\n", "version", "invalid_choice"),
        ("version: '1'\nconnections: []\n", "version", "invalid_choice"),
        ("version: true\nconnections: []\n", "version", "invalid_choice"),
        ("version: 1.0\nconnections: []\n", "version", "invalid_choice"),
        ("system: [x]\nconnections: []\n", "system", "invalid_type"),
    ],
)
def test_what_is_no_document_says_so_at_its_key(text, field, code):
    with pytest.raises(ValidationError) as refused:
        document.read(text.encode())
    errors = refused.value.error_dict
    assert errors[field][0].code == code


def test_a_row_knows_where_it_stands():
    rows = document.read(b"version: 1\nconnections:\n- name: a\n\n-\n  name: b\n- 5\n").rows
    assert [(row.place, row.line) for row in rows] == [(0, 3), (1, 6), (2, None)]


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ('{"connections": []}', Format.JSON),
        ("\n {", Format.JSON),
        ("kind,name\n", Format.CSV),
        ("kind;name\r\n", Format.CSV),
        ("kind\tname\n", Format.CSV),
        ("version: 1\n", Format.YAML),
        ("# a, b\nversion: 1", Format.YAML),
        ("- a, b\n", Format.YAML),
    ],
)
def test_the_format_is_recognised(text, format_):
    assert document.recognise(text) is format_


@pytest.mark.parametrize(
    ("name", "format_"),
    [("a.yml", Format.YAML), ("a.YAML", Format.YAML), ("a.json", Format.JSON), ("a.b.csv", Format.CSV), ("-", None)],
)
def test_the_end_of_a_file_name_says_its_format(name, format_):
    assert document.format_of_name(name) is format_


def test_json_that_is_no_json_is_malformed_as_a_file():
    assert malformed('{"a": 1,}', Format.JSON).detail.startswith("The file is not JSON as we read it: ")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_whichever_country_wrote_it(separator):
    text = '\ufeffkind,name,tags\r\nsmtp,"a b",\r\n,,\r\n\r\n'.replace(",", separator).replace(" ", separator)
    rows = document.read(text.encode(), Format.CSV).rows
    assert [(row.line, row.values) for row in rows] == [(2, {"kind": "smtp", "name": f"a{separator}b"})]


def test_a_row_of_csv_knows_the_line_on_which_it_begins():
    rows = document.read(b'kind,description\nsmtp,"one\ntwo"\nsmtp,x\n', Format.CSV).rows
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("kind,kind\n", 1),
        ("kind,\n", 1),
        ("kind,name\nsmtp\n", 2),
        ("kind,name\nsmtp,a\nsmtp,a,b\n", 3),
        ('kind,name\nsmtp,"a\n', 2),
        ('kind,name\nsmtp,"a"b\n', 2),
        ("kind,name\nsmtp," + "x" * 200_000 + "\n", 2),
    ],
)
def test_csv_that_cannot_be_read_one_way_is_malformed_with_its_line(text, line):
    refused = malformed(text, Format.CSV)
    assert (refused.code, refused.extra) == ("malformed", {"line": line})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t1", " =1", "\uff1d1", "\r1", "  @x"])
def test_a_cell_that_a_spreadsheet_would_calculate_begins_with_an_apostrophe(text):
    assert next(csv.reader(io.StringIO("".join(sheet.write([[text]])), newline=""))) == ["'" + text]


@pytest.mark.parametrize(
    ("text", "shielded"),
    [
        ("note;=cmd|' /C calc'!A0", "note;'=cmd|' /C calc'!A0"),
        ("a;=1+1;", "a;'=1+1;"),
        ("a\t@x", "a\t'@x"),
        ("a\n-1\r\n+1", "a\n'-1\r\n'+1"),
        ("a; \u00a0=1", "a;' \u00a0=1"),
        ('a;"=1+1;', "a;'\"=1+1;"),
        ("a;;\uff1d1", "a;;'\uff1d1"),
        ("a;'=1", "a;''=1"),
        ("=1;=2", "'=1;'=2"),
        ("\t=1", "'\t'=1"),
        ("\n=1", "'\n'=1"),
    ],
)
def test_a_formula_behind_what_another_country_separates_cells_with_is_shielded_there(text, shielded):
    assert (sheet.shield(text), sheet.unshield(shielded)) == (shielded, text)


@given(st.lists(st.text(st.sampled_from("a;=+\t\n\r '\",@"), max_size=12), min_size=1, max_size=4))
@example(["note;=cmd|' /C calc'!A0", "a;=1+1;"])
@example(['a;"=1+1;', ';"', "=1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_whichever_separator_splits_the_file(separator, row):
    text = "".join(sheet.write([["smtp", *row]]))
    for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        assert not [cell for cell in record if cell.lstrip()[:1] in set("=+-@")]


def test_every_cell_stands_in_quotation_marks():
    assert "".join(sheet.write([["a", "", "1"]])) == '"a","","1"\r\n'


@pytest.mark.parametrize(
    "text", ["a=1", "1", "", "a@b", "ü", "a-b", "\U0001f4ee", "a;b", "a;'b", "a\nb", "a;b=1", "a,=1"]
)
def test_any_other_cell_stays_as_it_is(text):
    assert sheet.shield(text) == text


@given(TEXTS)
@example("'")
@example("''=1")
@example("a;''=1;'b;=")
def test_a_shield_is_taken_away_exactly(text):
    assert sheet.unshield(sheet.shield(text)) == text


@given(TEXTS)
@example("a\n")
@example("a\n\nb")
@example("a\nb ")
@example(" a\nb")
@example("\na")
@example("a\n\u2028b")
@example("a: b\n# c\n- d\n'e'")
@example("no")
@example("\x85\ufeff\x00\x7f")
@example("\x1f0\n0")
def test_every_text_comes_back_from_yaml_as_it_was(text):
    written = f"version: 1\nconnections:\n- a: {writing._yaml_value(text)}\n  b: 1\n"
    assert strict_yaml.parse(written)["connections"] == [{"a": text, "b": 1}]


@given(TEXTS)
@example("no")
@example("2024-01-01")
@example("1:30")
@example("0777")
def test_every_text_comes_back_from_another_reader_of_yaml_as_it_was(text):
    written = f"a: {writing._yaml_value([text])}\nb:\n  c: {writing._yaml_value(text)}\n"
    assert yaml.safe_load(written) == {"a": [text], "b": {"c": text}}


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2).filter(any), min_size=1, max_size=4))
def test_every_text_comes_back_from_csv_as_it_was(rows):
    text = "".join(sheet.write([["a", "b"], *rows]))
    _, read = sheet.read(text)
    assert [[sheet.unshield(cell) for cell in record] for _, record in read] == rows


def test_a_text_of_several_lines_stands_as_lines():
    assert writing._yaml_value("first\n\n  second") == "|-\n    first\n\n      second"


@pytest.mark.parametrize("text", ["a \nb", "a\tb\nc", "a\nb\n", " a\nb"])
def test_a_text_whose_blanks_nobody_would_see_stands_in_quotation_marks(text):
    assert writing._yaml_value(text) == json.dumps(text)


def keys(count, start=0):
    return {f"k{number}": 1 for number in range(start, start + count)}


def as_json(*rows, **head):
    return json.dumps({**head, "connections": list(rows)})


def test_a_row_of_too_many_keys_is_malformed_with_its_place():
    refused = malformed(as_json({}, keys(201)), Format.JSON)
    assert (refused.code, refused.extra) == ("malformed", {"limit": 200, "place": 1})


def test_a_row_of_too_many_keys_is_malformed_with_its_line_where_there_are_lines():
    lines = "\n  ".join(f"{key}: 1" for key in keys(201))
    refused = malformed(f"connections:\n- name: a\n- {lines}\n")
    assert (refused.code, refused.extra) == ("malformed", {"limit": 200, "line": 3, "place": 1})
    assert "(line 3)" in refused.detail


def test_the_keys_of_a_section_are_keys_of_its_row():
    assert malformed(as_json({"a": keys(100), "b": keys(99)}), Format.JSON).extra == {"limit": 200, "place": 0}


def test_a_spreadsheet_of_too_many_columns_is_malformed_in_its_first_line():
    assert malformed(",".join(keys(201)) + "\n", Format.CSV).extra == {"limit": 200, "line": 1}


def test_a_head_of_too_many_keys_is_malformed():
    assert malformed(as_json(**keys(200)), Format.JSON).extra == {"limit": 200}


def test_a_file_of_too_many_different_keys_is_malformed_with_the_place_of_the_last():
    refused = malformed(as_json(*(keys(100, 100 * place) for place in range(6))), Format.JSON)
    assert (refused.code, refused.extra) == ("malformed", {"limit": 500, "place": 5})


def test_as_many_keys_as_are_read_are_read():
    rows = [keys(200), keys(200, 200), keys(100, 400), keys(200)]
    assert len(document.read(as_json(*rows).encode(), Format.JSON).rows) == 4
