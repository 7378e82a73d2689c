import re

import pytest

import imle_core
from imle_cli.guide import find
from imle_cli.guide.links import headings


@pytest.fixture(scope="module")
def text():
    return find("names").text


def test_every_public_name_has_a_heading_or_is_named_below_that_of_a_module(text):
    named = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^Also here: (.*)$", text, re.MULTILINE))))
    shown = {heading.strip("`").rpartition(".")[2] for heading in headings(text, 3)}
    assert set(imle_core.__all__) <= shown
    for name in ("solvers", "estimators", "noise", "exact", "doctor", "lab", "perception", "sampling", "training"):
        package = getattr(__import__(f"imle_core.{name}"), name)
        assert set(package.__all__) <= shown | named, name


def test_no_name_is_explained_twice(text):
    names = [heading.strip("`").rpartition(".") for heading in headings(text, 3)]
    shown = [name for module, _, name in names if module != "imle.draw"]  # whose functions have names of results
    for name in ("BASELINES", "judge", "make_method"):
        shown.remove(name)  # of decisions, beside that of plans on maps
    assert len(shown) == len(set(shown))


def test_a_name_has_its_signature_its_docstring_and_its_methods(text):
    section = text[text.index("### `imle.solvers.ShortestPath`") :]
    section = section[: section.index("\n### ", 4)]
    assert "```text\nShortestPath(graph, start, goal, floor=" in section
    assert "*Args*\n\n- `graph`: networkx graph" in section
    assert "```pycon\n>>> import torch" in section
    assert "**`.path_nodes(mask)`**" in section


def test_blocks_are_closed(text):
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0
    assert ":class:" not in text
