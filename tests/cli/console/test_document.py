"""Texts in Markdown on a terminal and elsewhere."""

import io
import re

import pytest
from rich.console import Console

from imle_cli.console.document import Document, read
from imle_cli.console.markdown import FittingMarkdown
from imle_cli.guide import for_terminal, pages

TEXT = "# Title\n\nWords with `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"


def test_what_is_read_by_another_program_is_as_it_was_written(capsys):
    read(Document(TEXT), Console(file=io.StringIO()))
    assert capsys.readouterr().out == TEXT


def test_on_a_terminal_it_is_set_in_type_and_shown_by_the_pager(monkeypatch):
    shown = []
    monkeypatch.setattr("rich.pager.SystemPager.show", lambda _, text: shown.append(text))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    read(Document(TEXT), Console(file=io.StringIO(), force_terminal=True, width=80))
    (text,) = shown
    assert "\x1b[" in text
    assert "Title" in text
    assert "# Title" not in text
    assert "|---|" not in text
    assert max(len(line) for line in text.splitlines()) < 200


def set_in_type(text, width):
    """What a terminal of this width shows, without colours."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(FittingMarkdown(text), soft_wrap=False, crop=False)
    return console.file.getvalue()


WIDE = "| name | what it is |\n|---|---|\n| `a_long_name(of=1)` | some words beside it |\n| b | |\n"


def rows_of(shown):
    return [line.split() for line in shown.splitlines() if line.strip(" ─")]


def test_columns_of_a_table_have_room_for_their_longest_words():
    assert rows_of(set_in_type(WIDE, 40)) == [
        ["name", "what", "it", "is"],
        ["a_long_name(of=1)", "some", "words", "beside"],
        ["it"],
        ["b"],
    ]


def test_a_table_that_does_not_fit_is_a_list_of_its_rows():
    assert rows_of(set_in_type(WIDE.replace("beside it", "beside_it_all"), 34)) == [
        ["name", "a_long_name(of=1)"],
        ["what", "it", "is", "some", "words"],
        ["beside_it_all"],
        ["name", "b"],
    ]


def words(text):
    return set(re.sub(r"[`*]", "", text).split()) - {"|"}


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in pages() if page.name != "names"], ids=lambda page: page.name)
def test_no_word_of_a_table_of_the_guide_is_cut_at_80_columns(page):
    text = for_terminal(page)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    shown = set_in_type(text, 80)
    assert "…" not in shown.replace("… ", "")
    assert words(" ".join(rows)) <= words(shown)


def test_code_has_the_lines_that_it_has(monkeypatch):
    code = "for name in names:\n    print(name)  # " + "a long remark " * 9
    shown = []
    monkeypatch.setattr("rich.pager.SystemPager.show", lambda _, text: shown.append(re.sub(r"\x1b\[[0-9;]*m", "", text)))
    read(
        Document(f"Copy it:\n\n```python\n{code}\n```\n\nDone."), Console(file=io.StringIO(), force_terminal=True, width=80)
    )
    assert f"\n{code.rstrip()}\n" in shown[0]
