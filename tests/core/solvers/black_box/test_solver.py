"""Black boxes: repeats, executors, time limits, functions that fail."""

import importlib
import logging
import os
import pickle
import re
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch

from forked import in_fork
from imle_core import GumbelNoiseDistribution, TargetDistribution, imle
from imle_core.solvers import ArgMax, BlackBox, SolveError

PROCESSES = pytest.param("processes", marks=pytest.mark.process)
JOBS = {"serial": 2, "threads": 2, "processes": 1, "joblib": 2}  # joblib keeps its processes, ours would be begun anew
EXECUTORS = ["serial", "threads", PROCESSES, pytest.param("joblib", marks=pytest.mark.process)]


def best(theta):
    return torch.nn.functional.one_hot(theta.argmax(), len(theta))


def parameters(rows=23, entries=5):
    return torch.randn(rows, entries, generator=torch.Generator().manual_seed(0))


class TestResults:
    @pytest.mark.parametrize("chunk", [None, 1, 100])
    @pytest.mark.parametrize("executor", [*EXECUTORS[:2], EXECUTORS[3]])
    def test_they_are_in_order_whatever_the_executor(self, executor, chunk):
        self.expect_order(executor, chunk)

    @pytest.mark.process
    def test_they_are_in_order_on_processes(self):
        self.expect_order("processes", 1)

    def expect_order(self, executor, chunk):
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
        assert BlackBox(lambda theta: theta > 0)(theta[:, 0, 0]).shape == (4,)

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

    def test_a_cache_holds_rows_and_not_their_batches(self):
        solver = BlackBox(best, cache=3)
        solver(parameters(100, 1000))
        solver(parameters(1, 5))  # the last call is kept, too
        assert len(pickle.dumps(solver)) < 40_000

    def test_without_one_only_the_last_call_is_kept_for_a_backward_pass(self):
        solver = BlackBox(best)
        for _ in range(2):
            solver(parameters(4))
        assert solver.solved == 8

    def test_a_function_that_draws_is_called_for_every_row(self):
        generator = torch.Generator().manual_seed(0)
        solver = BlackBox(lambda theta: torch.rand(theta.shape, generator=generator), repeats=False)
        assert len(solver(torch.zeros(9, 2)).unique()) == 18
        assert (solver.rows, solver.solved, solver.hit_rate) == (9, 9, 0)
        with pytest.raises(ValueError, match=r"^cache: got 5 without repeats; it is there to repeat solutions;"):
            BlackBox(best, cache=5, repeats=False)

    def test_rows_without_entries_are_equal(self):
        solver = BlackBox(lambda theta: theta)
        assert solver(torch.zeros(3, 0)).shape == (3, 0)
        assert (solver.rows, solver.solved) == (3, 1)

    def test_the_hit_rate(self):
        solver = BlackBox(best)
        assert solver.hit_rate == 0
        solver(parameters(1).repeat(4, 1))
        assert solver.hit_rate == 0.75

    def test_changing_a_result_changes_no_later_one(self):
        solver = BlackBox(best, cache=9)
        solver(parameters(4)).fill_(7)
        assert torch.equal(solver(parameters(4)), ArgMax()(parameters(4)))


class TestBackward:
    """At a small lambda most rows of the backward pass repeat those of the forward pass."""

    @staticmethod
    def layer(solver, **settings):
        settings = {"nb_samples": 50, "noise_distribution": GumbelNoiseDistribution(), **settings}
        return imle(solver, generator=torch.Generator().manual_seed(0), **settings)

    def test_rows_without_an_upstream_gradient_repeat_the_forward_pass(self):
        gradients = []
        for solver, solved in ((BlackBox(best), 55), (BlackBox(best, repeats=False), 100)):
            theta = parameters(1).requires_grad_()
            z = self.layer(solver)(theta)
            z[:5].sum().backward()
            assert (solver.solved, solver.rows) == (solved, 100)
            gradients.append(theta.grad)
        assert torch.equal(*gradients)

    @pytest.mark.filterwarnings("ignore::imle_core.ZeroGradientWarning")  # which is right
    def test_so_do_rows_that_lambda_does_not_move(self):
        solver, theta = BlackBox(best), parameters(1).requires_grad_()
        z = self.layer(solver, target_distribution=TargetDistribution(1.0, 1e-12), difference="central")(theta)
        z.sum().backward()
        assert (solver.solved, solver.rows, solver.hit_rate) == (50, 150, pytest.approx(2 / 3))

    def test_and_those_with_the_same_arguments(self):
        scales = [torch.tensor([2.0]), torch.tensor([3.0])]
        solver, theta = BlackBox(lambda theta, scale: theta * scale), parameters(2).requires_grad_()
        z = self.layer(solver)(theta, scale=scales)
        z[:7].sum().backward()
        assert solver.solved == 107

    def test_but_not_with_others_or_another_type(self):
        solver = BlackBox(lambda theta, scale: theta * scale)

        class Twice(torch.autograd.Function):
            @staticmethod
            def forward(_, theta):
                return solver(theta, [2.0])

            @staticmethod
            def backward(_, dy):
                assert (solver(torch.ones(1, 2), [3.0]) == 3).all()
                assert (solver(torch.ones(1, 2).double(), [2.0]) == 2).all()
                return dy

        Twice.apply(torch.ones(1, 2, requires_grad=True)).sum().backward()
        assert solver.solved == 3

    def test_a_function_may_change_between_forward_calls(self):
        scale = [1.0]
        solver = BlackBox(lambda theta: theta * scale[0])
        for scale[0] in (2.0, 3.0):
            assert (solver(torch.ones(1, 2)) == scale[0]).all()


def fail_on_large(theta):
    if theta.max() > 2:
        raise ArithmeticError("too large")
    return theta > 0


def die_on_large(theta):
    if theta.max() > 2:
        os._exit(1)
    return theta > 0


def end_the_program(theta):
    if theta.max() > 2:
        sys.exit(3)
    return theta > 0


def recurse(theta):
    return recurse(theta) if theta.max() > 2 else theta > 0


SOLVE = "it must solve every row; look at .theta of this error"
LARGE = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 3.0], [1.0, 1.0]])


def where_workers_end(executor):
    """A decorator of a function with which a solver's processes end, to be begun anew."""
    return in_fork if executor == "processes" else lambda function: function


def expect_the_error(executor):
    message = f"function: raised ArithmeticError (too large) for row 2; {SOLVE}"
    with pytest.raises(SolveError, match=f"^{re.escape(message)}$") as caught:
        BlackBox(fail_on_large, executor=executor, jobs=JOBS[executor])(LARGE)
    assert isinstance(caught.value.__cause__, ArithmeticError)
    assert (caught.value.row, caught.value.theta.tolist()) == (2, [0.0, 3.0])


def expect_the_end(executor, ends, said):
    with pytest.raises(SolveError, match=f"^{re.escape(f'function: raised {said}')}.* for row 2; ") as caught:
        BlackBox(ends, executor=executor, jobs=JOBS[executor])(LARGE)
    assert type(caught.value.__cause__).__name__ in said


def expect_to_go_on(executor):
    solver = BlackBox(fail_on_large, executor=executor, jobs=JOBS[executor], chunk=1)
    with pytest.raises(SolveError) as caught:  # which holds the frames of the failed call
        solver(LARGE)
    assert torch.equal(solver(LARGE[:2]), LARGE[:2])
    assert caught.value.row == 2
    assert solver.rows == 2


class TestFailures:
    @pytest.mark.slow
    @pytest.mark.parametrize("executor", EXECUTORS)
    def test_a_function_that_raises(self, executor):
        where_workers_end(executor)(expect_the_error)(executor)

    def test_the_instance_is_named_and_can_be_saved(self, tmp_path):
        def fail(_, number, *, name):
            raise ArithmeticError(name * number)

        message = "function: raised ArithmeticError (a) for row 0 (instance 0); it must solve every row; look at .theta of"
        with pytest.raises(SolveError, match=f"^{re.escape(message)}") as caught:
            BlackBox(fail)(LARGE, [1, 2], name=["a", "b"])
        error = pickle.loads(pickle.dumps(caught.value))
        assert (str(error), error.row, error.arguments) == (str(caught.value), 0, {1: 1, "name": "a"})
        np.save(tmp_path / "theta.npy", error.theta)
        assert np.load(tmp_path / "theta.npy").tolist() == [0, 1]

    @pytest.mark.slow
    @pytest.mark.parametrize("executor", EXECUTORS)
    @pytest.mark.parametrize(("ends", "said"), [(end_the_program, "SystemExit (3)"), (recurse, "RecursionError (maximum")])
    def test_a_function_that_would_end_the_program(self, executor, ends, said):
        where_workers_end(executor)(expect_the_end)(executor, ends, said)

    @pytest.mark.parametrize("executor", ["serial", "threads"])
    def test_a_function_that_raises_what_ctrl_c_does(self, executor):
        def interrupt(_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            BlackBox(interrupt, executor=executor, jobs=2)(LARGE)

    @pytest.mark.slow
    @pytest.mark.parametrize("executor", ["serial", "threads", PROCESSES])
    def test_after_one_the_solver_goes_on(self, executor):
        where_workers_end(executor)(expect_to_go_on)(executor)


def slow_on_large(theta):
    while theta.max() > 2:
        time.sleep(0.01)
    return theta > 0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a function cannot be interrupted here")
class TestTimeLimit:
    def test_an_error(self):
        message = (
            "function: took longer than 0.1 s for row 2; it must solve every row; raise time_limit, or take "
            "fallback='previous'"
        )
        with pytest.raises(SolveError, match=f"^{re.escape(message)}$"):
            BlackBox(slow_on_large, time_limit=0.1)(LARGE)

    def test_the_previous_solution(self):
        solver = BlackBox(slow_on_large, time_limit=0.1, fallback="previous", cache=9)
        message = (
            "function: took longer than 0.1 s for row 2, which has no earlier solution; the first call must solve every "
            "row; raise time_limit"
        )
        with pytest.raises(SolveError, match=f"^{re.escape(message)}$"):
            solver(LARGE)
        assert solver(LARGE.clamp(max=2))[2].tolist() == [0, 1]
        assert solver(-LARGE)[2].tolist() == [0, 0]
        for count in (1, 2):
            assert torch.equal(solver(LARGE), torch.tensor([[0.0, 1], [1, 0], [0, 0], [1, 1]]))
            assert solver.fallbacks == count

    def test_in_a_backward_pass_it_is_that_of_the_forward_pass(self):
        solver = BlackBox(slow_on_large, time_limit=0.1, fallback="previous")
        layer = imle(solver, TargetDistribution(1.0, 9.0))
        for _ in range(2):
            theta = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], requires_grad=True)
            z = layer(theta)
            assert z.tolist() == [[1, 0], [0, 1]]
            (z * torch.tensor([[-1.0, 1.0], [1.0, -0.1]])).sum().backward()
            assert theta.grad.tolist() == [[0, 0], [0, 0]]
        assert solver.fallbacks == 2

    def test_the_alarm_of_others_is_put_back(self):
        before = signal.getsignal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 100)
        try:
            BlackBox(best, time_limit=5)(LARGE)
            assert signal.getsignal(signal.SIGALRM) is before
            assert 90 < signal.getitimer(signal.ITIMER_REAL)[0] < 100
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def test_not_in_a_thread(self):
        message = (
            "time_limit: got 5 s in a thread; a thread, of a cluster or of autograd, cannot be interrupted; take "
            "executor='processes'"
        )
        solver = BlackBox(best, time_limit=5)
        with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            pool.submit(solver, LARGE).result()
        with joblib.parallel_config("threading", n_jobs=2), pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            BlackBox(best, time_limit=5, executor="joblib")(LARGE)

    def test_nor_on_a_system_that_cannot_interrupt(self, monkeypatch):
        monkeypatch.setattr("imle_core.solvers.black_box.solver.INTERRUPTS", False)
        message = "time_limit: got 1; this system cannot interrupt a function; take executor='processes'"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            BlackBox(best, time_limit=1)
        BlackBox(best, time_limit=1, executor="processes")


def test_threads_may_share_a_solver():
    solver, theta = BlackBox(best, cache=10), parameters(40)
    with ThreadPoolExecutor(4) as pool:
        for z in pool.map(lambda _: solver(theta), range(40)):
            assert torch.equal(z, ArgMax()(theta))
    assert solver.rows == 1600


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="processes end otherwise elsewhere")
@in_fork
def test_a_worker_of_joblib_s_that_dies():
    message = "function: its worker failed twice (TerminatedWorkerError) for row 2; it must solve every row; look at .theta"
    with joblib.parallel_config("loky", n_jobs=2), pytest.raises(SolveError, match=f"^{re.escape(message)}"):
        BlackBox(die_on_large, executor="joblib")(LARGE)


@pytest.mark.process
def test_a_function_that_joblib_cannot_send_to_a_process():
    lock = threading.Lock()
    message = "function: got one that cannot be sent to a process (TypeError: cannot pickle '_thread.lock' object); it and "
    with joblib.parallel_config("loky", n_jobs=2), pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        BlackBox(lambda theta: (lock, theta)[1], executor="joblib")(LARGE)


def test_domain_and_sense_of_the_function_are_the_solver_s():
    def cheapest(theta):
        return theta == theta.min()

    cheapest.domain, cheapest.sense = (0.0, 1.0), "min"
    solver = BlackBox(cheapest)
    assert (solver.domain, solver.sense, solver.pure) == ((0.0, 1.0), "min", True)
    assert BlackBox(best).sense is None


def test_joblib_s_configuration_is_used():
    seen = []
    with joblib.parallel_config("threading", n_jobs=2):
        BlackBox(lambda theta: (seen.append(os.getpid()), theta)[1], executor="joblib")(LARGE)
    assert seen == [os.getpid()] * 4


WHOLE = "it must be a whole number >= {}; leave it out for the usual one"
ERRORS = {
    "executor: got 'dask'; it must be one of 'serial', 'threads', 'processes', 'joblib'; use 'serial' for instance": {
        "executor": "dask"
    },
    "fallback: got 'none'; it must be one of 'error', 'previous'; use 'error' for instance": {"fallback": "none"},
    f"jobs: got 0; {WHOLE.format(1)}": {"jobs": 0},
    f"chunk: got 1.5; {WHOLE.format(1)}": {"chunk": 1.5},
    f"cache: got -1; {WHOLE.format(0)}": {"cache": -1},
    "time_limit: got 0; it must be seconds > 0; use None for no limit": {"time_limit": 0},
    "time_limit: got 1 with threads; these cannot be interrupted; take executor='processes'": {
        "time_limit": 1,
        "executor": "threads",
    },
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BlackBox(best, **ERRORS[message])


def test_no_function():
    with pytest.raises(TypeError, match=r"^function: got int; it must be callable; give a function of one instance$"):
        BlackBox(3)


def test_parameters_that_are_none():
    number = r"^theta: got a single number; it must be \(N, \*event\); use theta\.unsqueeze\(0\) for one instance$"
    with pytest.raises(ValueError, match=number):
        BlackBox(best)(torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"^theta: got NaN in row 1; it must have none; look for the cause upstream$"):
        BlackBox(best)(torch.tensor([[1.0, 2.0], [1.0, torch.nan]]))
    with pytest.raises(
        TypeError, match=r"^theta: got list; it must be a dense tensor of real numbers; use torch\.as_tensor$"
    ):
        BlackBox(best)([[1.0]])


@pytest.fixture
def dask():
    """A Dask cluster in this process."""
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.Client(silence_logs=logging.CRITICAL, **settings), joblib.parallel_config("dask"):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("dask")
def test_on_a_dask_cluster():
    theta = parameters()
    assert torch.equal(BlackBox(best, executor="joblib")(theta), ArgMax()(theta))
    scaled = BlackBox(lambda theta, scale: theta * scale, executor="joblib")(LARGE, [1.0, 2.0])
    assert torch.equal(scaled, LARGE * torch.tensor([[1.0], [1.0], [2.0], [2.0]]))
    message = f"function: raised ArithmeticError (too large) for row 2; {SOLVE}"
    with pytest.raises(SolveError, match=f"^{re.escape(message)}$"):
        BlackBox(fail_on_large, executor="joblib")(LARGE)


@pytest.mark.process
@pytest.mark.slow
def test_on_a_ray_cluster():
    ray = pytest.importorskip("ray")
    importlib.import_module("ray.util.joblib").register_ray()
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    try:
        with joblib.parallel_config("ray", n_jobs=2):
            assert torch.equal(BlackBox(best, executor="joblib")(parameters()), ArgMax()(parameters()))
            with pytest.raises(SolveError, match=r"^function: raised ArithmeticError \(too large\) for row 2"):
                BlackBox(fail_on_large, executor="joblib")(LARGE)
    finally:
        ray.shutdown()


class Rounding:
    def __call__(self, theta):
        return theta.round()


@pytest.mark.parametrize("kind", [Rounding, torch.nn.Linear, list])
def test_a_class_in_place_of_a_function(kind):
    name = kind.__name__
    message = f"function: got the class {name}; it must be a function of one instance; make one: {name}(...)"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        BlackBox(kind)
    assert BlackBox(Rounding())(torch.tensor([[0.4, 0.6]])).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("name", ["jobs", "chunk", "cache", "time_limit", "executor", "fallback"])
@pytest.mark.parametrize("value", ["1" * 1000, [1], -(10**400)], ids=["text", "list", "number"])
def test_a_setting_of_a_wrong_type_is_named_in_a_short_message(name, value):
    with pytest.raises((TypeError, ValueError), match=f"^{name}: got ") as error:
        BlackBox(torch.round, **{name: value})
    assert len(str(error.value)) <= 300
