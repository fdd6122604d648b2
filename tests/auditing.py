"""How tests cause events and find them again."""

import json

from core.audit.models import AuditEvent

PASSWORD = "correct-horse-battery"
CANARIES = ("canary-5c1b7a", "canary-0d44e2", "canary-9b0f31")


def of(act):
    """Return the one event of an act."""
    return AuditEvent.objects.get(act=act)


def in_admin(client, path, values):
    answer = client.post(f"/admin/{path}", {"post": "yes", "_save": "Save", **values})
    assert answer.status_code == 302, answer.content.decode()


def user_form(user, **changes):
    return {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "12:00:00",
        **changes,
    }


def found_in_the_trail(text):
    """Tell whether a text stands anywhere in the trail."""
    rows = [json.dumps(row, default=str) for row in AuditEvent.objects.values()]
    return [row for row in rows if text in row]
