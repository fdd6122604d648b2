"""What the documents promise is what the code reads."""

import json
import re
from pathlib import Path

from steng.wire import ProbeRequest, from_json

ROOT = Path(__file__).resolve().parents[2]


def test_the_documented_request_can_be_read():
    text = (ROOT / "docs" / "probe.md").read_text()
    example = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1].replace("MIIB…", "MIIB"))
    assert from_json(ProbeRequest, example).host == "mail.example.org"


def test_every_link_of_the_readme_leads_to_a_file():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / "README.md").read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []
