"""Every address of the console, with a sample for each of its parts, so that tests know new ones too."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

UUID = "00000000-0000-4000-8000-000000000000"
_SAMPLES = {
    "kind": "mailbox",
    "id": UUID,
    "pk": UUID,
    "name": "a-name",
    "app_label": "core",
    "url": "x",
    "content_type_id": "1",
}


@dataclass(frozen=True)
class Route:
    """One address: `name` is the full name of its pattern, `path` an address that it answers, `shown` for people."""

    name: str
    path: str
    view: Any
    shown: str

    def __str__(self) -> str:
        return self.path


def all_routes() -> list[Route]:
    """Return every route that the resolver knows, those of the admin included."""
    return list(_walk(get_resolver(), "/", "/", ""))


def _walk(resolver: URLResolver, prefix: str, before: str, names: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path, shown = prefix + _sample(pattern.pattern), before + _shown(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, path, shown, f"{names}{pattern.namespace}:" if pattern.namespace else names)
        elif isinstance(pattern, URLPattern):
            yield Route(f"{names}{pattern.name}", path, pattern.callback, shown)


def _sample(pattern: Any) -> str:
    text, names = normalize(pattern.regex.pattern.replace("\\Z", ""))[0]
    samples = {}
    for name in names:
        converter = pattern.converters.get(name)
        sample = _SAMPLES.get(name, "1")
        if converter is not None and converter.regex != "[^/]+" and type(converter).__name__ != "PathConverter":
            if re.fullmatch(r"[\w|-]*[a-z][\w|-]*", converter.regex):
                sample = converter.regex.partition("|")[0]  # a choice of words
            sample = {"UUIDConverter": UUID, "IntConverter": "1"}.get(type(converter).__name__, sample)
        samples[name] = quote(sample)
    return text % samples


def _shown(pattern: Any) -> str:
    """Return a part of an address as documents show it: `<uuid:pk>` is `<pk>`, a choice of words is spelt out."""
    text = re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(pattern))
    text = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", text)
    return re.sub(r"\(\?:[^)]*\)\?", "…", text).strip("^$")
