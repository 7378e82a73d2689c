"""Contents of a graph file, before they are a graph: nodes and edges with attributes, in the order of the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imle_cli.files.decoding import decode
from imle_cli.files.sources import SourceError

_SHOWN = 120  # letters of a reason
_NAMES = 6  # in a message
_MANY = 100_000  # nodes that a file of any length may have


@dataclass(frozen=True)
class Edge:
    """An edge.

    Attributes:
        source: its first node, by its identifier.
        target: its second node.
        data: its attributes.
        directed: whether it leads from the first to the second only; None where the file does not say.
        line: of the file, from 1; None where it has no line of its own.
    """

    source: str
    target: str
    data: Mapping[str, Any]
    directed: bool | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = f" in line {self.line}" if self.line else ""
        return f"the edge between {shown(self.source)} and {shown(self.target)}{where}"


@dataclass
class Content:
    """Nodes, by identifier, with their attributes; edges; and what a reader should know of how they were read."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_node(self, path: Path, name: str, data: Mapping[str, Any]) -> None:
        """Adds a node.

        Raises:
            SourceError: there is one of that identifier already.
        """
        if name in self.nodes:
            raise SourceError(path, f"has two nodes {shown(name)}; give each an identifier of its own")
        self.nodes[name] = dict(data)

    def leave_out_groups(self, groups: set[str]) -> None:
        """Groups of nodes are no nodes, unless an edge leads to them."""
        groups = groups - {end for edge in self.edges for end in (edge.source, edge.target)}
        for group in groups:
            del self.nodes[group]
        if groups:
            self.notes.append(f"{counted(len(groups), 'group')} of nodes {'is' if len(groups) == 1 else 'are'} no node")

    def check_ends(self, path: Path) -> None:
        """Edges must join nodes that there are.

        Raises:
            SourceError: one does not.
        """
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in self.nodes:
                    raise SourceError(path, f"an edge leads to {shown(end)}, which is no node; add it, or correct the edge")

    def fill_weights(self, standard: str) -> None:
        """Gives edges without a weight, beside others that have one, 1 each, as the ``standard`` of the file says."""
        without = [number for number, edge in enumerate(self.edges) if value_of(edge.data, "weight") is None]
        if 0 < len(without) < len(self.edges):
            for number in without:
                edge = self.edges[number]
                self.edges[number] = replace(edge, data={**edge.data, "weight": 1.0})
            counts = "counts 1" if len(without) == 1 else "count 1 each"
            self.notes.append(f"{counted(len(without), 'edge')} without a weight {counts}, as in {standard}")


def value_of(data: Mapping[str, Any], name: str) -> Any:
    """The attribute of this name, or the only one in another letter case; None where there is none, or an empty one."""
    value = data.get(name)
    if value is None:
        same = same_names(data, name)
        value = data[same[0]] if len(same) == 1 else None
    return None if value == "" else value


def same_names(names: Iterable[str], name: str) -> list[str]:
    """Names that differ in their letter case only."""
    return [candidate for candidate in names if candidate.casefold() == name.casefold()]


def numbered(count: str, content: bytes) -> dict[str, dict[str, Any]] | None:
    """Nodes 1 to ``count``, as a header says; None of no number, or of more than edges in so many bytes could join."""
    limit = max(_MANY, len(content))
    if not count.isdecimal() or len(count.lstrip("0")) > len(str(limit)) or int(count) > limit:
        return None
    return {str(number): {} for number in range(1, int(count) + 1)}


def unreadable(path: Path, kind: str, reason: object) -> SourceError:
    """A file that is damaged, or no file of its kind."""
    text = " ".join(str(reason).split())
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return SourceError(path, f"cannot be read as {kind} ({text}); save it again, with networkx for instance")


def text_of(path: Path, content: bytes, kind: str) -> str:
    """The text in a file.

    Raises:
        SourceError: a file that is no text.
    """
    try:
        return decode(content)[0]
    except ValueError as error:
        raise unreadable(path, kind, error) from error


def shown(value: object) -> str:
    """A value for a message, shortened."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:40] + "...")


def counted(count: int, thing: str) -> str:
    """A number and what is counted."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def listed(names: list[str]) -> str:
    """Names between commas, the first few."""
    return ", ".join(map(repr, names[:_NAMES])) + (", ..." if len(names) > _NAMES else "")
