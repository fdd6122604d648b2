"""Definitions on the support pages: the stock pages, around the same form and the same services as our own.

The services are asked once, to save. What they refuse stands beside its field with their code, so that there is
nothing between a check and a write, and no second opinion about what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from types import SimpleNamespace
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from core.admin_lists import LongList
from core.admin_widgets import dress
from core.definition_pages import remedy
from core.definition_services import Saved
from core.errors import Refused
from core.models import User
from core.requests import user_of, version_of
from core.usage import usage, usage_counts
from core.wording import told

DELETED_AT_ONCE = 100
"""Rows that are deleted with one question; the lists of the console delete more, with progress."""

_SAVED = "postern_saved"
_LABELS = "postern_labels"


Store = Callable[[Any], Saved[Any]]


class SupportForm:
    """Makes the form of a definition one that the stock pages can show, and that saves by the services.

    To be mixed in before the form; whoever makes one calls `prepare`.
    """

    def prepare(self, model: type[models.Model], row: Any, store: Store) -> None:
        """Take the row (None for a new one), and how it is stored; give every field its widget."""
        self.instance = row if row is not None else model()
        self.saved: Saved[Any] | None = None
        self.use_required_attribute = False
        self._store = store
        self._asked = False
        labels = {name: field.label for name, field in self.fields.items()}  # type: ignore[attr-defined]
        self._meta = SimpleNamespace(model=model, labels=labels, help_texts=dict.fromkeys(labels, ""))
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            dress(field, name, has_default=_has_default(model, name))

    def is_valid(self) -> bool:
        """Ask the services to save; tell whether they did. Asking again tells the same."""
        if self.is_bound and not self._asked:  # type: ignore[attr-defined]
            self._asked = True
            try:
                self.saved = self._store(self)
            except ValidationError as error:
                self.refuse(error)  # type: ignore[attr-defined]
            except Refused as refusal:
                self.full_clean()  # type: ignore[attr-defined]
                self.add_error(None, told(refusal) + remedy(refusal))  # type: ignore[attr-defined]
        return self.saved is not None


class DefinitionAdmin(LongList):
    """A definition that only its services write.

    A subclass says how its form is made, and how a row is stored and removed. The trail of the audit log is the
    history: the admin keeps none of its own beside it.
    """

    change_form_template = "admin/definition_change_form.html"
    delete_confirmation_template = "admin/definition_delete_confirmation.html"
    pages = {"history_view": {"get": "audit.view"}}
    usage_kind: ClassVar[str] = ""

    def form_of(self, request: HttpRequest, data: Any, row: Any) -> Any:
        """Return the form, a `SupportForm` that is not prepared yet."""
        raise NotImplementedError

    def store(self, form: Any, row: Any, *, user: User, expected_version: int | None) -> Saved[Any]:
        """Save what the form says by the services."""
        raise NotImplementedError

    def remove(self, row: Any, *, expected_version: int | None) -> None:
        """Delete a row by the services."""
        raise NotImplementedError

    def advisories_of(self, row: Any) -> Iterable[Any]:
        """Return what is worth knowing about a stored row."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ARG002
        """Return what makes the form."""

        def make(data: Any = None, files: Any = None, *, instance: Any = None, initial: Any = None) -> Any:  # noqa: ARG001  the address prefills nothing
            form = self.form_of(request, data, instance)
            if instance is not None and data is None:
                form.advise(self.advisories_of(instance))
            form.prepare(self.model, instance, lambda asked: self._store(request, asked, instance))
            return form

        return make

    def _store(self, request: HttpRequest, form: Any, row: Any) -> Saved[Any]:
        version = version_of(request) if row is not None else None
        saved = self.store(form, row, user=user_of(request), expected_version=version)
        setattr(request, _SAVED, saved)
        setattr(request, _LABELS, form._meta.labels)
        return saved

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:  # noqa: ARG002
        """Return the row that the services stored."""
        return form.saved.row

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Do nothing: it is stored."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: all of it is stored."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:  # noqa: ARG002
        """Return nothing: the audit trail has it."""
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Do nothing: the audit trail has it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Do nothing: the audit trail has it."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Do nothing: the audit trail has it."""

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on as the stock page does, with what is worth knowing."""
        response = super().response_add(request, obj, post_url_continue)
        self._advise(request)
        return response

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Go on as the stock page does; where nothing was changed, say so."""
        if not getattr(request, _SAVED).changed:
            messages.info(request, "Nothing was changed.")
            again = "_continue" in request.POST
            return redirect(request.path) if again else self.response_post_save_change(request, obj)
        response = super().response_change(request, obj)
        self._advise(request)
        return response

    def _advise(self, request: HttpRequest) -> None:
        for problem in getattr(request, _SAVED).advisories:
            messages.warning(request, f"{getattr(request, _LABELS)[problem.field]}: {problem.detail}")

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        """Lead to the trail of the row."""
        return redirect(f"{reverse('admin:core_auditevent_changelist')}?q={object_id}")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:  # noqa: ARG002
        """Return what would go, and who is in the way; raise Refused for more than one question is good for."""
        rows = list(objs[: DELETED_AT_ONCE + 1])
        if len(rows) > DELETED_AT_ONCE:
            raise Refused(
                "too_many",
                f"At most {DELETED_AT_ONCE} are deleted here at a time; the console's own list deletes more.",
            )
        names = [str(row) for row in rows]
        return names, {str(self.opts.verbose_name_plural): len(rows)}, set(), self._in_the_way(rows)

    def _in_the_way(self, rows: Collection[Any]) -> list[str]:
        if not self.usage_kind:
            return []
        if len(rows) == 1:
            (row,) = rows
            return [f"{user['kind']} {user['name']}" for user in usage(self.usage_kind, row)]
        counts = usage_counts(self.usage_kind, rows)
        return [f"{row}: used by {counts[row.pk]:,}" for row in rows if counts[row.pk]]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete by the services."""
        self.remove(obj, expected_version=version_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:  # noqa: ARG002
        """Delete all by the services, or none where one is refused."""
        with transaction.atomic():
            for row in queryset:
                self.remove(row, expected_version=None)


def secret_shown(name: str, label: str) -> Callable[..., str]:
    """Return what shows of a secret, to who may not change it, whether there is one and since when."""

    def show(model_admin: Any, row: Any) -> str:  # noqa: ARG001
        if row is None or not row.secret_is_set(name):
            return "Not set"
        changed = getattr(row, f"{name}_changed_at")
        return f"Set, changed {changed:%Y-%m-%d}" if changed else "Set"

    show.short_description = label  # type: ignore[attr-defined]
    return show


def _has_default(model: type[models.Model], name: str) -> bool:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return bool(isinstance(field, models.Field) and field.has_default() and field.get_default())
