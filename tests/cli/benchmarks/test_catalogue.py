"""Measurements: what they measure is right; how fast it is, is not a matter of tests."""

import contextlib
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

import warm
from imle_cli.benchmarks import (
    black_boxes,
    estimators,
    graph_batches,
    measurement,
    paths,
    plain_solvers,
    processes,
    rivals,
    rounds,
    situations,
)
from imle_cli.benchmarks.catalogue import MEASUREMENTS, MORE
from imle_cli.benchmarks.measurement import Row
from imle_cli.benchmarks.rounds import Estimate
from imle_core import imle
from imle_core.solvers import AcyclicGridPath, GridPath, Knapsack, SpanningTree, TopK

CPU = torch.device("cpu")
SIZES = (
    *MEASUREMENTS[:1],
    *MEASUREMENTS[3:13],
    pytest.param(partial(black_boxes.workers, seconds=0.001, count=8), marks=pytest.mark.process),
    partial(paths.every_rival, kind="noisy built-in", side=12, dtype=torch.float32, count=5),
    partial(paths.every_rival, kind="uniform random", side=4, dtype=torch.float64, count=5),
    partial(paths.plain_kernel, side=12, count=5),
    partial(paths.large_map, names=("scipy", "networkx"), side=32),
    partial(estimators.noise, count=1000, at_once=100),
    partial(estimators.step_with_networkx, samples=2),
)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(rounds, "_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "_TURN", 0.0)


@pytest.fixture
def calls(monkeypatch):
    """Arguments and variables of the processes that would be started; each of them prints 2e6."""
    made = []

    def start(*arguments, **environment):
        made.append((arguments, environment))
        return "2e6"

    monkeypatch.setattr(processes, "run_python", start)
    monkeypatch.setattr(estimators, "run_python", start)
    return made


def check(rows):
    """Figures are positive, and a ratio is that of its row to the one it names: less time, or more in the same time."""
    assert rows
    assert all(row.figure.value > 0 for row in rows)
    for row in rows:
        if row.ratio is not None:
            (other,) = {one for one in rows if one.subject == row.subject and one.means.endswith(row.reference)} - {row}
            pair = (other, row) if row.unit in ("s", "ms") else (row, other)
            assert row.ratio.value == pytest.approx(pair[0].figure.value / pair[1].figure.value)


@pytest.mark.slow
@pytest.mark.parametrize("measure", SIZES, ids=lambda measure: getattr(measure, "__name__", None) or measure.func.__name__)
def test_every_measurement_gives_positive_figures_and_its_ratio(measure):
    threads = torch.get_num_threads()
    check(list(measure(CPU, 0)))
    assert torch.get_num_threads() == threads


def test_every_library_has_a_row_and_one_of_ours_after_it():
    rows = list(paths.every_rival(CPU, 0, kind="uniform random", side=4, dtype=torch.float64, count=1600))
    assert {row.subject for row in rows} == {"1,600 uniform random maps of 4x4, float64"}
    assert [row.means for row in rows[::2]] == list(rivals.installed())
    assert [row.reference for row in rows[1::2]] == list(rivals.installed())
    assert {row.means for row in rows[1::2]} == {f"GridPath, {measurement.threads_in_words(torch.get_num_threads())}"}


def test_loops_over_graphs_find_what_the_batch_does():
    graphs = graph_batches._graphs(2, seed=0)
    rows = graph_batches._parameters(graphs, seed=0)
    offsets = [0, len(rows[0]), len(rows[0]) + len(rows[1])]
    for solve, solver in ((graph_batches._tree, SpanningTree(graphs)), (graph_batches._choice, TopK(10))):
        loop = graph_batches._loop(graphs, solve)
        masks = [imle(each).ragged(torch.cat(rows), offsets) for each in (loop, solver)]
        assert torch.equal(*masks)


def test_a_batch_of_graphs_has_rows_of_both():
    rows = list(graph_batches.trees_and_choices(CPU, 0, count=2))
    check(rows)
    assert [row.means for row in rows] == ["networkx", "compiled"] * 2


def test_libraries_can_be_named():
    rows = list(paths.every_rival(CPU, 0, kind="uniform random", side=4, dtype=torch.float32, count=3, names=("scipy",)))
    assert [row.reference for row in rows] == [None, "scipy"]


def test_a_large_map_has_no_rows_where_none_of_the_libraries_is_installed(monkeypatch):
    for path, _ in rivals.OPTIONAL.values():
        monkeypatch.setitem(sys.modules, path, None)
    assert list(paths.large_map(CPU, 0, names=tuple(rivals.OPTIONAL))) == []


def test_noisy_maps_keep_their_ridges_and_the_floor():
    for side in (12, 16, 32):
        theta = paths.noisy_maps(side, 20, 0, torch.float64)
        assert (theta.shape, theta.dtype, theta.max()) == ((20, side, side), torch.float64, -GridPath().floor)
        mean = theta.mean(0)
        assert ((mean < -95) | (mean > -2)).all()
        crossed = (mean < -95).any(1)
        # Three ridges: one begins where the row before it had none.
        assert int((crossed[1:] & ~crossed[:-1]).sum()) == 3


def test_random_maps_have_costs_from_a_tenth_to_ten():
    theta = paths.random_maps(16, 50, 0)
    assert (theta.shape, theta.dtype) == ((50, 16, 16), torch.float32)
    assert -10 < theta.min() < -9.9
    assert -0.2 < theta.max() <= -0.1


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_plain_kernel_solves_every_map_on_any_number_of_threads(threads):
    theta = paths.random_maps(6, 5, 0, torch.float64)
    with ThreadPoolExecutor(threads) as pool:
        assert torch.equal(paths._plain_masks(theta, threads, pool), GridPath()(theta))


def test_maps_on_a_device_are_measured_only_where_there_is_one(monkeypatch):
    assert list(paths.from_device(CPU, 0, count=3)) == []
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append(True))
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *_: tensor)
    rows = list(paths.from_device(torch.device("cuda"), 0, count=3, side=16))
    check(rows)
    assert [row.means for row in rows] == ["GridPath, theta on cpu", "GridPath, theta on cuda"]
    assert len(waited) == 1 + 2  # before, to warm up, and in the round


@pytest.mark.slow
def test_where_backward_rows_repeat_nine_tenths_do():
    rate, forward, backward = black_boxes.repeats(CPU, 0)
    assert 90 <= rate.figure.value < 100
    assert backward.figure.value > forward.figure.value


def test_what_is_measured_against_gives_the_same():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randint(0, 9, (8,), generator=generator).tolist()
    maps, values = (torch.randn(shape, generator=generator).round() for shape in ((50, 4, 5), (50, 8)))
    pairs = [
        (AcyclicGridPath(), plain_solvers.acyclic_path, maps),
        (Knapsack(weights, 20), lambda row: plain_solvers.knapsack(row, weights, 20), values),
        (TopK(3), lambda row: plain_solvers.top_k(row, 3), values),
    ]
    for solver, plain, theta in pairs:
        assert solver(theta).tolist() == [plain(row) for row in theta.tolist()]


def test_a_full_measurement_has_every_side_of_both_kinds_and_both_types_of_one():
    wanted = {tuple(part.keywords.values()) for part in MORE if getattr(part, "func", None) is paths.every_rival}
    assert wanted == {
        (kind, side, dtype)
        for kind, dtype in (
            ("noisy built-in", torch.float32),
            ("noisy built-in", torch.float64),
            ("uniform random", torch.float32),
        )
        for side in (12, 16, 32)
    }


def test_the_loop_of_gammas_is_scaled_from_fewer_draws_and_says_so():
    slow, fast = estimators.noise(CPU, 0, count=1000, at_once=100)
    assert slow.subject == fast.subject == "1,000 draws of noise"
    assert slow.means == "Sum-of-Gamma, k=20.8, s=100, loop of gammas, 100 at a time"


def test_many_samples_are_timed_here_and_their_memory_in_a_process_of_its_own(calls, monkeypatch, capsys):
    rows = list(estimators.many_samples(CPU, 3, samples=20))
    check(rows)
    assert [(row.unit, row.subject) for row in rows] == [
        ("us a sample", "forward and backward, 20 samples"),
        ("MB", "forward and backward, 20 samples"),
    ]
    assert rows[1].figure == Estimate(2.0)
    (((option, code, *arguments), _),) = calls
    monkeypatch.setattr(sys, "argv", [option, *arguments])
    exec(code, {})
    assert int(capsys.readouterr().out) >= 0


@pytest.mark.process
@pytest.mark.slow
def test_memory_is_measured_above_the_imports(monkeypatch):
    monkeypatch.setattr(processes, "run_python", lambda *arguments: warm.run(*arguments).stdout)
    (row,) = MEASUREMENTS[-1](CPU, 0, samples=3)
    assert row.unit == "MB"
    assert 8 < row.figure.value < 1000  # the map alone has 8 MB; below the project's limit


def test_commands_are_timed_as_whole_processes(calls):
    rows = list(processes.commands(CPU, 0))
    check(rows)
    names = ["import torch", "imle --help", "imle marginals", "imle marginals --samples 10000", "imle train --steps 1"]
    assert [row.means for row in rows] == names
    for (arguments, environment), name in zip(calls, 2 * names, strict=True):
        assert list(arguments[:2]) == (["-c", name] if name.startswith("import") else ["-m", "imle_cli"])
        assert set(name.split()[1:]) <= {"torch", *arguments[2:]}
        assert environment == {}
    folders = [arguments[-1] for arguments, _ in calls if arguments[2:3] == ("train",)]
    assert len(set(folders)) == 2


def test_first_calls_are_those_of_scripts_that_set_nothing(calls):
    rows = list(processes.first_calls(CPU, 5))
    assert [row.subject.split()[0] for row in rows] == ["1,600", "70"]
    assert {(row.figure.value, row.unit) for row in rows} == {(2e9, "ms")}
    assert [arguments[2:] for arguments, _ in calls] == [("1600", "5"), ("70", "5")] * 2
    assert {environment["OMP_WAIT_POLICY"] for _, environment in calls} == {None}


@pytest.mark.parametrize("script", [processes._FIRST_CALL, processes._FIRST_STEP], ids=["call", "step"])
def test_a_first_call_says_what_it_took(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["-c", "3", "0"])
    exec(script, {})
    assert float(capsys.readouterr().out) > 0


def test_a_cold_start_compiles_into_folders_of_its_own(calls):
    rows = list(processes.cold_start(CPU, 5))
    check(rows)
    assert [row.means for row in rows] == ["compiling", "compiled before"] * 2
    cold, again, cold_step, step_again = calls
    for first, second in ((cold, again), (cold_step, step_again)):
        assert first == second
        assert not Path(first[1]["NUMBA_CACHE_DIR"]).exists()
    assert cold[0][:5] == ("-m", "imle_cli", "marginals", "--seed", "5")
    assert cold_step[0][2:] == ("100", "5")
    assert cold[1]["NUMBA_CACHE_DIR"] != cold_step[1]["NUMBA_CACHE_DIR"]


@pytest.mark.process
def test_a_process_gets_the_variables_and_gives_what_it_prints(monkeypatch):
    monkeypatch.setenv("KEPT", "a")
    monkeypatch.setenv("TAKEN", "c")
    code = "import os; print(os.environ['KEPT'] + os.environ['GIVEN'] + os.environ.get('TAKEN', ''))"
    assert processes.run_python("-c", code, GIVEN="b", TAKEN=None) == "ab\n"


@pytest.mark.slow
def test_a_training_gives_speeds_and_an_animation(monkeypatch):
    def start(*call):
        monkeypatch.setattr(sys, "argv", ["-c", *call[2:]])
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(call[1], {})
        assert output.getvalue().count("\n") == 2
        return output.getvalue()

    monkeypatch.setattr(processes, "run_python", start)
    monkeypatch.setattr(processes, "_TRAININGS", 2)
    rows = list(processes.training(CPU, 0, steps=20, steps_on_large=2))
    assert [row.unit for row in rows] == ["s", "%", "steps/s", "s", "kB"]
    assert all(row.figure.value > 0 for row in rows if row.unit != "%")
    assert 0 <= rows[1].figure.value <= 100
    assert rows[3].subject.startswith("21 frames")


def test_rows_of_a_script_come_back_as_they_are(monkeypatch):
    rows = [
        Row("maps", "slow", Estimate(1.0), "maps/s"),
        Row("maps", "fast", Estimate(2.0, 1.5, 2.5), "maps/s", Estimate(2.0, 1.9, 2.1), "slow"),
    ]
    asked = []
    monkeypatch.setattr(situations, "amid_work", lambda theta: asked.append(tuple(theta.shape)) or rows[:1])
    monkeypatch.setattr(situations, "beside_a_process", lambda _: rows[1:])

    def start(option, code, *arguments, **environment):
        assert (option, environment) == ("-c", {"OMP_WAIT_POLICY": None})
        monkeypatch.setattr(sys, "argv", ["-c", *arguments])
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(code, {})
        return output.getvalue()

    monkeypatch.setattr(processes, "run_python", start)
    expected = [replace(row, subject="maps, in a script") for row in rows]
    assert list(situations.calls_in_a_script(CPU, 3, counts=(4, 2))) == 2 * expected
    assert asked == [(4, 16, 16), (2, 16, 16)]
    asked.clear()
    monkeypatch.setattr(situations, "every_rival", lambda _, seed, **settings: asked.append((seed, settings)) or rows)
    assert list(situations.sizes_in_a_script(CPU, 5, count=7)) == 3 * expected
    same = {"dtype": torch.float32, "count": 7, "names": ("scipy",)}
    kinds = ("noisy built-in", 12), ("noisy built-in", 32), ("uniform random", 32)
    assert asked == [(5, {"kind": kind, "side": side, **same}) for kind, side in kinds]


def test_situations_are_compared_with_a_call_after_a_call():
    threads = torch.get_num_threads()
    rows = list(situations.amid_work(paths.noisy_maps(16, 3, 0)))
    check(rows)
    assert torch.get_num_threads() == threads
    assert [row.means for row in rows] == [
        "scipy",
        f"GridPath, {measurement.threads_in_words(threads)}",
        "GridPath, call after call",
        "GridPath, after an operation of torch",
        "GridPath, after a convolution",
        "GridPath, after 20 ms of other work",
        "GridPath, one thread",
    ]
    assert [row.reference for row in rows] == [None, "scipy", None, *["GridPath, call after call"] * 4]


def test_beside_a_process_one_thread_is_the_measure(monkeypatch):
    busy, threads = [], torch.get_num_threads()

    @contextlib.contextmanager
    def beside():
        busy.append("began")
        yield
        busy.append("ended")

    monkeypatch.setattr(situations, "busy_process", beside)
    rows = list(situations.beside_a_process(paths.noisy_maps(16, 3, 0)))
    check(rows)
    assert torch.get_num_threads() == threads
    assert busy == ["began", "ended"]
    assert [row.reference for row in rows] == [None, "scipy", None, "GridPath, one thread alone"]


@pytest.mark.process
def test_a_busy_process_ends_with_its_measurement(monkeypatch):
    started, start = [], subprocess.Popen
    monkeypatch.setattr(situations.subprocess, "Popen", lambda *call: started.append(start(*call)) or started[0])
    with situations.busy_process():
        assert started[0].poll() is None
    assert started[0].returncode is not None


def test_a_sweep_is_timed_whole(calls):
    (row,) = processes.sweep(CPU, 7)
    assert (row.unit, calls[0][0][2:8]) == ("s", ("sweep", "--samples", "10", "--animate", "--seeds", "7"))


def test_losses_of_gold_solutions_are_compared_in_one_run():
    rows = list(estimators.losses_of_gold(CPU, 0))
    check(rows)
    assert [row.means for row in rows] == ["fenchel-young, 10 samples", "frank-wolfe-fenchel-young"]
    assert [row.reference for row in rows] == [None, "fenchel-young, 10 samples"]
