"""Black boxes: repeats, arguments for each instance, executors, time limits, functions that fail."""

import os
import re
import signal
import subprocess
import sys
import time

import joblib
import numpy as np
import pytest
import torch

from imle_core import GumbelNoiseDistribution, imle
from imle_core.solvers import ArgMax, BlackBox, SolveError

EXECUTORS = ["serial", "threads", "processes", "joblib"]


def best(theta):
    return torch.nn.functional.one_hot(theta.argmax(), len(theta))


def parameters(rows=23, entries=5):
    return torch.randn(rows, entries, generator=torch.Generator().manual_seed(0))


class TestResults:
    @pytest.mark.parametrize("executor", EXECUTORS)
    @pytest.mark.parametrize("chunk", [None, 1, 100])
    def test_they_are_in_order_whatever_the_executor(self, executor, chunk):
        theta = parameters()
        assert torch.equal(BlackBox(best, executor=executor, jobs=2, chunk=chunk)(theta), ArgMax()(theta))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_types_and_shapes(self, dtype):
        theta = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0)).to(dtype).requires_grad_()
        z = BlackBox(lambda theta: theta > 0)(theta)
        assert (z.dtype, z.requires_grad) == (dtype, False)
        assert torch.equal(z, (theta > 0).to(dtype))
        turned = theta.transpose(1, 2)
        assert torch.equal(BlackBox(lambda theta: theta > 0)(turned), z.transpose(1, 2))
        assert BlackBox(best)(torch.zeros(0, 3, dtype=dtype)).shape == (0, 3)

    @pytest.mark.parametrize(
        "make",
        [np.asarray, torch.as_tensor, list, lambda z: torch.tensor(z, dtype=torch.bfloat16), lambda z: np.array(z) > 0],
    )
    def test_a_function_may_give_arrays_tensors_or_lists(self, make):
        assert BlackBox(lambda _: make([1, 0]))(torch.zeros(2, 2)).tolist() == [[1, 0], [1, 0]]

    def test_a_function_gets_a_copy_an_array_if_it_wants_one(self):
        def spoil(theta):
            assert isinstance(theta, np.ndarray)
            theta[:] = 9
            return theta

        theta = parameters()
        before = theta.clone()
        assert (BlackBox(spoil, arrays=True)(theta) == 9).all()
        assert torch.equal(theta, before)

    def test_in_a_layer(self):
        settings = {"nb_samples": 3, "noise_distribution": GumbelNoiseDistribution()}
        gradients = []
        for solver in (BlackBox(best), ArgMax()):
            theta = parameters().requires_grad_()
            layer = imle(solver, generator=torch.Generator().manual_seed(1), **settings)
            (layer(theta) * torch.arange(5.0)).sum().backward()
            gradients.append(theta.grad)
        assert torch.equal(*gradients)


class TestRepeats:
    def test_rows_that_are_equal_are_solved_once(self):
        calls = []
        solver = BlackBox(lambda theta: (calls.append(1), theta > 0)[1])
        theta = parameters(4).repeat(3, 1)
        assert torch.equal(solver(theta), (theta > 0).float())
        assert (len(calls), solver.solved, solver.rows) == (4, 4, 12)

    def test_a_cache_lasts_from_call_to_call_and_is_bounded(self):
        solver = BlackBox(best, cache=3)
        theta = parameters(4)
        for _ in range(2):
            assert torch.equal(solver(theta), ArgMax()(theta))
        assert solver.solved == 4 + 1  # the oldest of four has gone
        assert torch.equal(solver(theta.double()), ArgMax()(theta.double()))
        assert solver.solved == 9

    def test_rows_without_an_upstream_gradient_repeat_the_forward_pass(self):
        solver, theta = BlackBox(best, cache=100), parameters(1).requires_grad_()
        generator = torch.Generator().manual_seed(0)
        z = imle(solver, noise_distribution=GumbelNoiseDistribution(), nb_samples=50, generator=generator)(theta)
        assert solver.solved == 50
        z[:5].sum().backward()
        assert solver.solved == 55

    def test_without_one_nothing_is_kept(self):
        solver = BlackBox(best)
        for _ in range(2):
            solver(parameters(4))
        assert solver.solved == 8

    def test_changing_a_result_changes_no_later_one(self):
        solver = BlackBox(best, cache=9)
        solver(parameters(4)).fill_(7)
        assert torch.equal(solver(parameters(4)), ArgMax()(parameters(4)))


class TestArguments:
    def test_each_instance_has_its_own_in_all_its_samples(self):
        solver = BlackBox(lambda theta, number, *, name: theta * 0 + number * len(name))
        z = solver(torch.zeros(6, 2), [1, 2, 3], name=["a", "bb", "ccc"])
        assert z[:, 0].tolist() == [1, 1, 4, 4, 9, 9]
        assert solver.solved == 3

    def test_a_layer_passes_them_on(self):
        layer = imle(BlackBox(lambda theta, scale: theta * scale), nb_samples=2)
        theta = torch.ones(2, 3, requires_grad=True)
        z = layer(theta, torch.tensor([1.0, 5.0]))
        z.sum().backward()
        assert z[:, 0].tolist() == [1, 1, 5, 5]

    def test_a_cache_does_not_mix_them_up(self):
        solver = BlackBox(lambda theta, number: theta * 0 + number, cache=9)
        assert [solver(torch.zeros(1, 2), [number])[0, 0].item() for number in (1, 2)] == [1, 2]

    @pytest.mark.parametrize(("arguments", "got"), [(([1, 2],), "2"), (([1], [1, 2, 3]), "1 and 3"), (([],), "0")])
    def test_one_entry_for_each_instance(self, arguments, got):
        message = (
            f"arguments: got {got} entries for 3 rows; each must have one entry for each instance, and rows a multiple of "
            "instances"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            BlackBox(best)(torch.zeros(3, 2), *arguments)


def fail_on_large(theta):
    if theta.max() > 2:
        raise ArithmeticError("too large")
    return theta > 0


def die_on_large(theta):
    if theta.max() > 2:
        os._exit(1)
    return theta > 0


class UnsendableError(Exception):
    def __init__(self, one, two):
        super().__init__(one + two)


def raise_unsendable(_):
    raise UnsendableError("a", "b")


LARGE = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 3.0], [1.0, 1.0]])


class TestFailures:
    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_a_function_that_raises(self, executor):
        message = "function: raised ArithmeticError (too large) for row 2; see .theta of this error"
        with pytest.raises(SolveError, match=f"^{re.escape(message)}$") as caught:
            BlackBox(fail_on_large, executor=executor, jobs=2)(LARGE)
        assert isinstance(caught.value.__cause__, ArithmeticError)
        assert (caught.value.row, caught.value.theta.tolist()) == (2, [0.0, 3.0])

    def test_an_error_that_cannot_be_sent_from_a_process(self):
        with pytest.raises(SolveError, match=r"raised UnsendableError \(ab\) for row 0"):
            BlackBox(raise_unsendable, executor="processes", jobs=2)(LARGE)

    @pytest.mark.skipif(os.name != "posix", reason="processes end otherwise elsewhere")
    def test_a_worker_that_dies(self):
        with pytest.raises(SolveError, match=r"^function: its process died twice for row 2; see \.theta of this error$"):
            BlackBox(die_on_large, executor="processes", jobs=2)(LARGE)

    @pytest.mark.skipif(os.name != "posix", reason="processes end otherwise elsewhere")
    def test_a_worker_that_dies_once(self, tmp_path):
        def die_once(theta):
            if theta.max() > 2 and not (tmp_path / "died").exists():
                (tmp_path / "died").touch()
                os._exit(1)
            return theta > 0

        assert torch.equal(BlackBox(die_once, executor="processes", jobs=2)(LARGE), (LARGE > 0).float())

    @pytest.mark.parametrize(
        ("gives", "message"),
        [
            ([[1, 0]], "function: gave shape (1, 2) for row 0 of shape (2,); it must give (*event) for (*event), without a"),
            ([np.nan, 0], "function: gave NaN for row 0; a solution has numbers; see .theta of this error"),
            ("ab", "function: gave str, which is no array of real numbers, for row 0; see .theta of this error"),
            (None, "function: gave NoneType, which is no array of real numbers, for row 0; see .theta of this error"),
            ([1j, 0], "function: gave list, which is no array of real numbers, for row 0; see .theta of this error"),
        ],
        ids=str,
    )
    def test_a_function_that_gives_something_else(self, gives, message):
        with pytest.raises(SolveError, match=f"^{re.escape(message)}"):
            BlackBox(lambda _: gives)(LARGE)


def slow_on_large(theta):
    while theta.max() > 2:
        time.sleep(0.01)
    return theta > 0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a function cannot be interrupted here")
class TestTimeLimit:
    @pytest.mark.parametrize("executor", ["serial", "processes"])
    def test_an_error(self, executor):
        with pytest.raises(SolveError, match=r"^function: took longer than 0\.2 s for row 2; see \.theta of this error$"):
            BlackBox(slow_on_large, executor=executor, jobs=2, time_limit=0.2)(LARGE)

    def test_the_previous_solution(self):
        solver = BlackBox(slow_on_large, time_limit=0.2, fallback="previous", cache=9)
        with pytest.raises(
            SolveError, match=r"^function: took longer than 0\.2 s for row 2, which has no earlier solution$"
        ):
            solver(LARGE)
        assert solver(LARGE.clamp(max=2))[2].tolist() == [0, 1]
        assert solver(-LARGE)[2].tolist() == [0, 0]
        for count in (1, 2):
            assert torch.equal(solver(LARGE), torch.tensor([[0.0, 1], [1, 0], [0, 0], [1, 1]]))
            assert solver.fallbacks == count

    def test_the_alarm_of_others_is_put_back(self):
        before = signal.getsignal(signal.SIGALRM)
        BlackBox(best, time_limit=5)(LARGE)
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_joblib_s_configuration_is_used():
    seen = []
    with joblib.parallel_config("threading", n_jobs=2):
        BlackBox(lambda theta: (seen.append(os.getpid()), theta)[1], executor="joblib")(LARGE)
    assert seen == [os.getpid()] * 4


@pytest.mark.skipif(os.name != "posix", reason="signals are sent otherwise elsewhere")
def test_ctrl_c_ends_the_workers():
    code = (
        "import time, torch; from imle_core.solvers import BlackBox\n"
        "def wait(theta):\n    print('at work', flush=True)\n    time.sleep(60)\n"
        "if __name__ == '__main__':\n    BlackBox(wait, executor='processes', jobs=2)(torch.eye(4))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"at work\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)  # ends when no worker holds the pipe any more
    assert errors.rstrip().endswith(b"KeyboardInterrupt")


WHOLE = "it must be a whole number >= {}; leave it out for the usual one"
ERRORS = {
    "executor: got 'dask'; it must be one of 'serial', 'threads', 'processes', 'joblib'": {"executor": "dask"},
    "fallback: got 'none'; it must be one of 'error', 'previous'": {"fallback": "none"},
    f"jobs: got 0; {WHOLE.format(1)}": {"jobs": 0},
    f"chunk: got 1.5; {WHOLE.format(1)}": {"chunk": 1.5},
    f"cache: got -1; {WHOLE.format(0)}": {"cache": -1},
    "time_limit: got 0; it must be seconds > 0; use None for no limit": {"time_limit": 0},
    "time_limit: threads cannot be interrupted; take executor='processes'": {"time_limit": 1, "executor": "threads"},
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BlackBox(best, **ERRORS[message])


def test_no_function_and_no_batch():
    with pytest.raises(TypeError, match=r"^function: got int; it must be callable; give a function of one instance$"):
        BlackBox(3)
    with pytest.raises(
        ValueError, match=r"^theta: got a single number; it must be \(N, \*event\); use theta\.unsqueeze\(0\)"
    ):
        BlackBox(best)(torch.tensor(1.0))
