"""What the documents promise is what the code reads."""

import json
import re
from pathlib import Path

from connections.exchange.foreign import page as foreign
from core.audit import ACTS
from steng.wire import ProbeRequest, from_json

ROOT = Path(__file__).resolve().parents[2]


def test_the_documented_request_can_be_read():
    text = (ROOT / "docs" / "probe.md").read_text()
    example = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1].replace("MIIB…", "MIIB"))
    assert from_json(ProbeRequest, example).host == "mail.example.org"


def test_every_link_of_the_readme_leads_to_a_file():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_acts_that_are_recorded_are_documented_as_they_are():
    text = (ROOT / "docs" / "audit.md").read_text()
    table = text.partition("<!-- acts:")[2].partition("<!-- end of acts -->")[0]
    assert dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", table, re.MULTILINE)) == dict(ACTS)


def test_the_page_of_foreign_words_is_what_the_tables_say():
    assert (ROOT / "docs" / "import.md").read_text().splitlines() == list(foreign.write())
