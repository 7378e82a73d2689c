"""``imle perceive``: networks that learn from images, stop, resume, work in several processes, and refuse what cannot be."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import warm
from command_line import Command
from imle_cli.files.datasets import read_maps
from imle_cli.files.folder_lock import FolderLock
from imle_cli.runs.perception import PerceptionRun
from imle_cli.trainings.perception.recorder import PerceptionRecorder
from imle_core.estimators import ESTIMATORS
from imle_core.perception import SUPERVISION, path_costs
from imle_core.solvers import GridPath

KEYS = ["estimator", "supervision", "network", "optimal", "regret", "exact_on_unique", "unique_share", "data", "split"]
KEYS += ["judged", "maps", "non_optimal_paths", "epochs", "seconds", "seed", "processes", "samples", "run"]
FILES = ["best.pt", "checkpoint.pt", "config.json", "history.npz", "metrics.csv", "previous.pt", "summary.json"]
TIMES = ("seconds", "network_seconds", "solver_seconds", "noise_seconds", "judging_seconds")
SMALL = ["--epochs", "2", "--batch", "8", "--augment"]


perceive = Command("perceive")


def invoke(*arguments, command="perceive"):
    return Command(command).invoke(*arguments)


def notes(*arguments):
    result = invoke(*arguments)
    assert result.exit_code == 0
    return result.stderr


def expect_refusal(arguments, code, message, command="perceive"):
    Command(command).expect_refusal(arguments, code, message)


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "maps"
    made = ["data", "terrain", "--size", "5", "--train", "30", "--test", "9", "--quiet", "--out", str(folder)]
    Command()(*made)
    return folder


@pytest.fixture
def data(_made):
    """A small data set in the current folder."""
    shutil.copytree(_made, "maps")
    return Path("maps")


def without_times(values):
    if isinstance(values, dict):
        return {name: without_times(value) for name, value in values.items() if name not in (*TIMES, "run")}
    return [without_times(value) for value in values] if isinstance(values, list) else values


def network(run):
    return torch.load(Path(run) / "checkpoint.pt", weights_only=True)["network"]


def same_networks(first, second):
    one, other = network(first), network(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class TestRun:
    @pytest.mark.slow
    def test_what_it_reports_and_writes(self, data):
        values = json.loads(perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--json"))
        assert list(values) == KEYS
        assert (values["estimator"], values["supervision"], values["network"]) == ("imle", "gold paths", "small")
        assert (values["split"], values["judged"], values["maps"]) == ("test", "test", {"train": 30, "test": 9})
        assert values["non_optimal_paths"] == {"train": 0, "test": 0}
        assert [row["epoch"] for row in values["epochs"]] == [1, 2]
        assert set(values["epochs"][0]) == {"estimator", "supervision"} | set(PerceptionRun.COLUMNS)
        last = values["epochs"][-1]
        assert [values[name] for name in KEYS[3:6]] == [last[name] for name in KEYS[3:6]]
        for row in values["epochs"]:
            spent = row["network_seconds"] + row["solver_seconds"] + row["noise_seconds"] + row["judging_seconds"]
            assert row["seconds"] == pytest.approx(spent)
            assert min(row[name] for name in TIMES) > 0
        assert sorted(path.name for path in Path("run").iterdir()) == FILES
        assert json.loads(Path("run/summary.json").read_text()) == values
        with Path("run/metrics.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["regret"]) for row in rows] == [row["regret"] for row in values["epochs"]]

    @pytest.mark.slow
    def test_the_table(self, data):
        lines = perceive(data, *SMALL, "--beta", "0.5", "--out", "run").splitlines()
        assert lines[0].split()[:3] == ["epoch", "optimal", "regret"]
        assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
        assert lines[4] == "judged     each epoch on test_ (9 maps), without noise"
        assert lines[5].startswith("learned    by imle from gold paths, ")
        assert lines[6].startswith("result     ")
        assert lines[7:] == ["run        run"]

    @pytest.mark.slow
    def test_the_default_directory_is_named_after_the_data_set(self, data):
        perceive(data, "--epochs", "1", "--quiet", "--beta", "0.5")
        (run,) = Path("runs").iterdir()
        assert run.name.startswith("maps-20")

    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_network(self, data):
        first, again, other = (
            json.loads(perceive(data, *SMALL, "--beta", "0.5", "--seed", seed, "--out", name, "--json"))
            for seed, name in ((1, "a"), (1, "b"), (2, "c"))
        )
        assert without_times(first) == without_times(again)
        assert same_networks("a", "b")
        assert not same_networks("a", "c")
        assert first["seed"] != other["seed"]

    @pytest.mark.slow
    def test_validation_maps_judge_epochs_and_test_maps_the_end(self, data):
        for kind in ("maps", "vertex_weights", "shortest_paths"):
            array = np.load(data / f"test_{kind}.npy")
            np.save(data / f"val_{kind}.npy", array[:4])
        values = json.loads(perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--json"))
        assert (values["judged"], values["split"], values["maps"]) == ("val", "test", {"train": 30, "val": 4, "test": 9})
        assert values["epochs"][-1]["optimal"] * 4 == pytest.approx(round(values["epochs"][-1]["optimal"] * 4))
        evaluated = json.loads(invoke("run", data, "--json", command="evaluate").stdout)
        assert evaluated["optimal"] == values["optimal"]

    @pytest.mark.slow
    def test_it_learns(self, data):
        values = json.loads(perceive(data, "--epochs", "12", "--batch", "4", "--beta", "0.5", "--out", "run", "--json"))
        maps = read_maps(data, "test")
        blind = path_costs(GridPath()(-torch.ones_like(maps.costs)), maps.costs) / maps.optimum - 1
        assert values["regret"] < blind.mean() / 2

    @pytest.mark.slow
    @pytest.mark.parametrize("name", [name for name in SUPERVISION if not (name in ESTIMATORS and ESTIMATORS[name].exact)])
    def test_every_estimator_and_baseline(self, data, name):
        more = ["--noise", "normal"] if name == "perturbed-multiplicative" else []
        result = invoke(data, "--estimator", name, "--epochs", "1", *more, "--out", "run", "--json")
        assert result.exit_code == 0, result.stderr
        values = json.loads(result.stdout)
        assert (values["estimator"], values["supervision"]) == (name, SUPERVISION[name])
        assert 0 <= values["optimal"] <= 1
        assert values["regret"] >= -1e-9

    @pytest.mark.slow
    def test_resnet18(self, data):
        values = json.loads(
            perceive(data, "--network", "resnet18", "--epochs", "1", "--beta", "0.1", "--out", "r", "--json")
        )
        assert values["network"] == "resnet18"


class TestResume:
    @pytest.mark.slow
    @pytest.mark.parametrize("steps", [1, 4, 6])  # amid an epoch, at its end, amid the next
    def test_it_goes_on_to_the_bit(self, data, steps):
        options = [*SMALL, "--beta", "0.5"]
        whole = json.loads(perceive(data, *options, "--out", "whole", "--json"))
        perceive(data, *options, "--out", "part", "--quiet")
        for name in ("whole", "part"):
            Path(name, "summary.json").unlink()
        with PerceptionRecorder.resume(Path("part")) as made:
            experiment = made.experiment
        with PerceptionRecorder.start(experiment, Path("stopped")) as recorder:
            for record in recorder.steps(lambda: recorder.training.step == steps):
                assert record.step <= steps
            assert not recorder.training.done
        resumed = json.loads(perceive("--resume", "stopped", "--json"))
        assert without_times(resumed) == without_times(whole)
        assert same_networks("stopped", "whole")
        with np.load("stopped/history.npz") as one, np.load("whole/history.npz") as other:
            assert all(np.array_equal(one[name], other[name]) for name in other.files)

    @pytest.mark.slow
    def test_from_the_checkpoint_before_a_damaged_one(self, data):
        options = [*SMALL, "--beta", "0.5", "--quiet"]
        for name in ("whole", "part"):
            perceive(data, *options, "--out", name)
        Path("part/checkpoint.pt").write_bytes(Path("part/checkpoint.pt").read_bytes()[:5000])
        result = invoke("--resume", "part")
        note = "note: part: checkpoint.pt was damaged; going on from the one before it, after 0 steps\n"
        assert (result.exit_code, result.stderr) == (0, note)
        assert same_networks("part", "whole")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("entry", "value"), [("sums", {}), ("sums", {"losses": "x"}), ("optimizer", {"state": {}}), ("generators", [3])]
    )
    def test_a_foreign_checkpoint(self, data, entry, value):
        perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--quiet")
        state = torch.load("run/checkpoint.pt", weights_only=True)
        torch.save(state | {entry: value}, "run/checkpoint.pt")
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"run: checkpoint.pt does not fit config.json; {damaged}")

    def test_options_of_another_type(self, data):
        perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--quiet")
        config = json.loads(Path("run/config.json").read_text())
        config["options"]["epochs"] = "x"
        Path("run/config.json").write_text(json.dumps(config))
        message = "run: config.json lacks options (epochs: got 'x'; it must be a whole number)"
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"{message}; {damaged}")
        expect_refusal(["run", data], 1, f"{message}; {damaged}", command="evaluate")

    def test_one_process_at_a_time(self, data):
        perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--quiet")
        with FolderLock(Path("run")):
            message = f"run is being written by process {os.getpid()}; wait for it, or end it first"
            expect_refusal(["--resume", "run"], 1, message)

    @pytest.mark.slow
    def test_what_is_given_must_be_what_it_was_made_with(self, data):
        perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--quiet")
        assert json.loads(perceive(data, "--resume", "run", "--beta", "0.5", "--json"))["epochs"][-1]["epoch"] == 2
        message = "got 0.1, but the run was made with 0.5; a resumed run keeps its options, leave it out"
        expect_refusal(["--resume", "run", "--beta", "0.1"], 2, f"--beta: {message}")

    def test_the_data_set_has_gone(self, data):
        perceive(data, *SMALL, "--out", "run", "--quiet")
        data.rename("elsewhere")
        message = f"run: config.json names a data set that cannot be used: {data}: no such folder"
        expect_refusal(["--resume", "run"], 1, f"{message}; give the folder of a data set's .npy files")

    @pytest.mark.slow
    def test_the_data_set_has_changed(self, data):
        perceive(data, *SMALL, "--beta", "0.5", "--out", "run", "--quiet")
        costs = np.load(data / "train_vertex_weights.npy")
        np.save(data / "train_vertex_weights.npy", 2 * costs)
        expect_refusal(
            ["--resume", "run"],
            1,
            "run: the data set in 'maps' has changed since config.json was written; the run cannot go on with another",
        )


class TestNotes:
    @pytest.mark.slow
    def test_a_mean_over_maps_divides_lambda(self, data):
        text = notes(data, "--epochs", "1", "--loss-reduction", "mean", "--beta", "0.01", "--out", "run")
        cause = "lambda moves no path; --loss-reduction mean divides it by the batch; use sum"
        assert text.endswith(f"% of the maps had a gradient of 0: {cause}\n")

    def test_identity_and_the_linear_loss(self, data):
        assert notes(data, "--epochs", "1", "--estimator", "identity", "--loss", "hamming", "--out", "run") == (
            "note: identity hands the loss gradient on, which the linear Hamming loss has the same for every path; use "
            "--loss squared\n"
        )

    def test_a_lambda_above_all_costs(self, data):
        text = notes(data, "--epochs", "1", "--beta", "1000", "--out", "run")
        assert text.startswith("note: lambda 1000 is above every predicted cost on the gold paths (at most ")
        assert text.endswith(
            "the target is the gold path itself, as in the Fenchel-Young loss; lower --beta for a local target\n"
        )

    def test_stored_paths_that_are_not_optimal(self, data):
        paths = np.load(data / "train_shortest_paths.npy")
        paths[3] = 1
        np.save(data / "train_shortest_paths.npy", paths)
        text = notes(data, "--epochs", "1", "--beta", "0.1", "--out", "run")
        assert text == (
            "note: 1 of the stored paths of train_ are not optimal under the stored costs; maps are judged by the costs\n"
        )


class TestBadInput:
    def test_no_data_set(self):
        message = "missing; give the folder of a data set, which imle data terrain makes, or --resume RUN"
        expect_refusal([], 2, f"DIR: {message}")

    def test_nothing_to_be_judged_by(self, data):
        for path in data.glob("test_*"):
            path.unlink()
        message = "has no val_ and no test_ files; a network is judged on maps that it never saw"
        expect_refusal([data], 1, f"maps: {message}")

    @pytest.mark.slow
    def test_an_unknown_estimator(self, data):
        result = invoke(data, "--estimator", "imel")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("error: --estimator: got 'imel'; ")
        assert "imle" in result.stderr

    @pytest.mark.parametrize("name", ["simple", "score-function-exact"])
    def test_an_estimator_that_needs_exact_marginals(self, data, name):
        message = "needs exact marginals, which are not known for paths on a grid; choose another estimator"
        expect_refusal([data, "--estimator", name], 2, f"--estimator: {name} {message}")

    def test_noise_that_an_estimator_cannot_use(self, data):
        result = invoke(data, "--estimator", "perturbed-multiplicative", "--out", "run")
        assert result.exit_code == 1
        got = "SumOfGammaNoiseDistribution; multiplicative perturbation needs normal noise"
        assert result.stderr == f"error: --noise: got {got}; use --noise normal\n"
        assert not Path("run").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--epochs", "0"], "--epochs: got 0; it must be a whole number >= 1; the usual number is 10"),
            (["--batch", "0"], "--batch: got 0; it must be a whole number >= 1; the usual number is 16"),
            (["--lr", "nan"], "--lr: got nan; it must be a number from 1e-12 to 1000; the usual value is 0.003"),
            (["--input-temp", "-1"], "--input-temp: got -1; it must be a number >= 0; use 0 for no noise"),
            (["--samples", "0"], "--samples: got 0; it must be a whole number >= 1; the usual number is 1"),
            (["--beta", "inf"], "--beta: got inf; it must be a number >= 0; the usual value is 1"),
        ],
    )
    def test_options_out_of_range(self, data, options, message):
        expect_refusal([data, *options], 2, message)

    def test_a_folder_that_is_not_empty(self, data):
        expect_refusal([data, "--out", data], 2, "--out: maps is not empty; choose another name")

    @pytest.mark.slow
    def test_a_run_of_another_kind(self, data):
        train = ["--steps", "2", "--out", "trained", "--quiet"]
        assert invoke(*train, command="train").exit_code == 0
        perceive(data, "--epochs", "1", "--beta", "0.1", "--out", "run", "--quiet")
        other = "is a run of imle train; this needs one of imle perceive"
        expect_refusal(["--resume", "trained"], 1, f"trained: {other}")
        expect_refusal(["trained", data], 1, f"trained: {other}", command="evaluate")
        expect_refusal(
            ["--resume", "run"], 1, "run: is a run of imle perceive; this needs one of imle train", command="train"
        )

    @pytest.mark.slow
    def test_a_checkpoint_of_another_network(self, data):
        for name in ("small", "resnet18"):
            perceive(data, "--network", name, "--epochs", "1", "--beta", "0.1", "--out", name, "--quiet")
        shutil.copy("resnet18/checkpoint.pt", "small/checkpoint.pt")
        expect_refusal(
            ["--resume", "small"],
            1,
            "small: checkpoint.pt does not fit config.json; it is damaged or no run of imle; choose another folder",
        )
        expect_refusal(
            ["small", data],
            1,
            "small: checkpoint.pt is of another network than small, which config.json names; choose another run",
            command="evaluate",
        )

    def test_a_damaged_history(self, data):
        perceive(data, "--epochs", "1", "--beta", "0.1", "--out", "run", "--quiet")
        with np.load("run/history.npz") as arrays:
            kept = dict(arrays)
        np.savez("run/history.npz", **kept | {"costs": kept["costs"][:, :, :2]})
        message = "history.npz has arrays that do not fit each other; it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"run: {message}")


@pytest.mark.process
@pytest.mark.slow
class TestProcesses:
    def test_two_learn_as_one_with_a_batch_of_twice_the_size(self, data):
        """The same code under torchrun; without noise the two differ by rounding alone."""
        options = ["--input-temp", "0", "--beta", "0.5", "--epochs", "2", "--augment", "--json"]
        one = json.loads(perceive(data, *options, "--batch", "8", "--out", "one"))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "imle_cli"]
        command = [*torchrun, "perceive", str(data), *options, "--batch", "4", "--out", "two"]
        done = warm.run(*command, env=environment)
        assert done.returncode == 0, done.stderr
        two = json.loads(done.stdout)
        assert (one["processes"], two["processes"]) == (1, 2)
        for name in ("loss", "optimal", "regret", "zero_gradients"):
            first, second = ([row[name] for row in values["epochs"]] for values in (one, two))
            assert first == pytest.approx(second, rel=1e-3, abs=1e-3), name
        for name, value in network("one").items():
            assert torch.allclose(value.float(), network("two")[name].float(), rtol=1e-2, atol=1e-3), name
        expect_refusal(["--resume", "two"], 1, "two: checkpoint.pt was begun in 2 processes, here are 1; start as many")
