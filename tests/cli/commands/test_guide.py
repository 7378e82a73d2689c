"""``imle guide``."""

import pytest

from command_line import Command
from imle_cli.guide import find, for_terminal, pages

guide = Command("guide")


def test_without_a_page_it_lists_them_with_a_line_on_each():
    lines = guide().splitlines()
    assert [line.split()[0] for line in lines[:-2]] == [page.name for page in pages()]
    assert lines[0] == "first-steps   A picture, the words for what it shows, and a first layer."
    assert guide.values()["pages"]["settings"] == find("settings").summary


def test_a_page_is_plain_text_where_nobody_looks_at_it():
    assert guide("own-solver") == for_terminal(find("own-solver"))


def test_a_page_as_json():
    values = guide.values("speed")
    assert (values["page"], values["title"], values["text"]) == ("speed", "Speed", find("speed").text)


def test_a_mistyped_page_is_refused_with_a_suggestion():
    code, message = guide.refusal("own-solvr")
    assert code == 2
    assert message.startswith("error: PAGE: got 'own-solvr'; it must be one of 'first-steps', ")
    assert message.endswith("; did you mean 'own-solver'?")


def test_a_page_beside_the_website_is_refused(tmp_path):
    message = "error: PAGE: got speed beside --html; the website has all pages; leave one of them out"
    assert guide.refusal("speed", "--html", tmp_path / "site") == (2, message)
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_the_website(tmp_path):
    told = guide("--html", tmp_path / "site").split()
    assert told[:2] == ["open", str(tmp_path / "site" / "index.html")]
    assert (tmp_path / "site" / "pictures" / "marginals.png").is_file()


@pytest.mark.parametrize("name", ["", "site"])
def test_a_folder_that_cannot_be_the_guides_is_refused(tmp_path, name):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "site").touch()
    code, message = guide.refusal("--html", tmp_path / name)
    assert (code, message.split(":")[1]) == (2, " --html")
