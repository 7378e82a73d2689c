"""Graphs as the DIMACS challenges have them: arcs of shortest paths in ``.gr``, edges to be coloured in ``.col``."""

from pathlib import Path

from imle_cli.files.graphs.content import Content, Edge, numbered, shown, text_of, unreadable

_KIND = "DIMACS"


def read_dimacs(path: Path, content: bytes) -> Content:
    """Reads ``p sp N M`` and ``a U V WEIGHT`` for every arc, directed; or ``p edge N M`` and ``e U V``, which is not.

    Nodes are called 1 to N; lines that begin with ``c`` are comments.
    Source: 9th DIMACS implementation challenge, shortest paths; 2nd challenge, graph colouring.

    Raises:
        SourceError: a file that is damaged, or of another kind.
    """
    graph = Content()
    for line, raw in enumerate(text_of(path, content, _KIND).splitlines(), 1):
        cells = raw.split()
        match cells:
            case [] | ["c", *_]:
                continue
            case ["p", _, size, _] if not graph.nodes and (nodes := numbered(size, content)) is not None:
                graph.nodes = nodes
            case ["a", source, target, weight]:
                graph.edges.append(Edge(source, target, {"weight": weight}, True, line))
            case ["e", source, target]:
                graph.edges.append(Edge(source, target, {}, None, line))
            case _:
                got = f"line {line} is {shown(raw)}"
                raise unreadable(path, _KIND, f"{got}, neither p sp 3 2 (once) nor a 1 2 0.5 nor e 1 2")
    if not graph.nodes:
        raise unreadable(path, _KIND, "it has no line p sp NODES ARCS")
    graph.check_ends(path)
    return graph
