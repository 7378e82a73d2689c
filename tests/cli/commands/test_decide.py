"""``imle decide``: networks that learn to decide, stop, resume, take a user's own folder, and refuse what cannot be."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from command_line import Command
from imle_cli.options.deciding import DecisionOptions, OwnProblemOptions
from imle_cli.options.estimators import DECIDERS, DECISION_BASELINES, DECISION_LOSSES
from imle_cli.options.inputs import NoiseOptions
from imle_cli.runs.decisions import DecisionRun
from imle_cli.trainings.decisions.experiment import DecisionExperiment
from imle_cli.trainings.decisions.problem import OwnSolver
from imle_cli.trainings.decisions.recorder import DecisionRecorder
from imle_core.decisions import BASELINES, LEARNERS
from imle_core.estimators import DECISION_LOSSES as LOSSES
from imle_core.solvers import Knapsack

decide = Command("decide")
SMALL = ["--epochs", "2", "--batch", "16", "--lr", "0.5"]
KEYS = ["estimator", "supervision", "network", "regret", "worst_regret", "optimal", "mse", "baselines", "data", "split"]
KEYS += ["judged", "instances", "epochs", "solves", "training_seconds", "seconds", "seed", "processes", "run"]
FILES = ["best.pt", "checkpoint.pt", "config.json", "history.npz", "metrics.csv", "previous.pt", "summary.json"]


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "paths"
    size = ["--size", "3", "--train", "60", "--val", "10", "--test", "30", "--seed", "1"]
    Command()("data", "shortest-path", *size, "--quiet", "--out", str(folder))
    return folder


@pytest.fixture
def paths(_made):
    """A small data set in the current folder."""
    shutil.copytree(_made, "paths")
    return Path("paths")


@pytest.fixture
def own():
    """A folder of the user's own, features and costs alone, and a solver of it."""
    Path("mine").mkdir()
    generator = np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 20)):
        x = generator.normal(size=(count, 3))
        np.save(f"mine/{split}_features.npy", x)
        np.save(f"mine/{split}_costs.npy", np.stack([1 + x[:, 0], 1 - x[:, 0], np.full(count, 9.0)], axis=1))
    Path("least.py").write_text("import torch\n\ndef least(c):\n    return torch.eye(3).to(c)[c.argmin(dim=1)]\n")
    return ["mine", "--solver", "least.py:least", "--sense", "min"]


def edited(path, **changes):
    problem = json.loads(Path(path).read_text())
    Path(path).write_text(json.dumps(problem | changes))


class TestRun:
    def test_what_it_reports_and_writes(self, paths):
        values = json.loads(decide(paths, *SMALL, "--out", "run", "--json"))
        assert list(values) == KEYS
        assert (values["estimator"], values["supervision"], values["network"]) == ("spo-plus", "true costs", "linear")
        assert (values["split"], values["judged"]) == ("test", "val")
        assert values["instances"] == {"train": 60, "val": 10, "test": 30}
        assert set(values["baselines"]) == {"least-squares", "mean-costs"}
        assert values["worst_regret"] >= values["regret"] - 1e-9
        assert [row["epoch"] for row in values["epochs"]] == [1, 2]
        assert set(values["epochs"][0]) == {"estimator", "supervision"} | set(DecisionRun.COLUMNS)
        assert values["solves"] == 120
        assert sorted(path.name for path in Path("run").iterdir()) == FILES
        assert json.loads(Path("run/summary.json").read_text()) == values

    def test_the_table(self, paths):
        lines = decide(paths, *SMALL, "--out", "run").splitlines()
        assert lines[0].split()[:4] == ["epoch", "regret", "optimal", "MSE"]
        assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
        assert lines[4] == "judged     each epoch on val_ (10 instances), without noise"
        assert lines[5].startswith("learned    by spo-plus from true costs, 0.")
        values = json.loads(Path("run/summary.json").read_text())
        least, mean = (f"{values['baselines'][name]:.2%}" for name in ("least-squares", "mean-costs"))
        end = f"; regret {values['regret']:.2%} on 30 test_ (two-stage least squares {least}, mean costs {mean})"
        assert lines[5].endswith(end)
        assert lines[7] == "run        run"

    @pytest.mark.parametrize("name", ["least-squares", "mean-costs"])
    def test_a_baseline_is_its_own(self, paths, name):
        values = json.loads(decide(paths, "--estimator", name, "--json"))
        assert values["regret"] == pytest.approx(values["baselines"][name])
        assert len(values["epochs"]) == 1

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "options",
        [
            ["--estimator", "imle", "--loss", "hamming", "-n", "2", "--beta", "9"],
            ["--estimator", "rank-list", "--pool", "0.3"],
        ],
    )
    def test_the_same_seed_gives_the_same_network(self, paths, options):
        runs = [json.loads(decide(paths, *SMALL, *options, "--network", "mlp", "--out", name, "--json")) for name in "ab"]
        for first, again in zip(*(run["epochs"] for run in runs), strict=True):
            assert {name: first[name] for name in ("regret", "loss", "solves")} == {
                name: again[name] for name in ("regret", "loss", "solves")
            }

    @pytest.mark.slow
    def test_one_that_was_stopped_goes_on_to_the_bit(self, paths):
        learning = DecisionOptions("adaptive-imle", epochs=3, batch=16, pool=0.5)
        experiment = DecisionExperiment(paths, OwnProblemOptions(), learning, NoiseOptions(), 3, "cpu")
        with DecisionRecorder.start(experiment, Path("whole")) as whole:
            list(whole.steps())
        with DecisionRecorder.start(experiment, Path("run")) as begun:
            list(itertools.islice(begun.steps(), 5))
            begun.save()
        decide("--resume", "run", "--quiet")
        one, other = (torch.load(f"{name}/checkpoint.pt", weights_only=True) for name in ("whole", "run"))
        for name, value in one["network"].items():
            assert torch.equal(value, other["network"][name])
        assert Path("whole/summary.json").exists() is False
        assert len(DecisionRun.open(Path("run")).epochs()) == 3

    def test_what_it_is_resumed_with(self, paths):
        decide(paths, *SMALL, "--out", "run", "--quiet")
        message = "--epochs: got 5, but the run was made with 2; a resumed run keeps its options, leave it out"
        decide.expect_refusal(["--resume", "run", "--epochs", "5"], 2, message)
        costs = np.load("paths/train_costs.npy")
        np.save("paths/train_costs.npy", 2 * costs)
        message = "run: the data set in 'paths' has changed since config.json was written; the run cannot go on with another"
        decide.expect_refusal(["--resume", "run"], 1, message)

    def test_a_folder_of_another_command(self, paths):
        decide(paths, *SMALL, "--out", "run", "--quiet")
        message = "run: is a run of imle decide; this needs one of imle perceive"
        Command("perceive").expect_refusal(["--resume", "run"], 1, message)


class TestOwn:
    @pytest.mark.slow
    def test_features_and_costs_are_enough_and_labels_are_stored(self, own):
        result = decide.invoke(*own, "--lr", "0.3", "--epochs", "60", "--json", "--out", "run")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["regret"] < 0.02
        assert result.stderr.splitlines()[0] == "note: train_ had no solutions; they were solved and stored"
        costs, gold = np.load("mine/train_costs.npy"), np.load("mine/train_solutions.npy")
        assert (gold.argmax(axis=1) == costs.argmin(axis=1)).all()
        assert "stored" not in decide.invoke(*own, *SMALL, "--out", "again").stderr

    @pytest.mark.parametrize(
        ("line", "problem"),
        [("raise RuntimeError('no licence')", "RuntimeError: no licence"), ("raise SystemExit(3)", "SystemExit: 3")],
    )
    @pytest.mark.usefixtures("own")
    def test_what_it_raises_is_told_by_its_name(self, line, problem):
        Path("least.py").write_text(f"def least(c):\n    {line}\n")
        message = f"least.py:least: raised {problem}; imle check finds out more"
        decide.expect_refusal(["mine", "--solver", "least.py:least", "--sense", "min", *SMALL], 1, message)

    def test_what_it_declares_holds(self):
        solver = OwnSolver("mine.py:best", Knapsack([[1, 2, 3]], [4]))
        assert (solver.sense, solver.pure, solver.typical_ones((3,)), hasattr(solver, "domain")) == ("max", True, 2.0, False)
        assert solver.normals(torch.tensor([[1.0, 0.0, 1.0]])).shape[0] == 1
        assert repr(solver) == "Knapsack(3 items, capacity=[4])"

    def test_cone_alignment_needs_a_solver_with_normals(self, own):
        message = (
            "normals: missing; cone learns from the constraints that bind at gold solutions; choose another --estimator"
        )
        decide.expect_refusal([*own, "--estimator", "cone", *SMALL], 1, message)

    @pytest.mark.usefixtures("own")
    def test_a_class(self):
        Path("least.py").write_text(
            "import torch\n\nclass Least:\n    def __call__(self, c):\n        return torch.eye(3).to(c)[c.argmin(dim=1)]\n"
        )
        decide("mine", "--solver", "least.py:Least", "--sense", "min", *SMALL, "--quiet")
        gold, costs = (np.load(f"mine/train_{name}.npy") for name in ("solutions", "costs"))
        assert np.array_equal(gold.argmax(axis=1), costs.argmin(axis=1))

    def test_steps_that_are_too_small_for_the_costs_are_told(self, own):
        for split in ("train", "test"):
            np.save(f"mine/{split}_costs.npy", 1e5 * np.load(f"mine/{split}_costs.npy"))
        note = "note: 6 steps of at most 0.5 take a weight no further than 1.5, and costs are of size 3.82e+05"
        assert note in decide.invoke(*own, *SMALL).stderr


class TestRefusals:
    def test_no_folder(self):
        decide.expect_refusal(
            [], 2, "DIR: missing; give the folder of a data set, which imle data knapsack makes, or --resume RUN"
        )
        decide.expect_refusal(["no"], 1, "no: no such folder; give the folder of a data set's .npy files")

    def test_without_costs(self, own):
        Path("mine/train_costs.npy").unlink()
        message = "mine: half a data set: train_costs.npy is missing; a split needs features and costs"
        decide.expect_refusal(own, 1, message)

    def test_costs_of_another_number_of_rows(self, own):
        np.save("mine/train_costs.npy", np.ones((7, 3)))
        message = "mine/train_costs.npy: got 7 instances, and features of 40; each instance has both; give as many rows"
        decide.expect_refusal(own, 1, message)

    def test_costs_of_another_number_of_columns(self, own):
        np.save("mine/test_costs.npy", np.ones((20, 2)))
        Path("least.py").write_text("import torch\n\ndef least(c):\n    return (c == c.amin(1, True)).to(c)\n")
        message = "mine: test_costs has shape (2,) an instance, train_costs (3,)"
        decide.expect_refusal(own, 1, message)

    def test_nothing_to_be_judged_by(self, own):
        for kind in ("features", "costs"):
            Path(f"mine/test_{kind}.npy").unlink()
        message = "mine: has no val_ and no test_ files; a network is judged on instances that it never saw"
        decide.expect_refusal(own, 1, message)

    @pytest.mark.usefixtures("own")
    def test_without_a_problem(self):
        message = "mine: has no problem.json; imle decide takes a solver with --solver MODULE:SOLVER, and --sense min or max"
        decide.expect_refusal(["mine"], 1, message)

    def test_a_solver_beside_a_problem(self, paths):
        message = "--solver: got least.py:least, but paths/problem.json names a solver; leave it out, or remove that file"
        decide.expect_refusal([paths, "--solver", "least.py:least", "--sense", "min"], 2, message)

    def test_half_a_problem(self, own):
        decide.expect_refusal(own[:3], 2, "--sense: missing; it must be min, where costs are paid, or max, beside --solver")
        message = "--sense: got min; it belongs to --solver; problem.json has that of its solver"
        decide.expect_refusal(["mine", "--sense", "min"], 2, message)

    def test_a_problem_of_another_kind(self, paths):
        Path("paths/problem.json").write_text('{"maps": 3}')
        message = "has no sense and no solver"
        code, said = decide.refusal(paths)
        assert (code, message in said) == (1, True)
        Path("paths/problem.json").write_text('{"solver": "rubik", "sense": "min"}')
        assert "has solver 'rubik'; it must be one of" in decide.refusal(paths)[1]

    def test_another_solver_than_the_costs_are_of(self, paths):
        edited("paths/problem.json", arguments={"grid": [9, 9]})
        assert "a grid of 9 x 9 nodes needs (N, 144)" in decide.refusal(paths)[1]

    def test_labels_that_are_not_optimal(self, paths):
        gold = np.load("paths/train_solutions.npy")
        np.save("paths/train_solutions.npy", np.roll(gold, 1, axis=0))
        code, said = decide.refusal(paths)
        assert code == 1
        assert "that are not optimal (the first is instance " in said
        assert said.startswith("error: paths/train_solutions.npy: got ")

    def test_weights_that_no_scaling_makes_whole(self, paths):
        edited("paths/problem.json", solver="knapsack", arguments={"weights": [1e-9, 1e15], "capacity": 2e15})
        code, said = decide.refusal(paths)
        assert code == 1
        assert said.startswith("error: paths/problem.json: weights: got 1e-09 beside 1e+15; no scaling makes them whole")

    def test_an_instance_without_a_solution(self, own):
        Path("least.py").write_text(
            "from imle_core.solvers import InfeasibleError\n\ndef least(c):\n    raise InfeasibleError('none', 4)\n"
        )
        code, said = decide.refusal(*own)
        assert code == 1
        assert "instance 4 without a solution" in said

    @pytest.mark.parametrize("share", ["0", "1.5", "nan"])
    def test_shares(self, paths, share):
        rule = "it must be the share of calls that are solved, a number > 0 and at most 1"
        message = f"--pool: got {share}; {rule}; use 0.05 for instance, or leave it out to solve always"
        decide.expect_refusal([paths, "--pool", share], 2, message)

    def test_losses_of_their_own(self, paths):
        message = "--loss: got regret; spo-plus has a loss of its own; leave it out"
        decide.expect_refusal([paths, "--loss", "regret"], 2, message)

    def test_supervision_that_is_missing(self, own):
        code, said = decide.refusal(*own, "--estimator", "cone")
        assert code == 1
        assert said.startswith("error: normals: missing; cone learns from the constraints that bind at gold solutions")

    def test_names(self, paths):
        rule = "simple needs exact marginals, which are not known for most solvers; choose another estimator"
        decide.expect_refusal([paths, "--estimator", "simple"], 2, f"--estimator: {rule}")
        assert "did you mean 'spo-plus'?" in decide.refusal(paths, "--estimator", "spo-pluss")[1]


def test_the_names_are_those_of_the_library():
    assert set(DECIDERS) == {*LEARNERS, *BASELINES}
    assert tuple(LOSSES) == DECISION_LOSSES
    assert set(BASELINES) == set(DECISION_BASELINES)
