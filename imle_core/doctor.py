"""Conformance of solvers: is it what the estimator takes it for, and if not, what is wrong and what to do."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import torch
from torch import Tensor

from imle_core import contracts, doctor_calls, doctor_cost, doctor_optimum
from imle_core.doctor_example import RefusedError
from imle_core.doctor_subject import Outcome, Subject, Verdict
from imle_core.layer import Sense

_EXAMINATIONS: dict[str, Callable[[Subject], Outcome]] = {
    "call": doctor_calls.check_call,
    "shape": doctor_calls.check_shape,
    "values": doctor_calls.check_values,
    "determinism": doctor_calls.check_determinism,
    "type": doctor_calls.check_type,
    "rows": doctor_calls.check_rows,
    "mates": doctor_calls.check_mates,
    "input": doctor_calls.check_input,
    "layout": doctor_calls.check_layout,
    "maximiser": doctor_optimum.check_maximiser,
    "monotone": doctor_optimum.check_monotone,
    "ties": doctor_optimum.check_ties,
    "scale": doctor_optimum.check_scale,
    "shift": doctor_optimum.check_shift,
    "precision": doctor_calls.check_precision,
    "grad": doctor_calls.check_grad,
    "empty": doctor_calls.check_empty,
    "domain": doctor_optimum.check_domain,
    "threads": doctor_cost.check_threads,
    "pickle": doctor_cost.check_pickle,
    "speed": doctor_cost.check_speed,
    "variety": doctor_cost.check_variety,
    "gradients": doctor_cost.check_gradients,
}
_MAY_REFUSE = ("layout", "grad", "threads", "pickle")
"""Checks that ask for what training does not ask for."""

CHECKS = tuple(_EXAMINATIONS)
"""Names of all checks, in order."""

FIRST = CHECKS[:4]
"""Checks on which all others rest: after a failure of one of them the others would mean nothing and are left out."""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: its name, one of :data:`CHECKS`.
        verdict: "fail" for what makes gradients wrong, "warn" for what works but costs, else "pass".
        detail: the numbers behind it, and what to do.
        example: a small counter-example, of as few rows and as many zeros as a bounded search finds. ``theta`` ``(n,
            *event)`` is what the solver was asked for in one call, ``z`` what it gave, and ``other`` what it gave when asked
            as the check asks: again, one by one, in another order, for ``moved``, and so on. A solution that beats
            another is in the same ``z``.
    """

    check: str
    verdict: Verdict
    detail: str
    example: dict[str, Tensor] = field(default_factory=dict)


def check(
    solver: Callable[[Tensor], Tensor],
    shape: Sequence[int],
    *,
    low: float | None = None,
    high: float | None = None,
    sense: Sense = "max",
    nb_instances: int = 64,
    seed: int = 0,
    observe: Callable[[int], Any] = lambda _: None,
) -> list[Finding]:
    """Asks a solver ``(N, *event) -> (N, *event)`` for solutions, and holds them against what ``argmax_z <z, theta>`` has.

    A maximiser over any feasible set has ``<theta_i, z_i> >= <theta_i, z_j>`` for all of its own solutions z_j, which are
    feasible, and so is monotone, ``<theta_i - theta_j, z_i - z_j> >= 0``. It is asked in batches, one by one, in other
    orders, types and layouts, on ties, beyond its domain, and on threads.

    It takes about a second; for a solver that takes more than some milliseconds an instance, fewer instances are asked for,
    which the finding "call" says.

    Args:
        solver: the solver; for one with further arguments give a function of theta alone.
        shape: event shape.
        low: smallest theta to ask for; if None, that of the solver's attribute ``domain``, a pair of smallest and largest
            theta, else -1. Of an endless domain the 2 units next to its end are asked for.
        high: largest, likewise, else 1.
        sense: "max", or "min" for a solver of costs that minimises, for ``imle(..., sense="min")``.
        nb_instances: how many to ask for, >= 2.
        seed: seed of every random number.
        observe: called with the number of checks that are done.

    Returns:
        Findings in the order of :data:`CHECKS`, without those that would only repeat one that failed.

    Raises:
        ValueError: an event shape without entries, fewer than two instances, a seed outside its range, an empty domain, or
            another sense.

    >>> from imle_core.solvers import TopK
    >>> [finding.check for finding in check(TopK(2), (5,)) if finding.verdict == "fail"]
    []
    """
    contracts.check_seed("seed", seed)
    contracts.check_choice("sense", sense, get_args(Sense))
    _check_request(shape, nb_instances)
    domain = _domain(solver)
    bounds = _bounds(domain or (-1.0, 1.0), low, high)
    sign = 1 if sense == "max" else -1
    with torch.random.fork_rng(devices=[]):  # a solver may draw from the global generator, or seed it
        return _findings(Subject(solver, tuple(shape), *bounds, domain, nb_instances, seed, sign), observe)


def _check_request(shape: Any, nb_instances: int) -> None:
    if nb_instances < 2:
        raise ValueError(f"nb_instances: got {nb_instances!r}; it must be at least 2; the usual number is 64")
    if not isinstance(shape, Sequence) or not shape or not all(isinstance(size, int) and size > 0 for size in shape):
        raise ValueError(f"shape: got {shape!r}; it must be whole numbers >= 1, one for each axis; use (n,) for n numbers")


def _domain(solver: Any) -> tuple[float, float] | None:
    domain = getattr(solver, "domain", None)
    if domain is None:
        return None
    try:
        least, most = map(float, domain)
    except (TypeError, ValueError):
        raise ValueError(
            f"domain: got {domain!r}; it must be a pair of the smallest and the largest theta; use -inf and inf for no end"
        ) from None
    return least, most


def _bounds(domain: tuple[float, float], low: float | None, high: float | None) -> tuple[float, float]:
    least, most = domain
    low = max(least, min(most, 1.0) - 2.0) if low is None else low
    high = min(most, low + 2.0) if high is None else high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"low, high: got {low:g} and {high:g}; low must be finite and below high; leave them out for [-1, 1]"
        )
    return low, high


def _findings(subject: Subject, observe: Callable[[int], Any]) -> list[Finding]:
    findings: list[Finding] = []
    for done, (name, examine) in enumerate(_EXAMINATIONS.items()):
        observe(done)
        if name in subject.left_out:
            continue
        try:
            outcome = examine(subject)
        except RefusedError as error:
            text, example = subject.refusal(error)
            outcome = Outcome("warn" if name in _MAY_REFUSE else "fail", f"it {text}", example)
        findings.append(Finding(name, *outcome))
        if outcome.verdict == "fail" and name in FIRST:
            break
    return findings
