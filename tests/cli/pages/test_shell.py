"""The shell of every page in a browser: data arrive as they are, colours, switch, what is shown without scripts."""

import numpy as np
import pytest

from imle_cli.pages import bundle, page

pytestmark = pytest.mark.browser
NASTY = "</script><!--<script>&amp;'\"\u2028 ü漢.png"
SCRIPT = """\
import { readData } from "./data.js";
import { startPage, themeColour } from "./theme.js";

startPage();
window.data = await readData();
window.themeColour = themeColour;
"""
PNG = b"\x89PNG"


@pytest.fixture
def opened(browser, tmp_path, monkeypatch):
    """A function that opens a page with data, and hands back the browser."""
    read = bundle._source

    def open_with(data, **settings):
        monkeypatch.setattr(bundle, "_source", lambda name: SCRIPT if name == "test.js" else read(name))
        path = tmp_path / "x.html"
        body = f"<p id='words'>{page.text(NASTY)}</p>"
        path.write_text(page.page(NASTY, body, data, "test.js", still=PNG, still_text="one dot"), encoding="utf-8")
        browser.open(path, **settings)
        return browser

    return open_with


def test_texts_and_numbers_arrive_as_they_are(opened):
    numbers = [0.1, 1e-320, 1.7976931348623157e308, -0.0, 2**53 - 1]
    browser = opened({"words": NASTY, "numbers": numbers, "nothing": None, "inner": [{"yes": True}]})
    browser.wait("return window.data !== undefined")
    assert browser.run("return data") == {"words": NASTY, "numbers": numbers, "nothing": None, "inner": [{"yes": True}]}
    assert browser.run("return ['h1', '#words'].map(name => document.querySelector(name).textContent)") == [NASTY, NASTY]
    assert (browser.log(), browser.requests()) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64", "bool"])
def test_arrays_are_unpacked_to_the_bit(opened, dtype):
    bits = np.random.default_rng(0).integers(0, 256, (7, 5, 8), dtype=np.uint8)
    array = (bits > 100) if dtype == "bool" else np.nan_to_num(bits.view(dtype))
    browser = opened({"array": array})
    browser.wait("return window.data !== undefined")
    shape, values = browser.run("return [data.array.shape, Array.from(data.array)]")
    assert (tuple(shape), values) == (array.shape, array.ravel().tolist())


def test_deltas_are_added_up(opened):
    array = np.random.default_rng(0).integers(0, 256, (9, 4)).astype(np.uint8)
    browser = opened({"array": page.pack(array, deltas=True)})
    browser.wait("return window.data !== undefined")
    assert browser.run("return Array.from(data.array)") == array.ravel().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_colours_follow_the_reader_until_the_switch_is_used(opened, dark):
    browser = opened({}, dark=dark)

    def shown():
        return browser.run(
            "const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number);"
            "return [r + g + b < 380, document.getElementById('theme').ariaPressed]"
        )

    assert shown() == [dark, str(dark).lower()]
    browser.press("#theme", "enter")
    assert shown() == [not dark, str(not dark).lower()]


def test_without_scripts_there_is_a_still_picture(opened):
    browser = opened({}, scripts=False)
    assert "one dot This is a still picture" in browser.text()
    assert "words" not in browser.text()


def test_with_scripts_there_is_none(opened):
    assert "still picture" not in opened({}).text()
