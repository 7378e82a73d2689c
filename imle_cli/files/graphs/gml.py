"""Graphs in GML, as programs write it and not only as its grammar has it."""

import html
import re
from pathlib import Path
from typing import Any, NamedTuple

from imle_cli.files.graphs.content import Content, Edge, text_of, unreadable

_KIND = "GML"
_TOKENS = re.compile(r'(?P<comment>^[ \t]*#.*$)|"(?P<text>[^"]*)"|(?P<mark>[][])|(?P<word>[^\s\[\]"]+)', re.MULTILINE)
_NUMBER = re.compile(r"[+-]?(\d[\d_]*\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)", re.IGNORECASE)
_KEYS = {
    "id", "label", "name", "source", "target", "weight", "value", "directed", "multigraph", "graphics", "key", "type", "x",
    "y", "z", "w", "h", "d", "fill", "length", "distance", "cost", "capacity", "pos", "lon", "lat", "node", "edge",
}  # fmt: skip
"""Keys that are never the end of another key, or a text without quotation marks."""


class _Token(NamedTuple):
    kind: str  # text, number, word, or the mark itself
    value: str
    line: int


def read_gml(path: Path, content: bytes) -> Content:
    """Reads a graph.

    Beyond the grammar it takes keys of several words and texts without quotation marks, each on one line, ``inf`` and
    ``nan``, texts over several lines, Latin-1, and parallel edges whether ``multigraph`` says so or not. Where ``directed``
    is missing, the file does not say.

    Raises:
        SourceError: a file that is damaged, or of another kind.
    """
    record = _parsed(path, _tokens(text_of(path, content, _KIND)))
    graph = next((value for key, value in record if key.casefold() == "graph" and isinstance(value, list)), None)
    if graph is None:
        raise unreadable(path, _KIND, "it holds no graph [ ... ]")
    network, said = Content(), _entries(graph).get("directed", _entries(record).get("directed"))
    directed = None if said is None else str(said) == "1"
    for key, value in graph:
        if key == "node" and isinstance(value, list):
            data = _entries(value)
            if "id" not in data:
                raise unreadable(path, _KIND, "a node has no id")
            network.add_node(path, str(data.pop("id")), data)
    for key, value in graph:
        if key == "edge" and isinstance(value, list):
            data = _entries(value)
            if "source" not in data or "target" not in data:
                raise unreadable(path, _KIND, "an edge has no source or no target")
            network.edges.append(Edge(str(data.pop("source")), str(data.pop("target")), data, directed))
    network.leave_out_groups({node for node, data in network.nodes.items() if str(data.get("isGroup")) == "1"})
    return network


_Record = list[tuple[str, Any]]


def _entries(record: _Record) -> dict[str, Any]:
    """Values of keys; lists of those of keys that come again; records in records as mappings, once."""
    data: dict[str, Any] = {}
    for key, value in record:
        if isinstance(value, list):
            value = {name: inner for name, inner in value if not isinstance(inner, list)}
        if key not in data:
            data[key] = value
        elif isinstance(data[key], list):
            data[key].append(value)
        else:
            data[key] = [data[key], value]
    return data


def _tokens(text: str) -> list[_Token]:
    tokens, line, before = [], 1, 0
    for match in _TOKENS.finditer(text):
        line += text.count("\n", before, match.start())
        before = match.start()
        kind, value = str(match.lastgroup), match[match.lastgroup or 0]
        if kind == "mark":
            tokens.append(_Token(value, value, line))
        elif kind == "text":
            tokens.append(_Token(kind, html.unescape(" ".join(value.split("\n"))), line))
        elif kind == "word":
            tokens.append(_Token("number" if _NUMBER.fullmatch(value) else kind, value, line))
    return tokens


def _parsed(path: Path, tokens: list[_Token]) -> _Record:
    """Records of keys and values, of which some are records."""
    outer: list[_Record] = []
    record: _Record = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.kind == "]":
            if not outer:
                raise unreadable(path, _KIND, f"line {token.line} has a ] too many")
            record, position = outer.pop(), position + 1
            continue
        if token.kind != "word":
            raise unreadable(path, _KIND, f"line {token.line} has {token.value[:40]!r} where a key should be")
        key, value, position = _entry(path, tokens, position)
        if value is None:
            inner: _Record = []
            record.append((key, inner))
            outer.append(record)
            record = inner
        else:
            record.append((key, value))
    if outer:
        raise unreadable(path, _KIND, f"{len(outer)} of its [ are never closed")
    return record


def _entry(path: Path, tokens: list[_Token], position: int) -> tuple[str, str | None, int]:
    """A key, its value, or None for a record, and where the next entry begins."""
    line, end = tokens[position].line, position + 1
    while end < len(tokens) and tokens[end].kind == "word" and tokens[end].line == line:
        if end > position + 1 and tokens[end].value in _KEYS:
            break
        end += 1
    following = tokens[end] if end < len(tokens) else None
    valued = following is not None and following.kind in ("text", "number", "[")
    if end == position + 1 or (valued and (following.line == line or following.kind == "[")):  # type: ignore[union-attr]
        if not valued or following is None:
            raise unreadable(path, _KIND, f"line {line} has a key {tokens[position].value[:40]!r} without a value")
        key = " ".join(token.value for token in tokens[position:end])
        return key, None if following.kind == "[" else following.value, end + 1
    text = " ".join(token.value for token in tokens[position + 1 : end])
    return tokens[position].value, text, end
