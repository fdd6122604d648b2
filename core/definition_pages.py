"""What the pages of all definitions do with a form: judge what is on the screen, save it, say what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from http import HTTPStatus
from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core.definition_form import DefinitionForm
from core.definition_services import Saved
from core.errors import Refused
from core.rules import Problem

S = TypeVar("S")

_AT_ONCE = frozenset({"secret_must_be_retyped", "not_available", "secret_not_for_destination", "wrong_kind"})
"""Errors that a change of one field causes at another: nobody has to have been there to be told."""


def shown_of(request: HttpRequest) -> set[str]:
    """Return the fields whose errors the page shows already."""
    return set(request.POST.get("_shown", "").split(","))


def judge(form: DefinitionForm, build: Callable[[], Iterable[Problem]], *, shown: Collection[str]) -> None:
    """Put errors (of the fields in `shown`, and those that another field brings about) and advice on the form.

    `build` returns what is worth knowing about the definition; it raises the ValidationError of one that is none.
    """
    try:
        advisories = build()
    except ValidationError as error:
        kept = {
            name: problems
            for name, problems in error.error_dict.items()
            if name in shown or any(problem.code in _AT_ONCE for problem in problems)
        }
        if kept:
            form.refuse(ValidationError(kept))
        advise_anyway(form)
    else:
        form.advise(advisories)


def advise_anyway(form: DefinitionForm) -> None:
    """Give advice on a definition that has errors elsewhere; a value that does not convert is left out."""
    values = {name: value for name, value in form.values.items() if name not in form.errors}

    def is_set(name: str) -> bool:
        if name in values:
            return bool(values[name])
        return form.row is not None and form.row.secret_is_set(name)

    form.advise(problem for problem in form.advisories(values, is_set) if problem.field not in form.errors)


def stored(form: DefinitionForm, save: Callable[[], S]) -> S | HTTPStatus:
    """Return what was saved, or the status of the page that shows the form again, with what was refused."""
    try:
        return save()
    except ValidationError as error:
        form.refuse(error)
        advise_anyway(form)
        return HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as refusal:
        form.add_error(None, refusal.detail + remedy(refusal))
        return HTTPStatus.CONFLICT


def remedy(refusal: Refused) -> str:
    """Return what follows on the sentence of a refusal where saving again does what was wanted."""
    if refusal.code != "precondition_failed":
        return ""
    return " What you typed is still here; saving again overwrites the change."


def tell(
    request: HttpRequest, form: DefinitionForm, saved: Saved[Any], standing: Iterable[Problem], hint: str = ""
) -> None:
    """Say that a definition is saved; of what is worth knowing, only what its page will not show: it is `standing`."""
    if saved.changed:
        messages.success(request, f"{saved.row.name} is saved.{hint}")
    else:
        messages.info(request, "Nothing was changed.")
    shown = {(problem.field, problem.code) for problem in standing}
    for problem in saved.advisories:
        if (problem.field, problem.code) not in shown:
            messages.warning(request, f"{form.fields[problem.field].label}: {problem.detail}")
