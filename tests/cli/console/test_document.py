"""Texts in Markdown on a terminal and elsewhere."""

import io

from rich.console import Console

from imle_cli.console.document import Document, read

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
