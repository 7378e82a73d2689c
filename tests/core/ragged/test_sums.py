"""Sums that neither padding nor batch mates change by a bit."""

import pytest
import torch

from draws import normal
from imle_core.ragged import entry_norms, entry_products, entry_sums, sample_means


@pytest.mark.parametrize("size", [1, 2, 5, 8, 13])
def test_zeros_at_the_end_and_other_rows_change_no_bit(size):
    rows = normal(7, size)
    for width in (size, size + 1, 16, 40):
        padded = torch.nn.functional.pad(rows, (0, width - size))
        assert torch.equal(entry_sums(padded), entry_sums(rows))
        assert torch.equal(entry_norms(padded[2:3]), entry_norms(rows)[2:3])
        assert torch.equal(entry_products(padded, padded.flip(0)), entry_products(rows, rows.flip(0)))
    torch.testing.assert_close(entry_sums(rows), rows.sum(dim=1))
    torch.testing.assert_close(entry_norms(rows), rows.norm(dim=1))
    torch.testing.assert_close(entry_products(rows, rows.flip(0)), (rows * rows.flip(0)).sum(dim=1))


@pytest.mark.parametrize("samples", [1, 2, 3, 7, 10])
def test_means_over_samples_do_not_depend_on_other_entries(samples):
    values = normal(3, samples, 37)
    means = sample_means(values)
    torch.testing.assert_close(means, values.mean(dim=1))
    for size in (1, 2, 8, 36):
        assert torch.equal(sample_means(values[1:2, :, :size].contiguous()), means[1:2, :size])


def test_narrow_types_sum_in_float32():
    assert entry_norms(torch.full((1, 4), 3e4, dtype=torch.float16)).item() == 6e4
    assert sample_means(torch.full((1, 4, 2), 6e4, dtype=torch.float16)).tolist() == [[6e4, 6e4]]
    assert entry_sums(torch.zeros(2, 0)).tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compiled_sums_are_those_of_torch_to_the_bit(dtype, monkeypatch):
    values = normal(5, 7, 13).to(dtype)
    layouts = [values, values.transpose(0, 1), values[:, :1].expand(-1, 4, -1), values[..., ::2], values[:, 0]]

    def every():
        return [
            result
            for each in layouts
            for result in (entry_sums(each), entry_norms(each), entry_products(each, each.flip(0)), sample_means(each))
        ]

    compiled = every()
    monkeypatch.setattr("imle_core.ragged.copies.has_memory", lambda _: False)
    assert all(map(torch.equal, compiled, every()))


def test_gradients_flow_through_sums():
    values = normal(2, 3, 4).requires_grad_()
    assert torch.equal(torch.autograd.grad(sample_means(values).sum(), values)[0], torch.full_like(values, 1 / 3))
    assert torch.equal(torch.autograd.grad(entry_sums(values).sum(), values)[0], torch.ones_like(values))
    others = normal(2, 3, 4, seed=1)
    assert torch.equal(torch.autograd.grad(entry_products(others, values).sum(), values)[0], others)
