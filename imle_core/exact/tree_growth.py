"""Many trees at once, grown by a node: connected parts, and edges drawn from each part to the new node."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.exact.parameters import gumbel


def with_one_more_node(
    weights: Tensor, tails: Tensor, heads: Tensor, kept: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Edges ``(M, m)`` of trees on m + 1 nodes: those kept of trees on m, and one from each part to the new node.

    Args:
        weights: log-weights from the new node to the m others, ``(M, m)``.
        tails: one end of each edge of the trees, ``(M, m - 1)``.
        heads: the other end.
        kept: which edges stay, ``(M, m - 1)``.
        generator: source of randomness.
    """
    nodes = weights.shape[1]
    parts = connected_parts(tails, torch.where(kept, heads, tails), nodes)
    # In each part the node of the largest noisy weight; weights relative to the part's best, as in parameters.choose.
    noisy = weights - _best(weights, parts).gather(1, parts) + gumbel(weights, generator)
    first = _best(noisy, parts).gather(1, parts) == noisy
    joined = _best(places(parts).masked_fill(~first, -1), parts)
    vacant = pad(~kept, (0, 1), value=True)  # as many as there are parts
    tails, heads = pad(tails, (0, 1)), pad(heads, (0, 1))
    return tails.masked_fill(vacant, nodes), heads.masked_scatter(vacant, joined[joined >= 0])


def _best(values: Tensor, parts: Tensor) -> Tensor:
    """Largest value in each part, ``(M, nodes)``, at the part's number; elsewhere the least there is."""
    least = -1 if values.dtype == torch.long else -torch.inf
    return torch.full_like(values, least).scatter_reduce(1, parts, values, "amax")


def entries_at(graph: Tensor, tails: Tensor, heads: Tensor) -> Tensor:
    """Entries ``(M, m)`` of matrices ``(N, nodes, nodes)``, M a multiple of N: those of a matrix come one after another."""
    flat = (tails * graph.shape[2] + heads).view(len(graph), len(tails) // max(1, len(graph)) * tails.shape[1])
    return graph.flatten(1).gather(1, flat).view_as(tails)


def places(nodes: Tensor) -> Tensor:
    """The number of its column for each entry of ``(M, nodes)``."""
    return torch.arange(nodes.shape[1], device=nodes.device).expand_as(nodes)


def connected_parts(tails: Tensor, heads: Tensor, nodes: int) -> Tensor:
    """Smallest node of each node's connected part, ``(M, nodes)``, in graphs of edges ``(M, m)``."""
    parts = torch.arange(nodes, device=tails.device).repeat(len(tails), 1)
    while True:
        one, other = parts.gather(1, tails), parts.gather(1, heads)
        least = torch.minimum(one, other)
        new = parts.scatter_reduce(1, one, least, "amin").scatter_reduce(1, other, least, "amin")
        new = new.gather(1, new)
        if torch.equal(new, parts):
            return parts
        parts = new
