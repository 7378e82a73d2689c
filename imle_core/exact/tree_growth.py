"""Many trees at once, grown by a node: connected components, and edges drawn from each of them to the new node."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from imle_core.exact.parameters import gumbel


def with_one_more_node(
    weights: Tensor, tails: Tensor, heads: Tensor, kept: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Edges ``(M, m)`` of trees on m + 1 nodes: those kept of trees on m, and one from each component to the new node.

    Args:
        weights: log-weights from the new node to the m others, ``(M, m)``.
        tails: one end of each edge of the trees, ``(M, m - 1)``.
        heads: the other end.
        kept: which edges stay, ``(M, m - 1)``.
        generator: source of randomness.
    """
    nodes = weights.shape[1]
    components = connected_components(tails, torch.where(kept, heads, tails), nodes)
    # In each component the node of the largest noisy weight, relative to its best one, as in parameters.choose.
    noisy = weights - _best(weights, components).gather(1, components) + gumbel(weights, generator)
    first = _best(noisy, components).gather(1, components) == noisy
    joined = _best(column_numbers(components).masked_fill(~first, -1), components)
    vacant = pad(~kept, (0, 1), value=True)  # as many as there are components
    tails, heads = pad(tails, (0, 1)), pad(heads, (0, 1))
    return tails.masked_fill(vacant, nodes), heads.masked_scatter(vacant, joined[joined >= 0])


def _best(values: Tensor, components: Tensor) -> Tensor:
    """Largest value in each component, ``(M, nodes)``, at the component's number; elsewhere the least there is."""
    lowest = -1 if values.dtype == torch.long else -torch.inf
    return torch.full_like(values, lowest).scatter_reduce(1, components, values, "amax")


def entries_at(graph: Tensor, tails: Tensor, heads: Tensor) -> Tensor:
    """Entries ``(M, m)`` of matrices ``(N, nodes, nodes)``, M a multiple of N: the entries of a matrix come in a row."""
    flat = (tails * graph.shape[2] + heads).view(len(graph), len(tails) // max(1, len(graph)) * tails.shape[1])
    return graph.flatten(1).gather(1, flat).view_as(tails)


def column_numbers(nodes: Tensor) -> Tensor:
    """The number of its column for each entry of ``(M, nodes)``."""
    return torch.arange(nodes.shape[1], device=nodes.device).expand_as(nodes)


def connected_components(tails: Tensor, heads: Tensor, nodes: int) -> Tensor:
    """Smallest node of each node's connected component, ``(M, nodes)``, in graphs of edges ``(M, m)``."""
    components = torch.arange(nodes, device=tails.device).repeat(len(tails), 1)
    while True:
        left, right = components.gather(1, tails), components.gather(1, heads)
        smallest = torch.minimum(left, right)
        new = components.scatter_reduce(1, left, smallest, "amin").scatter_reduce(1, right, smallest, "amin")
        new = new.gather(1, new)
        if torch.equal(new, components):
            return components
        components = new
