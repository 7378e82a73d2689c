"""Pools of solutions: who answers, masks, growth, resumed runs, and their part in estimators and losses."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from draws import generator, normal
from imle_core import IMLE, ArgumentError, NormalNoiseDistribution, imle
from imle_core.checks import ArgumentTypeError
from imle_core.doctor import check
from imle_core.estimators import ESTIMATORS, differentiable
from imle_core.solvers import BlackBox, GridEdgePath, GridPath, SolutionPool, TopK
from imle_core.solvers.pools.kernels.pool import LANES

SUBSETS = TopK(3)(normal(4000, 8))  # all 56, again and again
NEVER = 1e-300  # a share


def answering(solver, gold, **options):
    """A pool that answers from the first call on."""
    pool = SolutionPool(solver, gold, share=NEVER, **options)
    pool.calls = 1
    return pool


class Costs(nn.Module):
    """The cheapest of 3 entries."""

    sense, pure = "min", True

    def forward(self, costs):
        return TopK(1)(-costs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.int32, torch.int64])
def test_the_best_member_answers(dtype):
    theta = (10 * normal(50, 2, 4)).to(dtype)
    members = SUBSETS[:20].unique(dim=0).view(-1, 2, 4)
    pool = answering(TopK(3), members)
    z = pool(theta)
    scores = theta.double().flatten(1) @ members.flatten(1).T
    assert z.dtype == dtype
    assert torch.equal(z, members[scores.argmax(dim=1)].to(dtype))  # of equally good ones the first
    assert (pool.solved, pool.answered) == (0, 50)


def test_a_complete_pool_is_the_solver():
    theta = normal(60, 8)
    assert torch.equal(answering(TopK(3), SUBSETS)(theta), TopK(3)(theta))
    costs = SolutionPool(Costs(), torch.eye(3), share=NEVER)
    assert torch.equal(costs(normal(30, 3)), Costs()(normal(30, 3)))
    assert torch.equal(imle(costs, sense="min")(normal(30, 3)), Costs()(normal(30, 3)))
    path = GridEdgePath((3, 3))
    pool = answering(path, path(normal(200, 12)))
    assert torch.equal(imle(pool, sense="min")(normal(9, 12, seed=1)), path(-normal(9, 12, seed=1)))


def test_answers_depend_on_no_neighbours_threads_or_parts(monkeypatch):
    pool = answering(TopK(3), SUBSETS + 0.1 * normal(4000, 8, seed=3)[:, :1])
    theta = torch.cat([normal(5 * LANES + 3, 8, seed=1), torch.zeros(4, 8, dtype=torch.float64)])
    z = pool(theta)
    assert torch.equal(torch.cat([pool(row[None]) for row in theta]), z)
    assert torch.equal(pool(theta.flip(0)).flip(0), z)
    monkeypatch.setattr("imle_core.solvers.pools.members._PRODUCTS_A_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(pool(theta), z)


def test_no_member_uses_an_entry_that_is_never_taken():
    members = torch.tensor([[1.0, 1, 0], [0, 1, 1], [-1, 0, 2]])
    pool = answering(BlackBox(lambda theta: theta.new_tensor([0.0, 0, 7])), members, sense="max")
    theta = torch.tensor([[-torch.inf, 1, 1], [1, 1, -torch.inf], [1, -torch.inf, 1], [-torch.inf, -torch.inf, 1]])
    assert pool(theta).tolist() == [[0, 1, 1], [1, 1, 0], [-1, 0, 2], [0, 0, 7]]  # the last one fits none and is solved
    assert (pool.solved, pool.answered, len(pool.members)) == (1, 3, 4)
    assert pool(torch.tensor([[torch.inf, 1, 1]])).tolist() == [[0, 0, 7]]
    costs = answering(Costs(), torch.eye(3)[:2])
    assert costs(torch.tensor([[torch.inf, 2, 1], [5, torch.inf, 9]])).tolist() == [[0, 1, 0], [1, 0, 0]]
    with pytest.raises(ArgumentError, match=r"^theta: got 1 NaN; top-k needs numbers"):
        answering(TopK(3), SUBSETS)(torch.tensor([[torch.nan, 1, 1, 1, 1, 1, 1, 1]]))


def test_gains_outside_the_domain_count_as_the_solver_counts_them():
    theta = torch.tensor([[[1.0, 2], [3, -1]]])  # costs below the floor: longer paths would be better unclamped
    short, long = torch.eye(2), torch.tensor([[1.0, 1], [1, 1]])
    assert torch.equal(answering(GridPath(), torch.stack([long, short]))(theta)[0], short)


@pytest.mark.slow
@pytest.mark.parametrize("source", [None, 0])
def test_a_share_of_the_calls_solves(source):
    pool = SolutionPool(TopK(3), share=0.2, generator=None if source is None else generator(source))
    for call in range(500):
        pool(normal(2, 8, seed=call))
    assert pool.solved + pool.answered == 1000
    assert abs(pool.solved - 200) < (5 if source is None else 5 * 2 * (500 * 0.16) ** 0.5)
    assert len(pool.members.unique(dim=0)) == len(pool.members) > 20
    first = SolutionPool(TopK(3))
    assert torch.equal(first(normal(2, 8)), TopK(3)(normal(2, 8)))


@pytest.mark.slow
def test_every_other_call_solves_as_often_without_a_generator():
    pool, solved = SolutionPool(TopK(1), torch.eye(3), share=0.1), [0, 0]
    for call in range(1000):
        before = pool.solved
        pool(torch.zeros(1, 3))
        solved[call % 2] += pool.solved - before
    assert max(abs(count - 50) for count in solved) <= 3


def test_share_1_solves_always_and_evaluation_leaves_the_pool_as_it_is():
    pool = SolutionPool(TopK(3), share=1)
    assert torch.equal(pool(normal(9, 8)), TopK(3)(normal(9, 8)))
    answers = answering(TopK(3), SUBSETS[:1])
    layer = IMLE(answers)
    assert torch.equal(layer.eval()(normal(9, 8)), TopK(3)(normal(9, 8)))
    assert (len(answers.members), answers.solved) == (1, 9)
    assert (layer.train()(normal(9, 8)) == SUBSETS[0]).all()


def test_members_are_distinct_and_the_oldest_go():
    pool = SolutionPool(TopK(1), torch.eye(5)[:2], share=1, limit=4)
    for best in (4, 0, 3, 3, 2):
        pool(torch.eye(5)[best : best + 1])
    assert pool.members.argmax(dim=1).tolist() == [0, 1, 3, 2]  # gold ones stay
    assert torch.equal(pool(torch.eye(5)), torch.eye(5))
    shares = SolutionPool(lambda theta: theta * 0.5, share=1, sense="max")
    shares(torch.tensor([[1.0, 0.0], [-0.0, 0.2], [0.0, 0.2], [2.0, 2.0]]))
    shares(torch.tensor([[2.0, 2.0], [1.0, 1e-300]], dtype=torch.float64))
    assert shares.members.tolist() == [[0.5, 0], [0, pytest.approx(0.1)], [1, 1], [0.5, 5e-301]]


def test_a_pool_for_each_shape_of_ragged_batches():
    pool, values = SolutionPool(TopK(1), share=0.5), normal(7)
    layer = imle(pool, nb_samples=2)
    assert layer.ragged(values, torch.tensor([0, 3, 7])).shape == (2, 7)
    with pytest.raises(ArgumentError, match=r"^members: got 2 shapes; members of one pool are of one shape"):
        _ = pool.members


def test_a_run_goes_on_where_it_stood(tmp_path):
    def made():
        return SolutionPool(TopK(3), SUBSETS[:5], share=0.3, generator=generator())

    def run(pool, calls):
        return torch.stack([pool(normal(4, 8, seed=call)) for call in calls])

    whole, begun = made(), made()
    wanted = run(whole, range(40))
    run(begun, range(15))
    copies = [copy.deepcopy(begun), pickle.loads(pickle.dumps(begun)), made()]
    torch.save(IMLE(begun).state_dict(), tmp_path / "state.pt")
    IMLE(copies[2]).load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for pool in copies:
        assert torch.equal(run(pool, range(15, 40)), wanted[15:])
        assert torch.equal(pool.members, whole.members)
        assert (pool.solved, pool.answered) == (whole.solved, whole.answered)


def test_two_threads_share_a_pool():
    pool = SolutionPool(TopK(3), share=0.5, generator=generator())
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda seed: pool(normal(20, 8, seed=seed)), range(100)))
    assert all((z.sum(dim=1) == 3).all() for z in answers)
    assert pool.solved + pool.answered == 2000
    assert len(pool.members.unique(dim=0)) == len(pool.members)


@pytest.mark.slow
@pytest.mark.parametrize("sense", ["max", "min"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_learns_with_a_complete_pool_what_it_learns_with_the_solver(name, sense):
    def gradient(solver):
        needs = ESTIMATORS[name].needs
        options = {"normals": lambda gold: gold.unsqueeze(1)} if "normals" in needs else {}
        if "a pool" in needs:
            options["pool"] = solver if isinstance(solver, SolutionPool) else SUBSETS.unique(dim=0)
        noise = None if name == "simple" else NormalNoiseDistribution()
        theta = normal(4, 8, seed=2).requires_grad_()
        layer = differentiable(
            name, solver, noise_distribution=noise, nb_samples=2, sense=sense, generator=generator(), **options
        )
        layer.loss(theta, truth=normal(4, 8, seed=3), gold=SUBSETS[:4]).sum().backward()
        return theta.grad

    torch.testing.assert_close(gradient(answering(TopK(3), SUBSETS.unique(dim=0))), gradient(TopK(3)))


@pytest.mark.parametrize("sense", ["max", "min"])
def test_losses_over_a_pool_grow_it_as_they_learn(sense):
    pool = SolutionPool(TopK(3), SUBSETS[:2], share=1)
    layer = differentiable("contrastive", pool, sense=sense)
    theta = normal(2, 8, seed=5).requires_grad_()
    with torch.no_grad():
        layer.loss(theta, gold=SUBSETS[:2])
    assert len(pool.members) == 2
    layer.loss(theta, gold=SUBSETS[:2])
    best = TopK(3)(theta.detach() if sense == "max" else -theta.detach())
    assert torch.equal(pool.members[2:].double(), best)
    pool.eval()
    layer.loss(theta + 1, gold=SUBSETS[:2])
    assert (pool.solved, len(pool.members)) == (2, 4)
    empty = differentiable("rank-list", TopK(3), pool=SolutionPool(TopK(3)))
    assert empty.loss(theta, truth=normal(2, 8)).shape == (2,)
    with torch.no_grad(), pytest.raises(ArgumentError, match=r"^pool: got shape \(0,\) for theta of shape \(2, 8\)"):
        differentiable("rank-list", SolutionPool(TopK(3))).loss(theta, truth=normal(2, 8))


@pytest.mark.slow
def test_vmap_and_the_doctor():
    pool = answering(TopK(2), TopK(2)(normal(500, 5)))
    theta = normal(3, 4, 5)
    layer = imle(pool)
    assert torch.equal(torch.func.vmap(layer)(theta), torch.stack([layer(rows) for rows in theta]))
    # One that always answers is a maximiser over its members, however few; one that now solves and now answers is none.
    for healthy in (pool, answering(TopK(2), TopK(2)(normal(2, 5))), SolutionPool(TopK(2), share=1)):
        assert not [finding for finding in check(healthy, (5,)) if finding.verdict == "fail"]
    mixed = check(SolutionPool(TopK(2), share=0.05), (5,))
    assert "maximiser" in {finding.check for finding in mixed if finding.verdict == "fail"}


def test_what_the_solver_declares_holds_for_the_pool():
    path = SolutionPool(GridPath())
    assert path.domain == GridPath().domain
    assert (path.sense, path.typical_ones((4, 5))) == ("max", GridPath().typical_ones((4, 5)))
    assert (SolutionPool(Costs()).sense, SolutionPool(Costs()).domain, SolutionPool(Costs()).normals) == ("min", None, None)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *(
            (lambda share=share: SolutionPool(TopK(1), share=share), f"^share: got {got}; it is the probability that a call")
            for share, got in ((0, "0"), (1.5, r"1\.5"), (float("nan"), "nan"), (-1, "-1"))
        ),
        (lambda: SolutionPool(TopK(1), torch.zeros(3)), r"^gold: got shape \(3,\); it must be \(K, \*event\)"),
        (lambda: SolutionPool(TopK(1), torch.zeros(0, 3)), r"^gold: got shape \(0, 3\); it must be \(K, \*event\)"),
        (lambda: SolutionPool(TopK(1), torch.full((1, 2), torch.nan)), "^gold: got 2 NaN or infinite entries"),
        (
            lambda: SolutionPool(TopK(1), torch.eye(3))(torch.eye(4)),
            r"^theta: got shape \(4, 4\); it must be \(N, 3\)",
        ),
        (lambda: SolutionPool(TopK(1))(torch.zeros(4)), r"^theta: got shape \(4,\); it must be \(N, \*event\)"),
        (lambda: SolutionPool(TopK(1), torch.eye(3), limit=2), "^limit: got 2; it must be a whole number >= 3"),
        (lambda: SolutionPool(lambda theta: theta), "^sense: missing; a pool must know it, and the solver declares none"),
        (lambda: SolutionPool(TopK(1), sense="min"), "^sense: got 'min'; the solver declares 'max'; leave it out"),
        (lambda: SolutionPool(TopK(1), sense="most"), "^sense: got 'most'; it must be"),
        (lambda: SolutionPool(TopK())(torch.eye(3), k=[1]), "^solver: got further arguments of the solver; a pool has"),
    ],
)
def test_wrong_pools_are_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SolutionPool(TopK), "^solver: got the class TopK; it must be a solver, an object that can be called"),
        (lambda: SolutionPool(TopK(1), share=None), "^share: got NoneType; it must be a number"),
        (lambda: SolutionPool(TopK(1), generator=0), r"^generator: got int; it must be a torch\.Generator"),
        (lambda: SolutionPool(TopK(1), [[1, 0]]), "^gold: got list; it must be a dense tensor"),
        (lambda: SolutionPool(TopK(1))([[1, 0]]), "^theta: got list; it must be a dense tensor"),
        (
            lambda: SolutionPool(lambda theta: (theta, 1), sense="max")(torch.eye(3)),
            "^solver: gave further outputs; a pool keeps solutions alone",
        ),
    ],
)
def test_wrong_types_are_refused(make, message):
    with pytest.raises(ArgumentTypeError, match=message):
        make()
