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
    found, said = Content(), _entries(graph).get("directed", _entries(record).get("directed"))
    directed = None if said is None else str(said) == "1"
    for key, value in graph:
        if key == "node" and isinstance(value, list):
            data = _entries(value)
            if "id" not in data:
                raise unreadable(path, _KIND, "a node has no id")
            found.add_node(path, str(data.pop("id")), data)
    for key, value in graph:
        if key == "edge" and isinstance(value, list):
            data = _entries(value)
            if "source" not in data or "target" not in data:
                raise unreadable(path, _KIND, "an edge has no source or no target")
            found.edges.append(Edge(str(data.pop("source")), str(data.pop("target")), data, directed))
    found.leave_out_groups({node for node, data in found.nodes.items() if str(data.get("isGroup")) == "1"})
    return found


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
    found, line, before = [], 1, 0
    for match in _TOKENS.finditer(text):
        line += text.count("\n", before, match.start())
        before = match.start()
        kind, value = str(match.lastgroup), match[match.lastgroup or 0]
        if kind == "mark":
            found.append(_Token(value, value, line))
        elif kind == "text":
            found.append(_Token(kind, html.unescape(" ".join(value.split("\n"))), line))
        elif kind == "word":
            found.append(_Token("number" if _NUMBER.fullmatch(value) else kind, value, line))
    return found


def _parsed(path: Path, tokens: list[_Token]) -> _Record:
    """Records of keys and values, of which some are records."""
    outer: list[_Record] = []
    record: _Record = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.kind == "]":
            if not outer:
                raise unreadable(path, _KIND, f"line {token.line} has a ] too many")
            record, place = outer.pop(), place + 1
            continue
        if token.kind != "word":
            raise unreadable(path, _KIND, f"line {token.line} has {token.value[:40]!r} where a key should be")
        key, value, place = _entry(path, tokens, place)
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


def _entry(path: Path, tokens: list[_Token], place: int) -> tuple[str, str | None, int]:
    """A key, its value, or None for a record, and where the next entry begins."""
    words = 1
    line = tokens[place].line
    while place + words < len(tokens) and tokens[place + words].kind == "word" and tokens[place + words].line == line:
        if words > 1 and tokens[place + words].value in _KEYS:
            break
        words += 1
    following = tokens[place + words] if place + words < len(tokens) else None
    valued = following is not None and following.kind in ("text", "number", "[")
    if words == 1 or (valued and (following.line == line or following.kind == "[")):  # type: ignore[union-attr]
        if not valued or following is None:
            raise unreadable(path, _KIND, f"line {line} has a key {tokens[place].value[:40]!r} without a value")
        key = " ".join(token.value for token in tokens[place : place + words])
        return key, None if following.kind == "[" else following.value, place + words + 1
    text = " ".join(token.value for token in tokens[place + 1 : place + words])
    return tokens[place].value, text, place + words
