"""Generator states for recomputations; the estimator's tests use them under real checkpointing."""

import pytest
import torch

from imle_core.replay import Replay


def draw(replay, theta):
    with replay.drawing(theta):
        return torch.rand(3, generator=replay.generator).tolist()


@pytest.fixture
def replay():
    return Replay(torch.Generator().manual_seed(0))


@pytest.fixture
def recomputing(monkeypatch):
    """Switches between a first pass and a recomputation inside the autograd engine."""
    present = {"task": -1}
    monkeypatch.setattr(torch._C, "_current_graph_task_id", lambda: present["task"])
    return lambda inside: present.update(task=0 if inside else -1)


def test_first_passes_draw_from_the_generator_as_it_stands(replay):
    drawn = [draw(replay, torch.zeros(2, 2)) for _ in range(3)]
    generator = torch.Generator().manual_seed(0)
    assert drawn == [torch.rand(3, generator=generator).tolist() for _ in range(3)]


def test_a_recomputation_draws_again_and_leaves_the_generator_where_it_stood(replay, recomputing):
    one, other = torch.zeros(2, 2), torch.ones(2, 2)
    first, second = draw(replay, one), draw(replay, other)
    before = replay.generator.get_state()
    recomputing(True)
    assert [draw(replay, one), draw(replay, other)] == [first, second]
    assert torch.equal(replay.generator.get_state(), before)


def test_calls_with_equal_parameters_are_replayed_last_first(replay, recomputing):
    theta = torch.full((1, 2), -torch.inf)
    drawn = [draw(replay, theta) for _ in range(3)]
    recomputing(True)
    assert [draw(replay, theta) for _ in range(3)] == drawn[::-1]


def test_shape_type_and_sum_tell_calls_apart(replay, recomputing):
    thetas = [torch.zeros(2, 2), torch.zeros(4, 1), torch.zeros(2, 2, dtype=torch.float64), torch.ones(2, 2)]
    drawn = [draw(replay, theta) for theta in thetas]
    recomputing(True)
    assert [draw(replay, theta) for theta in thetas] == drawn


def test_the_last_256_calls_are_kept(replay, recomputing):
    drawn = [draw(replay, torch.full((1, 1), float(i))) for i in range(257)]
    recomputing(True)
    assert draw(replay, torch.full((1, 1), 1.0)) == drawn[1]
    with pytest.raises(RuntimeError, match=r"^generator: no state is on record for a recomputation"):
        draw(replay, torch.full((1, 1), 0.0))
