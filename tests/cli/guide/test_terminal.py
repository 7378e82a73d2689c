import pytest

from imle_cli.guide import find, for_terminal, pages
from imle_cli.guide.links import links


def test_links_say_which_command_shows_their_page_and_pictures_what_they_show():
    text = for_terminal(find("first-steps"))
    assert "[Your own solver]" not in text
    assert "Your own solver (`imle guide own-solver`)" in text
    assert "(`assets/marginals.png`)*" in text
    assert "installed (`README.md`)" in text


@pytest.mark.parametrize("page", [page for page in pages() if page.name != "names"], ids=lambda page: page.name)
def test_no_link_is_left(page):
    assert links(for_terminal(page)) == []
