"""One page as one text: nothing in it leads outside, its policy allows what it has, and any text is shown as it is."""

import base64
import hashlib
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from imle_cli import pages
from imle_cli.pages.bundle import bundle
from imle_cli.pages.page import page, text

FOLDER = Path(pages.__file__).parent / "scripts"
SCRIPTS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))
NASTY = "</script><!--<script>&amp;'\"\u2028\ud800 ü漢.png"


def digest(content):
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def test_requests_nothing():
    made = page("A map", "<p>words</p>", {"a": 1}, "data.js", still=b"\x89PNG", still_text="a map")
    assert set(re.findall(r'(?:src|href)="([^",]*)', made)) == {"data:", "data:image/png;base64"}
    assert not re.search(r"@import|url\(|\bfetch\b|XMLHttpRequest|WebSocket|https?://(?!www\.w3\.org/2000/svg)", made)


def test_the_policy_names_the_digests_of_what_is_in_the_page_and_nothing_else():
    made = page("A map", "", {}, "data.js")
    style = re.search(r"<style>(.*?)</style>", made, re.DOTALL)[1]
    script = re.search(r'<script type="module">(.*?)</script>', made, re.DOTALL)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)[1]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_no_text_ends_an_element():
    made = page(NASTY, f"<p>{text(NASTY)}</p>", {NASTY: NASTY}, "data.js", still_text=NASTY)
    assert made.count("</script>") == made.count("<script") == 2
    assert made.count("<!--") == 0
    made.encode()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_json_has_not_are_refused(value):
    with pytest.raises(ValueError, match="JSON"):
        page("A map", "", {"a": value}, "data.js")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_bundle_has_each_script_once_after_what_it_imports(name):
    code = bundle(name)
    assert not re.search(r"^(?:import|export)\b", code, re.MULTILINE)
    assert "</script" not in code
    declared = re.findall(r"^(?:async )?(?:function|class|const) (\w+)", code, re.MULTILINE)
    assert len(declared) == len(set(declared))


def test_viridis_is_that_of_the_pictures():
    digits = "".join(re.findall(r'"([0-9a-f]{104})"', bundle("colours.js")))
    stops = np.array([int(pair, 16) for pair in re.findall("..", digits)]).reshape(-1, 3)
    levels = np.linspace(0, 255, len(stops))
    between = np.stack([np.interp(np.arange(256), levels, channel) for channel in stops.T], axis=1)
    assert np.abs(between - mpl.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]).max() < 1.5
