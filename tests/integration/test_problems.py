"""Every error of the API is a problem with its code, and no error tells what it must not."""

import pytest

from core.models import IdempotencyRecord
from tests import problem_urls

pytestmark = pytest.mark.urls("tests.problem_urls")


def problem_of(answer):
    assert answer["Content-Type"] == "application/problem+json"
    members = answer.json()
    assert (members["status"], members["type"]) == (answer.status_code, f"urn:postern:problem:{members['code']}")
    assert members["title"]
    assert members["detail"]
    return members


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("field", 400, "validation_failed"),
        ("gone", 404, "not_found"),
        ("denied", 403, "permission_denied"),
        ("busy", 503, "unavailable"),
        ("slow-down", 429, "rate_limited"),
        ("in-use", 409, "in_use"),
        ("choose", 409, "cluster_required"),
        ("odd", 409, "a_new_code"),
        ("suspicious", 400, "malformed"),
        ("bug", 500, "internal_error"),
        ("changed", 412, "precondition_failed"),
    ],
)
def test_what_a_view_raises_has_its_status_and_code(api, name, status, code):
    members = problem_of(api.get(f"/api/v1/fail/{name}/"))
    assert (members["status"], members["code"]) == (status, code)


def test_a_field_error_has_pointer_code_detail_and_what_helps(api):
    assert problem_of(api.get("/api/v1/fail/field/"))["errors"] == [
        {
            "limit": 65_535,
            "value": 70_000,
            "pointer": "/port",
            "code": "out_of_range",
            "detail": "Between 1 and 65,535.",
        },
        {"pointer": "/a~1b~0c", "code": "unknown_field", "detail": "No such field."},
    ]  # fmt: skip


def test_an_error_of_the_whole_has_the_empty_pointer(api):
    errors = problem_of(api.get("/api/v1/fail/whole/"))["errors"]
    assert errors == [{"pointer": "", "code": "conflicting", "detail": "Both cannot be."}]


def test_a_percent_sign_in_a_sentence_is_only_a_percent_sign(api):
    errors = problem_of(api.get("/api/v1/fail/percent/"))["errors"]
    assert errors == [{"value": 1, "pointer": "/name", "code": "x", "detail": "100%(all) of %s"}]


def test_a_suggestion_travels_with_the_error(api):
    (error,) = problem_of(api.get("/api/v1/fail/suggestion/"))["errors"]
    assert error["suggestion"] == {"host": "h", "connection_security": None}


def test_errors_of_the_framework_have_our_codes_and_nested_pointers(api):
    assert problem_of(api.get("/api/v1/fail/rest/"))["errors"] == [
        {"pointer": "/outer/inner", "code": "too_long", "detail": "Too long."},
        {"pointer": "/list/1/x", "code": "invalid_type", "detail": "No."},
    ]


@pytest.mark.parametrize(("name", "seconds"), [("slow-down", "42"), ("busy", "1")])
def test_who_must_wait_is_told_how_long(api, name, seconds):
    assert api.get(f"/api/v1/fail/{name}/")["Retry-After"] == seconds


def test_what_a_refusal_knows_is_told(api):
    assert problem_of(api.get("/api/v1/fail/in-use/"))["used_by"] == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("path", ["/api/v1/fail/bug/", "/api/v1/fail/suspicious/", "/api/v1/fail/busy/"])
def test_no_error_of_ours_is_told_in_detail(api, path):
    content = api.get(path).content.decode()
    assert not [word for word in ("geheim", "Traceback", "secret", "locked") if word in content]


def test_an_error_outside_of_the_framework_is_a_problem_too(api):
    api.raise_request_exception = False
    members = problem_of(api.get("/api/v1/plain/"))
    assert (members["status"], members["code"]) == (500, "internal_error")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/", "/api/v1/nothing/", "/api/v1/connections", "/api/v2/x"])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_address_that_does_not_exist_is_a_problem(api, path, method):
    assert problem_of(getattr(api, method)(path))["code"] == "not_found"


def test_a_method_that_is_not_answered_is_a_problem_with_the_allowed_ones(api):
    answer = api.delete("/api/v1/counter/")
    assert (problem_of(answer)["code"], answer["Allow"]) == ("method_not_allowed", "POST, OPTIONS")


def test_a_representation_that_we_do_not_have_is_a_problem(api):
    assert problem_of(api.get("/api/v1/versioned/", headers={"Accept": "text/html"}))["code"] == "not_acceptable"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_of_another_media_type_is_a_problem(api, media_type):
    answer = api.generic("POST", "/api/v1/counter/", "a=b", media_type)
    assert problem_of(answer)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("body", ["{", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": "\\ud800"}', "[" * 5000])
def test_a_body_that_is_not_json_is_malformed(api, body):
    answer = api.generic("POST", "/api/v1/counter/", body, "application/json")
    assert (answer.status_code, problem_of(answer)["code"]) == (400, "malformed")


def test_a_body_that_is_no_object_is_of_the_wrong_type(api):
    answer = api.generic("POST", "/api/v1/counter/", "[]", "application/json")
    (error,) = problem_of(answer)["errors"]
    assert (error["pointer"], error["code"]) == ("", "invalid_type")


def test_a_body_that_is_too_large_is_a_problem(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = api.generic("POST", "/api/v1/counter/", '{"a": "' + "x" * 200 + '"}', "application/json")
    assert (answer.status_code, problem_of(answer)["code"]) == (413, "too_large")


def test_a_post_without_a_body_is_an_empty_object(api):
    assert api.post("/api/v1/counter/").json()["got"] == {}


def test_a_session_without_its_csrf_token_is_refused(make_user):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("tester", "connections.test"))
    answer = client.post("/api/v1/counter/", {}, "application/json")
    assert (answer.status_code, problem_of(answer)["code"]) == (403, "permission_denied")


def test_a_view_that_does_not_say_what_it_takes_is_closed_even_to_the_administrator(api):
    assert problem_of(api.post("/api/v1/forgetful/"))["code"] == "permission_denied"


def test_a_broken_page_is_a_page_without_details(admin_client):
    admin_client.raise_request_exception = False
    answer = admin_client.get("/broken/")
    assert answer.status_code == 500
    assert b"Something went wrong in the console" in answer.content
    assert b"geheim" not in answer.content


def test_a_refused_page_says_why(viewer_client):
    answer = viewer_client.get("/closed/")
    assert (answer.status_code, b"You may not fly." in answer.content) == (403, True)


def test_a_page_that_does_not_exist_is_a_page(viewer_client):
    answer = viewer_client.get("/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_host_that_is_not_ours_is_refused(viewer_client):
    assert viewer_client.get("/login/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Token pst_wrong"}])
def test_a_view_that_asks_nobody_who_he_is_is_closed_to_strangers(client, db, headers):
    answer = client.get("/api/v1/plain/", headers=headers)
    assert (answer.status_code, problem_of(answer)["code"]) == (401, "not_authenticated")


# Idempotency-Key


def post(client, body, key="k-1", path="/api/v1/counter/"):
    return client.post(path, body, headers={"Idempotency-Key": key})


@pytest.fixture
def counter():
    problem_urls.Counter.count = 0
    return problem_urls.Counter


def test_a_repeated_request_is_done_once_and_answered_twice(api, counter):
    first, second = post(api, {"a": 1}), post(api, {"a": 1})
    assert (counter.count, second.status_code, second.json(), second["Location"], second["Idempotent-Replayed"]) == (
        1, 201, first.json(), "/somewhere/", "true",
    )  # fmt: skip


def test_another_key_is_another_request(api, counter):
    post(api, {"a": 1})
    post(api, {"a": 1}, key="k-2")
    assert counter.count == 2


def test_the_key_of_another_user_is_another_key(api, api_as, make_user, counter):
    post(api, {"a": 1})
    post(api_as(make_user("tester", "connections.test")), {"a": 1})
    assert counter.count == 2


def test_a_key_with_another_body_is_refused(api, counter):
    post(api, {"a": 1})
    answer = post(api, {"a": 2})
    assert (answer.status_code, problem_of(answer)["code"], counter.count) == (422, "idempotency_mismatch", 1)


def test_a_key_with_another_address_is_refused(api, counter):
    post(api, {"a": 1})
    answer = post(api, {"a": 1}, path="/api/v1/counter/?wait=1")
    assert (answer.status_code, problem_of(answer)["code"], counter.count) == (422, "idempotency_mismatch", 1)


def test_a_refused_request_may_be_tried_again_with_its_key(api, counter):
    post(api, {"fail": True})
    assert post(api, {"a": 1}).status_code == 201


def test_a_request_whose_first_is_still_at_work_is_refused(api, counter):
    post(api, {"a": 1})
    IdempotencyRecord.objects.update(status=None)
    answer = post(api, {"a": 1})
    assert (answer.status_code, problem_of(answer)["code"], counter.count) == (409, "conflict", 1)


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
def test_a_key_that_is_none_is_refused(api, counter, key):
    answer = post(api, {"a": 1}, key=key)
    assert (answer.status_code, problem_of(answer)["code"], counter.count) == (400, "validation_failed", 0)


def test_the_record_does_not_hold_the_body_that_was_sent(api, counter):
    api.post("/api/v1/counter/", {"fail": False}, headers={"Idempotency-Key": "k"})
    record = IdempotencyRecord.objects.get()
    assert (len(record.request_digest), record.status) == (64, 201)


def test_an_answer_is_forgotten_after_its_time(api, counter, settings):
    from datetime import timedelta

    post(api, {"a": 1})
    settings.POSTERN_IDEMPOTENCY_RETENTION = timedelta(0)
    post(api, {"a": 1})
    assert counter.count == 2


def test_a_file_can_be_sent_with_a_key(api, tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"x" * 3000)
    with (tmp_path / "ca.pem").open("rb") as file:
        answer = api.post("/api/v1/upload/", {"file": file}, format="multipart", headers={"Idempotency-Key": "f"})
    assert answer.json() == {"size": 3000}


# ETag


@pytest.mark.parametrize("header", ['"3"', '"2", "3"', "*", 'W/"1", "3"'])
def test_a_version_that_matches_is_written(api, header):
    assert api.put("/api/v1/versioned/", {}, headers={"If-Match": header}).status_code == 200


def test_a_version_that_was_overtaken_is_refused_with_what_changed(api):
    answer = api.put("/api/v1/versioned/", {}, headers={"If-Match": '"2"'})
    assert (answer.status_code, problem_of(answer)["changed"]) == (412, ["port"])


@pytest.mark.parametrize("header", ['W/"3"', "3", "", '"33"', "garbage"])
def test_a_version_that_there_never_was_is_refused(api, header):
    answer = api.put("/api/v1/versioned/", {}, headers={"If-Match": header})
    assert (answer.status_code, problem_of(answer)["changed"]) == (412, [])


@pytest.mark.parametrize(("header", "version"), [('"3"', 3), ("*", None)])
def test_the_version_that_was_seen_is_handed_on(api, header, version):
    assert api.put("/api/v1/versioned/", {}, headers={"If-Match": header}).json() == {"expected": version}
