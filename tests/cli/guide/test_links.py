import pytest

from imle_cli.guide.links import Link, anchors, headings, links, rewritten


def test_links_and_pictures_are_found_with_their_parts():
    text = "See [the page](own-solver.md#costs-or-gains), [above](#words), ![a map](../../assets/map.png)."
    assert links(text) == [
        Link(False, "the page", "own-solver.md", "costs-or-gains"),
        Link(False, "above", "", "words"),
        Link(True, "a map", "../../assets/map.png", ""),
    ]
    assert [link.page for link in links(text)] == ["own-solver", "", ""]


@pytest.mark.parametrize("text", ["`[a](b.md)`", "``x`[a](b.md)``", "```python\nx[0](y)\n```\n", "x[0] (y)"])
def test_code_has_none(text):
    assert links(text) == []
    assert rewritten(text, lambda _: "gone") == text


def test_words_of_a_link_may_be_code_with_brackets():
    assert rewritten("[`x[0]`](a.md) and [b](c.md)", lambda link: link.text.upper()) == "`X[0]` and B"


def test_headings_are_those_outside_code():
    text = "# A\n\n## The `b`\n\n```python\n# no heading\n```\n\n### C\n"
    assert headings(text) == ["A", "The `b`", "C"]
    assert headings(text, 2) == ["The `b`"]


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [("Costs or gains", "costs-or-gains"), ("Hugging Face's Trainer", "hugging-faces-trainer"), ("`imle.draw`", "imledraw")],
)
def test_anchors_are_githubs(heading, wanted):
    assert anchors(f"## {heading}\n\n# Other\n\n### {heading}\n") == [wanted, "other", f"{wanted}-1"]
