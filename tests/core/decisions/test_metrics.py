"""Regret and its kin: the peer's figures, worst ties, senses; labels, splits and neighbours of a data set."""

import pytest
import torch
from torch import nn

from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.decisions import (
    Decisions,
    Labels,
    judge,
    knapsack_data,
    nearest_neighbour_labels,
    regret,
    shortest_path_data,
    spo_error,
    squared_error,
    worst_regret,
)
from imle_core.solvers import GridEdgePath, GridPath, IntegerProgram, TopK
from reference import CASES


def case(name):
    return torch.from_numpy(CASES[name])


class Listed:
    """A maximiser over listed solutions, which the peer's figures are of."""

    sense = "max"

    def __init__(self, states):
        self.states = states

    def __call__(self, theta):
        return self.states.to(theta)[(theta.double() @ self.states.double().T).argmax(dim=1)]


KINDS = {"path": (Listed(case("path/vertices")), "min"), "knapsack": (Listed(case("knapsack/vertices")), "max")}


def decisions_of(kind):
    solver, sense = KINDS[kind]
    costs = case(f"{kind}/true")
    return Decisions(torch.zeros(len(costs), 1), costs, solver, sense=sense)


@pytest.mark.parametrize("kind", KINDS)
class TestReference:
    def test_labels(self, kind):
        decisions = decisions_of(kind)
        torch.testing.assert_close(decisions.optimum, case(f"{kind}/obj").squeeze(1).double(), rtol=1e-6, atol=0)
        assert torch.equal(decisions.gold, case(f"{kind}/sol"))

    def test_regret(self, kind):
        decisions, predicted = decisions_of(kind), case(f"{kind}/pred")
        each = case(f"{kind}/regret").double()
        torch.testing.assert_close(regret(predicted, decisions, "none"), each, rtol=1e-6, atol=1e-6)
        assert float(regret(predicted, decisions, "sum")) == pytest.approx(float(each.sum()), rel=1e-6)
        assert float(regret(predicted, decisions, "mean")) == pytest.approx(float(each.mean()), rel=1e-6)
        assert float(regret(predicted, decisions)) == pytest.approx(float(case(f"{kind}/regret_normalized")), rel=1e-6)
        assert torch.equal(regret(1e-3 * predicted, decisions), regret(predicted, decisions))

    def test_spo_error_and_squared_error(self, kind):
        (solver, sense), predicted, costs = KINDS[kind], case(f"{kind}/pred"), case(f"{kind}/true")
        error = spo_error(predicted, costs, solver, sense=sense)
        assert error == pytest.approx(float(case(f"{kind}/spo_error")), rel=1e-6)
        assert squared_error(predicted, decisions_of(kind)) == pytest.approx(float(case(f"{kind}/mse")), rel=1e-6)

    def test_worst_regret_among_ties(self, kind):
        decisions, tied = decisions_of(kind), case(f"{kind}/tied_pred")
        exact = case(f"{kind}/unambiguous_regret_exact")
        torch.testing.assert_close(worst_regret(tied, decisions, "none"), exact, rtol=1e-6, atol=1e-6)
        assert float(worst_regret(tied, decisions)) == pytest.approx(float(case(f"{kind}/unambiguous_regret")), rel=1e-6)
        assert float(worst_regret(1e-9 * tied, decisions)) == pytest.approx(float(worst_regret(tied, decisions)))

    def test_labels_of_neighbours(self, kind):
        solver, sense = KINDS[kind]
        given = Decisions(case(f"{kind}/knn/x"), case(f"{kind}/knn/true"), solver, sense=sense)
        smooth = nearest_neighbour_labels(given, k=3, weight=0.5)
        torch.testing.assert_close(smooth.costs, case(f"{kind}/knn/costs"), rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(smooth.gold, case(f"{kind}/knn/sols"), rtol=1e-6, atol=1e-6)
        optimum = case(f"{kind}/knn/objs").squeeze(1).double()
        torch.testing.assert_close(smooth.optimum, optimum, rtol=1e-6, atol=1e-6)


def least_squares(train, test):
    """Costs predicted for ``test``, by ordinary least squares with intercept, in float64."""
    design, judged = (torch.cat([x.double(), torch.ones(len(x), 1)], dim=1) for x in (train.features, test.features))
    return judged @ torch.linalg.lstsq(design, train.costs.double()).solution


def protocol(name):
    """Instances to learn from and to be judged by, of a published experiment."""
    if name == "p1":
        x, costs = shortest_path_data(2000, 5, (5, 5), degree=4, noise_width=0.5, seed=42)
        decisions = Decisions(x, costs, GridEdgePath((5, 5)), sense="min")
        return decisions.split(1000, seed=42)
    x, costs, weights = knapsack_data(1100, 5, 16, constraints=2, degree=6, noise_width=0.5, seed=135)
    sets = (torch.arange(2**16).unsqueeze(1) >> torch.arange(16)) & 1
    fitting = sets[(sets.double() @ weights.T <= 20).all(dim=1)]
    return Decisions(x, costs, Listed(fitting), sense="max").split(1000, seed=246)


@pytest.mark.parametrize("name", ["p1", "p2"])
def test_a_published_experiment(name):
    train, test = protocol(name)
    torch.testing.assert_close(test.features[:3], case(f"protocol/{name}/x_test_first").float())
    torch.testing.assert_close(test.costs[:3], case(f"protocol/{name}/c_test_first"), rtol=2.4e-7, atol=0)
    assert float(test.optimum.sum()) == pytest.approx(float(case(f"protocol/{name}/optimum_sum")), rel=1e-6)
    by_squares = float(regret(least_squares(train, test), test))
    assert by_squares == pytest.approx(float(case(f"protocol/{name}/regret_least_squares")), abs=1e-6)
    by_mean = float(regret(train.costs.double().mean(dim=0).expand_as(test.costs), test))
    assert by_mean == pytest.approx(float(case(f"protocol/{name}/regret_mean_cost")), abs=1e-6)


def test_worst_regret_of_equal_costs_is_that_of_the_worst_decision():
    x, costs = shortest_path_data(4, 2, (3, 3), seed=1)
    decisions = Decisions(x, costs, GridEdgePath((3, 3)), sense="min")
    paths = Decisions(x, costs, GridEdgePath((3, 3)), sense="max")  # the most expensive ones
    worst = worst_regret(torch.full_like(costs, 0.1), decisions, "none")
    torch.testing.assert_close(worst, paths.optimum - decisions.optimum)
    assert torch.equal(worst_regret(costs, decisions, "none"), torch.zeros(4, dtype=torch.float64))


def test_a_solver_that_clamps_has_no_worst_regret():
    maps = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0)) + 1
    decisions = Decisions(torch.zeros(2, 1), maps, GridPath(), sense="min")
    with pytest.raises(ArgumentError, match=r"^decisions: got GridPath\(.*, which is not exact for predicted costs minus"):
        worst_regret(torch.zeros_like(maps), decisions)


class TestDecisions:
    COSTS = torch.tensor([[3.0, 1.0, 2.0], [1.0, 5.0, 4.0]])
    X = torch.zeros(2, 4, dtype=torch.float64)

    def test_an_item_and_labels_in_both_senses(self):
        for sense, gold, optimum in (("min", [0.0, 1.0, 0.0], 1.0), ("max", [1.0, 0.0, 0.0], 3.0)):
            decisions = Decisions(self.X, self.COSTS, TopK(1), sense=sense)
            features, costs, label = decisions[0]
            assert (features.dtype, label.tolist(), float(decisions.optimum[0])) == (torch.float32, gold, optimum)
            assert costs.tolist() == [3.0, 1.0, 2.0]
            assert (regret(self.COSTS, decisions, "none") == 0).all()
            assert regret(-self.COSTS, decisions, "none").tolist() == [2.0, 4.0]

    def test_a_function_of_costs(self):
        """A solver that declares nothing does what the user says: under "min" it gets costs, and minimises."""
        seen = []

        def least(costs):
            seen.append(costs.clone())
            return TopK(1)(-costs)

        assert torch.equal(Decisions(self.X, self.COSTS, least, sense="min").gold, torch.eye(3)[[1, 0]])
        assert torch.equal(seen[0], self.COSTS)

    def test_splits_keep_labels(self):
        calls = []

        def counted(theta):
            calls.append(len(theta))
            return TopK(1)(theta)

        train, test = Decisions(self.X, self.COSTS, counted, sense="max").split(1, seed=0)
        assert (len(train), len(test), calls) == (1, 1, [2])
        assert {tuple(train.gold[0].tolist()), tuple(test.gold[0].tolist())} == {(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)}
        assert train.part([0]).optimum.tolist() == train.optimum.tolist()

    def test_splits_may_leave_nothing_and_arrays_are_copies(self):
        costs = self.COSTS.clone()
        decisions = Decisions(self.X, costs, TopK(1), sense="min")
        costs.zero_()
        assert torch.equal(decisions.costs, self.COSTS)
        train, test = decisions.split(2)
        assert (len(train), len(test), float(regret(train.costs, train))) == (0, 2, 0.0)

    def test_an_instance_without_a_solution_is_named(self):
        program = IntegerProgram(A_eq=[[2.0, 2.0, 2.0]], b_eq=[1.0])
        with pytest.raises(ArgumentError, match=r"^solver: got instance 0 without a solution; each instance has one"):
            Decisions(self.X, self.COSTS, program, sense="min")

    def test_labels_that_are_known(self):
        gold = torch.eye(3)[[1, 0]]
        assert torch.equal(Decisions(self.X, self.COSTS, TopK(1), sense="min", gold=gold.bool()).gold, gold)
        taken = Decisions(self.X, self.COSTS, TopK(1), sense="min", gold=Labels(gold / 2, torch.ones(2)))
        assert torch.equal(taken.gold, gold / 2)

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"sense": "least"}, "^sense: got 'least'"),
            ({"costs": COSTS[:1]}, "^costs: got 1 instances, and features of 2"),
            ({"costs": COSTS / 0}, "^costs: got 6 entries that are NaN or infinite"),
            ({"costs": COSTS[0]}, r"^costs: got shape \(3,\); it must be"),
            ({"features": X[:, :0]}, r"^features: got shape \(2, 0\)"),
            (
                {"features": X.double() + 1e300},
                "^features: got 8 entries that are NaN or infinite; they must be finite in float32",
            ),
            ({"gold": Labels(COSTS, COSTS[:, 0][:1])}, r"^optimum: got shape \(1,\) for costs of shape \(2, 3\)"),
            ({"features": [[1.0]]}, "^features: got list; it must be a dense tensor"),
            ({"gold": torch.eye(3)}, r"^gold: got shape \(3, 3\) for costs of shape \(2, 3\)"),
            (
                {"gold": torch.eye(3)[[1, 2]]},
                r"^gold: got 1 of 2 that are not optimal \(the first is instance 1, off by 3\)",
            ),
        ],
    )
    def test_refusals(self, changed, message):
        given = {"features": self.X, "costs": self.COSTS, "solver": TopK(1), "sense": "min"} | changed
        with pytest.raises(ArgumentError, match=message):
            Decisions(**given)

    def test_refusals_of_predictions_and_neighbours(self):
        decisions = Decisions(self.X, self.COSTS, TopK(1), sense="min")
        with pytest.raises(ArgumentError, match=r"^predicted: got shape \(2, 2\) for costs of shape \(2, 3\)"):
            regret(self.COSTS[:, :2], decisions)
        with pytest.raises(ArgumentError, match=r"^predicted: got 6 that are NaN"):
            regret(self.COSTS / 0, decisions)
        with pytest.raises(ArgumentError, match=r"^form: got 'median'"):
            regret(self.COSTS, decisions, "median")
        with pytest.raises(ArgumentError, match=r"^k: got 2; 2 instances have 1 others"):
            nearest_neighbour_labels(decisions, k=2)
        with pytest.raises(ArgumentError, match=r"^weight: got 2"):
            nearest_neighbour_labels(decisions, k=1, weight=2)
        with pytest.raises(ArgumentTypeError, match=r"^weight: got str; it must be a number"):
            nearest_neighbour_labels(decisions, k=1, weight="a")
        with pytest.raises(ArgumentError, match=r"^decisions: got solutions other than of 0 and 1"):
            worst_regret(self.COSTS, Decisions(self.X, self.COSTS, lambda theta: theta / 2, sense="max"))


def test_a_network_is_judged_in_evaluation_mode():
    decisions = Decisions(torch.eye(3), torch.tensor([[3.0, 1.0, 2.0]]).repeat(3, 1), TopK(1), sense="min")
    network = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.9))
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].bias.copy_(torch.tensor([3.0, 1.5, 1.5]))
    quality = judge(network, decisions)
    assert network.training
    assert (quality.regret, quality.optimal, quality.mse) == (0.0, 1.0, pytest.approx(0.5 / 3))
    assert quality.worst == pytest.approx(1.0)
