"""The website: its files, and where its links lead."""

import re
from html.parser import HTMLParser
from importlib.metadata import PackagePath

import pytest

from documents import ROOT
from imle_cli.guide import pages
from imle_cli.guide.links import links
from imle_cli.guide.website import site as site_module
from imle_cli.guide.website import write_site
from imle_cli.messages import UsageError

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Tags(HTMLParser):
    """Addresses and ids of a page, and the nesting of its elements."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.ids, self.open = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        self.ids += [values["id"]] if "id" in values else []
        self.open += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "guide"
    return folder, write_site(folder)


@pytest.fixture(scope="module")
def tags(site):
    folder, _ = site
    return {path.name: Tags(path.read_text("utf-8")) for path in folder.glob("*.html")}


@pytest.mark.slow
def test_the_files_are_those_that_are_told_and_the_first_is_to_be_opened(site):
    folder, files = site
    assert files[0] == folder / "index.html"
    assert sorted(files) == sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_every_address_leads_to_a_file_or_a_heading_and_none_to_the_net(site, tags):
    folder, _ = site
    for name, page in tags.items():
        for address in page.addresses:
            if address == "data:,":
                continue
            path, _, anchor = address.partition("#")
            assert not re.match(r"\w+:|/", path), address
            assert (folder / (path or name)).is_file(), address
            assert not anchor or anchor in tags[path or name].ids, (name, address)


@pytest.mark.slow
def test_ids_are_given_once(tags):
    for page in tags.values():
        assert len(page.ids) == len(set(page.ids))


def test_pages_lead_to_all_others(tags):
    for page in tags.values():
        assert {f"{other.name}.html" for other in pages()} <= set(page.addresses)


def test_markdown_is_set_as_html_and_code_as_code(site):
    text = (site[0] / "own-solver.html").read_text("utf-8")
    assert '<h2 id="costs-or-gains">Costs or gains</h2>' in text
    assert '<a href="frameworks.html#graphs">' in text
    assert "<table" in text
    assert "<i># it takes costs; without this line it would have to maximise</i>" in text


def test_the_search_knows_every_heading(site, tags):
    script = (site[0] / "guide.js").read_text("utf-8")
    addresses = re.findall(r'"address": "(\S+?)#(\S+?)"', script)
    assert {name for name, _ in addresses} == {f"{page.name}.html" for page in pages()}
    assert all(anchor in tags[name].ids for name, anchor in addresses)


@pytest.mark.slow
def test_it_writes_over_an_older_guide(site):
    folder, files = site
    (folder / "index.html").write_text("old")
    assert write_site(folder) == files
    assert "<h1" in (folder / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_an_installation_has_every_picture(tmp_path, monkeypatch):
    lines = re.findall(r'^"(share/imle/assets\S*)" = \[(.*)\]$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    patterns = [(folder, pattern) for folder, texts in lines for pattern in re.findall(r'"(.*?)"', texts)]
    installed = {f"{folder}/{path.name}": path for folder, pattern in patterns for path in ROOT.glob(pattern)}
    shown = {link.path.removeprefix("../../") for page in pages() for link in links(page.text) if link.picture}
    assert shown <= {name.removeprefix("share/imle/") for name in installed}

    monkeypatch.setattr(site_module, "FOLDER", tmp_path)
    monkeypatch.setattr(site_module, "files", lambda _: [PackagePath(f"../../../{name}") for name in installed])
    monkeypatch.setattr(PackagePath, "locate", lambda self: installed[str(self).removeprefix("../../../")])
    assert (tmp_path / "site" / "pictures" / "marginals.png") in write_site(tmp_path / "site")


def test_a_file_a_foreign_folder_and_a_missing_parent_are_refused(tmp_path):
    (tmp_path / "file").touch()
    for folder, rule in [
        (tmp_path / "file", "is a file"),
        (tmp_path / "none" / "guide", "does not exist"),
        (tmp_path, "has files that are not the guide's"),
    ]:
        with pytest.raises(UsageError, match=f"--html: .* {rule}"):
            write_site(folder)
