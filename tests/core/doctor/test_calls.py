"""Faults of a solver as a function of batches: each is named, and its example shows it again."""

import random
import re

import numpy as np
import pytest
import torch

from imle_core.doctor import instances
from imle_core.solvers import BlackBox, TopK

BEST = TopK(2)


def alone(solver, theta):
    return torch.cat([solver(row[None].clone()) for row in theta])


def differs_alone(solver, example):
    z = solver(example["theta"].clone())
    assert torch.equal(z.float(), example["z"])
    assert torch.equal(alone(solver, example["theta"]).float(), example["other"])
    return not torch.equal(example["z"], example["other"])


def differs_again(solver, example):
    return len({tuple(solver(example["theta"]).flatten().tolist()) for _ in range(50)}) > 1


def is_refused(solver, example):
    try:
        z = solver(example["theta"].clone())
    except (ArithmeticError, KeyError, MemoryError, RuntimeError, AttributeError):
        return True
    return not isinstance(z, torch.Tensor) or z.shape != example["theta"].shape or not z.isfinite().all()


def differs_spread(solver, example):
    spread = torch.stack([example["theta"]] * 2, dim=-1)[..., 0]
    return not torch.equal(solver(spread), solver(example["theta"]))


def differs_in_doubles(solver, example):
    return not torch.equal(solver(example["theta"]), solver(example["theta"].double()).float())


def right(theta):
    return BEST(theta)


def at_random(theta):
    return BEST(theta + torch.randn_like(theta))


def ties_at_random(theta):
    return BEST(theta + 1e-7 * torch.rand_like(theta))


class Remembers:
    """Begins where the call before ended."""

    def __init__(self):
        self.last = torch.zeros(())

    def __call__(self, theta):
        z = BEST(theta + self.last)
        self.last = theta.mean() * torch.arange(6) if theta.numel() else self.last
        return z


class RemembersOthers:
    """Keeps the solutions of the batch before for the next but one."""

    def __init__(self):
        self.seen = []

    def __call__(self, theta):
        if self.seen and torch.equal(self.seen[-1], theta):
            return BEST(theta)
        self.seen.append(theta.clone())
        return BEST(theta if len(self.seen) % 3 else -theta)


def mixed_up(theta):
    return BEST(theta.flip(0))


def first_for_all(theta):
    return BEST(theta[:1]).expand_as(theta).clone()


def with_mates(theta):
    return BEST(theta - theta.mean(dim=0) / 2)


def of_batch_size(theta):
    return TopK(min(len(theta), 3))(theta) if len(theta) else theta.clone()


def squeezed(theta):
    return BEST(theta).squeeze(0)


def not_for_one(theta):
    if len(theta) == 1:
        raise ArithmeticError("one row")
    return BEST(theta)


def mixed_up_in_odd_batches(theta):
    return BEST(theta.flip(0)) if len(theta) % 2 else BEST(theta)


def of_memory(theta):
    """Reads memory past torch's strides."""
    if theta.dtype != torch.float32:
        return BEST(theta)
    numbers = torch.tensor([], dtype=torch.float32).set_(theta.detach().untyped_storage())
    return BEST(numbers[: theta.numel()].view(theta.shape))


def with_nan(theta):
    return torch.where(theta[:, :1] > 0.9, torch.nan, BEST(theta))


def raises_now_and_then(theta):
    if (theta[:, 0] > 0.9).any():
        raise KeyError("no such item")
    return BEST(theta)


def raises_for_some_together(theta):
    if (theta[:, 0] > 0.5).sum() > 2:
        raise MemoryError
    return BEST(theta)


def raises_above_zero(theta):
    if (theta > 0).any():
        raise ArithmeticError("contradictory paths")
    return BEST(theta)


class OtherKinds:
    """Gives something else at each call."""

    def __init__(self):
        self.calls = 0

    def __call__(self, theta):
        self.calls += 1
        z = BEST(theta)
        return [z, z.double(), z.bool(), z.tolist()][self.calls % 4]


FAILS = {
    lambda theta: theta.tolist(): ("call", r"gave list; it must give a tensor; use torch\.as_tensor", is_refused),
    lambda theta: BEST(theta).to_sparse(): ("call", r"gave a sparse tensor; it must give a dense tensor of real", None),
    lambda theta: BEST(theta).to(torch.complex64): ("call", r"gave torch\.complex64; it must give a dense tensor", None),
    lambda theta: theta.nothing: (
        "call",
        r"raised AttributeError \('Tensor' object .*\); whatever theta is, so call the solver itself",
        is_refused,
    ),
    raises_now_and_then: (
        "call",
        r"raised KeyError \('no such item'\) for instance \d+ of 96; it takes theta below 0",
        is_refused,
    ),
    raises_for_some_together: ("call", r"raised MemoryError for 3 of 96 instances together; it takes", is_refused),
    raises_above_zero: (
        "call",
        r"raised ArithmeticError \(contradictory paths\); it takes theta below 0: if that is its domain, give low=-2 and "
        r"high=-0\.02",
        is_refused,
    ),
    lambda theta: theta[:, :2]: (
        "shape",
        r"gave shape \(24, 2\) for \(24, 6\); it must keep the shape, N in front",
        is_refused,
    ),
    lambda theta: theta * torch.nan: ("values", r"gave NaN or infinite entries; a solution must be finite", is_refused),
    with_nan: ("values", r"gave NaN or infinite entries for instance \d+ of 96; a solution must be finite", is_refused),
    at_random: (
        "determinism",
        r"a second call gives others; take a fixed seed or tie rule inside it \(\d+ of 24",
        differs_again,
    ),
    ties_at_random: ("determinism", r"on ties a second call gives others; take a fixed seed or tie rule", differs_again),
    Remembers: ("determinism", r"a second call gives others", differs_again),
    RemembersOthers: ("determinism", r"it keeps state from call to call, which it must not", None),
    mixed_up: ("rows", r"it mixes up the batch: .* but in another order; keep the rows in order \(\d+ of 24", differs_alone),
    first_for_all: ("rows", r"all instances of a batch get one solution, one by one they get others", differs_alone),
    with_mates: ("rows", r"one by one it gives others than in a batch; look at what its instances share", differs_alone),
    of_batch_size: ("rows", r"one by one it gives others than in a batch", differs_alone),
    squeezed: ("rows", r"in a batch of one instance it gave shape \(6,\) for \(1, 6\); it must take any number", is_refused),
    not_for_one: ("rows", r"in a batch of one instance it raised ArithmeticError \(one row\); it must take", is_refused),
    mixed_up_in_odd_batches: ("mates", r"in batches of another size it gives others; an instance must not", None),
    lambda theta: (1.0, BEST(theta)): ("call", r"gave \(float, Tensor\); it must give a tensor; put entry 2 first", None),
    lambda theta: (theta.sum(dim=1), BEST(theta)): (
        "shape",
        r"gave shape \(24,\) for \(24, 6\); it must keep the shape, N in front; put entry 2 first, the solutions",
        is_refused,
    ),
    lambda _: (): ("call", r"gave \(\); it must give a tensor; end it with return z", is_refused),
    lambda theta: BEST(theta).to("meta"): ("call", r"gave a tensor of meta; it must give a dense tensor of real", None),
    lambda theta: (row for row in theta): (
        "call",
        r"gave generator; it must give a tensor; use torch\.as_tensor",
        is_refused,
    ),
    of_memory: (
        "layout",
        r"for parameters that are not contiguous it gives others; read them through torch",
        differs_spread,
    ),
}


def fresh(solver):
    return solver() if isinstance(solver, type) else solver


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAILS, ids=lambda fault: fault.__name__)
def test_a_fault_is_the_only_failure_and_its_example_shows_it_again(examined, fault):
    name, detail, shows = FAILS[fault]
    found = examined(fresh(fault))
    assert found.fails == [name]
    assert re.search(detail, found[name].detail)
    assert len(found[name].example["theta"]) <= 3
    assert shows is None or shows(fresh(fault), found[name].example)


@pytest.mark.slow
def test_a_batch_of_odd_size_that_is_mixed_up(examined):
    example = examined(mixed_up_in_odd_batches)["mates"].example
    assert example["theta"].shape == (3, 6)
    assert differs_alone(mixed_up_in_odd_batches, example)


def normalised(theta):
    if len(theta) == 1:
        raise ArithmeticError("no spread")
    return BEST((theta - theta.mean(dim=0)) / theta.std(dim=0).clamp(min=1e-6))


def test_one_that_is_not_for_one_and_depends_on_mates(examined):
    found = examined(normalised)
    assert found.fails == ["rows", "mates"]
    assert "; an instance must not depend on its batch mates" in found["mates"].detail
    assert not {"maximiser", "monotone", "ties", "gradients"} & set(found.found)
    assert "speed" in found.found
    theta = found["mates"].example["theta"]
    assert torch.equal(normalised(theta), found["mates"].example["z"])
    assert not torch.equal(found["mates"].example["z"], found["mates"].example["other"])


def best_of_one(theta):
    if theta.dim() != 1:
        raise ValueError(f"got {theta.dim()} axes")
    return (theta == theta.max()).to(theta)


def flat_mask(theta):
    return torch.zeros_like(theta).view(-1)[:6].scatter(0, theta.view(-1).topk(2).indices % 6, 1.0)


def test_functions_of_one_instance_are_told_so(examined):
    found = examined(best_of_one)
    assert found["call"].detail == "raised ValueError (got 2 axes); it takes one instance at a time: wrap it in BlackBox"
    found = examined(flat_mask)
    assert found["shape"].detail == (
        "gave shape (6,) for (24, 6); it must keep the shape, N in front; it takes one instance at a time: "
        "wrap it in BlackBox"
    )


def one_hot(theta):
    return torch.zeros(len(theta)).index_fill(0, theta.argmax(), 1.0)


def items(theta):
    return torch.tensor([1.0 if entry.item() > 0 else 0.0 for entry in theta])


def as_lists(theta):
    return [1 if entry > 0 else 0 for entry in theta]


@pytest.mark.parametrize("function", [one_hot, items, as_lists])
def test_others_of_one_instance(examined, function):
    found = examined(function)
    assert found.fails == ["call"]
    assert found["call"].detail.endswith("; it takes one instance at a time: wrap it in BlackBox")


def test_one_that_gives_something_else_at_each_call(examined, monkeypatch):
    monkeypatch.setattr(instances, "_seconds", lambda work: (work(), 0.0)[1])  # a slow one is asked once more before
    found = examined(OtherKinds())
    assert found.fails == ["call"]
    assert found["call"].detail == "gave list; it must give a tensor; use torch.as_tensor"


def test_one_that_takes_batches_and_gives_arrays_is_not_told_so(examined):
    detail = examined(lambda theta: BEST(theta).numpy())["call"].detail
    assert detail == "gave ndarray; it must give a tensor; use torch.as_tensor"


@pytest.mark.slow
def test_one_of_one_instance_that_takes_a_batch_for_one(examined):
    detail = examined(lambda theta: (theta == theta.max()).to(theta))["rows"].detail
    assert "; if it is for one instance, wrap it in BlackBox; from here on it is asked one by one" in detail


def test_a_function_of_one_instance_that_gives_indices(examined):
    def pairs(scores):
        if scores.dim() != 2:
            raise ValueError("expected a matrix")
        return torch.arange(len(scores)).numpy(), scores.argmax(dim=1).numpy()

    assert examined(pairs, (3, 3))["call"].detail == (
        "raised ValueError (expected a matrix); it takes one instance at a time, for which it gave (ndarray, ndarray), so "
        "have it give a solution of shape (3, 3): wrap it in BlackBox"
    )
    detail = examined(BlackBox(pairs), (3, 3))["call"].detail
    assert detail.endswith("if these are indices, give zeros of shape (3, 3) with ones at them)")


def test_argsort_is_no_solver(examined):
    finding = examined(lambda theta: theta.argsort().to(theta), (5,))["maximiser"]
    assert finding.verdict == "fail"
    assert (
        "it gives indices, as argsort does: ranks are argsort().argsort(), a choice has ones among zeros" in finding.detail
    )
    assert "BlackBox" not in examined(squeezed)["rows"].detail


@pytest.mark.slow
@pytest.mark.parametrize("fault", [mixed_up, with_mates, mixed_up_in_odd_batches])
def test_after_a_mix_up_it_is_asked_one_by_one(examined, fault):
    found = examined(fault)
    assert found[found.fails[0]].detail.endswith("; from here on it is asked one by one")
    assert {"maximiser", "monotone", "ties", "gradients"} <= set(found.found)
    assert found.warns == []


@pytest.mark.slow
def test_nothing_is_checked_that_would_mean_nothing(examined):
    assert list(examined(lambda theta: theta.tolist()).found) == ["call"]
    assert list(examined(at_random).found) == ["call", "shape", "values", "determinism"]
    assert "mates" not in examined(mixed_up).found


def seeds_torch(theta):
    torch.manual_seed(0)
    return BEST(theta)


def seeds_others(theta):
    np.random.seed(0)
    random.seed(0)
    return BEST(theta)


def integers(theta):
    return BEST(theta).long()


def doubles(theta):
    return BEST(theta).double()


def through_arrays(theta):
    return torch.from_numpy(BEST(torch.from_numpy(theta.numpy())).numpy())


def not_spread(theta):
    return BEST(theta.view(-1).view(theta.shape))


def not_for_none(theta):
    return BEST(theta) if len(theta) else theta.item()


def not_for_doubles(theta):
    return BEST(theta) if theta.dtype == torch.float32 else theta.nothing


def others_for_doubles(theta):
    return BEST(theta) if theta.dtype != torch.float64 else BEST(-theta)


WARNS = {
    seeds_torch: ("determinism", r"it seeds the global generator of torch, so that noise is the same at each step; give"),
    seeds_others: ("determinism", r"it seeds the global generator of NumPy and Python, so that what others draw repeats;"),
    integers: ("type", r"gives torch\.int64; imle\(\) casts it, but elsewhere it ends gradients; use \.to\(theta\)"),
    doubles: ("type", r"gives torch\.float64 for torch\.float32; imle\(\) casts it, at a cost; use \.to\(theta\)"),
    not_for_none: ("empty", r"for no instances it raised RuntimeError \(.*\); imle\(\) then gives none, others may not"),
    not_for_doubles: ("precision", r"for float64 it raised AttributeError \(.*\); use theta\.float\(\) inside"),
    others_for_doubles: ("precision", r"the same numbers in float64 have other solutions \(24 of 24 instances differ\); "),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", WARNS, ids=lambda fault: fault.__name__)
def test_what_costs_is_the_only_warning(examined, fault):
    name, detail = WARNS[fault]
    found = examined(fault)
    assert (found.fails, found.warns) == ([], [name])
    assert re.match(detail, found[name].detail)


def test_the_numbers_that_another_type_reads_otherwise(examined):
    assert differs_in_doubles(others_for_doubles, examined(others_for_doubles)["precision"].example)


def test_arrays_that_know_no_gradients_and_no_narrow_types(examined):
    found = examined(through_arrays)
    assert (found.fails, found.warns) == ([], ["precision", "grad"])
    assert re.match(r"it raised RuntimeError \(Can't call numpy\(\) on Tensor that requires grad", found["grad"].detail)
    assert re.match(r"for bfloat16 it raised TypeError", found["precision"].detail)


def test_a_layout_that_is_refused_is_a_warning(examined):
    def refuses(theta):
        if not theta.is_contiguous():
            raise ValueError("strides")
        return BEST(theta)

    found = examined(refuses)
    assert found["layout"].verdict == "warn"
    assert found["layout"].detail == "it raised ValueError (strides)"
    assert found.fails == []


def test_the_generator_is_left_as_it_was(examined):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    examined(right)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_the_numbers_say(examined):
    found = examined(right)
    assert (found.fails, found.warns) == ([], [])
    assert found["call"].detail == "24 instances, theta from -1 to 1"
    assert found["shape"].detail == "(24, 6)"
    assert found["values"].detail == "from 0 to 1, all 0 or 1"
    assert found["type"].detail == "torch.float32"
    assert found["mates"].detail == "in 3 other batches alike"
    assert found["precision"].detail == "float64, float16 and bfloat16, too"
    assert found["empty"].detail == "no instances have shape (0, 6)"
