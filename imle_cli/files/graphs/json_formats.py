"""Graphs in JSON: node-link and adjacency data of networkx, d3, Cytoscape, Gephi's successors, JSON Graph Format."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imle_cli.files.graphs.content import Content, Edge, text_of, unreadable

_KIND = "a graph in JSON"
_NAMES = ("id", "key", "name", "label")
_ENDS = (("source", "from", "u"), ("target", "to", "v"))


def read_graph_json(path: Path, content: bytes) -> Content:
    """Reads nodes and edges (or links, or elements, or adjacency), wherever in the file these lists are.

    Raises:
        SourceError: a file that is damaged, or holds no graph.
    """
    record, nodes, edges = _sections(path, _document(path, content))
    graph = Content()
    names: list[str] = []
    for node in nodes:
        data = _flat(node)
        name = next((data.pop(key) for key in _NAMES if _is_name(data.get(key))), node)
        if not _is_name(name):
            raise unreadable(path, _KIND, f"node {len(names) + 1} has no id")
        names.append(_text(name))
        graph.add_node(path, names[-1], data)
    options = record.get("options")  # of graphology
    kind = options.get("type") if isinstance(options, dict) else None
    said = {"directed": True, "mixed": True, "undirected": False}.get(str(kind), record.get("directed"))
    for number, entry in enumerate(edges, 1):
        edge = _edge(entry, names, graph, said)
        if edge is None:
            raise unreadable(path, _KIND, f"edge {number} has no source or no target")
        if not nodes:
            graph.nodes |= {edge.source: {}, edge.target: {}}
        graph.edges.append(edge)
    graph.check_ends(path)
    return graph


def _document(path: Path, content: bytes) -> Any:
    try:
        return json.loads(text_of(path, content, _KIND))
    except RecursionError as error:
        raise unreadable(path, _KIND, "its lists in lists are too deep") from error
    except ValueError as error:
        raise unreadable(path, _KIND, error) from error


def _edge(entry: Any, names: list[str], graph: Content, said: Any) -> Edge | None:
    """An edge, directed as its entry says or else as is ``said`` of all; None of an entry without both ends."""
    data = _flat(entry)
    ends = [next((data.pop(key) for key in keys if key in data), None) for keys in _ENDS]
    if isinstance(entry, list) and len(entry) >= 2:
        ends, data = entry[:2], _rest(entry[2:])
    source, target = (_end(end, names, graph) for end in ends)
    if source is None or target is None:
        return None
    directed = data.get("directed", not data["undirected"] if "undirected" in data else said)
    return Edge(source, target, data, directed if isinstance(directed, bool) else None)


def _sections(path: Path, document: Any) -> tuple[Mapping[str, Any], list[Any], list[Any]]:
    """The record of the graph, and its lists of nodes and of edges."""
    if isinstance(document, dict) and isinstance(document.get("graphs"), list) and document["graphs"]:
        document = document["graphs"][0]
    if isinstance(document, dict) and isinstance(document.get("graph"), dict) and "edges" in document["graph"]:
        document = document["graph"]
    record = document if isinstance(document, dict) else {}
    elements = record.get("elements", document)
    if isinstance(elements, list):  # of Cytoscape, nodes and edges in one, or edges only
        nodes = [entry for entry in elements if isinstance(entry, dict) and not _ends_of(_flat(entry))]
        return record, nodes, [entry for entry in elements if isinstance(entry, list) or entry not in nodes]
    nodes = elements.get("nodes", []) if isinstance(elements, dict) else []
    if isinstance(nodes, dict):
        nodes = [{"id": name, **(data if isinstance(data, dict) else {})} for name, data in nodes.items()]
    adjacency = record.get("adjacency")
    if isinstance(nodes, list) and isinstance(adjacency, list) and all(isinstance(row, list) for row in adjacency):
        directed = record.get("directed") is True  # else each edge is there twice
        return {"directed": True} if directed else {}, nodes, list(_adjacent(nodes, adjacency))
    edges = next((elements[key] for key in ("links", "edges") if isinstance(elements, dict) and key in elements), None)
    if not isinstance(nodes, list) or not isinstance(edges, list):
        raise unreadable(path, _KIND, "it has no lists of nodes and of edges or links")
    return record, nodes, edges


def _adjacent(nodes: list[Any], adjacency: list[Any]) -> Iterator[dict[str, Any]]:
    for node, neighbours in zip(nodes, adjacency, strict=False):
        for neighbour in neighbours:
            data = _flat(neighbour)
            target = data.pop("id", None)
            yield {**data, "source": _flat(node).get("id"), "target": target}


def _ends_of(data: Mapping[str, Any]) -> bool:
    return all(any(key in data for key in keys) for keys in _ENDS)


def _flat(entry: Any) -> dict[str, Any]:
    """Attributes of a node or an edge, with those that are one level below in data, attributes, metadata or position."""
    if not isinstance(entry, dict):
        return {}
    data = {key: value for key, value in entry.items() if not isinstance(value, dict) or key in (*_ENDS[0], *_ENDS[1])}
    for key in ("metadata", "attributes", "data"):
        if isinstance(entry.get(key), dict):
            data |= entry[key]
    position = entry.get("position")
    if isinstance(position, dict) and isinstance(position.get("y"), (int, float)):
        data |= {"x": position.get("x"), "y": -position["y"]}  # its axis leads down
    return data


def _rest(cells: list[Any]) -> dict[str, Any]:
    if not cells:
        return {}
    return cells[0] if isinstance(cells[0], dict) else {"weight": cells[0]}


def _is_name(value: Any) -> bool:
    if isinstance(value, list):  # a tuple, as the nodes of networkx's grids are
        return bool(value) and not any(isinstance(element, dict) for element in value)
    return isinstance(value, (str, int, float)) and value != ""


def _text(name: Any) -> str:
    return str(tuple(name)) if isinstance(name, list) else str(name)


def _end(end: Any, names: list[str], graph: Content) -> str | None:
    """The identifier of an edge's end, which may be a node itself, or a node's number."""
    if isinstance(end, dict):
        end = next((end[key] for key in _NAMES if _is_name(end.get(key))), None)
    if not _is_name(end):
        return None
    is_number = isinstance(end, int) and str(end) not in graph.nodes and 0 <= end < len(names)
    return names[end] if is_number else _text(end)
