"""The description of the API: OpenAPI 3.1, complete, and shown without help from elsewhere."""

import re

import pytest
from drf_spectacular.drainage import GENERATOR_STATS

from tests.routes import all_routes


@pytest.fixture
def description(api):
    return api.get("/api/v1/schema/").json()


def test_the_description_is_openapi_3_1(description):
    assert description["openapi"] == "3.1.1"


def test_every_resource_is_described(description):
    plain = {re.sub(r"\{[^}]*\}", "{}", path) for path in description["paths"]}
    served = {
        re.sub(r"\{[^}]*\}", "{}", _template(route))
        for route in all_routes()
        if route.path.startswith("/api/v1/") and route.name not in {"api-schema", "api-docs"}
    }
    assert served - plain == set()


def _template(route):
    return re.sub(r"/(00000000-0000-4000-8000-000000000000|a-name|1|x)(?=/)", "/{}", route.path)


def test_nothing_about_the_description_is_guessed(api):
    with GENERATOR_STATS.silence():
        api.get("/api/v1/schema/")
        guesses = [*GENERATOR_STATS._error_cache, *GENERATOR_STATS._warn_cache]
    assert guesses == []


def test_both_ways_to_log_in_are_described(description):
    assert set(description["components"]["securitySchemes"]) == {"token", "session"}


def test_the_page_loads_from_here_only(admin_client):
    page = admin_client.get("/api/v1/docs/").content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [address for address in addresses if not address.startswith("/")] == []


def test_the_page_has_no_script_of_its_own(admin_client):
    page = admin_client.get("/api/v1/docs/").content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
