"""Names and texts as a list in a page: those that stay as they are, and those that a script fills in."""

from collections.abc import Sequence

from imle_cli.pages.page import text


def fact_list(lines: Sequence[tuple[str, str]], live: Sequence[tuple[str, str]] = ()) -> str:
    """HTML of a list of facts.

    Args:
        lines: names and texts.
        live: above these, names, and the ids of the elements that a script fills in.
    """
    fixed = [f"<dt>{text(name)}</dt><dd>{text(words)}</dd>" for name, words in lines]
    filled = [f'<dt>{text(name)}</dt><dd id="{text(label)}"></dd>' for name, label in live]
    return f'<dl class="facts">{"".join(filled + fixed)}</dl>'
