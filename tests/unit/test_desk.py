"""The desk: who waits for whom, without a database."""

import asyncio
import contextlib
import threading

import pytest

from cluster.engines import desk as module
from cluster.engines.desk import FEW, Desk


@pytest.fixture
def done(monkeypatch):
    """Let the desk work without a database; return the batches that it did, by what each act returned."""
    batches = []

    def do(self, batch):
        batches.append([slip.act() for slip in batch])
        for slip, result in zip(batch, batches[-1], strict=True):
            slip.resolve(result)

    monkeypatch.setattr(Desk, "_do", do)
    monkeypatch.setattr(module, "connection", contextlib.nullcontext())
    monkeypatch.setattr(module.connection, "close", lambda: None, raising=False)
    return batches


def scenario(test):
    """Hand over what `test` asks for while the desk is held up by a first act, then let it work to its end."""

    async def run():
        desk, hold, begun = Desk(), threading.Event(), threading.Event()

        def first():
            begun.set()
            hold.wait(10)
            return "first"

        desk.open()
        asked = [asyncio.create_task(desk.call(first))]
        await asyncio.to_thread(begun.wait, 10)
        asked += [asyncio.create_task(desk.call(lambda word=word: word, patient=word.startswith("p"))) for word in test]
        await asyncio.sleep(0)
        hold.set()
        answers = await asyncio.gather(*asked)
        await desk.close()
        return answers

    return asyncio.run(run())


def test_acts_that_pile_up_share_a_commit_in_their_order(done):
    assert scenario(["a", "b", "c"]) == ["first", "a", "b", "c"]
    assert done == [["first"], ["a", "b", "c"]]


def test_patient_acts_come_after_the_others(done):
    scenario(["p1", "a", "p2", "b"])
    assert done == [["first"], ["a", "b"], ["p1", "p2"]]


def test_patient_acts_come_a_few_at_a_time(done):
    scenario([f"p{number}" for number in range(FEW + 1)])
    assert [len(batch) for batch in done] == [1, FEW, 1]


def test_patient_acts_are_not_passed_over_twice(done, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 1)
    scenario(["p1", "a", "b", "c"])
    assert done == [["first"], ["a"], ["b", "p1"], ["c"]]


def test_what_was_handed_over_is_done_before_the_end(done):
    async def run():
        desk = Desk()
        asked = [asyncio.create_task(desk.call(lambda: "p", patient=True)) for _ in range(3 * FEW)]
        await asyncio.sleep(0)
        desk.open()
        await desk.close()
        return await asyncio.gather(*asked)

    assert asyncio.run(run()) == ["p"] * 3 * FEW
