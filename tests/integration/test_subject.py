"""The way of a subject from the probe to the person who asked, and to nowhere else."""

import asyncio
import dataclasses
import os
import socket
import stat
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from cluster import asides, dispatch
from cluster.asides import Asides
from cluster.models import Job
from core.models import IdempotencyRecord
from steng.wire import ProbeReport, StageName, Verdict
from tests.engines import Gate, db, engine, put, scenario, state_is, true, until
from tests.jobs import local_steng, running, stage, success

CANARY = "canary-subject-9a31"
JOB = uuid.UUID(int=7)


@pytest.fixture
def data(tmp_path, settings):
    """Give each test a data folder of its own."""
    settings.POSTERN_DATA = tmp_path
    return tmp_path


async def taken(job):
    return await asyncio.to_thread(asides.take, job)


def served(act, kept=None):
    """Serve asides while an async act runs in the same process; return what it returns."""

    async def scenario():
        store = kept or Asides()
        if kept is None:
            store.put(JOB, {"subject": CANARY}, timezone.now())
        async with asides.served(store, timezone.now):
            return await act()

    return asyncio.run(scenario())


class TestTheSocket:
    def test_gives_an_aside_once(self, data):
        async def twice():
            return [await taken(JOB), await taken(JOB)]

        assert served(twice) == [{"subject": CANARY}, {}]

    def test_says_whether_an_aside_waits_and_leaves_it(self, data):
        async def asks():
            waits = [await asyncio.to_thread(asides.waits, JOB, name) for name in ("subject", "subject", "body")]
            return [*waits, await taken(JOB), await asyncio.to_thread(asides.waits, JOB, "subject")]

        assert served(asks) == [True, True, False, {"subject": CANARY}, False]

    def test_lets_nobody_else_in(self, data):
        async def modes():
            return [stat.S_IMODE(os.stat(path).st_mode) for path in (asides.place(), asides.place().parent)]

        assert served(modes) == [0o600, 0o700]

    def test_is_gone_with_the_dispatcher(self, data):
        async def exists():
            return asides.place().exists()

        assert (served(exists), asides.place().exists()) == (True, False)

    def test_of_a_killed_dispatcher_is_replaced(self, data):
        asides.place().parent.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(asides.place()))
        assert served(lambda: taken(JOB)) == {"subject": CANARY}

    def test_works_however_deep_the_data_folder_is(self, data, settings):
        settings.POSTERN_DATA = data / ("deep" * 30) / ("deeper" * 30)
        assert served(lambda: taken(JOB)) == {"subject": CANARY}

    @pytest.mark.parametrize(
        "question", [b"", b"\n", b"nonsense\n", b"?\n", b"??\n", b"\xff\n", b"x" * 100_000, str(JOB).encode()], ids=repr
    )
    def test_survives_any_question(self, data, question, monkeypatch):
        monkeypatch.setattr(asides, "PATIENCE", 0.2)

        async def asks():
            reader, writer = await asyncio.open_unix_connection(asides.place())
            writer.write(question)
            if question:
                writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer, await taken(JOB)

        assert served(asks) == (b"", {"subject": CANARY})

    def test_without_a_dispatcher_there_is_nothing(self, data):
        assert (asides.take(JOB), asides.waits(JOB, "subject")) == ({}, False)

    def test_a_dead_socket_is_nothing(self, data):
        asides.place().parent.mkdir()
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(asides.place()))
        assert asides.take(JOB) == {}

    @pytest.mark.parametrize("answer", [b"", b"[1]", b"nonsense", b"\xff"])
    def test_an_answer_that_is_none_is_nothing(self, data, answer):
        asides.place().parent.mkdir()

        async def serve():
            async def says(reader, writer):
                await reader.readline()
                writer.write(answer)
                writer.close()

            async with await asyncio.start_unix_server(says, asides.place()):
                return await taken(JOB)

        assert asyncio.run(serve()) == {}

    def test_that_cannot_be_made_costs_only_the_asides(self, data, caplog):
        (data / "run").write_text("a file where the folder should be")

        async def goes_on():
            return "went on", await taken(JOB)

        assert served(goes_on) == ("went on", {})
        assert "what tests say aside cannot be fetched" in caplog.text


def telling(report):
    """Return a report that says the subject aside."""
    return dataclasses.replace(report, aside={"subject": CANARY})


async def tells(request, on_stage=None, before_credentials=None):
    return telling(with_folder())


def with_folder():
    folder = stage(StageName.FOLDER, evidence={"subject_available": True})
    return ProbeReport(Verdict.SUCCESS, (stage(), stage(StageName.AUTH), folder), 12.5)


@pytest.mark.django_db(transaction=True)
class TestFromTheProbe:
    @pytest.fixture
    def steng(self, transactional_db):
        return local_steng(timezone.now())

    def test_it_is_there_as_soon_as_the_test_has_ended(self, steng):
        @scenario
        async def story():
            async with engine(steng, tells):
                job = await put(steng)
                await state_is(job, "finished")
                return await taken(job.pk)

        assert story() == {"subject": CANARY}

    def test_it_is_in_no_table_no_file_and_no_log(self, steng, caplog):
        caplog.set_level("DEBUG")

        @scenario
        async def story():
            async with engine(steng, tells):
                await state_is(await put(steng), "finished")

        story()
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names()
            dump = str([cursor.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables])
        files = [path for path in Path(settings.POSTERN_DATA).rglob("*") if path.is_file()]
        holding = [path.name for path in files if CANARY.encode() in path.read_bytes()]
        assert (CANARY in dump, CANARY in caplog.text, holding, len(files) > 1) == (False, False, [], True)

    def test_a_report_that_cannot_be_stored_does_not_write_it_into_the_log(self, steng, monkeypatch, caplog):
        real = dispatch.finish

        def refuses(job, attempt, report, now):
            assert report.aside == {}
            if report.verdict is Verdict.SUCCESS:
                raise ValueError(f"cannot be stored: {report}")
            return real(job, attempt, report, now)

        monkeypatch.setattr(dispatch, "finish", refuses)

        @scenario
        async def story():
            async with engine(steng, tells):
                return (await state_is(await put(steng), "finished")).code

        assert (story(), CANARY in caplog.text) == ("bug_in_probe", False)

    def test_that_of_a_cancelled_test_is_dropped(self, steng):
        gate = Gate()

        async def tells_late(request, on_stage=None, before_credentials=None):
            gate.begun.append(request)
            await gate.go.wait()
            return telling(success())

        @scenario
        async def story():
            async with engine(steng, tells_late) as carrying:
                job = await put(steng)
                await until(lambda: true(gate.begun))
                await db(Job.objects.filter(pk=job.pk).update, attempt=2)  # the report is of an old attempt now
                gate.go.set()
                await until(lambda: true(not len(carrying._worker)))
                return await taken(job.pk)

        assert story() == {}


@pytest.mark.django_db
class TestWhoMayHaveIt:
    @pytest.fixture
    def asked(self, make_user):
        """Return an editor, and a finished test of his in which there is a subject."""
        steng, user = local_steng(timezone.now()), make_user("e.ditor", role="editor")
        job, claim = running(steng, now=timezone.now(), user=user, connection=(uuid.uuid4(), "mailbox", "orders-in"))
        dispatch.finish(job.pk, claim.attempt, with_folder(), timezone.now())
        return user, job

    @pytest.fixture(autouse=True)
    def dispatcher(self, monkeypatch):
        """Stand in for the dispatcher; return the jobs whose asides were taken."""
        asked = []

        def take(job):
            asked.append(job)
            return {"subject": CANARY} if len(asked) == 1 else {}

        monkeypatch.setattr(asides, "take", take)
        monkeypatch.setattr(asides, "waits", lambda job, name: not asked)
        return asked

    def test_who_asked_for_the_test_gets_it_once_by_api(self, asked, api_as):
        user, job = asked
        client = api_as(user, "test")
        answers = [client.post(f"/api/v1/jobs/{job.pk}/subject/") for _ in range(2)]
        assert [(answer.status_code, answer.json().get("subject")) for answer in answers] == [
            (200, CANARY),
            (404, None),
        ]

    def test_an_idempotency_key_does_not_make_us_keep_it(self, asked, api_as):
        user, job = asked
        answer = api_as(user).post(f"/api/v1/jobs/{job.pk}/subject/", headers={"Idempotency-Key": "k"})
        assert (answer.json(), IdempotencyRecord.objects.count()) == ({"subject": CANARY}, 0)

    def test_no_cache_keeps_it(self, asked, api_as, client):
        user, job = asked
        client.force_login(user)
        answers = [api_as(user).post(f"/api/v1/jobs/{job.pk}/subject/"), client.post(f"/tests/{job.pk}/subject/")]
        assert ["no-store" in answer["Cache-Control"] for answer in answers] == [True, True]

    @pytest.mark.parametrize("role", ["editor", "administrator"])
    def test_somebody_else_finds_nothing(self, asked, api_as, make_user, client, dispatcher, role):
        user = make_user("n.osy", role=role)
        client.force_login(user)
        path = f"{asked[1].pk}/subject/"
        answers = [api_as(user).post(f"/api/v1/jobs/{path}"), client.post(f"/tests/{path}")]
        assert ([answer.status_code for answer in answers], dispatcher) == ([404, 404], [])

    @pytest.mark.parametrize("role", ["viewer", "operator", "security officer", "support"])
    def test_who_may_not_see_subjects_is_refused_his_own(self, asked, api_as, client, make_user, dispatcher, role):
        user = make_user("r.efused", role=role)
        Job.objects.update(requested_by=user)
        client.force_login(user)
        path = f"{asked[1].pk}/subject/"
        answers = [api_as(user).post(f"/api/v1/jobs/{path}"), client.post(f"/tests/{path}")]
        assert ([answer.status_code for answer in answers], dispatcher) == ([403, 403], [])

    def test_a_token_that_may_only_read_does_not_get_it(self, asked, api_as, dispatcher):
        user, job = asked
        assert (api_as(user, "read").post(f"/api/v1/jobs/{job.pk}/subject/").status_code, dispatcher) == (403, [])

    def test_nobody_gets_it_by_a_link(self, asked, client, dispatcher):
        user, job = asked
        client.force_login(user)
        assert (client.get(f"/tests/{job.pk}/subject/").status_code, dispatcher) == (405, [])

    def test_the_panel_shows_it_in_its_place(self, asked, client):
        user, job = asked
        client.force_login(user)
        page = client.post(f"/tests/{job.pk}/subject/", headers={"HX-Request": "true"}).content.decode()
        assert (page.count(CANARY), "<html" in page) == (1, False)

    def test_without_a_script_it_has_a_page(self, asked, client):
        user, job = asked
        client.force_login(user)
        page = client.post(f"/tests/{job.pk}/subject/").content.decode()
        assert (page.count(CANARY), "<html" in page, f"/tests/{job.pk}/" in page) == (1, True, True)

    def test_too_late_says_so(self, asked, client):
        user, job = asked
        client.force_login(user)
        client.post(f"/tests/{job.pk}/subject/")
        assert "no longer there" in client.post(f"/tests/{job.pk}/subject/").content.decode()

    def test_a_hostile_subject_is_shown_as_text(self, asked, client, monkeypatch):
        user, job = asked
        client.force_login(user)
        monkeypatch.setattr(asides, "take", lambda job: {"subject": "<script>alert(1)</script>"})
        page = client.post(f"/tests/{job.pk}/subject/", headers={"HX-Request": "true"}).content.decode()
        assert ("<script" in page, "&lt;script&gt;" in page) == (False, True)

    def page(self, client, user, job):
        client.force_login(user)
        return client.get(f"/tests/{job.pk}/").content.decode()

    def button(self, client, user, job):
        return f'action="/tests/{job.pk}/subject/"' in self.page(client, user, job)

    def test_the_button_is_there_for_who_asked(self, asked, client):
        assert self.button(client, *asked) is True

    def test_the_button_is_not_there_for_somebody_else(self, asked, client, make_user):
        assert self.button(client, make_user("n.osy", role="administrator"), asked[1]) is False

    def told(self, job, **evidence):
        stages = Job.objects.get(pk=job.pk).stages
        stages[-1]["evidence"] = evidence
        Job.objects.filter(pk=job.pk).update(stages=stages)

    def test_after_one_look_the_button_is_gone_and_the_page_says_so(self, asked, client):
        user, job = asked
        client.force_login(user)
        client.post(f"/tests/{job.pk}/subject/")
        assert self.button(client, user, job) is False
        assert "no longer there" in self.page(client, user, job)

    def test_there_is_no_word_of_it_where_nobody_asked_for_it(self, asked, client):
        user, job = asked
        self.told(job)
        assert self.button(client, user, job) is False
        assert 'id="subject"' not in self.page(client, user, job)

    def test_a_message_without_one_is_told_of(self, asked, client):
        user, job = asked
        self.told(job, subject_available=False)
        assert self.button(client, user, job) is False
        assert "tells no subject of this message" in self.page(client, user, job)

    def test_who_lost_the_right_to_see_it_sees_no_word_of_it(self, asked, client, make_user, dispatcher):
        user, job = asked
        user.groups.clear()
        user.groups.add(*make_user("v.iewer").groups.all())
        assert 'id="subject"' not in self.page(client, user, job)
