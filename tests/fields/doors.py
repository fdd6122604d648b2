"""The five doors through which a definition comes in, each as a function: values in, (field, code) of each error out.

A door that lets the definition in answers with the empty set.
"""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import yaml
from django.core.management import call_command
from django.urls import reverse

from connections.kinds import KINDS
from core.fields import NameListField

Errors = set[tuple[str, str]]


def by_form(values: dict[str, Any], kind: str, client: Any) -> Errors:
    """Post the page's form as a browser does."""
    answer = client.post(reverse("connections:new", args=[kind]), as_posted(values, kind))
    if answer.status_code == 302:
        return set()
    assert answer.status_code == 422
    errors = answer.context["form"].errors.as_data()
    return {(name, error.code) for name, found in errors.items() for error in found}


def by_rest(values: dict[str, Any], kind: str, api: Any) -> Errors:
    """Post JSON."""
    answer = api.post(f"/api/v1/connections/{kind}/", values)
    if answer.status_code == 201:
        return set()
    assert answer.status_code == 400, answer.content
    return {(error["pointer"].lstrip("/"), error["code"]) for error in answer.json()["errors"]}


def by_admin(values: dict[str, Any], kind: str, client: Any) -> Errors:
    """Post the form of the support pages as a browser does."""
    model = KINDS[kind]
    answer = client.post(reverse(f"admin:connections_{model._meta.model_name}_add"), as_posted(values, kind))
    if answer.status_code == 302:
        return set()
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors.as_data()
    return {(name, error.code) for name, found in errors.items() for error in found}


def by_file(values: dict[str, Any], kind: str, folder: Any, environ: Any) -> Errors:
    """Apply a file; its secrets come from the environment, as everybody's should, unless they are no texts."""
    for name in values.keys() & set(KINDS[kind].SECRETS):
        if isinstance(values[name], str):
            environ.setenv(f"TEST_{name.upper()}", values[name])
            values = {**values, name: {"env": f"TEST_{name.upper()}"}}
    path = folder / "definitions.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "connections": [{"kind": kind, **values}]}, allow_unicode=True))
    out = StringIO()
    _run("apply", str(path), "--json", stdout=out)
    (row,) = json.loads(out.getvalue())["rows"]
    return {(error["pointer"].rpartition("/")[2], error["code"]) for error in row.get("errors", [])}


def by_set(values: dict[str, Any], kind: str, environ: Any) -> Errors:
    """Call `connection set`."""
    said = _run("set", "new-one", "--kind", kind, *as_arguments(values, kind, environ))
    return {(field, code) for field, code, _ in (line.split(": ", 2) for line in said.splitlines())}


def _run(*words: str, **streams: Any) -> str:
    """Run `connection` and return what it complained about; nothing where it found nothing wrong."""
    errors = StringIO()
    try:
        call_command("connection", *words, **{"stdout": StringIO(), "stderr": errors, **streams})
    except SystemExit as ended:
        if ended.code != 2:
            raise
        return errors.getvalue()
    return ""


def as_posted(values: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the values as a browser posts a form: text, nothing for what is empty, one entry per box."""
    posted: dict[str, Any] = {}
    for name, value in values.items():
        if value is True:
            posted[name] = "on"
        elif isinstance(value, list):
            posted[name] = value if _is_closed(name, kind) else ", ".join(value)
        elif value is not None and value is not False:
            posted[name] = str(value)
    return posted


def as_arguments(values: dict[str, Any], kind: str, environ: Any) -> list[str]:
    """Return the values as `field=value` arguments; a secret goes by the environment."""
    arguments = []
    for name, value in values.items():
        if name in KINDS[kind].SECRETS:
            environ.setenv(f"TEST_{name.upper()}", value)
            arguments.append(f"{name}=env:TEST_{name.upper()}")
        elif isinstance(value, list):
            arguments.append(f"{name}={','.join(value)}")
        else:
            arguments.append(f"{name}={'' if value is None else value}")
    return arguments


def _is_closed(name: str, kind: str) -> bool:
    field = KINDS[kind]._meta.get_field(name)
    return isinstance(field, NameListField) and field.known is not None
