"""The pages of mailboxes without a script: the form, the list of folders, what a test found, and who may do what."""

import re
import uuid

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cluster import dispatch
from cluster.choices import JobKind
from cluster.models import Job
from connections.models import MailboxConnection, SmtpConnection
from connections.services import save
from credentials.models import Credential
from credentials.services import save as save_credential
from steng.wire import Depth, ProbeReport, StageName, StageOutcome, Verdict
from tests.definitions import GOOD
from tests.jobs import failure, local_steng, request_for, running, stage

pytestmark = pytest.mark.django_db

MAILBOX = {**GOOD, "name": "orders-in", "port": 143, "store_type": "IMAP"}
HOSTILE = "<b>البريد</b>/2026"
NEW = reverse("connections:new", args=["mailbox"])


@pytest.fixture
def mailbox(admin_user):
    return save(MailboxConnection, None, MAILBOX, user=admin_user).connection


@pytest.fixture
def address(mailbox):
    return reverse("connections:edit", args=["mailbox", mailbox.pk])


@pytest.fixture
def steng(db):
    return local_steng(timezone.now())


def ended(steng, mailbox, report, **changes):
    """Return a finished job about a mailbox."""
    definition = {name: getattr(mailbox, name) for name in mailbox.definition_fields()}
    about = {"connection": (mailbox.pk, "mailbox", mailbox.name), "definition": {"kind": "mailbox", **definition}}
    job, claim = running(steng, now=timezone.now(), **about, **changes)
    dispatch.finish(job.pk, claim.attempt, report, timezone.now())
    return job


def report(verdict=Verdict.SUCCESS, outcome=StageOutcome.OK, **folder):
    return ProbeReport(verdict, (stage(), stage(StageName.AUTH), stage(StageName.FOLDER, outcome, **folder)), 12.5)


@pytest.fixture
def listed(steng, mailbox):
    """Return a look at the folders: a usual one, one that cannot be opened, and a hostile one."""
    folders = [
        {"name": "INBOX", "separator": "/", "selectable": True},
        {"name": "Shelf", "separator": "/", "selectable": False},
        {"name": HOSTILE, "separator": "/", "selectable": True},
    ]
    found = report(evidence={"folders": folders, "listed": 5})
    return ended(steng, mailbox, found, kind=JobKind.FOLDER_LIST, stands=False)


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def buttons(page):
    """Return what the apply buttons of a page put into the form."""
    return re.findall(r'name="apply" value="([^"]*)"', page)


def test_what_pop3_cannot_have_is_said_at_once_with_what_it_can(admin_client):
    posted = {"store_type": "POP3", "folder": "Orders", "disposition": "SEEN", "_shown": "store_type"}
    posted |= {"pull_disposition": "GET_LAST_UNREAD_MESSAGE", "authentication_type": "BASIC"}
    answer = admin_client.post(reverse("connections:check-draft", args=["mailbox"]), posted)
    codes = {name: found[0].code for name, found in answer.context["form"].errors.as_data().items()}
    assert codes == dict.fromkeys(("folder", "disposition", "pull_disposition"), "not_available")
    page = answer.content.decode()
    assert buttons(page) == ["folder=INBOX", "disposition=KEEP", "pull_disposition=GET_LAST_MESSAGE"]
    assert "Use pull disposition: Last (newest) message" in text(page)


def test_a_suggestion_is_taken_without_a_script(admin_client):
    posted = {"store_type": "POP3", "disposition": "SEEN", "apply": "disposition=KEEP"}
    form = admin_client.post(NEW, posted).context["form"]
    assert (form["disposition"].value(), form["store_type"].value()) == ("KEEP", "POP3")
    assert "disposition" not in form.errors


def test_folders_are_listed_only_where_there_are_any(admin_client):
    page = admin_client.get(NEW).content.decode()
    button = re.search(r'<button[^>]*id="folders-button"[^>]*>', page)[0]
    assert 'data-show-if="store_type=IMAP"' in button
    sheet = admin_client.get(reverse("connections:conditions")).content.decode()
    assert '[data-show-if="store_type=IMAP"]{display:none}' in sheet


def test_a_folder_is_put_into_the_form_by_one_button_each(listed, address, admin_client):
    page = admin_client.get(address, {"test": listed.pk}).content.decode()
    assert buttons(page) == ["folder=INBOX", "folder=%3Cb%3E%D8%A7%D9%84%D8%A8%D8%B1%D9%8A%D8%AF%3C%2Fb%3E%2F2026"]
    assert "<bdi>&lt;b&gt;البريد&lt;/b&gt;/2026</bdi>" in page
    assert HOSTILE not in page
    assert ("5 folders" in page, "Shelf (cannot be opened)" in text(page)) == (True, True)
    assert "2 more are not listed here" in page


def test_the_folder_that_was_chosen_stands_in_the_form_and_the_list_stays(listed, address, admin_client):
    posted = {"folder": "INBOX", "apply": "folder=Orders%2F2026", "_test": str(listed.pk)}
    answer = admin_client.post(address, posted)
    assert (answer.context["form"]["folder"].value(), answer.context["job"]) == ("Orders/2026", listed)
    assert MailboxConnection.objects.get().folder == "INBOX"


@pytest.mark.parametrize("reference", ["nonsense", "00000000-0000-4000-8000-000000000000", ""])
def test_a_test_that_is_not_of_this_connection_is_not_kept_beside_it(reference, address, admin_client):
    answer = admin_client.post(address, {"apply": "folder=x", "_test": reference})
    assert (answer.status_code, answer.context["job"]) == (200, None)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_who_may_not_change_it_sees_the_folders_and_no_buttons(role, listed, address, client_as):
    page = client_as(role).get(address, {"test": listed.pk}).content.decode()
    assert (buttons(page), "<bdi>INBOX</bdi>" in page) == ([], True)


def test_on_its_own_page_a_list_of_folders_is_called_so(listed, admin_client):
    page = admin_client.get(f"/tests/{listed.pk}/").content.decode()
    assert ("Folders of orders-in" in text(page), "Folders listed" in page, buttons(page)) == (True, True, [])


def test_a_list_of_folders_is_no_verdict_on_the_connection(listed, mailbox):
    mailbox.last_test.refresh_from_db()
    assert mailbox.last_test.finished is None


@pytest.mark.parametrize("path", ["", "transcript/"])
def test_the_nearest_folders_are_proposed_beside_the_form_only(path, steng, mailbox, address, admin_client):
    evidence = {"nearest": ["Orders", "Order/2026"], "separator": "/", "suggestion": {"folder": "Orders"}}
    found = {"code": "folder_not_found", "detail": "There is none.", "advice": "Choose one.", "field": "folder"}
    job = ended(steng, mailbox, report(Verdict.FAILURE, StageOutcome.FAILED, evidence=evidence, **found))
    page = admin_client.get(address, {"test": job.pk}).content.decode()
    assert buttons(page) == ["folder=Orders", "folder=Order%2F2026"]
    assert buttons(admin_client.get(f"/tests/{job.pk}/{path}").content.decode()) == []


def test_the_panel_tells_what_a_poll_would_take(steng, mailbox, admin_client):
    evidence = {"folder": "INBOX", "pull": "GET_FIRST_MESSAGE", "disposition": "KEEP", "messages": 9, "unread": 4}
    evidence["would_take"] = {"uid": 12, "date": "2026-11-03T10:12:00Z", "size": 14_200}
    job = ended(steng, mailbox, report(evidence=evidence))
    page = text(admin_client.get(f"/tests/{job.pk}/").content.decode())
    assert "INBOX : 9 messages, 4 unread." in page
    assert "A poll would take UID 12 of 3 Nov 2026 10:12 UTC, 14 kB." in page


def test_a_shorter_test_says_that_the_standing_result_stays(steng, mailbox, admin_client):
    request = request_for(depth=Depth.TLS)
    job = ended(steng, mailbox, report(), request=request, stands=False)
    page = text(admin_client.get(f"/tests/{job.pk}/").content.decode())
    assert ("what the list shows of this connection stays as it was" in page, "Up to TLS, no sign-in" in page) == (
        True,
        True,
    )


def test_how_far_a_test_goes_is_remembered_for_the_next_one(steng, address, admin_client):
    chosen = re.compile(r'<option value="(\w+)" selected>')

    def proposed():
        page = admin_client.get(address).content.decode()
        return chosen.search(page[page.index('id="test_depth"') :])[1]

    assert proposed() == "full"
    admin_client.post(f"{address}test/", {**MAILBOX, "test_depth": "login"})
    assert (proposed(), Job.objects.get().depth) == ("login", "login")
    admin_client.post(f"{address}folders/", {**MAILBOX, "test_depth": "tls"})
    assert proposed() == "login"


def test_a_depth_that_there_is_not_is_refused_in_the_panel(steng, address, admin_client):
    answer = admin_client.post(f"{address}test/", {**MAILBOX, "test_depth": "bottom"})
    assert (answer.status_code, "Choose one of" in answer.content.decode(), Job.objects.count()) == (422, True, 0)


def test_the_steng_that_is_proposed_is_the_one_that_was_asked_for(steng, mailbox, address, admin_client):
    job = ended(steng, mailbox, failure())
    Job.objects.update(steng=None)  # as of a test for any STENG of the cluster
    assert Job.objects.get().steng_name == steng.name
    page = admin_client.get(address, {"test": job.pk}).content.decode()
    control = page[page.index('id="test_steng"') : page.index('id="test_depth"')]
    assert " selected" not in control


def test_the_list_names_the_protocol_of_each_connection_with_the_same_queries(admin_user, admin_client):
    def look():
        with CaptureQueriesContext(database) as asked:
            page = admin_client.get(reverse("connections:list")).content.decode()
        return len(asked), sorted(re.findall(r'<span class="kind">([^<]+)</span>', page))

    save(MailboxConnection, None, MAILBOX, user=admin_user)
    one, _ = look()
    pop3 = {**MAILBOX, "name": "old-in", "store_type": "POP3"}
    save(MailboxConnection, None, pop3, user=admin_user)
    save(SmtpConnection, None, GOOD, user=admin_user)
    assert look() == (one, ["IMAP", "POP3", "SMTP"])


@pytest.mark.parametrize(
    ("role", "links"),
    [("viewer", ["Tests", "Export"]), ("security officer", ["Tests", "Audit log", "Export"])],
)
def test_the_page_leads_to_what_belongs_to_the_connection(role, links, mailbox, address, client_as):
    client = client_as(role)
    page = client.get(address).content.decode()
    actions = page[page.index('<div class="actions">') : page.index('id="connection-form"')]
    found = dict(re.findall(r'<a [^>]*href="([^"]+)"[^>]*>.*?</svg>\s*([\w ]+)</a>', actions, re.DOTALL))
    assert list(found.values()) == links
    assert [client.get(link.replace("&amp;", "&")).status_code for link in found] == [200] * len(links)


def test_the_export_of_one_connection_holds_no_other(mailbox, admin_user, admin_client):
    save(SmtpConnection, None, GOOD, user=admin_user)
    answer = admin_client.get(reverse("connections:export"), {"name": "ORDERS-IN"})
    file = b"".join(answer.streaming_content).decode()
    assert re.findall(r"^\W+(?:kind: \w+\W+)?name: (\S+)", file, re.MULTILINE) == ["orders-in"]


def test_the_question_before_a_delete_says_what_uses_it_and_what_stays(steng, admin_user, admin_client):
    values = {"kind": "BASIC", "name": "orders-login", "username": "orders", "password": "correct horse"}
    credential = save_credential(None, values, user=admin_user).credential
    definition = {**MAILBOX, "credential": credential.name}
    del definition["username"], definition["password"]
    row = save(MailboxConnection, None, definition, user=admin_user).connection
    running(steng, now=timezone.now(), connection=(row.pk, "mailbox", row.name))
    page = text(admin_client.get(reverse("connections:delete", args=["mailbox", row.pk])).content.decode())
    assert "Used by Nothing in this console." in page
    assert "1 test, which still ends and stays in the history" in page
    assert "the credential orders-login , which stays" in page


@pytest.mark.parametrize(("role", "offered"), [("editor", True), ("viewer", False), ("operator", False)])
def test_names_of_credentials_are_offered_to_who_may_see_them(role, offered, address, admin_user, client_as):
    values = {"kind": "BASIC", "name": "canary-credential", "username": "orders", "password": "correct horse"}
    save_credential(None, values, user=admin_user)
    assert Credential.objects.count() == 1
    page = client_as(role).get(address).content.decode()
    assert ("canary-credential" in page, 'hx-get="/credentials/search/"' in page) == (offered, offered)


def test_a_search_for_a_credential_carries_no_secret_into_an_address(admin_client):
    page = admin_client.get(NEW).content.decode()
    control = re.search(r'<input[^>]*name="credential"[^>]*>', page)[0]
    assert 'hx-include="[name=authentication_type]"' in control


def test_a_stopped_test_says_which_refusal_it_is_about(steng, mailbox, make_user, client):
    asked = uuid.uuid4()
    evidence = {"since": "2026-11-03T10:12:00+00:00", "code": "credentials_refused", "test": str(asked)}
    evidence["connection"] = {"id": str(mailbox.pk), "kind": "mailbox", "name": mailbox.name}
    failed = stage(StageName.AUTH, StageOutcome.FAILED, code="auth_suspended", detail="Stopped.", evidence=evidence)
    job = ended(steng, mailbox, ProbeReport(Verdict.FAILURE, (stage(), failed), 12.5))
    client.force_login(make_user())
    page = client.get(f"/tests/{job.pk}/").content.decode()
    assert "Refused Credentials refused, 3 Nov 2026 10:12 UTC" in text(page)
    assert f'<a href="/tests/{asked}/"><bdi>orders-in</bdi></a>' in page


@pytest.mark.parametrize(("role", "again"), [("viewer", False), ("operator", True)])
def test_a_test_is_repeated_from_its_own_page_by_who_may(role, again, steng, mailbox, client_as):
    job = ended(steng, mailbox, failure())
    client = client_as(role)
    page = client.get(f"/tests/{job.pk}/").content.decode()
    assert (f'action="/connections/mailbox/{mailbox.pk}/test/"' in page) is again
    answer = client.post(f"/connections/mailbox/{mailbox.pk}/test/", {"saved": "1"})
    assert (answer.status_code, Job.objects.count()) == ((302, 2) if again else (403, 1))
