"""Commands and answers of POP3 (RFC 1939 section 3), one at a time or several at once (RFC 2449 section 6.6)."""

from __future__ import annotations

from abc import ABC
from collections.abc import AsyncIterator

from steng.probe.answers import Answer, parse
from steng.probe.failure import ProbeFailure
from steng.probe.lines import MAX_LINES
from steng.probe.mail_session import MailSession
from steng.probe.session import Setting


class Talk(MailSession, ABC):
    """A session that can be asked."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.listed: list[str] | None = None
        """What the server lists to CAPA, None where it does not know that command."""

    def can(self, capability: str) -> bool:
        """Tell whether the server lists a capability."""
        return any(line.upper().split()[:1] == [capability] for line in self.listed or ())

    def send(self, *commands: bytes) -> None:
        """Send commands in one go; raises ProbeFailure where the server spoke without being asked."""
        self._refuse_unasked()
        self._settled = False
        self.channel.send(*commands)

    async def answer(self, *, asked: bool = False) -> Answer:
        """Return the answer to the next command that was sent; raises ProbeFailure.

        Only within a sign-in, where `asked`, it may be a question in its turn (RFC 5034 section 4).
        """
        return said(await self.channel.answer_line(), asked=asked)

    async def data(self, max_lines: int = MAX_LINES) -> AsyncIterator[str]:
        """Yield the lines that follow an answer, up to the dot (RFC 1939 section 3); raises ProbeFailure."""
        for _ in range(max_lines):
            line = await self.channel.data_line()
            if line == ".":
                return
            yield line.removeprefix(".")
        raise ProbeFailure("too_much_data", f"The server sent more than {max_lines} lines to one command.")

    async def command(self, command: bytes, shown: str | None = None, *, asked: bool = False) -> Answer:
        """Send one command and return its answer; `shown` stands for it in the transcript. Raises ProbeFailure."""
        self._refuse_unasked()
        self._settled = False
        self.channel.send(command, shown=shown)
        answer = await self.answer(asked=asked)
        self._settled = answer.status != "+"
        return answer

    def _refuse_unasked(self) -> None:
        if self.channel.unread:
            raise ProbeFailure("protocol_error", "The server answered before it was asked.")


def said(line: str, *, asked: bool = False) -> Answer:
    """Return what a line answers; raises ProbeFailure where it is neither yes nor no (RFC 1939 section 3)."""
    answer = parse(line)
    if answer.status in {"+OK", "-ERR"} or (asked and answer.status == "+"):
        return answer
    raise ProbeFailure("protocol_error")
