"""Checks of what a solver costs: time and batches, threads and processes, gradients that vanish."""

import pickle
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from imle_core.contracts import is_ctrl_c, text_of
from imle_core.doctor.example import Example, RefusedError, said
from imle_core.doctor.subject import Outcome, Subject, apart
from imle_core.estimators import TargetDistribution, imle, steps_of_any_size

_SLOW = 0.01  # seconds an instance
_REPEATS, _REPEAT_SECONDS = 5, 0.05
_LAMBDAS = (0.1, 1.0, 10.0, 100.0)  # steps lambda for theta from -1 to 1
_THREADS, _ROUNDS = 8, 100
_ROUND_SECONDS, _MOST_SECONDS = 0.2, 1.0  # of processors, which other programs may share; and of the clock
_SWITCH = 1e-6  # seconds after which a thread gives way to another; usually 5 ms, longer than many a solve


def check_threads(subject: Subject) -> Outcome:
    """Checks that it gives the same on several threads at a time, with an example of two instances where that shows it."""
    found = _on_threads(subject, subject.theta[:_THREADS])
    if found.verdict == "pass":
        return found
    smaller = _on_threads(subject, subject.theta[:2])
    return found if smaller.verdict == "pass" else smaller


def _on_threads(subject: Subject, rows: Tensor) -> Outcome:
    """Outcome for some of the instances."""
    try:
        example = _disturbed(subject, rows)
    except RefusedError as error:
        text = f"on {_THREADS} threads at a time it {error.reason}; let each call have its own state"
        return Outcome("warn", text, {"theta": rows})
    if example:
        text = f"{_THREADS} threads at a time get others than one; let each call have its own state"
        return Outcome("warn", text + said(example), example)
    return Outcome("pass", f"{_THREADS} at a time")


def _disturbed(subject: Subject, theta: Tensor) -> Example | None:
    """Example of what a thread gets wrong when all ask at once, each for another order of the same instances."""
    expected = subject.ask(theta)
    start, examples = threading.Barrier(_THREADS), list[Example]()
    spent, began = time.process_time(), time.perf_counter()

    def work(shift: int) -> None:
        rows, right = theta.roll(shift, dims=0), expected.roll(shift, dims=0)
        start.wait()
        for number in range(_ROUNDS):
            z = subject.ask(rows)
            if apart(z, right).any():
                examples.append({"theta": rows, "z": z, "other": right})
            took = time.process_time() - spent, time.perf_counter() - began
            if examples or (number and (took[0] > _ROUND_SECONDS or took[1] > _MOST_SECONDS)):
                return

    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(work, range(_THREADS)))
    finally:
        sys.setswitchinterval(usual)
    return examples[0] if examples else None


def check_pickle(subject: Subject) -> Outcome:
    """Checks that it can be sent to another process, and is the same there."""
    try:
        data = pickle.dumps(subject.solver)
        copy = pickle.loads(data)
    except BaseException as error:  # pickle has no common error, and methods of the user may raise any
        if is_ctrl_c(error):
            raise
        reason = f"{type(error).__name__} ({text_of(error)})"
        return Outcome("warn", f"cannot be sent to another process: {reason}; define it at the top of a module")
    outcome = subject.compared(
        lambda theta: subject.ask(theta, copy), "unpickled, as another process gets it, it gives others"
    )
    if outcome.verdict == "pass":
        return Outcome("pass", f"can be sent to another process in {len(data):,} bytes; unpickled, here, it gives the same")
    return outcome


def check_speed(subject: Subject) -> Outcome:
    """Measures how long an instance takes, alone and in batches."""
    sizes = sorted({size for size in (1, 4, 16, 64, 256) if size < len(subject.theta)} | {len(subject.theta)})
    seconds = {size: pace for size in sizes if (pace := _pace(subject, size)) is not None}
    if not seconds:
        return Outcome("warn", "no call of it ended well")
    text = ", ".join(f"{1000 * pace:.3g} ms" + f" in a batch of {size}" for size, pace in seconds.items())
    first, last, fastest = seconds[min(seconds)], seconds[max(seconds)], min(seconds.values())
    gain = first / last if last else 1.0
    pays = f"batches pay ({gain:.1f} times)" if gain >= 1.5 else "batches do not pay"
    text = f"an instance takes {text}: {pays}"
    if last > _SLOW:
        return Outcome("warn", f"{text}; slow, and each step of training solves twice; look for a faster engine")
    if last > 4 * fastest and last * max(seconds) > _SLOW:
        return Outcome("warn", f"{text}; it is slower in large batches; solve them in parts")
    return Outcome("pass", text)


def _pace(subject: Subject, size: int) -> float | None:
    """Seconds an instance, the best of some calls; None if it refuses."""
    theta, times, began = subject.theta[:size], list[float](), time.perf_counter()
    while len(times) < _REPEATS and (not times or time.perf_counter() - began < _REPEAT_SECONDS):
        start = time.perf_counter()
        try:
            subject.answer(theta.clone())
        except RefusedError:
            return None
        times.append(time.perf_counter() - start)
    return min(times) / size


def check_variety(subject: Subject) -> Outcome:
    """Checks that solutions depend on theta."""
    kinds = len(subject.z.flatten(1).unique(dim=0))
    if kinds == 1:
        return Outcome(
            "warn",
            f"all {len(subject.z)} instances have one solution; a constant has no gradient",
            {"theta": subject.theta[:2], "z": subject.z[:2]},
        )
    return Outcome("pass", f"{kinds} solutions of {len(subject.z)} instances")


def check_gradients(subject: Subject) -> Outcome:
    """Counts how often the I-MLE gradient is zero."""
    shares = []
    upstream = torch.randn(subject.theta.shape, generator=subject.generator)
    steps = [step * (subject.high - subject.low) / 2 for step in _LAMBDAS]
    for step in steps:
        theta = subject.theta.clone().requires_grad_()
        layer = imle(subject.ask, TargetDistribution(1.0, step), sense="max" if subject.sign > 0 else "min")
        try:
            with steps_of_any_size():
                (layer(theta) * upstream).sum().backward()
        except RefusedError as error:
            text = f"it refuses targets theta - lambda dy at lambda {step:g}: {error.reason}; clamp theta to its domain"
            return Outcome("warn", text, {"theta": error.theta})
        assert theta.grad is not None
        shares.append(float((theta.grad.flatten(1) == 0).all(dim=1).float().mean()))
    text = ", ".join(f"{100 * share:.0f} % at lambda {step:g}" for share, step in zip(shares, steps, strict=True))
    text = f"instances without a gradient: {text}"
    if min(shares) == 1:
        return Outcome("warn", f"{text}; nothing is learned; look at variety, or take noise and a larger lambda")
    return Outcome("pass", f"{text}; a loss that is averaged over n rows divides lambda by n: add it up")
