"""The table of faults, the catalogue of codes and the page about both say the same."""

import ast
from pathlib import Path

import pytest

from steng.codes import CATALOGUE
from steng.wire import StageName
from tests.lab.faults import CASES
from tests.lab.faults.elsewhere import PROVEN
from tests.lab.verdicts import PAGE, page

ROOT = Path(__file__).resolve().parents[2]
CATALOGUED = {(stage.value if stage else None, code) for stage, code in CATALOGUE}
TOLD = {case.told for case in CASES if case.fault.code}


def entry(stage, code):
    """Return the entry of the catalogue that speaks of a code at a stage, None where there is none."""
    return next((key for key in ((stage, code), (None, code)) if key in CATALOGUED), None)


def test_every_code_of_the_catalogue_has_a_case_or_a_test_elsewhere():
    provoked = {entry(*told) for told in TOLD} | {key for key in PROVEN if key in CATALOGUED}
    assert CATALOGUED - provoked == set()


def test_no_case_tells_a_code_that_is_not_in_the_catalogue():
    assert {told for told in (TOLD | PROVEN.keys()) if entry(*told) is None} == set()


def test_what_a_server_provokes_is_not_left_to_a_test_elsewhere():
    assert PROVEN.keys() & {entry(*told) for told in TOLD} == set()


@pytest.mark.parametrize("node", sorted(set(PROVEN.values())))
def test_a_test_elsewhere_exists(node):
    file, _, name = node.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    assert name in {item.name for item in tree.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_stage_that_can_fail_has_cases():
    staged = {stage for stage, _ in TOLD}
    assert staged == {stage.value for stage in StageName} - {"queue", "quit", "token", "message"}


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
