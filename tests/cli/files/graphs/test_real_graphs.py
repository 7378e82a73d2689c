"""Graph files as programs write them: the answers of four solvers are those of networkx on the edges that were written."""
# ruff: noqa: E501 -- the lines of the files

import gzip
import io
import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from imle_cli.options.inputs import InputOptions, SolverOptions
from imle_cli.problems.reading import read_problem

NODES = ["Zürich", "Bern", "Basel", "Genève", "Chur"]
PLACES = [(8.5, 47.4), (7.4, 46.9), (7.6, 47.6), (6.1, 46.2), (9.5, 46.8)]
EDGES = [(0, 1, 3.0), (0, 1, 2.5), (1, 2, 1.0), (0, 2, 4.5), (2, 2, 9.0), (2, 3, 2.0), (3, 4, 1.0), (4, 0, 6.0), (1, 4, 5.5)]
XML = "<?xml version='1.0' encoding='utf-8'?>\n"
GRAPHML = 'xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def graph_of(kind):
    graph = kind()
    for name, (x, y) in zip(NODES, PLACES, strict=True):
        graph.add_node(name, x=x, y=y)
    for u, v, weight in EDGES:
        graph.add_edge(NODES[u], NODES[v], weight=weight)
    return graph


def networkx_file(write, kind=nx.MultiGraph):
    def written(path):
        write(graph_of(kind), path)

    return written


def networkx_json(data, **options):
    return lambda path: path.write_text(json.dumps(data(graph_of(nx.MultiGraph), **options)))


def igraph_graphml(path):
    nodes = "".join(
        f'    <node id="n{i}">\n      <data key="v_name">{name}</data>\n    </node>\n' for i, name in enumerate(NODES)
    )
    edges = "".join(
        f'    <edge source="n{u}" target="n{v}">\n      <data key="e_weight">{weight:g}</data>\n    </edge>\n'
        for u, v, weight in EDGES
    )
    keys = '  <key id="v_name" for="node" attr.name="name" attr.type="string"/>\n'
    keys += '  <key id="e_weight" for="edge" attr.name="weight" attr.type="double"/>\n'
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml {GRAPHML}>\n<!-- Created by igraph -->\n{keys}'
    path.write_text(f'{head}  <graph id="G" edgedefault="undirected">\n{nodes}{edges}  </graph>\n</graphml>\n', "utf-8")


def igraph_gml(path):
    nodes = "".join(f'  node\n  [\n    id {i}\n    name "{name}"\n  ]\n' for i, name in enumerate(NODES))
    edges = "".join(f"  edge\n  [\n    source {v}\n    target {u}\n    weight {weight:g}\n  ]\n" for u, v, weight in EDGES)
    head = 'Creator "igraph version 1.0.0 Mon Nov 30 06:48:09 2026"\nVersion 1\ngraph\n[\n  directed 0\n'
    path.write_text(f"{head}{nodes}{edges}]\n", "utf-8")


def igraph_pajek(path):
    nodes = "".join(f'{i} "{name}" {x} {y}\n' for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True), 1))
    edges = "".join(f"{u + 1} {v + 1} {weight:g}\n" for u, v, weight in EDGES)
    path.write_text(f"*Vertices {len(NODES)}\n{nodes}*Edges\n{edges}", "utf-8")


def igraph_ncol(path):
    path.write_text("".join(f"{NODES[u]} {NODES[v]} {weight:g}\n" for u, v, weight in EDGES), "utf-8")


def gephi_gexf(version, address, *, ones):
    """Gephi leaves out weights of 1 in some versions."""

    def written(path):
        nodes = "".join(
            f'      <node id="{i}.0" label="{name}">\n        <attvalues>\n          <attvalue for="modularity_class" value="1">'
            f'</attvalue>\n        </attvalues>\n        <viz:size value="10.0"></viz:size>\n        <viz:position x="{x}" '
            f'y="{y}" z="0.0"></viz:position>\n        <viz:color r="168" g="168" b="29"></viz:color>\n      </node>\n'
            for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True))
        )
        edges = "".join(
            f'      <edge id="{i}" source="{u}.0" target="{v}.0"{f" weight={chr(34)}{w}{chr(34)}" if w != 1 or ones else ""}>'
            "\n        <attvalues></attvalues>\n      </edge>\n"
            for i, (u, v, w) in enumerate(EDGES)
        )
        attributes = (
            '    <attributes class="node" mode="static">\n      <attribute id="modularity_class" title="Modularity Class" '
            'type="integer">\n        <default>0</default>\n      </attribute>\n    </attributes>\n'
        )
        path.write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="{address}" version="{version}" xmlns:viz="{address}/viz" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n  <meta lastmodifieddate="2026-11-30">\n    <creator>Gephi '
            "0.10.1</creator>\n    <description></description>\n  </meta>\n  <graph defaultedgetype="
            f'"undirected" mode="static">\n{attributes}    <nodes>\n{nodes}    </nodes>\n    <edges>\n{edges}    </edges>\n'
            "  </graph>\n</gexf>\n",
            "utf-8",
        )

    return written


def gephi_gml(encoding):
    def written(path):
        nodes = "".join(
            f'  node\n  [\n    id {i}\n    label "{name}"\n    graphics\n    [\n      x {x}\n      y {y}\n      z 0.0\n      w 10.0'
            f'\n      fill "#000000"\n    ]\n    Modularity Class "3"\n    Closeness Centrality inf\n  ]\n'
            for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True))
        )
        edges = "".join(
            f"  edge\n  [\n    id {i}\n    source {u}\n    target {v}\n    value {weight}\n  ]\n"
            for i, (u, v, weight) in enumerate(EDGES)
        )
        path.write_text(f'graph\n[\n  Creator "Gephi"\n  directed 0\n{nodes}{edges}]\n', encoding)

    return written


def gephi_graphml(path):
    nodes = "".join(
        f'    <node id="{i}">\n      <data key="label">{name}</data>\n      <data key="x">{x}</data>\n      <data key="y">{y}</data>'
        "\n    </node>\n"
        for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True))
    )
    edges = "".join(
        f'    <edge id="{i}" source="{u}" target="{v}">\n      <data key="Edge Label"/>\n      <data key="weight">{weight}</data>'
        "\n    </edge>\n"
        for i, (u, v, weight) in enumerate(EDGES)
    )
    keys = "".join(
        f'  <key attr.name="{name}" attr.type="{kind}" for="{thing}" id="{key}"/>\n'
        for name, kind, thing, key in (
            ("Label", "string", "node", "label"),
            ("Edge Label", "string", "edge", "edgelabel"),
            ("Weight", "double", "edge", "weight"),
            ("x", "float", "node", "x"),
            ("y", "float", "node", "y"),
        )
    )
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<graphml {GRAPHML}>\n{keys}  <graph edgedefault="undirected">\n{nodes}{edges}'
        "  </graph>\n</graphml>\n",
        "utf-8",
    )


def gephi_edges(path):
    lines = [f"{NODES[u]},{NODES[v]},Undirected,{i},,,{weight}" for i, (u, v, weight) in enumerate(EDGES)]
    path.write_text("\n".join(["Source,Target,Type,Id,Label,timeset,Weight", *lines, ""]), "utf-8")


def yed_graphml(*, arrows, group, labels):
    def written(path):
        def node(i):
            name, (x, y) = NODES[i], PLACES[i]
            label = f'<y:NodeLabel alignment="center" visible="true">{name}<y:LabelModel/></y:NodeLabel>'
            geometry = f'<y:Geometry height="30.0" width="30.0" x="{x}" y="{y}"/>'
            shape = f'<y:ShapeNode>{geometry}<y:Fill color="#FFCC00"/>{label}<y:Shape type="rectangle"/></y:ShapeNode>'
            return f'<node id="{name_of(i)}"><data key="d4"/><data key="d6">{shape}</data></node>\n'

        def name_of(i):
            return f"n9::n{i}" if group and i < 2 else f"n{i}"

        nodes = [node(i) for i in range(len(NODES))]
        if group:
            folder = (
                '<data key="d6"><y:ProxyAutoBoundsNode><y:Realizers active="0"><y:GroupNode><y:NodeLabel>East</y:NodeLabel>'
            )
            folder += "</y:GroupNode></y:Realizers></y:ProxyAutoBoundsNode></data>"
            inner = f'<graph edgedefault="directed" id="n9:">{nodes[0]}{nodes[1]}</graph>'
            nodes[:2] = [f'<node id="n9" yfiles.foldertype="group">{folder}{inner}</node>\n']
        edges = ""
        for i, (u, v, weight) in enumerate(EDGES):
            text = f'<y:EdgeLabel alignment="center">{weight:g}<y:LabelModel/></y:EdgeLabel>' if labels else ""
            line = f'<y:PolyLineEdge><y:Arrows source="none" target="{arrows}"/>{text}<y:BendStyle smoothed="false"/>'
            own = "" if labels else f'<data key="d11">{weight}</data>'
            edges += f'<edge id="e{i}" source="{name_of(u)}" target="{name_of(v)}">{own}<data key="d9"/>'
            edges += f'<data key="d10">{line}</y:PolyLineEdge></data></edge>\n'
        keys = (
            '<key for="port" id="d1" yfiles.type="portgraphics"/><key attr.name="url" attr.type="string" for="node" id="d4"/>'
            '<key for="node" id="d6" yfiles.type="nodegraphics"/><key for="graphml" id="d7" yfiles.type="resources"/>'
            '<key attr.name="description" attr.type="string" for="edge" id="d9"/><key for="edge" id="d10" '
            'yfiles.type="edgegraphics"/><key attr.name="weight" attr.type="double" for="edge" id="d11"/>'
        )
        space = 'xmlns:y="http://www.yworks.com/xml/graphml" xmlns:yed="http://www.yworks.com/xml/yed/3"'
        path.write_text(
            f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<graphml {GRAPHML} {space}>\n<!--Created by yEd 3.22-->\n'
            f'{keys}\n<graph edgedefault="directed" id="G">\n{"".join(nodes)}{edges}</graph>\n<data key="d7"><y:Resources/></data>\n'
            "</graphml>\n",
            "utf-8",
        )

    return written


def yed_gml(path):
    nodes = "".join(
        f'\tnode\n\t[\n\t\tid\t{i}\n\t\tlabel\t"{name}"\n\t\tgraphics\n\t\t[\n\t\t\tx\t{x}\n\t\t\ty\t{y}\n\t\t\ttype\t"rectangle"\n\t\t]'
        f'\n\t\tLabelGraphics\n\t\t[\n\t\t\ttext\t"{name}"\n\t\t\tfontSize\t12\n\t\t]\n\t]\n'
        for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True))
    )
    edges = "".join(
        f'\tedge\n\t[\n\t\tsource\t{u}\n\t\ttarget\t{v}\n\t\tlabel\t"{weight:g}"\n\t\tgraphics\n\t\t[\n\t\t\tfill\t"#000000"\n\t\t]\n\t]\n'
        for u, v, weight in EDGES
    )
    head = 'Creator\t"yFiles"\nVersion\t"2.17"\ngraph\n[\n\thierarchic\t1\n\tlabel\t""\n\tdirected\t1\n'
    path.write_text(f"{head}{nodes}{edges}]\n", "cp1252")


def cytoscape_json(path):
    nodes = [
        {"data": {"id": str(70 + i), "shared_name": name, "name": name, "SUID": 70 + i}, "position": {"x": x, "y": y}}
        for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True))
    ]
    edges = [
        {"data": {"id": str(90 + i), "source": str(70 + u), "target": str(70 + v), "SUID": 90 + i, "weight": weight}}
        for i, (u, v, weight) in enumerate(EDGES)
    ]
    head = {"format_version": "1.0", "generated_by": "cytoscape-3.10.4", "data": {"name": "roads", "SUID": 60}}
    path.write_text(json.dumps(head | {"elements": {"nodes": nodes, "edges": edges}}), "utf-8")


def cytoscape_gml(path):
    nodes = "".join(
        f'\tnode [\n\t\troot_index\t{-i}\n\t\tid\t{-i}\n\t\tlabel\t"{name}"\n\t]\n' for i, name in enumerate(NODES, 1)
    )
    edges = "".join(
        f'\tedge [\n\t\troot_index\t{-i}\n\t\ttarget\t{-v - 1}\n\t\tsource\t{-u - 1}\n\t\tweight\t{weight}\n\t\tlabel\t"DirectedEdge"'
        "\n\t]\n"
        for i, (u, v, weight) in enumerate(EDGES, 1)
    )
    path.write_text(f'Creator\t"Cytoscape"\nVersion\t1.0\ngraph [\n{nodes}{edges}]\nTitle\t"roads"\n', "utf-8")


def osmnx_graphml(*, directed):
    def written(path):
        nodes = "".join(
            f'    <node id="{33311872 + i}">\n      <data key="d4">{y}</data>\n      <data key="d5">{x}</data>\n      <data key="d6">3'
            "</data>\n    </node>\n"
            for i, (x, y) in enumerate(PLACES)
        )
        edges, seen = "", {}
        for u, v, weight in EDGES:
            key = seen[u, v] = seen.get((u, v), -1) + 1
            ends = "" if directed else f'      <data key="d13">{33311872 + v}</data>\n'
            edges += (
                f'    <edge source="{33311872 + u}" target="{33311872 + v}" id="{key}">\n      <data key="d8">[4084, 7]</data>\n'
                f'      <data key="d9">False</data>\n      <data key="d10">{weight}</data>\n{ends}      <data key="d12">LINESTRING '
                "(8.5 47.4, 7.4 46.9)</data>\n    </edge>\n"
            )
        names = (
            {"d4": "y", "d5": "x", "d6": "street_count"},
            {"d8": "osmid", "d9": "oneway", "d10": "length", "d12": "geometry"},
        )
        keys = "".join(
            f'  <key id="{key}" for="{thing}" attr.name="{name}" attr.type="string" />\n'
            for thing, group in zip(("node", "edge"), names, strict=True)
            for key, name in group.items()
        )
        keys += '  <key id="d13" for="edge" attr.name="to" attr.type="string" />\n'
        kind = "directed" if directed else "undirected"
        path.write_text(
            f'{XML}<graphml {GRAPHML}>\n{keys}  <graph edgedefault="{kind}">\n    <data key="d0">epsg:4326</data>\n{nodes}{edges}'
            "  </graph>\n</graphml>",
            "utf-8",
        )

    return written


def snap(*, directed, packed):
    def written(path):
        lines = "".join(f"{u}\t{v}\n" for u, v, _ in EDGES)
        kind = "Directed" if directed else "Undirected"
        head = f"# {kind} graph (each unordered pair of nodes is saved once): roadNet.txt\n# Road network\n# Nodes: 5 Edges: 9\n"
        text = f"{head}# FromNodeId\tToNodeId\n{lines}"
        path.write_bytes(gzip.compress(text.encode()) if packed else text.replace("\n", "\r\n").encode())

    return written


def konect(path):
    path.write_text("% sym weighted\n% 9 5 5\n" + "".join(f"{u + 1} {v + 1} {weight:g}\n" for u, v, weight in EDGES))


def pajek(path):
    nodes = "".join(f'{i:>4} "{name}"    0.1000    0.{i}000    0.5000\n' for i, name in enumerate(NODES, 1))
    arcs = "".join(f"{u + 1:>4} {v + 1:>4}       {weight} c Blue\n" for u, v, weight in EDGES)
    path.write_text(f'*Network roads\n% drawn by hand\n*Vertices    {len(NODES)}\n{nodes}*Arcs :1 "roads"\n{arcs}', "cp1252")


def pajek_list(path):
    lists = "".join(f"{u + 1} {v + 1}\n" for u, v, _ in EDGES)
    path.write_text(f"*Vertices {len(NODES)}\n*Edgeslist\n{lists}")


def matrix_market(path):
    matrix = np.zeros((len(NODES), len(NODES)))
    for u, v, weight in EDGES:
        matrix[u, v] = matrix[v, u] = weight
    buffer = io.BytesIO()
    scipy.io.mmwrite(buffer, scipy.sparse.coo_array(np.tril(matrix)), symmetry="general")
    text = buffer.getvalue().decode().replace("general", "symmetric")
    path.write_text(text)


def d3_json(path):
    nodes = [{"name": name, "group": 1} for name in NODES]
    path.write_text(json.dumps({"nodes": nodes, "links": [{"source": u, "target": v, "value": w} for u, v, w in EDGES]}))


def graphology_json(path):
    nodes = [
        {"key": str(i), "attributes": {"label": name, "x": x, "y": y}}
        for i, (name, (x, y)) in enumerate(zip(NODES, PLACES, strict=True))
    ]
    edges = [
        {"key": f"e{i}", "source": str(u), "target": str(v), "undirected": True, "attributes": {"weight": w}}
        for i, (u, v, w) in enumerate(EDGES)
    ]
    path.write_text(json.dumps({"options": {"multi": True, "type": "mixed"}, "nodes": nodes, "edges": edges}))


def json_graph_format(path):
    nodes = {f"n{i}": {"label": name} for i, name in enumerate(NODES)}
    edges = [{"source": f"n{u}", "target": f"n{v}", "metadata": {"weight": w}} for u, v, w in EDGES]
    path.write_text(json.dumps({"graph": {"directed": True, "nodes": nodes, "edges": edges}}))


def spreadsheet(path):
    lines = "".join(f"{NODES[u]};{NODES[v]};{str(weight).replace('.', ',')}\r\n" for u, v, weight in EDGES)
    path.write_bytes(("Von;Nach;Länge\r\n" + lines).replace("Von;Nach;Länge", "from;to;weight").encode("cp1252"))


def pandas_edges(path):
    lines = [f"{i},{NODES[u]},{NODES[v]},{weight}" for i, (u, v, weight) in enumerate(EDGES)]
    path.write_text("\n".join([",source,target,weight", *lines, ""]), "utf-8")


UNDIRECTED, DIRECTED = False, True

FILES = {
    "networkx.graphml": (networkx_file(nx.write_graphml), UNDIRECTED),
    "networkx-directed.graphml": (networkx_file(nx.write_graphml, nx.MultiDiGraph), DIRECTED),
    "networkx.gml": (networkx_file(nx.write_gml), UNDIRECTED),
    "networkx-directed.gml": (networkx_file(nx.write_gml, nx.MultiDiGraph), DIRECTED),
    "networkx.gexf": (networkx_file(nx.write_gexf), UNDIRECTED),
    "networkx.net": (networkx_file(nx.write_pajek), UNDIRECTED),
    "networkx-directed.net": (networkx_file(nx.write_pajek, nx.MultiDiGraph), DIRECTED),
    "networkx.edgelist": (networkx_file(nx.write_edgelist), UNDIRECTED),
    "networkx.edgelist.gz": (networkx_file(nx.write_edgelist), UNDIRECTED),
    "networkx-weighted.edgelist": (networkx_file(nx.write_weighted_edgelist), UNDIRECTED),
    "networkx-edges.json": (networkx_json(nx.node_link_data), UNDIRECTED),
    "networkx-links.json": (networkx_json(nx.node_link_data, edges="links"), UNDIRECTED),
    "networkx-adjacency.json": (networkx_json(nx.adjacency_data), UNDIRECTED),
    "networkx.cyjs": (networkx_json(nx.cytoscape_data), UNDIRECTED),
    "igraph.graphml": (igraph_graphml, UNDIRECTED),
    "igraph.gml": (igraph_gml, UNDIRECTED),
    "igraph.net": (igraph_pajek, UNDIRECTED),
    "igraph.ncol": (igraph_ncol, UNDIRECTED),
    "gephi-8.gexf": (gephi_gexf("1.2", "http://www.gexf.net/1.2draft", ones=False), UNDIRECTED),
    "gephi-10.gexf": (gephi_gexf("1.3", "http://gexf.net/1.3", ones=True), UNDIRECTED),
    "gephi.gml": (gephi_gml("utf-8"), UNDIRECTED),
    "gephi-latin.gml": (gephi_gml("latin-1"), UNDIRECTED),
    "gephi.graphml": (gephi_graphml, UNDIRECTED),
    "gephi.csv": (gephi_edges, UNDIRECTED),
    "yed-labels.graphml": (yed_graphml(arrows="standard", group=False, labels=True), DIRECTED),
    "yed-groups.graphml": (yed_graphml(arrows="none", group=True, labels=False), UNDIRECTED),
    "yed.gml": (yed_gml, DIRECTED),
    "cytoscape.cyjs": (cytoscape_json, UNDIRECTED),
    "cytoscape.gml": (cytoscape_gml, UNDIRECTED),
    "osmnx.graphml": (osmnx_graphml(directed=True), DIRECTED),
    "osmnx-called.gml": (osmnx_graphml(directed=True), DIRECTED),
    "osmnx-undirected.graphml": (osmnx_graphml(directed=False), UNDIRECTED),
    "snap.txt": (snap(directed=False, packed=False), UNDIRECTED),
    "snap-directed.txt.gz": (snap(directed=True, packed=True), DIRECTED),
    "konect.edges": (konect, UNDIRECTED),
    "pajek.net": (pajek, DIRECTED),
    "pajek-list.paj": (pajek_list, UNDIRECTED),
    "suitesparse.mtx": (matrix_market, UNDIRECTED),
    "d3.json": (d3_json, UNDIRECTED),
    "graphology.json": (graphology_json, UNDIRECTED),
    "jgf.json": (json_graph_format, DIRECTED),
    "spreadsheet.csv": (spreadsheet, UNDIRECTED),
    "pandas.csv": (pandas_edges, UNDIRECTED),
}
WITHOUT_WEIGHTS = {"snap.txt", "snap-directed.txt.gz", "pajek-list.paj"}
BY_NUMBER = {"osmnx": 33311872, "snap": 0, "konect": 1, "pajek-list": 1, "suitesparse": 1}
"""First number of the nodes in files that have no names."""


def solved(name, solver, sense, ends=(None, None)):
    """The sum of the weights that a solver finds, and the file's graph."""
    place = InputOptions(map=Path(name), weight="none" if name in WITHOUT_WEIGHTS else "weight", sense=sense)
    choice = SolverOptions(solver=solver, start=ends[0], goal=ends[1])
    problem = read_problem(place, choice, "cpu", frozenset({"solver"}))
    return problem.total(problem.solve()), problem.file


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_four_solvers_find_what_networkx_finds(name):
    write, directed = FILES[name]
    write(Path(name))
    first = next((number for start, number in BY_NUMBER.items() if name.startswith(start)), None)
    names = NODES if first is None else [str(first + i) for i in range(len(NODES))]
    graph = nx.MultiDiGraph() if directed else nx.MultiGraph()
    for u, v, weight in EDGES:
        weight = 1.0 if name in WITHOUT_WEIGHTS else weight
        if name == "suitesparse.mtx" and graph.has_edge(names[u], names[v]):
            graph.remove_edge(names[u], names[v])  # a matrix holds one number for both
        graph.add_edge(names[u], names[v], weight=weight)
    graph.remove_edges_from(list(nx.selfloop_edges(graph, keys=True)))
    added, best = nx.DiGraph() if directed else nx.Graph(), nx.Graph()
    for u, v, weight in graph.edges(data="weight"):
        added.add_edge(u, v, weight=weight + (added[u][v]["weight"] if added.has_edge(u, v) else 0))
        best.add_edge(u, v, weight=max(weight, best[u][v]["weight"] if best.has_edge(u, v) else 0))

    ends = names[1], names[3]
    total, file = solved(name, "path", None, ends)
    assert total == nx.shortest_path_length(graph, *ends, "weight")
    assert file.graph.is_directed() == directed
    assert sorted(file.graph) == sorted(graph)
    assert sorted(file.weights) == sorted(weight for *_, weight in graph.edges(data="weight"))
    assert solved(name, "min-cut", None, ends)[0] == nx.minimum_cut_value(added, *ends, "weight")
    if not directed:
        tree = nx.minimum_spanning_tree(graph)
        assert solved(name, "spanning-tree", "min")[0] == tree.size("weight")
        pairs = nx.max_weight_matching(best)
        assert solved(name, "matching", "max")[0] == sum(best.edges[pair]["weight"] for pair in pairs)


@pytest.mark.parametrize("name", [name for name, (_, directed) in FILES.items() if directed])
def test_a_directed_file_can_be_read_without_directions(name):
    FILES[name][0](Path(name))
    place = InputOptions(map=Path(name), weight="none", directed=False)
    problem = read_problem(place, SolverOptions(solver="spanning-tree"), "cpu", frozenset({"solver", "directed"}))
    assert problem.total(problem.solve()) == len(NODES) - 1
    assert not problem.file.graph.is_directed()
