"""Learning to decide: baselines to all their figures, every learner learns, supervision, and what is refused."""

import itertools

import pytest
import torch
from torch import nn

from imle_core import ArgumentError
from imle_core.decisions import (
    BASELINES,
    COST_NETWORKS,
    FITTED,
    LEARNERS,
    DecisionFit,
    Decisions,
    DecisionTraining,
    FittedCosts,
    judge,
    knapsack_data,
    make_cost_network,
    make_method,
    shortest_path_data,
    supervision,
    usual_loss,
)
from imle_core.estimators import DECISION_LOSSES, ESTIMATORS
from imle_core.noise import NormalNoiseDistribution
from imle_core.solvers import GridEdgePath, Knapsack, TopK
from imle_core.training import Clock


def paths(count=1000, test=500):
    features, costs = shortest_path_data(count, 5, (4, 4), degree=4, noise_width=0.5, seed=42)
    return Decisions(features, costs, GridEdgePath((4, 4)), sense="min").split(test, seed=42)


def published(kind):
    """The data sets of the two published protocols, to learn from and to be judged by."""
    if kind == "paths":
        features, costs = shortest_path_data(2000, 5, (5, 5), degree=4, noise_width=0.5, seed=42)
        return Decisions(features, costs, GridEdgePath((5, 5)), sense="min").split(1000, seed=42)
    features, costs, weights = knapsack_data(1100, 5, 16, constraints=2, degree=6, noise_width=0.5)
    knapsack = Knapsack(weights, torch.tensor([20.0, 20.0]))
    return Decisions(features, costs, knapsack, sense="max").split(1000, seed=246)


def least():
    """Four decisions for the smaller of two costs, which the sign of the only feature tells."""
    features = torch.tensor([[-2.0], [-1.0], [1.0], [2.0]])
    return Decisions(features, torch.cat([1 + features, 1 - features], dim=1), TopK(1), sense="min")


def trained(name, learned_from, network="linear", seed=0, learning=None, **settings):
    generator, clock = torch.Generator().manual_seed(seed), Clock()
    noise = NormalNoiseDistribution()
    method = make_method(name, learned_from, noise_distribution=noise, generator=generator, clock=clock, **(learning or {}))
    made = make_cost_network(network, learned_from, seed)
    return DecisionTraining(made, method, learned_from, seed=seed, generator=generator, clock=clock, **settings)


class TestFit:
    @pytest.mark.slow
    @pytest.mark.parametrize(("kind", "squares", "means"), [("paths", 8.5787, 49.3629), ("knapsack", 10.7327, 36.7358)])
    def test_the_published_figures(self, kind, squares, means):
        learned_from, judged_by = published(kind)
        for name, wanted in (("least-squares", squares), ("mean-costs", means)):
            network = FittedCosts(learned_from.features, learned_from.costs.shape[1:])
            (record,) = DecisionFit(name, network, learned_from)
            assert 100 * judge(network, judged_by).regret == pytest.approx(wanted, abs=5e-5)
            assert record.ends_epoch
            assert record.loss > 0

    def test_a_linear_truth_is_found(self):
        x = torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(0))
        slopes = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
        costs = (x.flatten(1) @ slopes + 7).view(50, 3, 2)
        network = FittedCosts(x, (3, 2)).fit_least_squares(Decisions(x, costs, lambda c: (c > 0).to(c), sense="max"))
        torch.testing.assert_close(network(x).float(), costs, atol=1e-4, rtol=1e-4)

    def test_features_that_depend_on_each_other_get_the_smallest_slopes(self):
        x = torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
        twice = Decisions(torch.cat([x, x], dim=1), torch.cat([2 * x, 0 * x], dim=1), TopK(1), sense="min")
        network = FittedCosts(twice.features, (2,)).fit_least_squares(twice)
        wanted = torch.tensor([[1.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
        torch.testing.assert_close(network.slopes, wanted, atol=1e-6, rtol=0)

    def test_another_name(self):
        with pytest.raises(ArgumentError, match="name: got 'imle'"):
            DecisionFit("imle", FittedCosts(torch.zeros(1, 1), (2,)), least())


class TestNetworks:
    @pytest.mark.parametrize("name", COST_NETWORKS)
    def test_the_unit_of_features_plays_no_part(self, name):
        decisions = least()
        other = Decisions(1e4 + 1e3 * decisions.features, decisions.costs, TopK(1), sense="min")
        ours, theirs = (make_cost_network(name, kind, 0)(kind.features) for kind in (decisions, other))
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)

    def test_constant_features_and_events_of_several_axes(self):
        decisions = Decisions(torch.ones(4, 2), torch.rand(4, 3, 5), lambda c: (c > 0).to(c), sense="max")
        predicted = make_cost_network("linear", decisions, 0)(decisions.features)
        assert predicted.shape == (4, 3, 5)
        assert predicted.isfinite().all()

    def test_the_seed_decides_and_torch_s_generator_stays(self):
        state = torch.random.get_rng_state()
        first, same, other = (make_cost_network("mlp", least(), seed)(torch.ones(1, 1)) for seed in (1, 1, 2))
        assert torch.equal(first, same)
        assert not torch.equal(first, other)
        assert torch.equal(state, torch.random.get_rng_state())

    def test_another_name(self):
        with pytest.raises(ArgumentError, match="network"):
            make_cost_network("small", least(), 0)


class TestLearning:
    @pytest.mark.slow
    # Of two costs the identity's projection leaves no gradient, and a one-sided step none where decisions are all wrong.
    @pytest.mark.parametrize(
        "name",
        [
            "regression",
            *(name for name in LEARNERS if name not in ("cone", "cone-margin", "identity", "perturbation-gradient")),
        ],
    )
    def test_every_learner_learns(self, name):
        decisions = least()
        learning = {"beta": 2.0, "nb_samples": 8}
        training = trained(name, decisions, learning=learning if name != "regression" else {}, epochs=60, batch=4, lr=0.1)
        first = next(iter(training))
        list(training)
        assert first.step == 1
        assert judge(training.network, decisions).regret < 0.01

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["spo-plus", "imle", "fenchel-young"])
    def test_regret_below_least_squares(self, name):
        learned_from, judged_by = published("paths")
        network = FittedCosts(learned_from.features, (40,)).fit_least_squares(learned_from)
        training = trained(name, learned_from, learning={"nb_samples": 3} if name != "spo-plus" else {})
        list(training)
        assert judge(training.network, judged_by).regret < judge(network, judged_by).regret - 0.005

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["identity", "perturbation-gradient"])
    def test_others_learn_paths(self, name):
        learned_from, judged_by = paths()
        training = trained(name, learned_from, epochs=8)
        before = judge(training.network, judged_by).regret
        list(training)
        assert judge(training.network, judged_by).regret < before / 2

    def test_solves_are_counted_and_timed(self):
        learned_from, _ = paths(200, 100)
        training = trained("imle", learned_from, learning={"nb_samples": 3}, epochs=2)
        (_, last) = (training.epoch_record for record in training if record.ends_epoch)
        assert last.solves == 100 * 3 * 2
        assert 0 < last.solver_seconds < last.seconds

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["imle", "spo-plus", "rank-list", "contrastive"])
    def test_with_a_pool_few_rows_are_solved_and_it_goes_on_to_the_bit(self, name):
        learned_from, _ = paths(200, 100)
        settings = {"learning": {"pool": 0.2}, "epochs": 4, "batch": 10}
        whole, begun, other = (trained(name, learned_from, **settings) for _ in range(3))
        list(whole)
        assert 0 < whole.clock.solves < 400 * 6 * 0.3
        assert whole.method.pool.solved == whole.clock.solves
        list(itertools.islice(begun, 17))
        other.load_state_dict(begun.state_dict())
        list(other)
        for got, wanted in zip(other.network.parameters(), whole.network.parameters(), strict=True):
            assert torch.equal(got, wanted)
        assert torch.equal(other.method.pool.members, whole.method.pool.members)

    @pytest.mark.parametrize("share", [0, 1.5])
    def test_a_share_outside_its_range(self, share):
        with pytest.raises(ArgumentError, match="share: got"):
            make_method("spo-plus", least(), pool=share)

    def test_true_costs_in_float64(self):
        decisions = Decisions(torch.randn(9, 2), torch.rand(9, 4, dtype=torch.float64), TopK(2), sense="min")
        assert len(list(trained("spo-plus", decisions, epochs=1))) == 1
        assert len(list(trained("regression", decisions, epochs=1))) == 1

    def test_a_batch_has_what_belongs_together(self):
        learned_from, _ = paths(60, 10)
        training = trained("regression", learned_from)
        features, gold, costs = training.batch(torch.tensor([7, 3]))
        for got, whole in ((features, learned_from.features), (gold, learned_from.gold), (costs, learned_from.costs)):
            assert torch.equal(got, whole[[7, 3]])

    def test_schedules(self):
        rates = {}
        for schedule in ("cosine", "constant"):
            training = trained("regression", least(), epochs=20, batch=4, lr=0.1, schedule=schedule)
            rates[schedule] = [training.optimizer.param_groups[0]["lr"] for _ in training]
        assert rates["constant"] == [0.1] * 20
        assert rates["cosine"][0] == pytest.approx(0.05)
        assert rates["cosine"][-1] < 0.002

    def test_costs_of_another_shape(self):
        with pytest.raises(ArgumentError, match=r"network: got shape \(4, 3\) for true costs of shape \(4, 2\)"):
            list(DecisionTraining(nn.Linear(1, 3), make_method("regression", least()), least()))


class TestNames:
    def test_all_but_exact_ones(self):
        left_out = {name for name, entry in (ESTIMATORS | DECISION_LOSSES).items() if entry.exact}
        assert set(LEARNERS) == {*ESTIMATORS, *DECISION_LOSSES} - left_out
        assert left_out == {"simple", "score-function-exact"}
        assert set(FITTED) < set(BASELINES)

    @pytest.mark.parametrize(
        ("name", "loss", "words"),
        [
            ("imle", None, "true costs"),
            ("imle", "hamming", "gold solutions"),
            ("identity", None, "gold solutions"),
            ("identity", "regret", "true costs"),
            ("spo-plus", None, "true costs"),
            ("fenchel-young", None, "gold solutions"),
            ("contrastive", None, "gold solutions and a pool"),
            ("rank-list", None, "true costs and a pool"),
            ("cone", None, "gold solutions and normals"),
            ("least-squares", None, "true costs"),
        ],
    )
    def test_supervision(self, name, loss, words):
        assert supervision(name, loss) == words

    def test_losses(self):
        assert {usual_loss(name) for name in BASELINES} == {None}
        assert usual_loss("imle") == "regret"
        assert usual_loss("straight-through") == usual_loss("frank-wolfe") == "squared"
        assert make_method("imle", least(), loss="squared").loss == "squared"

    @pytest.mark.parametrize("name", ["spo-plus", "fenchel-young", "regression", "rank-list"])
    def test_a_loss_for_what_is_one(self, name):
        with pytest.raises(ArgumentError, match=f"loss: got 'regret'; {name} has a loss of its own"):
            make_method(name, least(), loss="regret")

    @pytest.mark.parametrize("name", ["least-squares", "simple", "none"])
    def test_others(self, name):
        with pytest.raises(ArgumentError, match="estimator"):
            make_method(name, least())


@pytest.mark.parametrize(
    "call",
    [
        lambda none, network: judge(network, none),
        lambda none, _: make_cost_network("linear", none, seed=0),
        lambda none, _: list(DecisionFit("least-squares", FittedCosts(none.features, (3,)), none)),
        lambda none, _: list(DecisionFit("mean-costs", FittedCosts(none.features, (3,)), none)),
    ],
)
def test_no_instances(call):
    decisions = Decisions(torch.eye(3), torch.eye(3), TopK(1), sense="min")
    with pytest.raises(ArgumentError, match=r"^decisions: got no instances; it must have one or more"):
        call(decisions.part([]), make_cost_network("linear", decisions, seed=0))


def test_least_squares_take_features_of_any_units():
    generator = torch.Generator().manual_seed(0)
    x, noise = (torch.randn(40, count, generator=generator) for count in (4, 3))
    x[:, 3] = 0.1  # a constant one
    costs = x @ torch.randn(4, 3, generator=generator) + 0.1 * noise
    fitted = []
    for units in (torch.ones(4), torch.tensor([1e-25, 1.0, 1e25, 1e8])):
        decisions = Decisions(x * units, costs, TopK(1), sense="min")
        network = FittedCosts(decisions.features, (3,)).fit_least_squares(decisions)
        fitted.append(network(decisions.features))
    assert torch.allclose(*fitted, rtol=0, atol=1e-5)
    assert (fitted[0] - costs).square().mean() < 0.02
