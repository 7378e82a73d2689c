"""``imle train``: runs that learn, are recorded, stop, resume, and refuse what cannot be."""

import csv
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import app
from imle_cli.files.folder_lock import FolderLock
from imle_cli.files.maps.terrain import built_in_map
from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions
from imle_cli.runs.directories import new_folder
from imle_cli.runs.training import Run
from imle_cli.trainings.weights.experiment import TrainingExperiment
from imle_cli.trainings.weights.recorder import TrainingRecorder
from imle_core import Training

KEYS = ["map", "shape", "solver", "engine", "noise", "input_temp", "target_temp", "samples", "seed", "steps", "steps_made"]
KEYS += ["final_loss", "final_hamming", "first_gold_step", "clamped_share", "kept_share", "seconds", "run"]


train = Command("train")
invoke, expect_refusal = train.invoke, train.expect_refusal


def arrays(run):
    with np.load(Path(run) / "history.npz") as file:
        return {name: file[name] for name in file.files}


class TestRun:
    @pytest.mark.slow
    def test_it_finds_the_gold_path_and_says_when(self):
        values = json.loads(train("--input-temp", "5", "--target-temp", "0", "--steps", "300", "--out", "run", "--json"))
        assert list(values) == KEYS
        assert (values["final_hamming"], values["steps_made"], values["run"]) == (0, 300, "run")
        rows = [line.split(",") for line in Path("run/metrics.csv").read_text().splitlines()]
        assert rows[0] == ["step", "loss", "hamming"]
        assert [int(row[0]) for row in rows[1:]] == list(range(301))
        assert values["first_gold_step"] == next(int(row[0]) for row in rows[1:] if row[2] == "0")
        assert json.loads(Path("run/summary.json").read_text()) == values

    @pytest.mark.slow
    def test_engines_learn_the_same_and_the_fast_one_keeps_what_it_knows(self):
        options, shares = ["--input-temp", "0", "--target-temp", "0", "--samples", "3", "--steps", "150", "--json"], {}
        for engine in ("compiled", "torch"):
            shares[engine] = json.loads(train(*options, "--engine", engine, "--out", engine))["kept_share"]
        assert Path("compiled/history.npz").read_bytes() == Path("torch/history.npz").read_bytes()
        assert 0 < shares["compiled"] <= 1
        assert shares["torch"] == 0

    def test_text_is_one_line(self):
        text = train("--steps", "3", "--out", "run")
        assert text.startswith("result  the gold path was never found; the last path is off by ")
        assert text.endswith(" s; run in run\n")
        assert text.count("\n") == 1

    def test_the_default_directory_is_named_after_map_and_time(self):
        for _ in range(2):
            train("--steps", "1", "--quiet")
        first, second = sorted(Path("runs").iterdir())
        assert first.name.startswith("built-in-20")
        assert second.name.startswith(first.name[:12])

    def test_history_has_every_step_at_first_then_fewer_and_the_last(self):
        train("--steps", "29", "--out", "run")
        history = arrays("run")
        assert history["steps"].tolist() == [*range(25), 26, 28, 29]
        assert {name: (array.shape, str(array.dtype)) for name, array in history.items()} == {
            "gold": ((16, 16), "uint8"),
            "costs": ((16, 16), "float64"),
            "steps": ((28,), "int64"),
            "weights": ((28, 16, 16), "float32"),
            "samples": ((28, 16, 16), "uint8"),
            "solutions": ((28, 16, 16), "uint8"),
        }
        assert np.abs(history["weights"][0]).max() <= 0.1
        np.testing.assert_array_equal(history["costs"], built_in_map())

    def test_a_record_every_above_the_steps_keeps_first_and_last(self):
        train("--steps", "5", "--record-every", "100", "--out", "run")
        assert arrays("run")["steps"].tolist() == [0, 5]

    def test_config_has_every_option(self):
        train("--steps", "1", "--lr", "0.5", "--noise", "gumbel", "--seed", "3", "--moves", "4", "--out", "run")
        config = json.loads(Path("run/config.json").read_text())
        changed = {"steps": 1, "lr": 0.5, "noise": "gumbel", "seed": 3, "moves": 4, "beta": 10.0, "map": None}
        assert config["options"] | changed == config["options"]
        assert set(config["versions"]) == {"imle", "torch", "numpy", "numba"}

    @pytest.mark.slow
    def test_the_seed_decides_every_array(self):
        for run, seed in (("a", 0), ("b", 0), ("c", 1)):
            train("--steps", "20", "--seed", seed, "--out", run)
        assert Path("a/history.npz").read_bytes() == Path("b/history.npz").read_bytes()
        assert not np.array_equal(arrays("a")["weights"], arrays("c")["weights"])

    @pytest.mark.slow
    def test_walls_stay_walls(self):
        costs = np.ones((5, 5))
        costs[1, :4] = np.inf
        np.save("map.npy", costs)
        values = json.loads(train("map.npy", "--steps", "150", "--lr", "0.02", "--out", "run", "--json"))
        assert values["final_hamming"] == 0
        assert np.isinf(arrays("run")["weights"][:, 1, :4]).all()

    @pytest.mark.slow
    def test_top_k(self):
        np.save("map.npy", np.random.default_rng(0).uniform(1, 9, (4, 4)))
        arguments = ["--solver", "top-k", "--top-k", "3", "--steps", "200", "--lr", "0.02", "--out", "run", "--json"]
        assert json.loads(train("map.npy", *arguments))["final_hamming"] == 0

    @pytest.mark.slow
    def test_the_mean_over_samples_is_another_training(self):
        for name in ("sum", "mean"):
            train("--loss-reduction", name, "--steps", "20", "--samples", "50", "--out", name)
        assert not np.array_equal(arrays("sum")["weights"], arrays("mean")["weights"])


class TestGold:
    def gold(self, mask, name="gold.npy"):
        np.save("map.npy", np.ones((4, 4)))
        np.save(name, mask)
        return ["map.npy", "--gold", name, "--steps", "1", "--out", "run"]

    def test_an_array_and_a_picture(self):
        mask = np.array([[1, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
        train(*self.gold(mask))
        np.testing.assert_array_equal(arrays("run")["gold"], mask)
        Image.fromarray((255 * mask).astype(np.uint8)).save("gold.png")
        np.savetxt("gold.csv", mask, delimiter=",", fmt="%d")
        for name in ("gold.png", "gold.csv"):
            train("map.npy", "--gold", name, "--steps", "1", "--out", f"run-{name}")
            np.testing.assert_array_equal(arrays(f"run-{name}")["gold"], mask)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("mask", "message"),
        [
            (np.eye(3), "gold.npy has 3 x 3 tiles, the map 4 x 4 tiles; the two must be equal"),
            (2 * np.eye(4), "gold.npy holds 2; a mask holds 1 where a tile is chosen and 0 elsewhere"),
            (
                np.diag([1, 1, 0, 1]),
                "gold.npy: the path is broken after tile (1, 1); each tile needs a neighbour that leads on to (3, 3); "
                "close the gap",
            ),
            (
                np.diag([0, 1, 1, 1]),
                "gold.npy: the path is not on start (0, 0); a path leads from start to goal, both included; add its tile",
            ),
            (
                np.diag([1, 1, 1, 0]),
                "gold.npy: the path is not on goal (3, 3); a path leads from start to goal, both included; add its tile",
            ),
            (
                np.eye(4) + np.eye(4, k=1),
                "gold.npy: the path touches itself or forks at tile (0, 0); no costs make such a path the cheapest; "
                "take the longer way out",
            ),
            (
                np.eye(4) + np.pad([[1]], ((3, 0), (0, 3))),
                "gold.npy: it has 1 tiles off the path; the first is at (3, 0); take them away",
            ),
        ],
    )
    def test_what_is_no_path_of_the_solver(self, mask, message):
        expect_refusal(self.gold(mask), 1, f"--gold: {message}")
        assert not Path("run").exists()

    def test_through_a_wall(self):
        arguments = self.gold(np.eye(4))
        costs = np.ones((4, 4))
        costs[2, 2] = np.inf
        np.save("map.npy", costs)
        expect_refusal(arguments, 1, "--gold: gold.npy chooses tile (2, 2), which is a wall; go around it")

    def test_another_number_of_tiles(self):
        arguments = [*self.gold(np.eye(4)), "--solver", "top-k", "--top-k", "3"]
        expect_refusal(arguments, 1, "--gold: gold.npy chooses 4 tiles; --top-k 3 chooses 3")

    def test_a_missing_or_unreadable_file(self):
        expect_refusal(["--gold", "none.npy"], 2, "--gold: none.npy: no such file; check the path")
        Path("bad.npy").write_bytes(b"text")
        result = invoke("--gold", "bad.npy")
        assert result.stderr.startswith("error: --gold: bad.npy: cannot be read as an array (")


class TestInit:
    def test_a_file(self):
        np.save("first.npy", np.linspace(0, 1, 256).reshape(16, 16))
        train("--init", "first.npy", "--steps", "1", "--out", "run")
        np.testing.assert_allclose(arrays("run")["weights"][0], np.load("first.npy"), rtol=1e-6)

    def test_another_shape_or_nan(self):
        np.save("first.npy", np.zeros((2, 3)))
        expect_refusal(
            ["--init", "first.npy"], 1, "--init: first.npy has 2 x 3 weights, the map 16 x 16 tiles; the two must be equal"
        )
        np.save("first.npy", np.full((16, 16), np.nan))
        expect_refusal(
            ["--init", "first.npy"],
            1,
            "--init: first.npy holds weights that are NaN or infinite; weights must be finite in 32 bits",
        )


LONG = ("--steps", "600", "--samples", "3", "--seed", "2")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing stopped, and its summary."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, json.loads(train(*LONG, "--out", folder, "--json"))


class TestResume:
    @pytest.mark.slow
    @pytest.mark.process
    def test_after_a_signal_the_rest_is_the_same_to_the_bit(self, terminal, whole):
        process = terminal.start("-m", "imle_cli", "train", *LONG, "--out", "part", stdout=subprocess.DEVNULL)
        with process:
            terminal.read_until(b"path off by")
            process.send_signal(signal.SIGINT)
            shown = terminal.read_all()
        assert process.returncode == 130
        assert "go on with: imle train --resume part" in shown
        assert shown.rstrip().endswith("interrupted")
        done = len(Path("part/metrics.csv").read_text().splitlines()) - 1
        assert 0 < done < 601
        assert not Path("part/summary.json").exists()
        resumed = json.loads(train("--resume", "part", "--json"))
        folder, summary = whole
        same = set(KEYS) - {"seconds", "run"}
        assert {name: resumed[name] for name in same} == {name: summary[name] for name in same}
        assert Path("part/history.npz").read_bytes() == (folder / "history.npz").read_bytes()
        assert Path("part/metrics.csv").read_text() == (folder / "metrics.csv").read_text()

    @pytest.mark.slow
    @pytest.mark.process
    @pytest.mark.skipif(os.name != "posix", reason="such signals are POSIX")
    @pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
    def test_other_signals_save_as_well(self, terminal, name):
        if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            pytest.skip("whoever started the tests has it ignored, as nohup does")
        call = ["-m", "imle_cli", "train", "--steps", "1000000", "--samples", "1", "--out", "part"]
        with terminal.start(*call, stdout=subprocess.DEVNULL) as process:
            terminal.read_until(b"path off by")
            for _ in range(2):  # as a shell and the kernel send them
                process.send_signal(getattr(signal, name))
            shown = terminal.read_all()
        assert process.returncode == 128 + getattr(signal, name)
        assert "go on with: imle train --resume part" in shown
        steps = int(shown.split("stopped after ")[1].split()[0])
        assert torch.load("part/checkpoint.pt", weights_only=True)["step"] == steps > 0
        assert len(Path("part/metrics.csv").read_text().splitlines()) == steps + 1
        assert not list(Path("part").glob(".*"))

    @pytest.mark.slow
    @pytest.mark.process
    @pytest.mark.skipif(os.name != "posix", reason="a kill cannot be sent elsewhere")
    def test_after_a_kill(self, terminal, whole):
        process = terminal.start("-m", "imle_cli", "train", *LONG, "--out", "part", stdout=subprocess.DEVNULL)
        with process:
            terminal.read_until(b"path off by")
            process.kill()
            terminal.read_all()
        train("--resume", "part", "--quiet")
        folder, _ = whole
        assert Path("part/history.npz").read_bytes() == (folder / "history.npz").read_bytes()
        assert Path("part/metrics.csv").read_text() == (folder / "metrics.csv").read_text()

    @pytest.mark.slow
    def test_after_a_kill_before_the_first_step(self, monkeypatch):
        def stop(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(TrainingRecorder, "steps", stop)
            assert invoke("--steps", "20", "--out", "part").exit_code == 130
        train("--resume", "part", "--quiet")
        train("--steps", "20", "--out", "whole", "--quiet")
        assert Path("part/history.npz").read_bytes() == Path("whole/history.npz").read_bytes()

    @pytest.mark.slow
    def test_an_interruption_amid_a_step(self, monkeypatch):
        move, moves = Training._move, []

        def stopped(self, loss):
            move(self, loss)
            moves.append(loss)
            if len(moves) == 7:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Training, "_move", stopped)
            assert invoke("--steps", "20", "--out", "part").exit_code == 130
        train("--resume", "part", "--quiet")
        train("--steps", "20", "--out", "whole", "--quiet")
        assert Path("part/history.npz").read_bytes() == Path("whole/history.npz").read_bytes()
        assert Path("part/metrics.csv").read_text() == Path("whole/metrics.csv").read_text()

    def test_an_interruption_as_it_resumes_keeps_the_metrics(self, monkeypatch):
        train("--steps", "20", "--out", "run")
        before = Path("run/metrics.csv").read_text()

        def stop(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(csv, "writer", stop)
            assert invoke("--resume", "run").exit_code == 130
        assert Path("run/metrics.csv").read_text() == before

    @pytest.mark.slow
    def test_a_full_disk_leaves_a_run_that_goes_on(self, monkeypatch):
        from imle_cli.runs import training

        save, saves = np.savez, []

        def savez(file, **values):
            saves.append(1)
            if len(saves) > 1:
                file.write(b"half")
                raise OSError(28, "No space left on device")
            save(file, **values)

        with monkeypatch.context() as patch:
            patch.setattr(training.np, "savez", savez)
            result = invoke("--steps", "20", "--out", "part")
        assert (result.exit_code, result.stderr) == (1, f"error: {Path('part/history.npz')}: No space left on device\n")
        train("--resume", "part", "--quiet")
        train("--steps", "20", "--out", "whole", "--quiet")
        np.testing.assert_array_equal(arrays("part")["weights"], arrays("whole")["weights"])

    def test_a_finished_run_says_the_same_again(self):
        first = json.loads(train("--steps", "5", "--out", "run", "--json"))
        again = json.loads(train("--resume", "run", "--json"))
        assert first == again

    def test_the_files_that_it_began_with_may_have_gone(self):
        files = {"map.npy": np.ones((4, 4)), "gold.npy": np.eye(4), "first.npy": np.zeros((4, 4))}
        for name, array in files.items():
            np.save(name, array)
        train("map.npy", "--gold", "gold.npy", "--init", "first.npy", "--steps", "2", "--out", "run")
        for name in files:
            Path(name).unlink()
        assert "run in run" in train("--resume", "run")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--steps", "5"], "--steps: got 5, but the run was made with 2; a resumed run keeps its options, leave it out"),
            (["--seed", "0"], "--seed: got 0, but the run was made with 1; a resumed run keeps its options, leave it out"),
            (["x.npy"], "FILE: got x.npy, but the run was made with None; a resumed run keeps its options, leave it out"),
            (["--out", "other"], "--out: a resumed run stays in its directory; leave it out"),
        ],
        ids=lambda value: str(value)[:12],
    )
    def test_options_that_contradict_it(self, arguments, message):
        train("--steps", "2", "--seed", "1", "--out", "run")
        expect_refusal(["--resume", "run", *arguments], 2, message)
        train("--resume", "run", "--steps", "2", "--seed", "1")


class TestDirectory:
    def test_one_that_is_not_empty(self):
        Path("run").mkdir()
        Path("run/notes.txt").touch()
        expect_refusal(["--out", "run"], 2, "--out: run is not empty; choose another name")

    def test_one_with_a_run(self):
        train("--steps", "2", "--out", "run")
        expect_refusal(["--out", "run"], 2, "--out: run is not empty; go on with --resume run, or choose another name")

    def test_nothing_is_left_of_one_whose_first_state_could_not_be_written(self, monkeypatch):
        def fail(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(Run, "_write_json", fail)
        assert invoke("--steps", "2", "--out", "run").exit_code == 130
        assert not list(Path("run").iterdir())

    def test_two_runs_that_begin_in_one_second_have_a_folder_each(self):
        assert new_folder("map.png") != new_folder("map.png")

    def test_a_file_in_its_place(self):
        Path("run").touch()
        result = invoke("--out", "run")
        assert (result.exit_code, result.stderr) == (
            2,
            "error: --out: run cannot be made a folder (File exists); choose another name\n",
        )

    def test_none(self):
        expect_refusal(["--resume", "none"], 2, "--resume: none: no such run directory; check the path")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("config.json", None, "config.json is missing"),
            ("config.json", b"{", "config.json cannot be read"),
            ("config.json", b"[]", "config.json is not of the format 'imle run 1'"),
            ("config.json", b'{"format": "imle run 1", "options": []}', "config.json is not of the format 'imle run 1'"),
            ("config.json", b'{"format": "imle run 1", "options": {}}', "config.json lacks options ('map')"),
            ("config.json", b"[" * 200_000, "config.json cannot be read"),
            ("config.json", b"\xff", "config.json cannot be read"),
            ("checkpoint.pt", b"", "checkpoint.pt cannot be read"),
            ("checkpoint.pt", b"x" * 100, "checkpoint.pt cannot be read"),
            ("history.npz", b"PK\x03\x04", "history.npz cannot be read"),
        ],
    )
    def test_a_damaged_one(self, name, content, message):
        train("--steps", "2", "--out", "run")
        Path("run/previous.pt").unlink()
        if content is None:
            Path("run", name).unlink()
        else:
            Path("run", name).write_bytes(content)
        expect_refusal(["--resume", "run"], 1, f"run: {message}; it is damaged or no run of imle; choose another folder")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ({"noise": "foo"}, "noise: got 'foo'; it must be sum-of-gamma, gumbel, normal, logistic, none"),
            ({"steps": "x"}, "steps: got 'x'; it must be a whole number"),
            ({"map": 5}, "map: got 5; it must be a path or null"),
            ({"beta": True}, "beta: got True; it must be a finite number"),
            ({"steps": 0}, "--steps: got 0; it must be a whole number >= 1; the usual number is 1100"),
            ({"start": "x"}, "--start: got 'x'; it must be ROW,COL such as 0,15"),
            ({"moves": 5}, "--moves: got 5; it must be 8 or 4; use 8 for diagonal steps"),
            ({"record_every": 0}, "--record-every: got 0; it must be a whole number >= 1; leave it out, or use 10"),
        ],
    )
    def test_options_of_another_program(self, options, complaint):
        train("--steps", "2", "--out", "run")
        config = json.loads(Path("run/config.json").read_text())
        Path("run/config.json").write_text(json.dumps(config | {"options": config["options"] | options}))
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"run: config.json lacks options ({complaint}); {damaged}")

    def test_a_single_bit_of_the_checkpoint(self):
        train("--steps", "2", "--out", "run")
        Path("run/previous.pt").unlink()
        file = Path("run/checkpoint.pt")
        weight = torch.load(file, weights_only=True)["weights"].numpy().tobytes()[:16]
        content = bytearray(file.read_bytes())
        content[content.index(weight) + 3] ^= 0x80
        file.write_bytes(content)
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"run: checkpoint.pt cannot be read; {damaged}")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"step": "3"}, "checkpoint.pt lacks what a checkpoint has"),
            ({"step": -5}, "checkpoint.pt is at step -5 of 2 in config.json, metrics.csv at 3"),
            ({"step": 10**6}, "checkpoint.pt is at step 1000000 of 2 in config.json, metrics.csv at 3"),
            ({"optimizer": {}}, "checkpoint.pt does not fit config.json"),
            ({"generator": torch.zeros(3, dtype=torch.uint8)}, "checkpoint.pt does not fit config.json"),
            ({"seconds": float("nan")}, "checkpoint.pt does not fit config.json"),
            ({"counts": {"seen": "x"}}, "checkpoint.pt does not fit config.json"),
            ({"counts": [1]}, "checkpoint.pt does not fit config.json"),
            ({"metrics": torch.zeros(3)}, "checkpoint.pt lacks what a checkpoint has"),
        ],
        ids=str,
    )
    def test_a_foreign_checkpoint(self, change, message):
        train("--steps", "2", "--out", "run")
        torch.save(torch.load("run/checkpoint.pt", weights_only=True) | change, "run/checkpoint.pt")
        expect_refusal(["--resume", "run"], 1, f"run: {message}; it is damaged or no run of imle; choose another folder")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"weights": np.zeros((1, 16, 16), "f4")}, "has arrays that do not fit each other"),
            ({"gold": np.zeros((4, 4), "u1")}, "has arrays that do not fit each other"),
            ({"steps": np.zeros((3, 1), "i8")}, "has arrays that do not fit each other"),
            ({"steps": np.zeros(2)}, "cannot be read"),
            ({"steps": np.array([0, 2, 1])}, "holds what no training records"),
            ({"costs": np.full((16, 16), np.nan)}, "holds what no training records"),
        ],
        ids=lambda value: str(list(value)) if isinstance(value, dict) else "",
    )
    def test_a_foreign_history(self, change, message):
        train("--steps", "2", "--record-every", "1", "--out", "run")
        with np.load("run/history.npz") as arrays:
            changed = dict(arrays) | change
        np.savez("run/history.npz", **changed)
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"run: history.npz {message}; {damaged}")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("checkpoint.pt", "checkpoint.pt is missing; the run cannot go on, start it anew"),
            ("history.npz", "history.npz is missing; nothing was recorded, start the run anew"),
        ],
    )
    def test_a_file_is_missing(self, name, message):
        train("--steps", "2", "--out", "run")
        Path("run/previous.pt").unlink()
        Path("run", name).unlink()
        expect_refusal(["--resume", "run"], 1, f"run: {message}")

    def test_a_history_that_is_behind(self):
        train("--steps", "2", "--record-every", "1", "--out", "run")
        with np.load("run/history.npz") as arrays:
            behind = {name: array if name in ("gold", "costs") else array[:2] for name, array in arrays.items()}
        np.savez("run/history.npz", **behind)
        message = "history.npz lacks steps that config.json has recorded before 3, at which checkpoint.pt is"
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "run"], 1, f"run: {message}; {damaged}")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run that was saved at step 0, after 7 steps, and after 12, and a whole one."""
    folder = tmp_path_factory.mktemp("runs")
    experiment = TrainingExperiment(
        MapOptions(), MapSolverOptions(), NoiseOptions(), LearningOptions(steps=20), 0, "auto", 3
    )
    with TrainingRecorder.start(experiment, folder / "part") as recorder:
        for record in recorder.steps(lambda: recorder.training.step == 12):
            if record.step == 6:
                recorder.save()
    train("--steps", "20", "--record-every", "3", "--out", folder / "whole", "--quiet")
    return folder


class TestDamage:
    """Files of a run do not depend on each other."""

    @pytest.fixture
    def _stopped(self, runs):
        """Copies of both in the current folder."""
        shutil.copytree(runs, ".", dirs_exist_ok=True)

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    @pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04", "half"])
    def test_of_the_last_checkpoint(self, content):
        checkpoint = Path("part/checkpoint.pt")
        if content is None:
            checkpoint.unlink()
        else:
            checkpoint.write_bytes(checkpoint.read_bytes()[:3000] if content == "half" else content)
        result = invoke("--resume", "part")
        note = "note: part: checkpoint.pt was damaged; going on from the one before it, after 7 steps\n"
        assert (result.exit_code, result.stderr) == (0, note)
        for name in ("history.npz", "metrics.csv"):
            assert Path("part", name).read_bytes() == Path("whole", name).read_bytes()

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    def test_of_both_checkpoints(self):
        for name in ("checkpoint.pt", "previous.pt"):
            Path("part", name).write_bytes(b"x")
        message = "part: neither checkpoint.pt nor previous.pt can be read; it is damaged or no run of imle"
        expect_refusal(["--resume", "part"], 1, f"{message}; choose another folder")

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    def test_a_checkpoint_before_a_damaged_one_that_is_foreign_is_left_where_it_is(self):
        state = torch.load("part/previous.pt", weights_only=True) | {"step": -1}
        torch.save(state, "part/previous.pt")
        Path("part/checkpoint.pt").write_bytes(b"x")
        result = invoke("--resume", "part")
        assert (result.exit_code, "previous.pt is at step -1" in result.stderr) == (1, True)
        assert Path("part/checkpoint.pt").read_bytes() == b"x"
        assert torch.load("part/previous.pt", weights_only=True)["step"] == -1

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    @pytest.mark.parametrize("content", [None, b"", b"step,loss,hamming\n1,2\n"])
    def test_of_the_metrics(self, content):
        Path("part/metrics.csv").unlink() if content is None else Path("part/metrics.csv").write_bytes(content)
        train("--resume", "part", "--quiet")
        assert Path("part/metrics.csv").read_bytes() == Path("whole/metrics.csv").read_bytes()

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    def test_a_run_of_an_earlier_version_has_its_rows_in_the_table_only(self):
        state = torch.load("part/checkpoint.pt", weights_only=True)
        for name in ("metrics", "counts"):
            del state[name]
        torch.save(state, "part/checkpoint.pt")
        train("--resume", "part", "--quiet")
        for name in ("history.npz", "metrics.csv"):
            assert Path("part", name).read_bytes() == Path("whole", name).read_bytes()

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    @pytest.mark.parametrize("text", ["step,loss,hamming\n1,2\n", "step,loss,hamming\n0,2.0,3\n2,2.0,3\n"])
    def test_of_such_a_table(self, text):
        state = torch.load("part/checkpoint.pt", weights_only=True)
        del state["metrics"]
        torch.save(state, "part/checkpoint.pt")
        Path("part/metrics.csv").write_text(text)
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "part"], 1, f"part: metrics.csv cannot be read; {damaged}")

    @pytest.mark.slow
    @pytest.mark.usefixtures("_stopped")
    @pytest.mark.parametrize("name", ["exp_avg", "exp_avg_sq", "step", "lr", "betas"])
    def test_an_optimiser_that_would_fail_at_its_first_step(self, name):
        state = torch.load("part/checkpoint.pt", weights_only=True)
        group, moments = state["optimizer"]["param_groups"][0], state["optimizer"]["state"][0]
        (moments if name in moments else group)[name] = torch.zeros(3)
        torch.save(state, "part/checkpoint.pt")
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["--resume", "part"], 1, f"part: checkpoint.pt does not fit config.json; {damaged}")


class TestCompany:
    """One process at a time writes a run."""

    def test_who_writes_it_is_named(self):
        train("--steps", "2", "--out", "run")
        before = {path.name: path.read_bytes() for path in Path("run").iterdir()}
        message = f"run is being written by process {os.getpid()}; wait for it, or end it first"
        with FolderLock(Path("run")):
            expect_refusal(["--resume", "run"], 1, message)
            expect_refusal(["--out", "run"], 1, message)
        assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before
        train("--resume", "run")

    def test_a_run_that_was_refused_is_free_again(self):
        train("--steps", "2", "--out", "run")
        assert invoke("--resume", "run", "--steps", "5").exit_code == 2
        FolderLock(Path("run")).release()

    def test_what_a_killed_process_left_before_the_first_state_is_taken_over(self):
        Path("run").mkdir()
        for name in ("history.npz", ".checkpoint.pt.1234abcd.part", ".imle-lock"):
            Path("run", name).touch()
        message = "run: has no config.json yet, so nothing was recorded; start the run anew with --out run"
        expect_refusal(["--resume", "run"], 1, message)
        train("--steps", "2", "--out", "run")
        files = ["checkpoint.pt", "config.json", "history.npz", "metrics.csv", "previous.pt", "summary.json"]
        assert sorted(path.name for path in Path("run").iterdir()) == files

    @pytest.mark.slow
    @pytest.mark.parametrize("count", range(1, 5))
    def test_a_kill_at_each_file_of_the_first_state(self, monkeypatch, count):
        from imle_cli.files import outputs

        replace, replaced = Path.replace, []

        class Killed(BaseException):
            pass

        def killed(path, target):
            replaced.append(path)
            if len(replaced) == count:
                patch.setattr(outputs.Path, "unlink", lambda *_, **__: None)
                raise Killed
            return replace(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(outputs.Path, "replace", killed)
            with pytest.raises(Killed):
                CliRunner().invoke(app, ["train", "--steps", "5", "--out", "part"], catch_exceptions=False)
        assert len(list(Path("part").iterdir())) >= count
        train("--steps", "5", "--out", "part", "--quiet")
        train("--steps", "5", "--out", "whole", "--quiet")
        for name in ("history.npz", "metrics.csv", "config.json"):
            assert Path("part", name).read_bytes() == Path("whole", name).read_bytes()

    @pytest.mark.parametrize("name", ["history.npz", "checkpoint.pt", "metrics.csv"])
    def test_a_file_of_somebody_with_such_a_name_is_kept(self, name):
        Path("run").mkdir()
        with Path("run", name).open("wb") as file:
            np.savez(file, mine=np.zeros(3))
        before = Path("run", name).read_bytes()
        expect_refusal(["--out", "run"], 2, "--out: run is not empty; choose another name")
        assert Path("run", name).read_bytes() == before

    def test_a_run_that_has_lost_its_options_is_kept(self):
        train("--steps", "2", "--out", "run")
        for name in ("config.json", "summary.json", "previous.pt"):
            Path("run", name).unlink()
        expect_refusal(["--out", "run"], 2, "--out: run is not empty; choose another name")

    def test_half_written_files_go_when_a_run_goes_on(self):
        train("--steps", "2", "--out", "run")
        for name in (".history.npz.1234abcd.part", ".learning.gif.1234abcd.part"):
            Path("run", name).touch()
        train("--resume", "run")
        assert [path.name for path in Path("run").glob(".*")] == [".learning.gif.1234abcd.part"]


WRONG_USAGE = {
    ("--steps", "0"): "--steps: got 0; it must be a whole number >= 1; the usual number is 1100",
    ("--samples", "0"): "--samples: got 0; it must be a whole number >= 1; use 10 for a first look",
    ("--input-temp", "-1"): "--input-temp: got -1; it must be a number >= 0; use 0 for no noise",
    ("--target-temp", "nan"): "--target-temp: got nan; it must be a number >= 0; use 0 for no noise",
    ("--lr", "0"): "--lr: got 0; it must be a number > 0; the usual value is 0.005",
    ("--alpha", "-1"): "--alpha: got -1; it must be a number >= 0; the usual value is 1",
    ("--beta", "-1"): "--beta: got -1; it must be a number >= 0; the usual value is 10",
    ("--record-every", "0"): "--record-every: got 0; it must be a whole number >= 1; leave it out, or use 10",
}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage(arguments):
    expect_refusal(arguments, 2, WRONG_USAGE[arguments])
    assert not Path("runs").exists()
