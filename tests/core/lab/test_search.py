"""Where repetitions go: grids that widen, cells that are looked at again, and figures that do not flatter the chosen one."""

import math
from dataclasses import replace

import pytest

from imle_core import GumbelNoiseDistribution
from imle_core.estimators import ESTIMATORS
from imle_core.lab import (
    Cell,
    EstimatorSettings,
    Instance,
    IntervalEstimate,
    Skipped,
    best_cells,
    compare,
    make_problem,
    reference_gradient,
)
from imle_core.lab import search as lab_search
from imle_core.lab.measurement import Setting
from imle_core.lab.search import Trial, search

BOTH = frozenset({"lambdas", "temperatures"})


def instances(name="top-k", size=None, number=1):
    problems = [make_problem(name, size, seed) for seed in range(number)]
    return [Instance(problem, reference_gradient(problem, None, 0)) for problem in problems]


def settings(*estimators, **changes):
    return EstimatorSettings(GumbelNoiseDistribution(), estimators or None, **{"repetitions": 40, **changes})


def found(name, problems, **changes):
    cells = [cell for cell in search(problems, settings(name, **changes), name) if isinstance(cell, Cell)]
    (best,) = best_cells(cells)
    return cells, best


class TestGrid:
    def test_every_cell_is_there_in_order_and_the_best_is_marked(self):
        cells, best = found("imle", instances(), lambdas=[3.0, 1.0], temperatures=[2.0, 1.0])
        assert [(cell.lambda_, cell.temperature) for cell in cells] == [(1.0, 1.0), (1.0, 2.0), (3.0, 1.0), (3.0, 2.0)]
        assert [cell.is_best for cell in cells].count(True) == 1
        assert all(not cell.edges for cell in cells if cell is not best)

    def test_there_are_steps_where_an_estimator_has_one(self):
        cells, _ = found("simple", instances(), lambdas=[1.0, 2.0], temperatures=[0.5, 1.0, 2.0])
        assert [(cell.lambda_, cell.temperature) for cell in cells] == [(None, 0.5), (None, 1.0), (None, 2.0)]

    @pytest.mark.slow
    def test_all_estimators_by_default(self):
        records = compare(instances("top-k", "3,1"), settings(lambdas=[1.0], temperatures=[1.0], repetitions=4))
        assert {record.estimator for record in records} == set(ESTIMATORS)

    def test_a_temperature_that_is_refused_is_no_cell(self):
        records = list(search(instances(), settings(temperatures=[0.0, 1.0, 2.0]), "perturbed"))
        assert [type(record) for record in records] == [Skipped, Cell, Cell]


class TestWidening:
    @pytest.mark.slow
    def test_it_goes_on_until_the_best_is_inside(self):
        _, best = found("imle", instances("path"), widened=BOTH, repetitions=300)
        assert best.temperature < 0.5
        assert best.edges == ()

    @pytest.mark.slow
    def test_new_values_keep_the_ratios_of_the_grid(self):
        grid = {"lambdas": [3.0, 10.0, 30.0], "temperatures": [0.25], "repetitions": 300}
        cells, best = found("imle", instances("path"), widened=BOTH, **grid)
        assert {cell.lambda_ for cell in cells} >= {1.0, 3.0, 10.0, 30.0}
        assert best.lambda_ < 3.0

    def test_the_user_s_own_grid_stays_and_its_edge_is_told(self):
        cells, best = found("imle", instances("path"), lambdas=[10.0, 30.0], temperatures=[2.0, 4.0])
        assert len(cells) == 4
        assert set(best.edges) == {"lambdas", "temperatures"}

    def test_one_value_has_no_edge_and_nothing_lies_below_0(self):
        _, best = found("identity", instances("path"), temperatures=[2.0], widened=BOTH)
        assert best.edges == ()
        _, best = found("imle", instances(), lambdas=[3.0], temperatures=[0.0, 1000.0])
        assert (best.temperature, best.edges) == (0.0, ())

    def test_it_stops_where_the_error_is_flat_and_the_edge_is_told(self):
        # A temperature far above all parameters decides nothing: samples are uniform at each.
        grid = {"lambdas": [1.0], "temperatures": [1000.0, 4000.0], "repetitions": 200}
        cells, best = found("straight-through", instances("top-k", None, 3), widened=BOTH, **grid)
        assert len(cells) <= 6
        assert best.edges == ("temperatures",)

    def test_it_ends(self):
        cells, _ = found("simple", instances("top-k", "4,1"), temperatures=[64.0, 65.0], widened=BOTH, repetitions=8)
        assert len(cells) <= 8


class TestErrorsThatAreKnown:
    """Estimators whose error is a function of temperature and lambda."""

    @pytest.fixture
    def temperatures(self, monkeypatch):
        def search_with(error, noise=1e-3, name="identity", **changes):
            def cell_of(trial, **marks):
                cell = Trial.cell(trial, **marks)
                value = 1 / math.sqrt(1 + error(cell.temperature, cell.lambda_))
                alignment = IntervalEstimate(value, noise * value, value - 2 * noise, value + 2 * noise)
                accuracy = replace(cell.accuracy, alignment=alignment, error=IntervalEstimate(1 / value**2 - 1))
                return replace(cell, accuracy=accuracy, by_instance=(accuracy,))

            known = type("KnownTrial", (Trial,), {"cell": cell_of})
            monkeypatch.setattr(lab_search, "Trial", known)
            options = {"widened": BOTH, "lambdas": [1.0], "repetitions": 8, **changes}
            cells, best = found(name, instances("top-k", "4,1"), **options)
            return sorted({cell.temperature for cell in cells}), best

        return search_with

    def test_a_smooth_slope_is_followed_to_its_least(self, temperatures):
        slope = {4.0: 6.9, 2.0: 6.7, 1.0: 6.5, 0.5: 6.3, 0.25: 5.8, 0.125: 5.0, 0.0625: 3.9, 0.03125: 3.0}
        values, best = temperatures(lambda temperature, _: slope.get(temperature, 4.0))
        assert (best.temperature, best.edges) == (0.03125, ())
        assert values == [2.0**power for power in range(-6, 3)]

    def test_so_is_one_that_goes_up(self, temperatures):
        _, best = temperatures(lambda temperature, _: 1 + (math.log2(temperature) - 6) ** 2 / 8)
        assert (best.temperature, best.edges) == (64.0, ())

    def test_one_value_that_is_no_better_does_not_hide_the_next(self, temperatures):
        slope = {0.5: 3.0, 0.25: 3.05, 0.125: 2.0, 0.0625: 3.0}
        values, best = temperatures(lambda temperature, _: slope.get(temperature, 4.0))
        assert (best.temperature, best.edges) == (0.125, ())
        assert values[0] == 0.0625

    def test_two_steps_along_a_flat_end_are_enough(self, temperatures):
        values, best = temperatures(lambda temperature, _: 3.0 if temperature < 1 else 6.0)
        assert values == [0.125, 0.25, 0.5, 1.0, 2.0, 4.0]
        assert best.edges == ("temperatures",)

    def test_what_is_within_the_noise_counts_as_flat(self, temperatures):
        values, best = temperatures(lambda temperature, _: 3 + math.log2(temperature) / 4, noise=0.3)
        assert values == [0.125, 0.25, 0.5, 1.0, 2.0, 4.0]
        assert best.edges == ("temperatures",)

    def test_a_slope_without_an_end_is_left_after_six_steps_and_marked(self, temperatures):
        values, best = temperatures(lambda temperature, _: temperature)
        assert values[0] == 0.5 / 2**6
        assert (best.temperature, best.edges) == (values[0], ("temperatures",))

    def test_what_rises_surely_on_both_sides_gets_no_value(self, temperatures):
        values, best = temperatures(lambda temperature, _: 1 + 3 * abs(math.log2(temperature)), temperatures=[0.5, 1.0, 2.0])
        assert values == [0.5, 1.0, 2.0]
        assert (best.temperature, best.edges) == (1.0, ())

    @pytest.mark.slow
    def test_lambdas_are_followed_too(self, temperatures):
        def error(temperature, lambda_):
            return 1 + math.log2(temperature) ** 2 + (math.log2(lambda_) + 3) ** 2 / 8

        values, best = temperatures(error, name="imle", lambdas=[1.0, 2.0], temperatures=[0.5, 1.0, 2.0])
        assert values == [0.5, 1.0, 2.0]
        assert (best.lambda_, best.temperature, best.edges) == (0.125, 1.0, ())


class TestRepetitions:
    def test_a_single_cell_has_them_all(self):
        cells, best = found("imle", instances(), lambdas=[1.0], temperatures=[1.0])
        assert [cell.repetitions for cell in cells] == [40]
        assert best is cells[0]

    def test_they_go_to_the_best_and_to_those_that_are_compared(self):
        cells, best = found("imle", instances(), lambdas=[0.1, 1.0, 100.0], temperatures=[0.1, 1.0, 3.0], repetitions=400)
        assert best.repetitions >= 400
        assert all(cell.repetitions >= 400 for cell in cells if cell.temperature == 1.0)
        hopeless = [cell for cell in cells if (cell.lambda_, cell.temperature) == (0.1, 0.1)]
        assert hopeless[0].repetitions == 100
        assert sum(cell.repetitions for cell in cells) <= 400 * 9

    @pytest.mark.slow
    def test_what_is_sure_gets_no_more(self):
        _, sure = found("identity", instances(), temperatures=[0.1, 0.2, 0.4, 1.0, 20.0, 30.0, 40.0], repetitions=300)
        _, unsure = found("perturbed", instances(), temperatures=[0.1, 0.2, 0.4, 1.0, 20.0, 30.0, 40.0], repetitions=300)
        assert sure.repetitions == 300
        assert unsure.repetitions >= 600

    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_figures_whatever_else_is_measured(self):
        problems, grid = instances("top-k", "5,2", 2), {"widened": BOTH, "lambdas": [1.0, 3.0], "temperatures": [1.0, 2.0]}
        alone, again, among, other = (
            [
                (cell.lambda_, cell.temperature, cell.repetitions, cell.accuracy)
                for cell in compare(problems, settings(*names, seed=seed, **grid))
                if cell.estimator == "imle"
            ]
            for names, seed in ((["imle"], 0), (["imle"], 0), (["identity", "imle"], 0), (["imle"], 1))
        )
        assert alone == again == among
        assert alone != other

    def test_the_chosen_cell_has_other_repetitions_than_those_that_chose_it(self):
        problem, place = instances("top-k", "6,2"), Setting("imle", 1.0, 1.0)
        trial = Trial(problem, settings(), place)
        trial.extend(30)
        seen = trial.cell().accuracy
        trial.forget()
        trial.extend(30)
        assert trial.repetitions == 30
        assert trial.cell().accuracy != seen
        _, best = found("imle", problem, lambdas=[1.0, 1000.0], temperatures=[1.0], repetitions=200)
        first = Trial(problem, settings(), place)
        first.extend(best.repetitions)
        assert (best.lambda_, best.temperature) == (1.0, 1.0)
        assert best.accuracy != first.cell().accuracy


def test_instances_are_averaged_and_kept():
    problems = instances("top-k", None, 3)
    _, best = found("central-imle", problems, lambdas=[1.0], temperatures=[1.0])
    assert len(best.by_instance) == 3
    mean = sum(each.variance for each in best.by_instance) / 3
    assert best.accuracy.variance == pytest.approx(mean)
    single = found("central-imle", problems[:1], lambdas=[1.0], temperatures=[1.0])[1]
    assert single.accuracy == best.by_instance[0]


@pytest.mark.slow
def test_betas_settle_on_each_instance():
    _, best = found("adaptive-imle", instances("top-k", None, 2), temperatures=[1.0])
    assert best.beta == 2.0


def test_the_temperature_that_is_shown_is_the_nearest_to_1():
    assert settings(temperatures=[0.5, 1.0, 2.0]).shown == 1.0
    assert settings(temperatures=[0.1, 1.5, 4.0]).shown == 1.5
    assert settings(temperatures=[0.0, 40.0]).shown == 40.0
    assert replace(settings(), temperatures=[0.0]).shown == 0.0
