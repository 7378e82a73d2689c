"""Conformance of solvers: is it what the estimator takes it for, and if not, what is wrong and what to do."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.checks import Record
from imle_core.contracts import ctrl_c_told_apart, declared, raised
from imle_core.doctor import calls, cost, fused, memory, optimum, outputs, padding
from imle_core.doctor.example import RefusedError
from imle_core.doctor.instances import with_instances
from imle_core.doctor.of_list import InstanceOfList
from imle_core.doctor.settings import generators_put_back
from imle_core.doctor.subject import Outcome, Subject, Verdict, declared_sense
from imle_core.estimators import Sense


class Check(NamedTuple):
    """A check, as the examination makes it.

    Attributes:
        name: its name.
        ask: asks the subject.
        needs: checks before it; where one of them spoils, this one is left out.
        ends: whether all others rest on it, so that its failure ends the examination.
        may_refuse: whether it asks for what training does not ask for, so that a refusal is a warning.
    """

    name: str
    ask: Callable[[Subject], Outcome]
    needs: tuple[str, ...] = ()
    ends: bool = False
    may_refuse: bool = False


EXAMINATION = (
    Check("call", calls.check_call, ends=True),
    Check("shape", calls.check_shape, ends=True),
    Check("values", calls.check_values, ends=True),
    Check("determinism", calls.check_determinism, ends=True),
    Check("type", calls.check_type),
    Check("rows", calls.check_rows),
    Check("mates", calls.check_mates, ("rows",)),
    Check("input", memory.check_input),
    Check("buffer", memory.check_buffer),
    Check("outputs", outputs.check_outputs),
    Check("settings", memory.check_settings),
    Check("layout", calls.check_layout, may_refuse=True),
    Check("fused", fused.check_fused),
    Check("maximiser", optimum.check_maximiser, ("mates",)),
    Check("monotone", optimum.check_monotone, ("mates",)),
    Check("ties", optimum.check_ties, ("mates", "maximiser")),
    Check("scale", optimum.check_scale, ("mates", "maximiser")),
    Check("shift", optimum.check_shift, ("mates", "maximiser")),
    Check("precision", calls.check_precision),
    Check("grad", calls.check_grad, ("input",), may_refuse=True),
    Check("empty", calls.check_empty),
    Check("padding", padding.check_padding, ("mates",)),
    Check("domain", optimum.check_domain, ("mates",)),
    Check("threads", cost.check_threads, ("mates",), may_refuse=True),
    Check("pickle", cost.check_pickle, ("mates",), may_refuse=True),
    Check("speed", cost.check_speed),
    Check("variety", cost.check_variety, ("mates",)),
    Check("gradients", cost.check_gradients, ("mates",)),
)
"""All checks in their order.

The order counts: each is told what those before it have learned, as :class:`.Subject` says, and all draw from one generator.
"""

CHECKS = tuple(entry.name for entry in EXAMINATION)
"""Names of all checks, in order.

* call: it gives solutions; shape: of theta's shape; values: finite; determinism: the same again.
* type: in theta's type; rows: the same one by one; mates: the same in other batches.
* input: it leaves its input alone; buffer: it gives new memory each time; outputs: each time as many beside the solutions;
  settings: it changes none of the process.
* layout: it reads tensors that are not contiguous; fused: its perturb_and_map, where it has one, gives the same.
* maximiser, monotone: it maximises, or minimises as is said, <z, theta>; ties, scale, shift: among equal entries, for
  multiples of theta, and for theta with a number added, too.
* precision: it takes other types; grad: tensors that require grad; empty: no instances; padding: instances of several sizes;
  domain: what it does with numbers that few solvers take.
* threads: the same on several at a time; pickle: it can be sent to another process; speed: what an instance takes.
* variety: solutions depend on theta; gradients: those of I-MLE are seldom zero.
"""

FIRST = tuple(entry.name for entry in EXAMINATION if entry.ends)
"""Checks on which all others rest: after a failure of one of them the others would mean nothing and are left out."""


@dataclass(frozen=True, repr=False)
class Finding(Record):
    """Result of a check.

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
    solver: Callable[[Tensor], Any],
    shape: Sequence[int],
    *,
    low: float | None = None,
    high: float | None = None,
    sense: Sense | None = None,
    nb_instances: int = 64,
    seed: int = 0,
    observe: Callable[[int], Any] = lambda _: None,
    tell: Callable[[Finding], Any] = lambda _: None,
) -> list[Finding]:
    """Asks a solver ``(N, *event) -> (N, *event)`` for solutions, and holds them against what ``argmax_z <z, theta>`` has.

    A maximiser over any feasible set has ``<theta_i, z_i> >= <theta_i, z_j>`` for all of its own solutions z_j, which are
    feasible, and so is monotone, ``<theta_i - theta_j, z_i - z_j> >= 0``. It is asked in batches, one by one, in other
    orders, types and layouts, on ties, beyond its domain, and on threads.

    It takes about a second; for a solver that takes more than some milliseconds an instance, fewer instances are asked for,
    which the finding "call" says. Whatever the solver raises, SystemExit included, is a finding. Settings of torch and of
    the process that it changes are put back. One that kills the process or never comes back ends the examination, too;
    ``imle check`` gives it a process of its own.

    A solver of certain instances, such as of a list of graphs, is asked for the one with the most entries, whose shape is
    the event shape, in the company of the others.

    Args:
        solver: the solver; for one with further arguments give a function of theta alone.
        shape: event shape.
        low: smallest theta to ask for; if None, that of the solver's attribute ``domain``, a pair of smallest and largest
            theta, else -1. Of an endless domain the 2 units next to its end are asked for.
        high: largest, likewise, else 1.
        sense: "max", or "min" for a solver of costs that minimises, for ``imle(..., sense="min")``; if None, the solver's
            attribute ``sense``, else "max". One that declares that it maximises is examined for that under either: a layer
            gives it minus the costs.
        nb_instances: how many to ask for, >= 2.
        seed: seed of every random number.
        observe: called with the number of checks that are done, before each of them and each time before the solver is.
        tell: called with each finding as soon as it is there.

    Returns:
        Findings in the order of :data:`CHECKS`, without those that would only repeat one that failed.

    Raises:
        ArgumentError: an event shape without entries, fewer than two instances, a seed outside its range, an empty domain,
            or another sense.

    >>> from imle_core.solvers import TopK
    >>> [finding.check for finding in check(TopK(2), (5,)) if finding.verdict == "fail"]
    []
    """
    checks.check_seed("seed", seed)
    of_list = None if declared(solver, "offsets") is None else InstanceOfList(solver)
    solver = solver if of_list is None else of_list
    sense = sense or declared_sense(solver) or "max"
    checks.check_name("sense", sense, get_args(Sense))
    _check_request(shape, nb_instances)
    domain = _domain(solver)
    bounds = _bounds(domain or (-1.0, 1.0), low, high)
    sign = -1 if sense == "min" and declared_sense(solver) != "max" else 1
    done = 0

    def begin(number: int) -> None:
        nonlocal done
        done = number
        observe(done)

    findings = []
    with generators_put_back(), ctrl_c_told_apart():  # a solver may draw from the global generators, or seed them
        generator = torch.Generator().manual_seed(seed)
        subject = Subject(solver, tuple(shape), *bounds, domain, sign, generator, lambda: observe(done))
        for finding in _findings(with_instances(subject, nb_instances), begin):
            if of_list is not None and finding.check == "call":
                finding = replace(finding, detail=f"{finding.detail}; as {of_list.words}")
            tell(finding)
            findings.append(finding)
    return findings


def _check_request(shape: Any, nb_instances: int) -> None:
    if nb_instances < 2:
        raise checks.ArgumentError("nb_instances", repr(nb_instances), "it must be at least 2", "the usual number is 64")
    if not isinstance(shape, Sequence) or not shape or not all(checks.is_whole(size, 1) for size in shape):
        raise checks.ArgumentError(
            "shape", repr(shape), "it must be whole numbers >= 1, one for each axis", "use (n,) for n numbers"
        )


def _domain(solver: Any) -> tuple[float, float] | None:
    domain = getattr(solver, "domain", None)
    if domain is None:
        return None
    try:
        lowest, highest = map(float, domain)
    except (TypeError, ValueError):
        raise checks.ArgumentError(
            "domain", repr(domain), "it must be a pair of the smallest and the largest theta", "use -inf and inf for no end"
        ) from None
    return lowest, highest


def _bounds(domain: tuple[float, float], low: float | None, high: float | None) -> tuple[float, float]:
    lowest, highest = domain
    low = max(lowest, min(highest, 1.0) - 2.0) if low is None else low
    high = min(highest, low + 2.0) if high is None else high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise checks.ArgumentError(
            "low, high", f"{low:g} and {high:g}", "low must be finite and below high", "leave them out for [-1, 1]"
        )
    return low, high


def _findings(subject: Subject, begin: Callable[[int], None]) -> Iterator[Finding]:
    spoilt = set[str]()
    for number, entry in enumerate(EXAMINATION):
        begin(number)
        if spoilt.intersection(entry.needs):
            continue
        try:
            outcome = entry.ask(subject)
        except RefusedError as error:
            text, example = subject.refusal(error)
            outcome = Outcome("warn" if entry.may_refuse else "fail", f"it {text}", example)
        except Exception as error:  # of a layer, or of what the solver declares or gives
            outcome = Outcome("fail", f"this check {raised(error)}; look at what the solver gives there", spoils=True)
        subject = replace(subject, **outcome.learned)
        spoilt |= {entry.name} if outcome.spoils else set()
        yield Finding(entry.name, outcome.verdict, outcome.detail, outcome.example)
        if outcome.verdict == "fail" and entry.ends:
            break
