"""Losses."""

import torch

from imle_core import hamming


def test_hamming_counts_entries_that_differ():
    z = torch.randint(0, 2, (9, 4, 5), generator=torch.Generator().manual_seed(0)).double()
    gold = torch.randint(0, 2, (4, 5), generator=torch.Generator().manual_seed(1)).double()
    assert torch.equal(hamming(z, gold), (z != gold).sum(dim=(1, 2)).double())
    assert torch.equal(hamming(z, z.flip(0)), (z != z.flip(0)).sum(dim=(1, 2)).double())


def test_it_is_linear_in_the_solution_with_gradient_one_minus_two_gold():
    z = torch.rand(3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    gold = torch.tensor([0.0, 1.0, 0.3, 0.0, 1.0, 1.0], dtype=torch.float64)
    loss = hamming(z, gold)
    torch.testing.assert_close(loss, (z * (1 - gold) + (1 - z) * gold).sum(dim=1))
    loss.sum().backward()
    torch.testing.assert_close(z.grad, (1 - 2 * gold).expand(3, 6))


def test_no_rows():
    assert hamming(torch.zeros(0, 2, 3), torch.zeros(2, 3)).shape == (0,)
