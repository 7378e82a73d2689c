"""Independent choices: closed forms."""

import torch

from imle_core.exact import Categorical, Hypercube

THETA = torch.tensor([[[-800.0, -30.0, 0.5], [20.5, 1e4, 37.0]]], dtype=torch.float64)


def test_marginals_are_softmax_and_sigmoid():
    torch.testing.assert_close(Categorical((2, 3)).marginals(THETA), THETA.softmax(dim=-1), rtol=1e-13, atol=0)
    torch.testing.assert_close(Hypercube((2, 3)).marginals(THETA), THETA.sigmoid(), rtol=1e-13, atol=0)


def test_covariances_are_those_of_single_choices():
    p = THETA.sigmoid().flatten()
    torch.testing.assert_close(Hypercube((2, 3)).covariance(THETA)[0], (p * (1 - p)).diag(), rtol=1e-9, atol=1e-15)
    p = THETA.softmax(dim=-1)[0]
    blocks = torch.block_diag(*[row.diag() - row[:, None] * row for row in p])
    torch.testing.assert_close(Categorical((2, 3)).covariance(THETA)[0], blocks, rtol=1e-9, atol=1e-15)


def test_log_partition_of_a_bit_is_not_rounded_to_its_parameter():
    # softplus(20.5) - 20.5 = log(1 + exp(-20.5)), which torch's softplus drops
    theta = torch.tensor([[20.5]], dtype=torch.float64)
    excess = Hypercube(1).log_partition(theta) - 20.5
    torch.testing.assert_close(excess, theta[0].neg().exp().log1p(), rtol=1e-5, atol=0)


def test_counts_are_exact_at_any_size():
    assert Hypercube((10, 20)).count() == 2**200
    assert Categorical((100, 7)).count() == 7**100
