"""The website in a browser: pages open from the disk and request nothing from elsewhere, and the search finds sections."""

import pytest

from imle_cli.guide import pages
from imle_cli.guide.website import write_site

pytestmark = pytest.mark.browser
FIRST = "#results li:first-child a"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "guide"
    write_site(folder)
    return folder


@pytest.fixture
def opened(browser, folder):
    """A function that opens a page and hands back the browser; at the end nothing but files of the site was requested."""

    def open_page(name, **settings):
        browser.open(folder / f"{name}.html", **settings)
        return browser

    yield open_page
    assert all(address.startswith(folder.as_uri()) for address in browser.requests())
    assert browser.log() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["index", *(page.name for page in pages())])
def test_a_page_opens(opened, name):
    assert opened(name).text("main h1")


@pytest.mark.slow
def test_words_lead_to_the_section_that_explains_them(opened):
    page = opened("index")
    page.press("#search", "zero gradient")
    assert page.run("return document.querySelectorAll('#results a').length") > 1
    page.press("#search", "\b" * 20, "travelling salesman")
    assert page.run(f"return document.querySelector('{FIRST}').getAttribute('href')").startswith("own-solver.html")


@pytest.mark.slow
def test_words_that_are_nowhere(opened):
    page = opened("index")
    page.press("#search", "xyzzy")
    assert page.text("#results") == "Nothing found."
