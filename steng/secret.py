"""A secret text that cannot be printed, logged or compared by accident."""

from __future__ import annotations


class Secret:
    """Hold a secret text; only `reveal` gives it out.

    There is no repr, no length and no equality to leak through: a secret that
    reaches a log line or an assertion message reads `<secret>`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the clear text; call it only where the text is used at once."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type, tuple[str]]:
        # Pickles end up in caches and queues, where nobody expects a password.
        raise TypeError("a secret cannot be pickled")
