"""The page of fields, the table of effects and the models say the same."""

import ast
from pathlib import Path

import pytest
from django.db.models import TextChoices

from connections import choices
from connections.choices import Kind
from core.rules import Condition, Term
from credentials import choices as credential_choices
from tests.fields.credential_faults import CREDENTIAL_FAULTS
from tests.fields.effects import CREDENTIAL, EFFECTS, IN_JOBS, NOT_YET
from tests.fields.faults import FAULTS
from tests.fields.places import MODELS, fields_of, places, values_of
from tests.fields.table import in_words, page

ROOT = Path(__file__).resolve().parents[2]
PROOFS = sorted({proof for effect in EFFECTS.values() for proof in effect.tests})


def test_the_page_is_what_the_code_says():
    assert (ROOT / "docs" / "fields.md").read_text(encoding="utf-8") == page(), "run `make docs`"


def test_everything_that_can_be_chosen_has_an_effect_and_nothing_else_has():
    found = list(places())
    assert len(found) == len(set(found))
    assert set(found) == set(EFFECTS)


def test_every_field_that_may_be_written_is_in_its_section():
    for kind, model in MODELS.items():
        sections = [kind] if kind in {"both", CREDENTIAL} else ["both", kind]
        assert sorted(name for section in sections for name in fields_of(section)) == sorted(model.writable())


def test_no_enumeration_is_left_out():
    known = {
        values for kind in MODELS for name in fields_of(kind) if (values := frozenset(dict(values_of(kind, name))))
    }
    enumerations = {
        name: frozenset(found.values)
        for module in (choices, credential_choices)
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, TextChoices) and found is not TextChoices and found is not Kind
    }
    assert {name for name, values in enumerations.items() if values not in known} == set()


def test_every_effect_has_a_sentence_and_a_proof():
    assert [place for place, effect in EFFECTS.items() if not (effect.says.endswith(".") and effect.proofs)] == []
    assert {proof for effect in EFFECTS.values() for proof in effect.proofs} - set(PROOFS) == {NOT_YET, IN_JOBS}


@pytest.mark.parametrize("node", PROOFS)
def test_a_proof_exists(node):
    file, *classes, name = node.split("::")
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    for inside in classes:
        (body,) = [item.body for item in body if isinstance(item, ast.ClassDef) and item.name == inside]
    assert name in {item.name for item in body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_fault_is_of_a_field_or_of_a_key_that_does_not_exist():
    named = {(fault.kind, fault.field) for fault in FAULTS if fault.code != "unknown_field"}
    fields = {kind: {*fields_of("both"), *fields_of(kind)} for kind in ("smtp", "mailbox")}
    assert {place for place in named if place[1] not in fields[place[0]]} == set()
    assert {fault.field for fault in CREDENTIAL_FAULTS if fault.code != "unknown_field"} == set(fields_of(CREDENTIAL))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition(((Term("a", ("X",)), Term("b", ("",))), (Term("c", ("Y", "Z")),))),
         "`a` is `X` and `b` is empty, or `c` is `Y` or `Z`"),
        (Condition(((Term("n", minimum=1),),)), "`n` is at least 1"),
    ],
)  # fmt: skip
def test_a_condition_is_said_in_words(condition, words):
    assert in_words(condition) == words
