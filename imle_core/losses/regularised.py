"""Losses of a smoothed best decision: quadratic Fenchel-Young, and the angle to the cone of parameters that are right."""

from torch import Tensor, nn


def quadratic_fenchel_young(theta: Tensor, gold: Tensor, mu: Tensor, scale: float) -> Tensor:
    """``a/2 (|y|^2 - |mu|^2) - <theta, y - mu>`` with ``mu = argmax over conv Z of <theta, m> - a/2 |m|^2``.

    It is >= 0, convex in theta, and 0 where mu = y. Its gradient is ``mu - y``.

    Args:
        theta: parameters, ``(B, *event)``.
        gold: gold solutions y, likewise.
        mu: regularised solutions of theta, likewise; held fixed.
        scale: weight a of the square, > 0.

    Returns:
        One loss for each instance, ``(B,)``.

    Source: Blondel, Martins, Niculae 2020 (arXiv 1901.02324), definition 2; Dalle et al. 2022 (arXiv 2207.13513).
    """
    mu = mu.detach()
    return (scale / 2 * (gold.square() - mu.square()) - theta * (gold - mu)).flatten(1).sum(dim=1)


def cone_alignment(theta: Tensor, inside: Tensor) -> Tensor:
    """``1 - cos(theta, p)`` for a p inside the cone of parameters for which the gold solution is best.

    Args:
        theta: parameters, ``(B, *event)``.
        inside: p of each instance, likewise; held fixed. Its projection on that cone is the nearest one.

    Returns:
        One loss for each instance, ``(B,)``, from 0 to 2; 1 where theta or p is 0.

    Source: Tang and Khalil 2024, "CaVE" (arXiv 2312.07718), equation 6.
    """
    return 1 - nn.functional.cosine_similarity(theta.flatten(1), inside.detach().flatten(1).to(theta), dim=1)
