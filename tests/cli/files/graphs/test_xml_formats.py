"""GraphML and GEXF: defaults, directions, groups, labels, times, encodings, and what is wrong with files."""
# ruff: noqa: E501 -- the lines of the files

from pathlib import Path

import pytest

from imle_cli.files.graphs.xml_formats import read_xml
from refusals import refused

PATH = Path("g.graphml")
KEY = '<key id="d0" for="edge" attr.name="weight" attr.type="double"{}'
NODES = '<node id="a"/><node id="b"/><node id="c"/>'


def read(text, encoding="utf-8"):
    return read_xml(PATH, text.encode(encoding), "GraphML")


def graphml(inside, keys="", default="undirected"):
    return read(
        f'<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{keys}<graph edgedefault="{default}">{inside}</graph></graphml>'
    )


def gexf(inside, default="undirected"):
    return read(
        f'<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz"><graph defaultedgetype="{default}">{inside}</graph></gexf>'
    )


def edges(found):
    return [(edge.source, edge.target, edge.directed, dict(edge.data)) for edge in found.edges]


class TestGraphML:
    def test_defaults_hold_where_nothing_else_is_said(self):
        keys = (
            KEY.format("><default>1.0</default></key>") + '<key id="d1" for="node" attr.name="x"><default>7</default></key>'
        )
        found = graphml(
            NODES + '<edge source="a" target="b"/><edge source="b" target="c"><data key="d0"> 2 </data></edge>', keys
        )
        assert [edge.data for edge in found.edges] == [{"weight": "1.0"}, {"weight": "2"}]
        assert found.nodes["a"] == {"x": "7"}

    def test_a_key_without_a_name_is_called_by_its_identifier(self):
        found = graphml(
            NODES + '<edge source="a" target="b"><data key="w">2</data><data key="v">3</data></edge>', '<key id="w"/>'
        )
        assert edges(found) == [("a", "b", False, {"w": "2", "v": "3"})]

    def test_identifiers_of_edges_are_no_attributes(self):
        assert edges(graphml(NODES + '<edge id="7" source="a" target="b"/>')) == [("a", "b", False, {})]

    @pytest.mark.parametrize("default", ["directed", "undirected"])
    def test_an_edge_may_have_a_direction_of_its_own(self, default):
        inside = '<edge source="a" target="b" directed="true"/><edge source="a" target="b" directed="false"/><edge source="b" target="c"/>'
        assert [edge.directed for edge in graphml(NODES + inside, default=default).edges] == [
            True,
            False,
            default == "directed",
        ]

    def test_namespaces_may_be_missing(self):
        assert list(read(f"<graphml><graph>{NODES}</graph></graphml>").nodes) == ["a", "b", "c"]

    def test_a_group_is_a_node_only_if_an_edge_leads_to_it(self):
        inner = '<graph id="g:" edgedefault="directed"><node id="g::a"/><node id="g::b"/><edge source="g::a" target="g::b"/></graph>'
        group = f'<node id="g">{inner}</node><node id="c"/>'
        found = graphml(group + '<edge source="g::b" target="c"/>')
        assert (list(found.nodes), found.notes) == (["g::a", "g::b", "c"], ["1 group of nodes is no node"])
        assert [edge.directed for edge in found.edges] == [False, True]
        found = graphml(group + '<edge source="g" target="c"/>')
        assert (list(found.nodes), found.notes) == (["g", "g::a", "g::b", "c"], [])

    def test_the_first_of_several_graphs_is_read(self):
        found = read(f'<graphml><graph>{NODES}</graph><graph><node id="z"/></graph></graphml>')
        assert (list(found.nodes), found.notes) == (["a", "b", "c"], ["holds 2 graphs; the first is read"])

    def test_what_yed_draws(self):
        node = (
            '<node id="a"><data key="d6"><y:ShapeNode xmlns:y="y"><y:Geometry height="30.0" width="40.0" x="10.0" y="20.0"/>'
        )
        node += "<y:NodeLabel/><y:NodeLabel>\n A <y:LabelModel/></y:NodeLabel></y:ShapeNode></data></node>"
        assert graphml(node).nodes == {"a": {"label": "A", "x": 30.0, "y": -35.0}}

    @pytest.mark.parametrize(("arrows", "directed"), [("none", False), ("standard", True)])
    def test_an_edge_without_arrows_has_no_direction(self, arrows, directed):
        line = f'<y:PolyLineEdge xmlns:y="y"><y:Arrows source="none" target="{arrows}"/><y:EdgeLabel>3</y:EdgeLabel></y:PolyLineEdge>'
        found = graphml(NODES + f'<edge source="a" target="b"><data key="d">{line}</data></edge>', default="directed")
        assert edges(found) == [("a", "b", directed, {"label": "3"})]
        assert found.notes == ([] if directed else ["1 edge drawn without arrows leads both ways"])


class TestGEXF:
    def test_a_missing_weight_is_1_beside_others(self):
        found = gexf(
            '<nodes><node id="a"/><node id="b"/></nodes><edges><edge source="a" target="b" weight="2"/><edge source="b" target="a"/></edges>'
        )
        assert [edge.data for edge in found.edges] == [{"weight": "2"}, {"weight": 1.0}]
        assert found.notes == ["1 edge without a weight counts 1, as in GEXF"]
        assert gexf('<nodes><node id="a"/></nodes><edges><edge source="a" target="a"/></edges>').edges[0].data == {}

    def test_a_weight_of_another_letter_case_is_not_missing(self):
        found = gexf(
            '<attributes class="edge"><attribute id="0" title="Weight"/></attributes><nodes><node id="a"/><node id="b"/></nodes>'
            '<edges><edge source="a" target="b"><attvalues><attvalue for="0" value="4"/></attvalues></edge>'
            '<edge source="b" target="a" weight="2"/></edges>'
        )
        assert ([edge.data for edge in found.edges], found.notes) == ([{"Weight": "4"}, {"weight": "2"}], [])

    def test_attributes_have_titles_and_defaults(self):
        titles = '<attributes class="edge"><attribute id="0" title="length"><default>5</default></attribute></attributes>'
        inside = '<edges><edge source="a" target="b"/><edge source="a" target="b"><attvalues><attvalue for="0" value="7"/></attvalues></edge></edges>'
        found = gexf(titles + '<nodes><node id="a" label="A"/><node id="b"/></nodes>' + inside)
        assert [edge.data for edge in found.edges] == [{"length": "5"}, {"length": "7"}]
        assert found.nodes == {"a": {"label": "A"}, "b": {"label": "b"}}

    def test_values_of_several_times_are_a_list(self):
        times = '<attvalue for="w" value="1" end="2"/><attvalue for="w" value="3" start="2"/>'
        found = gexf(
            f'<nodes><node id="a"/></nodes><edges><edge source="a" target="a"><attvalues>{times}</attvalues></edge></edges>'
        )
        assert found.edges[0].data == {"w": ["1", "3"]}

    @pytest.mark.parametrize(
        ("kind", "found"),
        [
            ("undirected", [("a", "b", False)]),
            ("directed", [("a", "b", True)]),
            ("mutual", [("a", "b", True), ("b", "a", True)]),
        ],
    )
    def test_directions(self, kind, found):
        nodes = '<nodes><node id="a"/><node id="b"/></nodes>'
        content = gexf(f'{nodes}<edges><edge source="a" target="b" type="{kind}"/></edges>')
        assert [(edge.source, edge.target, edge.directed) for edge in content.edges] == found
        content = gexf(f'{nodes}<edges><edge source="a" target="b"/></edges>', kind)
        assert [(edge.source, edge.target, edge.directed) for edge in content.edges] == found

    def test_positions_and_nodes_in_nodes(self):
        inside = '<nodes><node id="a"><viz:position x="1.5" y="-2" z="0"/><nodes><node id="b"/></nodes></node></nodes>'
        assert gexf(inside).nodes == {"a": {"x": "1.5", "y": "-2", "label": "a"}, "b": {"label": "b"}}


@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1", "utf-16", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_encodings(declared, encoding):
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = f'{head}<graphml><graph><node id="Köln"/></graph></graphml>'
    if {declared, encoding} == {"utf-16", "utf-8"} or (declared, encoding) in (
        ("utf-16", "latin-1"),
        ("iso-8859-1", "utf-8"),
    ):
        return  # what says that it is another encoding cannot be told
    assert list(read(text, encoding).nodes) == ["Köln"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "<graphml>",
            "cannot be read as GraphML (no element found: line 1, column 9); save it again, with networkx for instance",
        ),
        (
            "<svg/>",
            "cannot be read as GraphML (it is XML whose first element is svg); save it again, with networkx for instance",
        ),
        ("<gexf/>", "cannot be read as GEXF (it holds no graph); save it again, with networkx for instance"),
        ('<?xml version="1.0" encoding="klingon"?><graphml/>', "cannot be read as GraphML (unknown encoding"),
        (
            "<graphml><graph><hyperedge/></graph></graphml>",
            "has hyperedges; an edge joins two nodes; give edges of two nodes each",
        ),
        (
            '<graphml><graph><edge source="a"/></graph></graphml>',
            "an edge has no target; an edge joins two nodes; correct it",
        ),
        (
            '<graphml><graph><node id="a"/><node id="a"/></graph></graphml>',
            "has two nodes 'a'; give each an identifier of its own",
        ),
    ],
)
def test_files_that_are_wrong(text, message):
    assert refused("g.graphml", read, text).startswith(message)


@pytest.mark.slow
def test_elements_may_be_deep():
    deep = "<x>" * 20_000 + "</x>" * 20_000
    assert list(read(f"<graphml><graph>{NODES}</graph>{deep}</graphml>").nodes) == ["a", "b", "c"]
