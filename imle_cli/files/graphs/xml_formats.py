"""Graphs in XML: GraphML, also as yEd draws it, and GEXF."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

from imle_cli.files.graphs.content import Content, Edge, counted, unreadable
from imle_cli.files.sources import SourceError
from imle_cli.files.tables.number_formats import as_number

_READERS = {"graphml": "GraphML", "gexf": "GEXF"}


def read_xml(path: Path, content: bytes, kind: str) -> Content:
    """Reads GraphML or GEXF, whichever it is.

    Args:
        path: the file, for messages.
        content: what it holds.
        kind: what its ending says that it is.

    Raises:
        SourceError: a file that is damaged, or of another kind.
    """
    try:
        root = _parsed(content)
    except (ParseError, ValueError, LookupError) as error:  # the last two are encodings that are wrong or unknown
        raise unreadable(path, kind, error) from error
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]  # names of namespaces differ between versions
    if root.tag not in _READERS:
        raise unreadable(path, kind, f"it is XML whose first element is {root.tag[:40]}")
    graphs = root.findall("graph")
    if not graphs:
        raise unreadable(path, _READERS[root.tag], "it holds no graph")
    network = _graphml(path, root, graphs[0]) if root.tag == "graphml" else _gexf(path, graphs[0])
    if len(graphs) > 1:
        network.notes.append(f"holds {len(graphs)} graphs; the first is read")
    return network


def _parsed(content: bytes) -> Element:
    try:
        return fromstring(content)
    except ParseError:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:  # Latin-1 that calls itself UTF-8
            return fromstring(re.sub(rb"^\s*<\?xml[^>]*\?>", b"", content), XMLParser(encoding="iso-8859-1"))
        raise


def _graphml(path: Path, root: Element, graph: Element) -> Content:
    keys = {key.get("id", ""): key for key in root.iter("key")}
    network, drawn_plain = Content(), 0
    if next(graph.iter("hyperedge"), None) is not None:
        raise SourceError(path, "has hyperedges; an edge joins two nodes; give edges of two nodes each")
    for subgraph in graph.iter("graph"):
        for edge in subgraph.findall("edge"):
            data, arrows = _attributes(edge, keys, "edge")
            stated = edge.get("directed", "").strip().lower()
            directed = stated in ("true", "1") if stated else subgraph.get("edgedefault", "").strip().lower() == "directed"
            if directed and not stated and arrows == {"none"}:
                directed, drawn_plain = False, drawn_plain + 1
            network.edges.append(Edge(_end(path, edge, "source"), _end(path, edge, "target"), data, directed))
    groups = set()
    for node in graph.iter("node"):
        name = node.get("id", "").strip()
        if node.find("graph") is not None or node.get("yfiles.foldertype") in ("group", "folder"):
            groups.add(name)
        network.add_node(path, name, _attributes(node, keys, "node")[0])
    network.leave_out_groups(groups)
    if drawn_plain:
        network.notes.append(f"{counted(drawn_plain, 'edge')} drawn without arrows lead{'s' * (drawn_plain == 1)} both ways")
    return network


def _end(path: Path, edge: Element, name: str) -> str:
    end = edge.get(name)
    if end is None:
        raise SourceError(path, f"an edge has no {name}; an edge joins two nodes; correct it")
    return end.strip()


def _attributes(element: Element, keys: Mapping[str, Element], domain: str) -> tuple[dict[str, Any], set[str]]:
    """Attributes of a node or an edge, defaults included; and the arrows of an edge that is drawn."""
    data: dict[str, Any] = {}
    for name, key in keys.items():
        default = key.find("default")
        if default is not None and default.text and key.get("for", "all") in (domain, "all"):
            data[key.get("attr.name") or name] = default.text.strip()
    arrows: set[str] = set()
    for entry in element.findall("data"):
        name = entry.get("key", "")
        name = keys[name].get("attr.name") or name if name in keys else name
        if len(entry):
            data |= _drawn(entry)
            arrows |= {end for arrow in entry.iter("Arrows") for end in (arrow.get("source", ""), arrow.get("target", ""))}
        elif entry.text and entry.text.strip():
            data[name] = entry.text.strip()
    return data, arrows


def _drawn(entry: Element) -> dict[str, Any]:
    """Label and place of what yEd draws, whose y axis leads down."""
    data: dict[str, Any] = {}
    texts = [(label.text or "").strip() for tag in ("NodeLabel", "EdgeLabel") for label in entry.iter(tag)]
    if any(texts):
        data["label"] = next(filter(None, texts))
    box = next(entry.iter("Geometry"), None)
    if box is not None:
        x, y, width, height = (as_number(box.get(name, "0")) or 0.0 for name in ("x", "y", "width", "height"))
        data |= {"x": x + width / 2, "y": -y - height / 2}
    return data


def _gexf(path: Path, graph: Element) -> Content:
    titles = {kind: _titles(graph, kind) for kind in ("node", "edge")}
    network = Content()
    for node in graph.iter("node"):
        data = _values(node, titles["node"])
        position = node.find("position")
        if position is not None:
            data |= {name: position.get(name, "0") for name in ("x", "y")}
        name = node.get("id", "").strip()
        network.add_node(path, name, data | {"label": node.get("label", "").strip() or name})
    default = graph.get("defaultedgetype", "undirected").strip().lower()
    for edge in graph.iter("edge"):
        data = _values(edge, titles["edge"]) | {key: edge.get(key) for key in ("weight", "label") if edge.get(key)}
        kind = edge.get("type", default).strip().lower()
        ends = _end(path, edge, "source"), _end(path, edge, "target")
        for source, target in [ends, ends[::-1]] if kind == "mutual" else [ends]:
            network.edges.append(Edge(source, target, data, kind != "undirected"))
    network.fill_weights("GEXF")
    return network


def _titles(graph: Element, kind: str) -> dict[str, tuple[str, str | None]]:
    """Titles and defaults of attributes, by identifier."""
    titles = {}
    for group in graph.findall("attributes"):
        if group.get("class") == kind:
            for attribute in group.findall("attribute"):
                name = attribute.get("id", "")
                titles[name] = attribute.get("title") or name, attribute.findtext("default")
    return titles


def _values(element: Element, titles: Mapping[str, tuple[str, str | None]]) -> dict[str, Any]:
    data: dict[str, Any] = {title: default for title, default in titles.values() if default is not None}
    seen: dict[str, list[str | None]] = {}
    for entry in element.findall("attvalues/attvalue"):
        name = entry.get("for") or entry.get("id") or ""
        seen.setdefault(titles.get(name, (name, None))[0], []).append(entry.get("value"))
    for title, values in seen.items():  # several are those of several times
        data[title] = values[0] if len(values) == 1 else values
    return data
