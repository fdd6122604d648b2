"""A connection on its way in, from raw values of any door to a checked, unsaved row.

References are names or `{"id": …}`.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from cluster.models import Cluster, Steng
from connections import entrusted, rules
from connections.models import Connection
from core import definition_candidate
from core.definition_candidate import Errors, Guard, assign, plain_field, take_secrets
from core.errors import invalid, unknown_fields
from core.models import User
from core.net import canonical_host
from core.rules import Problem, advice
from core.text import comparison_key
from credentials import vault
from credentials.models import Credential
from credentials.rules import permits
from steng.secret import Secret

_BROUGHT_ALONG = frozenset({"username", "password"})
"""What a credential brings along."""

_DECIDE = frozenset({"credential", "authentication_type"})
"""While one of these is wrong, the credential that would be used is not known."""

_TARGETS: dict[str, type[Cluster | Steng | Credential]] = {
    "cluster": Cluster,
    "steng": Steng,
    "credential": Credential,
}


_GUARD = Guard(
    redirected=rules.redirected,
    applies=rules.applies,
    danger="would send it elsewhere or less protected",
    removed="its destination changed",
    called={"host_canonical": "host"},
)


@dataclass(slots=True)
class Candidate(definition_candidate.Candidate[Connection]):
    """A checked connection that is not saved yet."""

    @property
    def advisories(self) -> list[Problem]:
        """Return what is worth knowing about this write."""
        return [*self.ignored, *self.row.advisories()]

    def reveal(self, name: str) -> Secret | None:
        """Return a secret for use; raise SecretUnreadable where the stored one cannot be opened."""
        if name in self.typed:
            typed: Secret = self.typed[name]
            return typed
        sealed = getattr(self.row, f"{name}_sealed")
        return vault.open_(sealed, self.row.id, name) if sealed else None


def build(
    model: type[Connection],
    values: Mapping[str, Any],
    before: Connection | None,
    *,
    user: User | None,
    partial: bool,
    draft: bool = False,
) -> Candidate:
    """Return the definition of this kind that these values describe; raise ValidationError with every problem by field.

    `user` is who describes it, None at the console's host: not everybody may use every credential everywhere.
    `partial` keeps what is absent; `draft` accepts a definition without a name, or with one that is taken.
    """
    row = copy.copy(before) if before is not None else model()
    candidate = Candidate(row, before)
    errors = unknown_fields(values, model.writable(), "There is no field “{}”.")
    assign(row, values, errors, partial=partial)
    _complete(row)
    _assign_references(candidate, values, errors, user=user, partial=partial)
    _check_credential(row, errors)
    take_secrets(candidate, values, errors, Secret)
    broken = set(errors)
    _drop_hidden(candidate, values, errors)
    _check(row, errors, draft=draft)
    _check_entrusted(candidate, user, errors)
    if before is not None:
        # A user name that does not apply was dropped, which moves nothing.
        unseen = rules.hidden(row.values()) & {"username", "pop_username"}
        _GUARD.watch(candidate, before, errors, broken | unseen)
    if errors:
        raise ValidationError(errors)
    return candidate


def _complete(row: Connection) -> None:
    row.fill_in()
    try:
        row.host_canonical = canonical_host(row.host)
    except ValueError:
        row.host_canonical = ""


def _assign_references(
    candidate: Candidate,
    values: Mapping[str, Any],
    errors: Errors,
    *,
    user: User | None,
    partial: bool,
) -> None:
    row = candidate.row

    def exists(found: Cluster | Steng | Credential) -> bool:
        return not isinstance(found, Credential) or entrusted.may_know(user, found, candidate.before)

    for name in row.REFERENCES:
        if name not in values:
            if not partial and name in _TARGETS:
                setattr(row, name, None)
            continue
        try:
            target = find_reference(name, values[name], exists)
        except ValidationError as error:
            errors[name] = error.error_list
        else:
            if name in _TARGETS:
                setattr(row, name, target)
    if (
        row.steng is not None
        and row.cluster is not None
        and row.steng.cluster_id != row.cluster.pk
        and "steng" not in errors
    ):
        errors["steng"] = [invalid("not_found", f"{row.steng.name} is not a STENG of the cluster {row.cluster.name}.")]


def _check_credential(row: Connection, errors: Errors) -> None:
    """Refuse a credential of the wrong kind, or one that may not be used for this server."""
    values = row.values()
    credential, sign_in = row.credential, values.get("authentication_type")
    if credential is None or not errors.keys().isdisjoint(_DECIDE) or not rules.applies("credential", values):
        return
    if credential.kind != sign_in:
        errors["credential"] = [
            invalid("wrong_kind", f"“{credential.name}” is of the kind {credential.kind}; {sign_in} is needed here.")
        ]
    elif rules.readable(values):
        sentence = "A stored credential is never sent readable: choose STARTTLS or SSL/TLS, or another mechanism."
        errors["credential"] = [invalid("secret_not_for_destination", sentence)]
    elif row.host_canonical and isinstance(row.port, int) and not permits(credential, row.host_canonical, row.port):
        sentence = f"“{credential.name}” may not be used for {row.endpoint}. Its destinations say for what it may."
        errors["credential"] = [invalid("secret_not_for_destination", sentence)]


def _check_entrusted(candidate: Candidate, user: User | None, errors: Errors) -> None:
    """Refuse a use of a credential that is not the user's to decide on; what else is wrong with it is said first."""
    if errors.keys().isdisjoint(_DECIDE):
        for name, refusal in entrusted.refusals(candidate.row, candidate.before, user, errors.keys()).items():
            errors.setdefault(name, []).append(refusal)


def find_reference(
    name: str, value: Any, exists: Callable[[Cluster | Steng | Credential], bool] = lambda _: True
) -> Cluster | Steng | Credential | None:
    """Return the thing that a name or `{"id": …}` refers to, None for null; raise `not_found` or `invalid_type`.

    `exists` tells whether what was found is there for who asks: if not, he hears what he hears of nothing.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Mapping):
        value = value.get("id")
        if not isinstance(value, str):
            raise invalid("invalid_type", 'Expected a name, {"id": …} or null.')
        try:
            key: dict[str, Any] = {"pk": uuid.UUID(value)}
        except ValueError:
            key = {}
    elif isinstance(value, str):
        key = {"name_key": comparison_key(value)}
    else:
        raise invalid("invalid_type", 'Expected a name, {"id": …} or null.')
    model = _TARGETS.get(name)
    # Keys have no store on this installation yet, so no reference to one can be found.
    found = model.objects.filter(**key).first() if model is not None and key else None
    if found is None or not exists(found):
        raise invalid("not_found", f"There is no “{str(value)[:80]}” here.")
    return found


def _drop_hidden(candidate: Candidate, values: Mapping[str, Any], errors: Errors) -> None:
    row = candidate.row
    for name in sorted(rules.hidden(row.values()).intersection(row.writable())):
        if not errors.keys().isdisjoint(rules.CONDITIONS[name].controllers):
            continue  # whether it applies is not known
        given = errors.pop(name, None) is not None
        if name in row.SECRETS:
            continue
        if name in _TARGETS:
            given = given or (bool(values.get(name)) and getattr(row, f"{name}_id") is not None)
            setattr(row, name, None)
        if name in row.definition_fields():
            default = plain_field(row, name).get_default()
            given = given or (name in values and getattr(row, name) != default)
            setattr(row, name, default)
        if given:
            reason = rules.CONDITIONS[name].attribute
            detail = f"The value was dropped: it applies only with {reason}."
            candidate.ignored.append(advice(name, "field_ignored", detail))


def _check(row: Connection, errors: Errors, *, draft: bool) -> None:
    skipped = {*errors, *_TARGETS, "last_test", "updated_by", "connection_ptr"}
    skipped |= {item.name for item in row._meta.concrete_fields if not item.editable}
    if draft and not row.name:
        skipped.add("name")
    try:
        row.full_clean(exclude=skipped, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        for name, problems in error.error_dict.items():
            if draft and name == "name":
                problems = [problem for problem in problems if problem.code != "not_unique"]  # noqa: PLW2901
            if name in _BROUGHT_ALONG and "credential" in errors:
                continue  # whether the credential brings it is not known
            if problems and name not in errors:
                errors[name] = problems
