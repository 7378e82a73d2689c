"""Graphs as Pajek writes them."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from imle_cli.files.graphs.content import Content, Edge, numbered, shown, text_of, unreadable
from imle_cli.files.tables.number_formats import as_number

_KIND = "Pajek"
_VALUE = re.compile(r"[+-]?[.,]?\d.*")  # how a line's value begins, whether it is a number or not
_ATTACHED = ("partition", "permutation", "cluster", "hierarchy", "vector")  # to a network, with vertices of their own
_SECTIONS = ("network", "vertices", "arcs", "edges", "arcslist", "edgeslist", "matrix", *_ATTACHED)
_CELLS = re.compile(r'"([^"]*)"|(\S+)')


def read_pajek(path: Path, content: bytes) -> Content:
    """Reads a network: vertices, arcs, which are directed, edges, which are not, lists of these, or a matrix of arcs.

    Raises:
        SourceError: a file that is damaged, or of another kind.
    """
    graph = Content()
    section, row, size, attached = "", 0, 0, False
    for line, cells in _lines(path, content):
        if cells[0].startswith("*"):
            section, row = cells[0][1:].partition(":")[0].casefold(), 0
            if section not in _SECTIONS:
                raise unreadable(path, _KIND, f"line {line} begins an unknown section {shown(cells[0])}")
            attached = section in _ATTACHED or (attached and section == "vertices")
            if section == "vertices" and not attached:
                size = _vertices(path, line, cells, graph, content)
        elif attached:
            continue
        elif section == "vertices":
            _vertex(path, line, cells, graph)
        elif section in ("arcs", "edges"):
            graph.edges.append(_edge(path, line, cells, section == "arcs"))
        elif section in ("arcslist", "edgeslist"):
            graph.edges += [Edge(cells[0], target, {}, section == "arcslist", line) for target in cells[1:]]
        elif section == "matrix":
            row += 1
            graph.edges += _arcs(path, line, cells, row, size)
    if not graph.nodes:
        raise unreadable(path, _KIND, "it has no *Vertices")
    graph.check_ends(path)
    graph.fill_weights("Pajek")
    return graph


def _lines(path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Numbers of lines, from 1, and their cells, without empty lines and comments."""
    for line, raw in enumerate(text_of(path, content, _KIND).splitlines(), 1):
        cells = [html.unescape(text or word) for text, word in _CELLS.findall(raw)]
        if cells and not cells[0].startswith("%"):
            yield line, cells


def _edge(path: Path, line: int, cells: list[str], directed: bool) -> Edge:
    if len(cells) < 2:
        raise unreadable(path, _KIND, f"line {line} joins no two vertices")
    data = {"weight": cells[2]} if len(cells) > 2 and _VALUE.fullmatch(cells[2]) else {}
    return Edge(cells[0], cells[1], data, directed, line)


def _arcs(path: Path, line: int, cells: list[str], row: int, size: int) -> list[Edge]:
    """Arcs of a row of a matrix; its numbers that are 0 are none."""
    if len(cells) != size or row > size:
        raise unreadable(path, _KIND, f"line {line} has {len(cells)} of {size} numbers of a row of the matrix")
    weights = ((str(column), cell) for column, cell in enumerate(cells, 1) if as_number(cell) != 0)
    return [Edge(str(row), column, {"weight": cell}, True, line) for column, cell in weights]


def _vertices(path: Path, line: int, cells: list[str], graph: Content, content: bytes) -> int:
    if graph.nodes:
        raise unreadable(path, _KIND, f"line {line} begins another network; a file may have one")
    if len(cells) < 2 or not cells[1].isdecimal():
        raise unreadable(path, _KIND, f"line {line} has no number of vertices")
    nodes = numbered(cells[1], content)
    if nodes is None:
        raise unreadable(path, _KIND, f"line {line} speaks of {cells[1][:20]} vertices")
    graph.nodes = nodes
    return len(nodes)


def _vertex(path: Path, line: int, cells: list[str], graph: Content) -> None:
    if cells[0] not in graph.nodes:
        raise unreadable(path, _KIND, f"line {line} has a vertex {shown(cells[0])} beyond their number")
    if len(cells) > 1:
        graph.nodes[cells[0]] = {"label": cells[1]}
    if len(cells) > 3 and as_number(cells[2]) is not None and as_number(cells[3]) is not None:
        graph.nodes[cells[0]] |= {"x": cells[2], "y": cells[3]}
