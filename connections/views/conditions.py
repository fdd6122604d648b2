"""The stylesheet that hides conditional fields where no script does, made from the one declaration."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

from connections import rules
from connections.kinds import KINDS
from connections.rules.conditions import Term
from core.permissions import needs


@needs(get="connections.view")
@cache_control(private=True, max_age=3600)
def conditions(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Return one rule for each condition of each kind's form."""
    every = (condition.within(model.writable()) for model in KINDS.values() for condition in rules.CONDITIONS.values())
    lines = dict.fromkeys(_rule(condition) for condition in every if condition.alternatives)
    return HttpResponse("\n".join(lines) + "\n", content_type="text/css; charset=utf-8")


def _rule(condition: rules.Condition) -> str:
    holds = ",".join("".join(_selectors(terms)) for terms in condition.alternatives)
    return f'form:not(:is({holds})) [data-show-if="{condition.attribute}"]{{display:none}}'


def _selectors(terms: tuple[Term, ...]) -> Iterator[str]:
    for term in terms:
        control = f'[name="{term.controller}"]'
        if term.minimum is not None:
            # CSS compares no numbers: an empty control hides the field, a typed 0 is left to the server.
            yield f":has({control}:not(:placeholder-shown))"
        elif term.values == ("",):
            yield f":has({control}:placeholder-shown)"
        else:
            yield ":has(" + ",".join(f'{control}[value="{value}"]:checked' for value in term.values) + ")"
