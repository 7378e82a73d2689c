"""GML beyond its grammar, and what is wrong with files."""

from pathlib import Path

import pytest

from imle_cli.files.graphs.gml import read_gml
from imle_cli.files.sources import SourceError
from refusals import refused

PATH = Path("g.gml")
NODES = "node [ id 0 ] node [ id 1 ] "


def read(text, encoding="utf-8"):
    return read_gml(PATH, text.encode(encoding))


def first_node(entry):
    return read(f"graph [ node [ id 0 {entry} ] ]").nodes["0"]


@pytest.mark.parametrize(
    ("entry", "data"),
    [
        ('label "A" Modularity Class 3', {"label": "A", "Modularity Class": "3"}),
        ("Modularity Class 3\n x 1", {"Modularity Class": "3", "x": "1"}),
        ('Some Other Class "a b"\n y 2', {"Some Other Class": "a b", "y": "2"}),
        ("label A", {"label": "A"}),
        ("label New York\n x 1", {"label": "New York", "x": "1"}),
        ("label A x 1", {"label": "A", "x": "1"}),
        ('name A label "B"', {"name": "A", "label": "B"}),
        ('label "two\nlines"', {"label": "two lines"}),
        (
            "closeness inf other -NaN third +1.5e-3 fourth .5",
            {"closeness": "inf", "other": "-NaN", "third": "+1.5e-3", "fourth": ".5"},
        ),
        ('label "K&#246;ln &amp; &quot;D&quot;"', {"label": 'Köln & "D"'}),
        ("pos 1 pos 2", {"pos": ["1", "2"]}),
        ("graphics\n[\n x 1.0 y 2.0 Line [ point [ x 1 ] ] ]", {"graphics": {"x": "1.0", "y": "2.0"}}),
        ("x\n1", {"x": "1"}),
        ("\n# label 7\n", {}),
        ('label "# 7"', {"label": "# 7"}),
    ],
)
def test_entries(entry, data):
    assert first_node(entry) == data


def test_brackets_need_no_spaces():
    assert read('graph[node[id 0 label"a"]node[id 1]edge[source 0 target 1]]').nodes == {"0": {"label": "a"}, "1": {}}


def test_identifiers_may_be_negative_or_texts():
    found = read(
        'graph [ node [ id -1 ] node [ id A ] node [ id "B c" ] edge [ source -1 target A ] edge [ source A target "B c" ] ]'
    )
    assert list(found.nodes) == ["-1", "A", "B c"]
    assert [(edge.source, edge.target) for edge in found.edges] == [("-1", "A"), ("A", "B c")]


@pytest.mark.parametrize(("said", "directed"), [("", None), ("directed 0", False), ("directed 1", True)])
def test_directions(said, directed):
    assert read(f"graph [ {said}\n {NODES} edge [ source 0 target 1 ] ]").edges[0].directed is directed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(encoding):
    assert read('graph [ node [ id 0 label "Köln" ] ]', encoding).nodes["0"] == {"label": "Köln"}


def test_records_may_be_as_deep_as_they_like():
    found = read("graph [ " + NODES + "edge [ source 0 target 1 weight 2 " + "a [ " * 5000 + "]" * 5000 + " ] ]")
    assert found.edges[0].data == {"weight": "2", "a": {}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "line 1 has a key 'hello' without a value"),
        ("graph [", "1 of its [ are never closed"),
        ("graph [ ] ]", "line 1 has a ] too many"),
        ('graph [\n "a" ]', "line 2 has 'a' where a key should be"),
        ("Version 1", "it holds no graph [ ... ]"),
        ("graph [ node [ label 5 ] ]", "a node has no id"),
        ("graph [ node [ id 1 ] edge [ source 1 ] ]", "an edge has no source or no target"),
        ("graph [ " + "x" * 5000 + " ]", "line 1 has a key '" + "x" * 40 + "' without a value"),
        ("graph [ ]" + "\0" * 4000, "is no text (it holds zero bytes); save it as UTF-8 text"),
    ],
)
def test_files_that_are_wrong(text, reason):
    message = f"cannot be read as GML ({reason}); save it again, with networkx for instance"
    assert refused("g.gml", read, text) == message


def test_directed_may_be_said_above_the_graph():
    assert read("directed 1 graph [ " + NODES + "edge [ source 0 target 1 ] ]").edges[0].directed is True


def test_a_group_is_a_node_only_if_an_edge_leads_to_it():
    groups = "node [ id 7 isGroup 1 ] node [ id 8 isGroup 1 ] "
    found = read(f"graph [ {NODES}{groups}edge [ source 0 target 1 ] edge [ source 0 target 8 ] ]")
    assert (list(found.nodes), found.notes) == (["0", "1", "8"], ["1 group of nodes is no node"])


@pytest.mark.slow
def test_a_long_line_of_words_takes_no_longer_than_it_is(bounded):
    with bounded(), pytest.raises(SourceError, match="cannot be read as GML"):
        read(f"graph [ node [ id 0 {'label ' * 40_000}] edge")
