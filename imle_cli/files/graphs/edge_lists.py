"""Graphs as lists of edges: tables of text, lists of networkx with attributes in braces."""

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imle_cli.files.graphs.content import Content, Edge, counted, listed, shown, text_of
from imle_cli.files.sources import SourceError, read_bytes
from imle_cli.files.tables.number_formats import as_number
from imle_cli.files.tables.reading import Table, read_table

ENDS = (
    ("source", "from", "u", "src", "node1", "fromnodeid", "start", "origin", ":start_id"),
    ("target", "to", "v", "dst", "node2", "tonodeid", "end", "destination", ":end_id"),
)
_TIMES = (5e8, 2.5e9)  # seconds since 1970, from 1985 to 2049
_IN_BRACES = re.compile(r"\s*(\S+)\s+(\S+)\s+(\{.*\})\s*")
_DIRECTED = re.compile(rb"^[#%]\s*(directed|asym)\b", re.IGNORECASE | re.MULTILINE)
_WHOLE = re.compile(r"-?\d+(\.0*)?")
_BEGINNING = 2**12  # bytes that may hold such a comment


def read_edge_list(path: Path, kinds: str, weight: str) -> Content:
    """Reads edges, one in each line: two nodes, then perhaps a weight, or attributes in braces.

    A comment above them may say that edges are directed. With a header, nodes are the columns source and target, or from and
    to, or else two columns beside the one with the name of the weight; a column ``Type`` says which edges are directed.

    Args:
        path: the file.
        kinds: what to give in place of a folder.
        weight: column that holds the weights.

    Raises:
        SourceError: a file that cannot be read, or has no edges.
    """
    content = read_bytes(path, kinds, "graph")
    if b"{" in content[: 2**16]:
        lines = [(number, line) for number, line in enumerate(text_of(path, content, "a list of edges").splitlines(), 1)]
        lines = [(number, line) for number, line in lines if line.strip() and not line.lstrip().startswith(("#", "%"))]
        if lines and _IN_BRACES.fullmatch(lines[0][1]):
            return _stated(_in_braces(path, lines), content)
    table = read_table(path, (*ENDS[0], *ENDS[1], weight)).without_index()
    _refuse_matrix(path, table)
    graph = _headed(path, table, table.header, weight) if table.header else _plain(path, table, weight)
    return _stated(graph, content)


def _refuse_matrix(path: Path, table: Table) -> None:
    """Refuses weights of all pairs of nodes: named alike above and in front, or without names and with a diagonal of 0."""
    rows = table.rows
    alike = table.header is not None and table.header[1:] == [row[0] for row in table.written]
    plain = table.header is None and all(as_number(row[number]) == 0 for number, row in enumerate(rows[: len(rows[0])]))
    if alike or (plain and len(rows) == len(rows[0]) > 2):
        remedy = "write an edge a line, below source,target,weight (networkx.from_numpy_array makes a graph of a matrix)"
        raise SourceError(path, f"may be a matrix of {len(rows)} x {len(rows)} weights, and this needs edges; {remedy}")


def _stated(graph: Content, content: bytes) -> Content:
    """The same with the direction of edges that a comment above them states, as in files of SNAP and KONECT."""
    if _DIRECTED.search(content[:_BEGINNING]):
        graph.edges = [replace(edge, directed=True) if edge.directed is None else edge for edge in graph.edges]
        graph.notes.append("its edges are directed, as a comment above them says (--undirected takes that away)")
    return graph


def _in_braces(path: Path, lines: list[tuple[int, str]]) -> Content:
    graph = Content()
    for number, line in lines:
        match = _IN_BRACES.fullmatch(line)
        try:
            data = ast.literal_eval(match[3]) if match else None
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            data = None
        if match is None or not isinstance(data, dict):
            raise SourceError(
                path, f"line {number} is {shown(line)}; it must be two nodes and attributes in braces; correct it"
            )
        _add(graph, Edge(match[1], match[2], {str(key): data[key] for key in data}, None, number))
    return graph


def _plain(path: Path, table: Table, weight: str) -> Content:
    width = len(table.rows[0])
    if width < 2 or (width > 3 and weight.casefold() != "none"):
        raise SourceError(
            path,
            f"has {counted(width, 'column')} and no header; an edge needs two nodes and a weight: write source,target,"
            f"{'weight' if weight.casefold() == 'none' else weight} above",
        )
    if width == 3 and weight.casefold() not in ("weight", "none"):
        raise SourceError(path, f"has no header with {weight!r}; write source,target,{weight} above its lines")
    graph, names = Content(), _nodes(table, [0, 1])
    for line, cells, (source, target) in zip(table.lines, table.rows, names, strict=True):
        data = {"weight": cells[2]} if width == 3 else {}
        _add(graph, Edge(source, target, data, None, line))
    if width == 3 and all(cells[2].isdecimal() and _TIMES[0] < float(cells[2]) < _TIMES[1] for cells in table.rows):
        graph.notes.append("its third column, taken as weights, looks like times (--weight none counts each edge as 1)")
    return graph


def _nodes(table: Table, columns: Sequence[int]) -> list[tuple[str, str]]:
    """Names of the nodes of each edge, as they were written; whole numbers that were written as 1.0 without their fraction.

    Raises:
        SourceError: an edge without one of them.
    """
    names = [(row[columns[0]], row[columns[1]]) for row in table.written]
    empty = next((line for line, pair in zip(table.lines, names, strict=True) if not all(pair)), None)
    if empty is not None:
        raise SourceError(table.path, f"line {empty} lacks a node; an edge joins two; write it, or leave the line out")
    if not all(_WHOLE.fullmatch(name) for pair in names for name in pair):
        return names
    return [(u.partition(".")[0], v.partition(".")[0]) for u, v in names]


def _headed(path: Path, table: Table, header: list[str], weight: str) -> Content:
    named = [table.column(*names) for names in ENDS]
    ends = [column for column in named if column is not None]
    if len(set(ends)) != 2:
        ends = [column for column in range(len(header)) if column != table.column(weight)]
    if len(ends) != 2:
        raise SourceError(
            path,
            f"has columns {listed(header)}; an edge needs two nodes and a weight: call those of the nodes source and target",
        )
    kind = table.column("type")
    graph, names = Content(), _nodes(table, ends)
    if "oneway" in map(str.casefold, header):
        graph.notes.append("it has a column oneway, which is not used: --directed has every edge lead one way")
    for line, cells, (source, target) in zip(table.lines, table.rows, names, strict=True):
        data = {name: cells[column] for column, name in enumerate(header) if column not in ends}
        stated = cells[kind].casefold() if kind is not None else ""
        directed = {"directed": True, "undirected": False}.get(stated)
        _add(graph, Edge(source, target, data, directed, line))
    return graph


def _add(graph: Content, edge: Edge) -> None:
    """Adds an edge, and its nodes where they are new."""
    graph.nodes.setdefault(edge.source, {})
    graph.nodes.setdefault(edge.target, {})
    graph.edges.append(edge)
