"""Whatever is tested, a mailbox with known content stays as it is, byte for byte."""

import asyncio
import itertools

import pytest

from steng.probe import probe
from steng.wire import Disposition, Mailbox, Pull, Purpose, Verdict
from tests.integration.test_mailbox_login import MECHANISMS, asked
from tests.lab.asking import run

pytestmark = pytest.mark.postfix

USER = "agent20"
TESTS = 200
SECURITIES = ("STARTTLS", "SSL_TLS", "NONE")

# What Dovecot keeps for itself, and writes to whenever somebody looks: its index with log and cache, and a list of the
# folders that have rights of their own. The numbers and keywords of messages are in other files, which count.
ITS_OWN = ("dovecot.index", "dovecot.list.index", "dovecot.mailbox.log", "dovecot-acl-list")


def messages():
    """Return messages in every state: read, answered, flagged, marked for deletion, with a keyword, and new."""
    return [
        (f"Subject: {n}\r\nDate: 1 Jan 2024 00:00 +0000\r\n\r\nbody {n}\r\n".encode(), flags) for n, flags in STATES
    ]


STATES = list(enumerate(("", "S", "RS", "FS", "T", "a", "", "S", "F", "")))
FOLDERS = ("INBOX", "R&D", "台北")


def content(home):
    """Return every file of a mailbox by its name: its bytes and its time; flags are in the name."""
    return {
        str(path.relative_to(home)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.name.startswith(ITS_OWN)
    }


def kinds(lab):
    """Return requests of every kind, over and over."""
    pop3 = [Pull.GET_FIRST_MESSAGE, Pull.GET_LAST_MESSAGE]
    imap = itertools.cycle(itertools.product(SECURITIES, MECHANISMS["IMAP"], Pull, Disposition, FOLDERS))
    drop = itertools.cycle(itertools.product(SECURITIES, MECHANISMS["POP3"], pop3, ("KEEP", "DELETE")))
    for number in range(TESTS):
        if number % 4 == 3:
            security, mechanism, pull, disposition = skip(drop, 7)
            mailbox = Mailbox("INBOX", Disposition(disposition), pull, show_subject=number % 8 == 3)
            yield asked(lab, "POP3", security, mechanism, USER, mailbox=mailbox)
        else:
            security, mechanism, pull, disposition, folder = skip(imap, 29)
            mailbox = Mailbox(folder, disposition, pull, show_subject=number % 2 == 0)
            purpose = Purpose.FOLDERS if number % 10 == 0 else Purpose.TEST
            yield asked(lab, "IMAP", security, mechanism, USER, mailbox=mailbox, purpose=purpose)


def skip(cycle, count):
    for _ in range(count):
        next(cycle)
    return next(cycle)


@pytest.fixture(scope="module")
def known(lab):
    for folder in FOLDERS:
        lab.dovecot.put(USER, folder, *messages())
    keywords = lab.dovecot.mailbox(USER, "INBOX") / "dovecot-keywords"
    keywords.write_text("0 $Important\n")
    keywords.chmod(0o666)
    (lab.dovecot.mailbox(USER, "INBOX") / "new" / "1700999999.M1.lab").write_bytes(messages()[0][0])
    lab.dovecot.own(USER)
    # Dovecot numbers the messages when it sees them first, and moves what is new when POP3 opens the mailbox.
    lab.dovecot.look_in(USER, *FOLDERS)
    return lab


def test_a_mailbox_is_the_same_after_two_hundred_tests(known):
    home = known.dovecot.home(USER)
    before = content(home)
    requests = list(kinds(known))

    async def all_of_them():
        few = asyncio.Semaphore(20)

        async def one(request):
            async with few:
                return await probe(request)

        return await asyncio.gather(*(one(request) for request in requests))

    reports = run(all_of_them())
    assert (len(reports), {report.verdict for report in reports} <= {Verdict.SUCCESS, Verdict.WARNING}) == (TESTS, True)
    assert sum(stage.name == "folder" and stage.outcome == "ok" for r in reports for stage in r.stages) == TESTS
    assert len(before) > 3 * len(STATES)
    after = content(home)
    assert {name for name, _ in before.items() ^ after.items()} == set()
    assert after == before
