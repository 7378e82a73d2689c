"""What a solver costs: threads, processes, time, gradients that vanish; with good twins."""

import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from imle_core.solvers import MinCut, TopK

BEST = TopK(2)
EDGES = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]


def right(theta):
    return BEST(theta)


class ThreadUnsafe:
    """Its calls share a buffer."""

    def __call__(self, theta):
        self.buffer = theta
        time.sleep(0)  # lets another thread go on
        return BEST(self.buffer)


class ThreadSafe:
    """Its calls share nothing."""

    def __call__(self, theta):
        buffer = theta
        time.sleep(0)
        return BEST(buffer)


class WorkOnOneArray:
    """Its calls write to one array, entry by entry, without a pause."""

    def __init__(self):
        self.z = torch.zeros(0)

    def __call__(self, theta):
        if theta.isnan().any():
            raise ValueError("NaN")
        self.z = torch.zeros_like(theta)
        for row, number in [*enumerate(theta.argmax(dim=1).tolist())] * 10:  # or rounds would seldom meet on a busy machine
            self.z[row, number] = 1
        return self.z.clone()


class RefusesASecond:
    """Works for one thread at a time."""

    def __init__(self):
        self.busy = False

    def __call__(self, theta):
        if self.busy:
            raise RuntimeError("busy")
        self.busy = True
        time.sleep(0)
        self.busy = False
        return BEST(theta)


def differs_on_threads(solver, example):
    """Whether two threads at a time ever get something else than one."""
    (one, other), found = (example["theta"], example["theta"].flip(0)), []
    right_ones = BEST(one), BEST(other)

    def work(which):
        for _ in range(2000):
            found.append(not torch.equal(solver((one, other)[which]), right_ones[which]))
            if any(found[-2:]):
                return

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    return any(found)


@pytest.mark.slow
@pytest.mark.usefixtures("usual_rounds")
@pytest.mark.parametrize("fault", [ThreadUnsafe, WorkOnOneArray])
def test_one_that_threads_disturb(examined, fault):
    found = examined(fault())
    assert (found.fails, found.warns) == ([], ["threads"])
    assert found["threads"].detail.startswith("8 threads at a time get others than one; let each call have its own state; ")
    example = found["threads"].example
    assert len(example["theta"]) in (2, 8)
    assert not torch.equal(example["z"], example["other"])


@pytest.mark.usefixtures("usual_rounds")
@pytest.mark.slow
def test_its_example_disturbs_threads_again(examined):
    example = examined(ThreadUnsafe())["threads"].example
    assert example["theta"].shape == (2, 6)
    assert differs_on_threads(ThreadUnsafe(), example)
    assert not differs_on_threads(ThreadSafe(), example)


@pytest.mark.usefixtures("usual_rounds")
def test_one_that_refuses_a_second_thread(examined):
    found = examined(RefusesASecond())
    assert (found.fails, found.warns) == ([], ["threads"])
    assert found["threads"].detail == (
        "on 8 threads at a time it raised RuntimeError (busy); let each call have its own state"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("usual_rounds")
@pytest.mark.parametrize("twin", [right, ThreadSafe()])
def test_good_twins(examined, twin):
    found = examined(twin)
    assert (found.fails, found.warns) == ([], [])
    assert found["threads"].detail == "8 at a time"


def test_the_time_between_threads_is_put_back(examined):
    before = sys.getswitchinterval(), threading.active_count()
    examined(right)
    assert (sys.getswitchinterval(), threading.active_count()) == before


class OtherWhenUnpickled:
    """Loses its setting on the way to another process."""

    def __init__(self):
        self.k = 2

    def __getstate__(self):
        return {"k": 1}

    def __call__(self, theta):
        return TopK(self.k)(theta)


@pytest.mark.slow
def test_processes(examined):
    found = examined(OtherWhenUnpickled())
    assert found.fails == ["pickle"]
    assert found["pickle"].detail.startswith(
        "unpickled, as another process gets it, it gives others (24 of 24 instances differ); example: theta [["
    )
    found = examined(lambda theta: BEST(theta))
    assert (found.fails, found.warns) == ([], ["pickle"])
    assert re.fullmatch(
        r"cannot be sent to another process: \w+ \(.*\); define it at the top of a module", found["pickle"].detail
    )
    assert re.fullmatch(
        r"can be sent to another process in \d+ bytes; unpickled, here, it gives the same", examined(BEST)["pickle"].detail
    )


class Clock:
    """A clock that only solvers move."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def solver(self, seconds):
        """A solver that takes so many seconds for a batch of N."""

        def solve(theta):
            self.now += seconds(len(theta))
            return BEST(theta)

        return solve


def test_a_slow_one_is_asked_for_fewer_instances(examined, monkeypatch):
    clock = Clock(monkeypatch)
    found = examined(clock.solver(lambda count: 0.02 * count), nb_instances=64)
    assert found["call"].detail == "9 instances in place of 64, since one takes 20 ms; theta from -1 to 1"
    assert found["speed"].verdict == "warn"
    assert found["speed"].detail == (
        "an instance takes 20 ms in a batch of 1, 20 ms in a batch of 4, 20 ms in a batch of 9: batches do not pay; slow, "
        "and each step of training solves twice; look for a faster engine"
    )
    assert clock.now < 30


def test_a_slow_one_with_a_fault_is_no_slower(examined, monkeypatch):
    clock = Clock(monkeypatch)

    def mixed_up(theta):
        clock.now += 0.02 * len(theta)
        return BEST(theta.flip(0))

    assert examined(mixed_up, nb_instances=64).fails == ["rows"]
    assert clock.now < 40


@pytest.mark.slow
def test_batches_that_pay_and_batches_that_cost(examined, monkeypatch):
    clock = Clock(monkeypatch)
    pays = examined(clock.solver(lambda count: 0.0008 + 1e-5 * count), nb_instances=64)["speed"]
    assert pays.verdict == "pass"
    assert pays.detail == (
        "an instance takes 0.81 ms in a batch of 1, 0.21 ms in a batch of 4, 0.06 ms in a batch of 16, 0.0225 ms in a "
        "batch of 64: batches pay (36.0 times)"
    )
    costs = examined(clock.solver(lambda count: 1e-5 * count**2), nb_instances=64)["speed"]
    assert costs.verdict == "warn"
    assert costs.detail.endswith("batches do not pay; it is slower in large batches; solve them in parts")


@pytest.mark.slow
def test_large_instances_are_fewer(examined):
    found = examined(lambda theta: (theta > 0).to(theta), (2**17,), nb_instances=64)
    assert found["call"].detail == "8 instances in place of 64, since they are large; theta from -1 to 1"
    assert found.fails == []


def test_a_constant(examined):
    found = examined(torch.ones_like)
    assert (found.fails, found.warns) == ([], ["domain", "variety", "gradients"])
    assert found["variety"].detail == "all 24 instances have one solution; a constant has no gradient"
    assert torch.equal(found["variety"].example["z"], torch.ones(2, 6))
    assert found["gradients"].detail == (
        "instances without a gradient: 100 % at lambda 0.1, 100 % at lambda 1, 100 % at lambda 10, 100 % at lambda 100; "
        "nothing is learned; look at variety, or take noise and a larger lambda"
    )


def test_shares_of_zero_gradients_fall_with_lambda(examined):
    detail = examined(right)["gradients"].detail
    shares = [int(share) for share in re.findall(r"(\d+) %", detail)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]


def test_lambda_is_of_the_size_of_theta(examined):
    detail = examined(right, low=-1e6, high=1e6)["gradients"].detail
    assert " at lambda 100000, " in detail
    assert detail.endswith("at lambda 1e+08; a loss that is averaged over n rows divides lambda by n: add it up")


@pytest.mark.slow
def test_targets_outside_the_domain(examined):
    found = examined(MinCut(EDGES, 0, 3, None), (5,))
    assert (found.fails, found.warns) == ([], ["gradients"])
    assert re.match(
        r"it refuses targets theta - lambda dy at lambda 0\.1: raised ArgumentError \(theta: .*\); clamp theta to its "
        r"domain",
        found["gradients"].detail,
    )
    assert found["gradients"].example["theta"].max() > 0
    assert examined(MinCut(EDGES, 0, 3, floor=0.0), (5,)).warns == []
