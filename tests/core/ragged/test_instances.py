"""Ragged batches: offsets, layouts, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from draws import normal
from imle_core import ArgumentError, GumbelNoiseDistribution, imle
from imle_core.checks import ArgumentTypeError
from imle_core.ragged import instances_of
from imle_core.solvers import TopK

LAYER = imle(TopK(1, at_most=True), noise_distribution=GumbelNoiseDistribution())
VALUES = normal(5)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([1, 3, 5], "offsets: got 1 as the first; it must be 0; put 0 in front of the ends"),
        ([0, 4, 3, 5], "offsets: got 3 after 4; an instance cannot end before it begins; give ends in order"),
        ([0, 3], "offsets: got 3 as the last for values of 5 entries; the last instance must end with them"),
        ([0, 6], "offsets: got 6 as the last for values of 5 entries"),
        ([0.0, 5.0], "offsets: got float64; they must be B \\+ 1 whole numbers; give integers"),
        (torch.tensor([0.0, 5.0]), "offsets: got torch.float32; they must be B \\+ 1 whole numbers; use offsets.long"),
        (torch.tensor([False, True]), "offsets: got bool; they must be B \\+ 1 whole numbers"),
        (torch.eye(2).to_sparse(), "offsets: got a tensor without numbers of its own"),
        ([[0, 5]], r"offsets: got shape \(1, 2\); they must be B \+ 1 whole numbers; give where instances begin"),
        ([], r"offsets: got shape \(0,\); they must be B \+ 1 whole numbers"),
        (5, r"offsets: got shape \(\); they must be B \+ 1 whole numbers"),
        ("05", "offsets: got str; they must be B \\+ 1 whole numbers"),
        (None, "offsets: got NoneType; they must be B \\+ 1 whole numbers"),
        ([0, 2**70], "offsets: got list; they must be B \\+ 1 whole numbers"),
        (torch.tensor([0, 5], device="meta"), "offsets: got a tensor on meta for values on cpu; both must be on one device"),
    ],
)
def test_offsets_that_are_none_are_refused(offsets, message):
    with pytest.raises(ArgumentError, match=f"^{message}"):
        LAYER.ragged(VALUES, offsets)


@pytest.mark.parametrize(
    ("values", "offsets", "message"),
    [
        (torch.tensor(1.0), [0, 1], r"values: got shape \(\); they must be \(T, \*rest\), the entries of all instances"),
        (torch.arange(3), [0, 3], r"values: got torch.int64; it must have a floating type; use values.float\(\)"),
        ([0.5, 1.0], [0, 2], "values: got list; it must be a dense tensor of real numbers"),
        (torch.tensor([0.5, torch.nan]), [0, 1, 2], "values: got 1 NaN of 2 entries; it must have none"),
    ],
)
def test_values_that_are_none_are_refused(values, offsets, message):
    with pytest.raises(ArgumentError, match=f"^{message}"):
        LAYER.ragged(values, offsets)


def test_refusals_of_a_type_are_type_errors():
    for values, offsets in ((VALUES, [0.0, 5.0]), (VALUES.long(), [0, 5]), (VALUES, "05")):
        with pytest.raises(ArgumentTypeError):
            LAYER.ragged(values, offsets)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.uint16])
def test_offsets_may_have_any_integer_type(dtype):
    assert instances_of(VALUES, torch.tensor([0, 2, 5], dtype=dtype)).sizes.tolist() == [2, 3]


def test_offsets_are_the_same_for_all_that_vmap_maps():
    with pytest.raises(ArgumentTypeError, match=r"^offsets: got a tensor without numbers .* that torch\.func maps"):
        torch.func.vmap(LAYER.ragged)(VALUES[None], torch.tensor([[0, 5]]))


def test_offsets_may_be_lists_tuples_or_arrays_and_are_read_once():
    array = np.array([0, 2, 5])
    instances = instances_of(VALUES, array)
    array[1] = 4
    assert instances.sizes.tolist() == [2, 3]
    assert instances_of(VALUES, (0, 2, 5)).sizes.tolist() == [2, 3]
    assert instances_of(VALUES, torch.tensor([0, 9, 2, 9, 5])[::2]).starts.tolist() == [0, 2, 5]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("rest", [(), (3,), (2, 2)])
@pytest.mark.parametrize("offsets", [[0, 2, 2, 5, 6], [0, 3, 6], [0, 6], [0]])
def test_layouts_are_each_other_s_inverse_and_derivative(offsets, rest, dtype):
    total = offsets[-1]
    values = normal(3, total, *rest).to(dtype).transpose(0, 1).contiguous().transpose(0, 1)[1].requires_grad_()
    instances = instances_of(values.detach(), offsets)
    padded = instances.padded(values, -torch.inf, -1.0)
    assert padded.shape == (len(offsets) - 1, instances.longest, *rest)
    for b, (first, last) in enumerate(pairwise(offsets)):
        assert torch.equal(padded[b, : last - first], values[first:last])
        assert (padded[b, last - first :] == (-torch.inf if last > first else -1.0)).all()
    assert torch.equal(instances.unpadded(padded), values)
    samples = torch.stack([padded, padded + 1], dim=1)
    assert torch.equal(instances.unpadded_samples(samples), torch.stack([values, values + 1]))
    weights = normal(*padded.shape).to(dtype)
    (gradient,) = torch.autograd.grad((padded.masked_fill(padded.isinf(), 0) * weights).sum(), values)
    assert torch.equal(gradient, instances.unpadded(weights))


def test_copies_without_kernels_are_the_same(monkeypatch):
    values, offsets = normal(6, 2), [0, 2, 2, 5, 6]
    instances = instances_of(values, offsets)

    def both():
        padded = instances.padded(values, -torch.inf, -1.0)
        samples = torch.stack([padded, 2 * padded], dim=1)
        return padded, instances.unpadded_samples(samples), instances.unpadded(padded)

    compiled = both()
    monkeypatch.setattr("imle_core.ragged.copies.has_memory", lambda _: False)
    assert all(map(torch.equal, compiled, both()))


def test_second_derivatives_flow_through_both_layouts():
    values, offsets = normal(6).double().requires_grad_(), [0, 2, 2, 6]
    instances = instances_of(values.detach(), offsets)
    assert torch.autograd.gradgradcheck(lambda values: instances.unpadded(instances.padded(values**3) ** 2), values)
