import re

import pytest

from documents import GUIDE
from imle_cli.guide import contents, find, pages
from imle_cli.guide.catalogue import INDEX
from imle_cli.guide.links import links
from imle_cli.messages import UsageError


def test_every_file_is_a_page_in_the_order_to_read_them():
    assert {page.name for page in pages()} | {"index"} == {path.stem for path in GUIDE.glob("*.md")}
    assert [link.page for link in links(INDEX.text) if link.page] == [page.name for page in pages()]


@pytest.mark.parametrize("page", [page for page in pages() if page.name != "names"], ids=lambda page: page.name)
def test_a_page_opens_with_a_title_and_one_sentence_that_fits_a_line_of_the_list(page):
    title, sentence = page.text.split("\n\n")[:2]
    assert re.fullmatch(r"# [A-Z].+", title)
    assert sentence == page.summary
    assert len(sentence) <= 64
    assert f"* [{page.title}]({page.name}.md): {page.summary}\n" in INDEX.text


def test_the_list_fits_a_terminal_of_80_columns():
    assert max(len(f"{name:<12}  {summary}") for name, summary in contents()) < 80


@pytest.mark.parametrize("name", ["own-solver", "Own-Solver", "own_solver", "own-solver.md"])
def test_a_page_is_found_by_its_name(name):
    assert find(name).title == "Your own solver"


@pytest.mark.parametrize(
    ("name", "advice"),
    [("own-solvr", "did you mean 'own-solver'?"), ("setings", "did you mean 'settings'?"), ("xyz", "use 'first-steps'")],
)
def test_another_name_is_refused_with_the_nearest(name, advice):
    with pytest.raises(UsageError, match=rf"PAGE: got '{name}'; it must be one of 'first-steps', .*; {re.escape(advice)}"):
        find(name)
