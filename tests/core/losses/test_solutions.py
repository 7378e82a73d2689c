"""Losses."""

from itertools import product

import pytest
import torch

from draws import normal
from imle_core import fenchel_young, hamming

STATES = torch.tensor([bits for bits in product((0.0, 1.0), repeat=4) if sum(bits) in (1, 2)], dtype=torch.float64)


def best(rows):
    """The solution by enumeration, for any leading axes."""
    return STATES[(rows @ STATES.T).argmax(dim=-1)]


class TestHamming:
    def test_it_counts_entries_that_differ(self):
        z = torch.randint(0, 2, (9, 4, 5), generator=torch.Generator().manual_seed(0)).double()
        gold = torch.randint(0, 2, (4, 5), generator=torch.Generator().manual_seed(1)).double()
        assert torch.equal(hamming(z, gold), (z != gold).sum(dim=(1, 2)).double())
        assert torch.equal(hamming(z, z.flip(0)), (z != z.flip(0)).sum(dim=(1, 2)).double())

    def test_it_is_linear_in_the_solution_with_gradient_one_minus_two_gold(self):
        z = torch.rand(3, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
        gold = torch.tensor([0.0, 1.0, 0.3, 0.0, 1.0, 1.0], dtype=torch.float64)
        loss = hamming(z, gold)
        torch.testing.assert_close(loss, (z * (1 - gold) + (1 - z) * gold).sum(dim=1))
        loss.sum().backward()
        torch.testing.assert_close(z.grad, (1 - 2 * gold).expand(3, 6))

    @pytest.mark.parametrize("shape", [(20, 5), (20,), (4, 1, 5), (5, 4), (20, 4, 1)])
    def test_gold_solutions_of_another_shape_are_not_compared_all_with_all(self, shape):
        message = r"gold: got shape \(.*\) for solutions of shape \(20, 4, 5\); it must be .*; of B golds for S samples"
        with pytest.raises(ValueError, match=message):
            hamming(torch.zeros(20, 4, 5), torch.zeros(shape))
        with pytest.raises(ValueError, match=message):
            fenchel_young(torch.zeros(20, 1, 4, 5), torch.zeros(20, 1, 4, 5), torch.zeros(20, 4, 5), torch.zeros(shape))

    def test_no_rows(self):
        assert hamming(torch.zeros(0, 2, 3), torch.zeros(2, 3)).shape == (0,)


class TestFenchelYoung:
    def test_it_is_the_mean_of_the_best_values_less_that_of_the_gold_solution(self):
        theta, eps = normal(3, 4), normal(3, 7, 4, seed=1)
        for gold in (best(normal(3, 4, seed=2)), best(normal(4, seed=2))):
            perturbed = theta[:, None] + eps
            value = fenchel_young(perturbed, best(perturbed), theta, gold)
            for b in range(3):
                best_values = [max(float(row @ state) for state in STATES) for row in perturbed[b]]
                wanted = float(theta[b] @ (gold[b] if gold.dim() == 2 else gold))
                assert float(value[b]) == pytest.approx(sum(best_values) / 7 - wanted, rel=1e-12)

    def test_its_gradient_is_the_mean_solution_less_the_gold_one_and_matches_differences(self):
        theta, eps, gold = normal(3, 4), normal(3, 7, 4, seed=1), best(normal(3, 4, seed=2))

        def value(theta):
            perturbed = theta[:, None] + eps
            return fenchel_young(perturbed, best(perturbed), theta, gold).sum()

        leaf = theta.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(value(leaf), leaf)
        torch.testing.assert_close(gradient, best(theta[:, None] + eps).mean(dim=1) - gold)
        for unit in torch.eye(12, dtype=torch.float64).view(12, 3, 4):
            difference = (value(theta + 1e-6 * unit) - value(theta - 1e-6 * unit)) / 2e-6
            assert float(difference) == pytest.approx(float((gradient * unit).sum()), abs=1e-7)

    def test_it_is_convex_along_a_line_and_least_where_the_mean_solution_is_the_gold_one(self):
        theta, line, eps = normal(1, 4), normal(1, 4, seed=3), normal(1, 50, 4, seed=1)
        points = torch.linspace(-4, 4, 81, dtype=torch.float64)

        def values(gold):
            perturbed = (theta + points[:, None] * line)[:, None] + eps
            return fenchel_young(perturbed, best(perturbed), theta + points[:, None] * line, gold)

        curve = values(best(normal(4, seed=2)))
        bends = curve[2:] - 2 * curve[1:-1] + curve[:-2]
        assert (bends > -1e-12).all()
        assert (bends > 1e-3).sum() > 10
        reachable = best(theta[:, None] + eps).mean(dim=1)  # the mean solution at the point 0 of the line
        assert int(values(reachable).argmin()) == 40

    def test_infinite_entries_count_as_nothing(self):
        theta = torch.tensor([[1.0, -torch.inf, 2.0]]).requires_grad_()
        z, gold = torch.tensor([[[0.0, 0.0, 1.0]]]), torch.tensor([1.0, 1.0, 0.0])
        value = fenchel_young(theta[:, None], z, theta, gold)
        assert value.tolist() == [1.0]
        value.sum().backward()
        assert theta.grad.tolist() == [[-1.0, 0.0, 1.0]]

    def test_no_gradient_passes_through_the_solutions(self):
        theta = normal(2, 4).requires_grad_()
        z = torch.sigmoid(theta)[:, None]
        (gradient,) = torch.autograd.grad(fenchel_young(theta[:, None], z, theta, torch.zeros(4)).sum(), theta)
        torch.testing.assert_close(gradient, z[:, 0].detach())
