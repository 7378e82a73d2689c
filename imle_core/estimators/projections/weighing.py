"""Weights of nearest combinations for a batch, on as many threads as torch may use."""

import torch
from torch import Tensor

from imle_core.concurrency import in_threads

ENTRIES_A_THREAD = 2**15
"""Entries of Gram matrices below which starting threads costs more than they save."""


def rounds_of(count: int) -> int:
    """Vectors that may come in, of so many: each does about once; the bound ends what rounding would keep going."""
    return 3 * count + 10


def weigh(grams: Tensor, products: Tensor, weights: Tensor, *, whole: bool) -> None:
    """Writes the weights >= 0 of the nearest combinations into ``weights``; with sum 1 if ``whole``.

    Args:
        grams: inner products of the vectors, ``(N, K, K)`` float64.
        products: inner products of the vectors and the point, ``(N, K)`` float64; -inf keeps a vector out.
        weights: feasible ones to begin with, ``(N, K)`` float64.
        whole: whether they sum to 1.
    """
    from imle_core.estimators.projections.kernels.weights import nearest_weights  # here: numba takes half a second to import

    arrays = [tensor.contiguous().numpy() for tensor in (grams, products)]
    written = weights.numpy()
    rounds = rounds_of(weights.shape[1])

    def solve(first: int, last: int) -> None:
        rows = slice(first, last)
        nearest_weights(*(array[rows] for array in arrays), written[rows], whole, rounds)

    threads = min(torch.get_num_threads(), len(weights), grams.numel() // ENTRIES_A_THREAD)
    in_threads(solve, len(weights), threads)
