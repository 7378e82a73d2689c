"""Graphs from files: one graph from every format, the weights of its edges, and where its nodes are."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx
import numpy as np
from numpy.typing import NDArray

from imle_cli.files.graphs.content import Content, Edge, counted, value_of
from imle_cli.files.graphs.dimacs import read_dimacs
from imle_cli.files.graphs.edge_lists import read_edge_list
from imle_cli.files.graphs.gml import read_gml
from imle_cli.files.graphs.json_formats import read_graph_json
from imle_cli.files.graphs.layout import positions_of
from imle_cli.files.graphs.matrix_market import read_matrix
from imle_cli.files.graphs.pajek import read_pajek
from imle_cli.files.graphs.weights import weights_of
from imle_cli.files.graphs.xml_formats import read_xml
from imle_cli.files.sources import SourceError, ending, read_bytes
from imle_cli.messages import note

_KINDS = "a .graphml, .gml, .gexf, .net, .json or .csv file"
_XML = {".graphml": "GraphML", ".gexf": "GEXF", ".xml": "GraphML"}
_READERS: dict[str, Callable[[Path, bytes], Content]] = {
    ".gml": read_gml,
    ".net": read_pajek,
    ".paj": read_pajek,
    ".json": read_graph_json,
    ".cyjs": read_graph_json,
    ".mtx": read_matrix,
    ".gr": read_dimacs,
    ".col": read_dimacs,
}
_LABELS = ("label", "name", "shared_name", "shared name")

Weights = NDArray[np.float64]


@dataclass(frozen=True)
class GraphFile:
    """A graph as it was read.

    Attributes:
        graph: a networkx multigraph, directed or not, whose nodes are texts; parallel edges are kept, self-loops are not.
        weights: ``(E,)``, in the order of ``graph.edges()``.
        positions: ``(V, 2)``, in the order of ``graph.nodes()``; None where the file has none.
        identifiers: of nodes that are called by their label, with these names.
    """

    graph: Any
    weights: Weights
    positions: Weights | None
    identifiers: Mapping[str, str]

    @property
    def acyclic(self) -> bool:
        """True where edges are directed, and none leads back."""
        return bool(networkx.is_directed_acyclic_graph(self.graph))

    def node(self, text: str) -> str:
        """The name of the node that has this name, or else this identifier; the text itself where there is none."""
        return text if text in self.graph else self.identifiers.get(text, text)


def read_graph(path: Path, weight: str = "weight", directed: bool | None = None) -> GraphFile:
    """Reads a graph and the weights of its edges.

    Nodes are called by their label where all have one of their own, else by their name, else by their identifier. Their
    coordinates are the attributes x and y, lon and lat (or longitude and latitude), pos (two numbers), or x and y in
    graphics. Self-loops are left out, with a note that counts them. Where some edges are directed and some are not, the
    latter become two edges, one in each direction.

    Args:
        path: a file with one of the ``GRAPH_ENDINGS`` or, for a list of edges, any other, perhaps followed by ``.gz``.
        weight: attribute, or column, that holds the weights, in whatever letter case; none for 1 each.
        directed: whether edges lead from the first node to the second where the file does not say it; False for edges
            without direction whatever the file says. Two edges of equal weight that lead there and back are one edge then.

    Raises:
        SourceError: a file that cannot be read, has no edges, or lacks a weight that is a number.
    """
    content = _read(path, weight)
    edges = [edge for edge in content.edges if edge.source != edge.target]
    loops = len(content.edges) - len(edges)
    if not edges:
        only = " but self-loops" if loops else ""
        raise SourceError(path, f"has no edges{only}; a solver on edges needs at least one")
    if loops:
        content.notes.append(f"{counted(loops, 'self-loop')} {'is' if loops == 1 else 'are'} left out")
    weights, notes = weights_of(path, edges, weight)
    content.notes += notes
    if directed and all(edge.directed is False for edge in edges):
        raise SourceError(path, "says itself that no edge is directed; leave --directed out")
    is_directed, edges, weights = _directed(content, edges, weights, directed)
    names = _names(content)
    graph = networkx.MultiDiGraph() if is_directed else networkx.MultiGraph()
    graph.add_nodes_from((names[node], data) for node, data in content.nodes.items())
    for edge, value in zip(edges, weights.tolist(), strict=True):
        graph.add_edge(names[edge.source], names[edge.target], weight=value)
    ordered = np.array([value for *_, value in graph.edges(data="weight")])
    identifiers = {node: name for node, name in names.items() if node != name}
    for text in content.notes:
        note(f"{path}: {text}")
    return GraphFile(graph, ordered, positions_of(graph), identifiers)


def _read(path: Path, weight: str) -> Content:
    kind = ending(path)
    if kind not in _READERS and kind not in _XML:
        return read_edge_list(path, _KINDS, weight)
    content = read_bytes(path, _KINDS, "graph")
    if kind in _XML or (kind == ".gml" and content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")):
        graph = read_xml(path, content, _XML.get(kind, "GML"))
    else:
        graph = _READERS[kind](path, content)
    graph.check_ends(path)
    return graph


def _directed(
    content: Content, edges: list[Edge], weights: Weights, directed: bool | None
) -> tuple[bool, list[Edge], Weights]:
    """True of a directed graph; its edges, and their weights."""
    said = [bool(directed) if edge.directed is None else edge.directed for edge in edges]
    if not any(said) or directed is False:
        stated = [edge.directed is False for edge in edges]  # parallel edges of a graph without direction are what they are
        kept = _once(edges, weights, stated)
        if len(kept) < len(edges):
            count = len(edges) - len(kept)
            content.notes.append(f"{counted(count, 'edge')} listed in both directions count{'s' * (count == 1)} once")
        return False, [edges[number] for number in kept], weights[kept]
    if all(said):
        return True, edges, weights
    both = [
        (turned, weight)
        for edge, one_way, weight in zip(edges, said, weights.tolist(), strict=True)
        for turned in ([edge] if one_way else [edge, replace(edge, source=edge.target, target=edge.source)])
    ]
    count = len(both) - len(edges)
    content.notes.append(
        f"{counted(count, 'edge')} without direction lead{'s' * (count == 1)} both ways, beside directed ones"
    )
    return True, [edge for edge, _ in both], np.array([weight for _, weight in both])


def _once(edges: list[Edge], weights: Weights, stated: list[bool]) -> list[int]:
    """Numbers of the edges without those that are the way back, at the same weight, of one before them."""
    waiting: Counter[tuple[str, str, float]] = Counter()
    kept = []
    for number, (edge, weight) in enumerate(zip(edges, weights.tolist(), strict=True)):
        back = edge.target, edge.source, weight
        if not stated[number] and waiting[back]:
            waiting[back] -= 1
            continue
        waiting[edge.source, edge.target, weight] += not stated[number]
        kept.append(number)
    return kept


def _names(content: Content) -> dict[str, str]:
    """Names of nodes, by their identifiers."""
    for key in _LABELS:
        values = [value_of(data, key) for data in content.nodes.values()]
        labels = ["" if label is None else str(label).strip() for label in values]
        if all(labels) and len(set(labels)) == len(labels):
            return dict(zip(content.nodes, labels, strict=True))
    return {node: node for node in content.nodes}
