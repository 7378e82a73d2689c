"""Conformance of solvers: is it what the estimator takes it for, and if not, what is wrong and what to do."""

import math
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from imle_core import contracts
from imle_core.estimator import imle
from imle_core.target import TargetDistribution

Verdict = Literal["pass", "warn", "fail"]

CHECKS = (
    "call", "shape", "values", "determinism", "type", "rows", "mates", "input", "layout", "maximiser", "monotone", "ties",
    "scale", "precision", "grad", "empty", "domain", "threads", "pickle", "speed", "variety", "gradients",
)  # fmt: skip
"""Names of all checks, in order. After a failure of one of the first four the others would mean nothing and are left out."""

_SLOW = 0.01  # seconds an instance
_LAMBDAS = (0.1, 1.0, 10.0, 100.0)
_THREADS = 8


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: its name, one of :data:`CHECKS`.
        verdict: "fail" for what makes gradients wrong, "warn" for what works but costs, else "pass".
        detail: the numbers behind it, and what to do.
        example: a smallest counter-example, tensors by name.
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
    nb_instances: int = 64,
    seed: int = 0,
) -> list[Finding]:
    """Asks a solver ``(N, *event) -> (N, *event)`` for solutions, and holds them against what ``argmax_z <z, theta>`` has.

    A maximiser over any feasible set has ``<theta_i, z_i> >= <theta_i, z_j>`` for all of its own solutions z_j, which are
    feasible, and so is monotone, ``<theta_i - theta_j, z_i - z_j> >= 0``. Half of the instances are uniform in
    ``[low, high]``, the others close to one of these, whose solutions are hard competitors.

    Args:
        solver: the solver; for one with further arguments give a function of theta alone.
        shape: event shape.
        low: smallest theta to ask for; if None, that of the solver's attribute ``domain``, a pair of smallest and largest
            theta, else -1. Of an endless domain the 2 units next to its end are asked for.
        high: largest, likewise, else 1.
        nb_instances: how many to ask for, >= 2.
        seed: seed of every random number.

    Returns:
        Findings in the order of :data:`CHECKS`.

    Raises:
        ValueError: fewer than two instances, a seed outside its range, or an empty domain.

    >>> from imle_core.solvers import TopK
    >>> [finding.check for finding in check(TopK(2), (5,)) if finding.verdict == "fail"]
    []
    """
    least, most = getattr(solver, "domain", (-1.0, 1.0))
    low = max(least, min(most, 1.0) - 2.0) if low is None else low
    high = min(most, low + 2.0) if high is None else high
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(
            f"low, high: got {low:g} and {high:g}; low must be finite and below high; leave them out for [-1, 1]"
        )
    if nb_instances < 2:
        raise ValueError(f"nb_instances: got {nb_instances!r}; it must be at least 2; the usual number is 64")
    contracts.check_seed("seed", seed)
    return list(_Examination(solver, tuple(shape), low, high, nb_instances, seed).findings())


class _Examination:
    def __init__(
        self, solver: Callable[[Tensor], Tensor], shape: tuple[int, ...], low: float, high: float, count: int, seed: int
    ) -> None:
        self.solver, self.shape, self.low, self.high = solver, shape, low, high
        self.generator = torch.Generator().manual_seed(seed)
        far = self._draw(count - count // 2)
        near = far[:1] + (high - low) / 20 * torch.randn(count // 2, *shape, generator=self.generator)
        self.theta = torch.cat([far, near.clamp(low, high)])
        self.z = torch.empty(0)

    def findings(self) -> Iterator[Finding]:
        for name in CHECKS:
            try:
                result = getattr(self, f"_check_{name}")()
            except Exception as error:  # whatever a solver may raise
                result = ("warn" if self._may_raise(name) else "fail", f"raised {type(error).__name__} ({error})")
            finding = Finding(name, *result)
            yield finding
            if finding.verdict == "fail" and name in CHECKS[:4]:
                return

    @staticmethod
    def _may_raise(name: str) -> bool:
        return name in ("precision", "grad", "empty", "layout", "threads", "scale")

    def _draw(self, count: int) -> Tensor:
        return torch.rand(count, *self.shape, generator=self.generator) * (self.high - self.low) + self.low

    def _solve(self, theta: Tensor) -> Tensor:
        return self.solver(theta.clone()).detach().to(torch.float32)

    def _check_call(self) -> tuple[Verdict, str]:
        given: Any = self.solver(self.theta.clone())
        if not isinstance(given, Tensor):
            return "fail", f"gave {type(given).__name__}; it must give a tensor; wrap arrays in torch.as_tensor"
        self.given = given
        return "pass", f"{len(self.theta)} instances, theta from {self.low:g} to {self.high:g}"

    def _check_shape(self) -> tuple[Verdict, str]:
        if self.given.shape != self.theta.shape:
            return (
                "fail",
                f"gave {tuple(self.given.shape)} for {tuple(self.theta.shape)}; it must keep the shape, N in front",
            )
        return "pass", f"{tuple(self.given.shape)}"

    def _check_values(self) -> tuple[Verdict, str]:
        self.z = self.given.detach().to(torch.float32)
        if not self.z.isfinite().all():
            row = int((~self.z.isfinite()).flatten(1).any(dim=1).nonzero()[0])
            return "fail", f"instance {row} has NaN or infinite entries; a solution must be finite"
        binary = bool(((self.z == 0) | (self.z == 1)).all())
        return "pass", f"from {self.z.min():g} to {self.z.max():g}{', all 0 or 1' if binary else ''}"

    def _check_determinism(self) -> tuple[Any, ...]:
        return self._compared(self._solve(self.theta), "a second call gives others; take a fixed seed or tie rule inside it")

    def _check_type(self) -> tuple[Verdict, str]:
        if self.given.is_floating_point():
            return "pass", f"{self.given.dtype}"
        return "warn", f"gives {self.given.dtype}; imle() casts it, but elsewhere it ends gradients; use .to(theta)"

    def _check_rows(self) -> tuple[Any, ...]:
        alone = torch.cat([self._solve(row[None]) for row in self.theta])
        return self._compared(alone, "one by one it gives others than in a batch; look at how rows are put in order")

    def _check_mates(self) -> tuple[Any, ...]:
        order = torch.randperm(len(self.theta), generator=self.generator)
        mixed = torch.empty_like(self.z)
        mixed[order] = self._solve(self.theta[order])
        return self._compared(mixed, "in another order it gives others; an instance must not depend on its batch mates")

    def _check_input(self) -> tuple[Any, ...]:
        theta = self.theta.clone()
        z = self.solver(theta)
        if not torch.equal(theta, self.theta):
            return "fail", "it changes its input; work on theta.clone()", {"theta": self.theta[:1]}
        if z.numel() and z.untyped_storage().data_ptr() == theta.untyped_storage().data_ptr():
            return "warn", "it returns its input or a view of it; return a clone, which nobody changes by accident"
        return "pass", "left as it is"

    def _check_layout(self) -> tuple[Any, ...]:
        spread = torch.stack([self.theta, self.theta], dim=-1)[..., 0]
        return self._compared(
            self.solver(spread).to(torch.float32), "for parameters that are not contiguous it gives others"
        )

    def _check_maximiser(self) -> tuple[Any, ...]:
        own, cross = self._values(self.theta, self.z, self.z)
        slack = self._slack(self.theta, self.z)
        better = cross - own[:, None] > slack
        if not better.any():
            return "pass", f"none of {better.numel():,} other solutions of its own is better"
        if not (own[:, None] - cross > slack).any():
            return "fail", "it minimises <z, theta>; give -theta, or take imle(..., sense='min')", {"theta": self.theta[:1]}
        row = int((cross - own[:, None]).amax(dim=1).argmax())
        gain, column = (cross[row] - own[row]).max(dim=0)
        text = (
            f"for {int(better.any(dim=1).sum())} of {len(own)} instances another of its own solutions is better, by up to "
            f"{gain:.3g}; is theta outside its domain? then give low and high, and clamp theta to it"
        )
        return "fail", text, {"theta": self.theta[row], "z": self.z[row], "better": self.z[column]}

    def _check_monotone(self) -> tuple[Any, ...]:
        own, cross = self._values(self.theta, self.z, self.z)
        products = own[:, None] + own[None, :] - cross - cross.T
        if (products >= -2 * self._slack(self.theta, self.z)).all():
            return "pass", f"over {products.numel():,} pairs"
        row, column = divmod(int(products.argmin()), len(own))
        text = (
            f"<t1 - t2, z1 - z2> is {products.min():.3g} for a pair, which no maximiser has; expect wrong signs of gradients"
        )
        return "fail", text, {"t1": self.theta[row], "t2": self.theta[column], "z1": self.z[row], "z2": self.z[column]}

    def _check_ties(self) -> tuple[Any, ...]:
        middle, step = (self.low + self.high) / 2, (self.high - self.low) / 4
        levels = torch.randint(-1, 2, self.theta.shape, generator=self.generator) * step + middle
        theta = torch.cat([torch.full_like(self.theta[:1], middle), levels])
        z = self._solve(theta)
        if not torch.equal(self._solve(theta), z):
            return "fail", "on ties a second call gives others; fix a tie rule", {"theta": theta}
        own, cross = self._values(theta, z, torch.cat([z, self.z]))
        back, other = self._values(self.theta, self.z, z)
        slack = self._slack(theta, z)
        worse, beaten = (cross - own[:, None] > slack).any(dim=1), (other - back[:, None] > slack).any(dim=1)
        sizes = self.z.flatten(1).sum(dim=1)
        odd = (z.flatten(1).sum(dim=1) != sizes[0]) & (sizes == sizes[0]).all()
        if not (worse.any() or beaten.any() or odd.any()):
            return "pass", f"{len(theta)} instances with many equal entries"
        if odd.any():
            row = int(odd.nonzero()[0])
            text = f"a solution has {sizes[0]:g} in sum, but {z[row].sum():g} on ties; take only as many as there may be"
            return "fail", text, {"theta": theta[row], "z": z[row]}
        row = int(worse.nonzero()[0]) if worse.any() else 0
        return "fail", "on ties it gives what is not best, or not feasible", {"theta": theta[row], "z": z[row]}

    def _check_scale(self) -> tuple[Any, ...]:
        factor = 0.5 if self.low <= 0 <= self.high else 2.0  # stays in the domain
        verdict, text, *rest = self._compared(self._solve(self.theta * factor), f"theta * {factor:g} has other solutions")
        return ("warn" if verdict == "fail" else verdict), text, *rest

    def _check_precision(self) -> tuple[Any, ...]:
        for dtype in (torch.float64, torch.float16, torch.bfloat16):
            theta = self.theta.to(dtype)
            try:
                z = self.solver(theta)
            except Exception as error:  # whatever a solver may raise
                return "warn", f"{dtype} raises {type(error).__name__} ({error}); convert it inside"
            if dtype is torch.float64 and not torch.equal(z.to(torch.float32), self.z):
                return "warn", "the same numbers in float64 have other solutions; ties by rounding?"
        return "pass", "float16, bfloat16 and float64, too"

    def _check_grad(self) -> tuple[Any, ...]:
        z = self.solver(self.theta.clone().requires_grad_())
        return self._compared(z.detach().to(torch.float32), "for a tensor that requires grad it gives others")

    def _check_empty(self) -> tuple[Verdict, str]:
        shape = tuple(self.solver(self.theta[:0]).shape)
        right = shape == (0, *self.shape)
        return ("pass" if right else "warn"), f"no instances have shape {shape}"

    def _check_domain(self) -> tuple[Verdict, str]:
        kinds = {"negative": -1.0, "zero": 0.0, "positive": 1.0, "huge": 1e30, "-huge": -1e30, "NaN": float("nan")}
        said = {name: self._said_to(value) for name, value in kinds.items()}
        detail = ", ".join(f"{name}: {what}" for name, what in said.items())
        if said["NaN"] == "solved":
            return "warn", f"{detail}; NaN passes unseen, refuse it"
        return "pass", detail

    def _said_to(self, value: float) -> str:
        try:
            z = self.solver(torch.full_like(self.theta[:1], value))
        except Exception as error:  # whatever a solver may raise
            return type(error).__name__
        return "solved" if bool(z.isfinite().all()) else "not finite"

    def _check_threads(self) -> tuple[Any, ...]:
        parts = [self.theta.roll(shift, dims=0) for shift in range(_THREADS)]
        with ThreadPoolExecutor(_THREADS) as pool:
            for shift, z in enumerate(pool.map(self._solve, parts * 2)):
                if not torch.equal(z, self.z.roll(shift % _THREADS, dims=0)):
                    return "warn", f"{_THREADS} threads at a time get others than one; let each call have its own state"
        return "pass", f"{_THREADS} at a time"

    def _check_pickle(self) -> tuple[Verdict, str]:
        try:
            pickle.loads(pickle.dumps(self.solver))
        except Exception as error:  # pickle has no common error
            return "warn", f"cannot be sent to another process: {type(error).__name__} ({error})"
        return "pass", "can be sent to another process"

    def _check_speed(self) -> tuple[Verdict, str]:
        seconds = {}
        for count in (1, len(self.theta)):
            began = time.perf_counter()
            self._solve(self.theta[:count])
            seconds[count] = (time.perf_counter() - began) / count
        text = ", ".join(f"{1000 * each:.3g} ms an instance in a batch of {count}" for count, each in seconds.items())
        slow = seconds[len(self.theta)] > _SLOW
        return ("warn", f"{text}; each step of training solves twice") if slow else ("pass", text)

    def _check_variety(self) -> tuple[Verdict, str]:
        kinds = len(self.z.flatten(1).unique(dim=0))
        if kinds == 1:
            return "warn", f"all {len(self.z)} instances have one solution; a constant has no gradient"
        return "pass", f"{kinds} solutions of {len(self.z)} instances"

    def _check_gradients(self) -> tuple[Verdict, str]:
        shares = []
        upstream = torch.randn(self.theta.shape, generator=self.generator)
        for step in _LAMBDAS:
            theta = self.theta.clone().requires_grad_()
            loss = (imle(self.solver, TargetDistribution(1.0, step))(theta) * upstream).sum()
            try:
                loss.backward()
            except ValueError as error:
                return "warn", f"refuses targets theta - lambda dy at lambda {step:g} ({error}); clamp them to its domain"
            assert theta.grad is not None
            shares.append(float((theta.grad.flatten(1) == 0).all(dim=1).float().mean()))
        text = ", ".join(f"{100 * share:.0f} % at lambda {step:g}" for share, step in zip(shares, _LAMBDAS, strict=True))
        return ("warn" if min(shares) == 1 else "pass"), f"instances without a gradient: {text}"

    def _compared(self, z: Tensor, complaint: str) -> tuple[Any, ...]:
        """Whether ``z`` equals the solutions of the first call."""
        differ = (z.reshape(self.z.shape) != self.z).flatten(1).any(dim=1) if z.numel() == self.z.numel() else None
        if differ is None:
            return "fail", f"{complaint} (shape {tuple(z.shape)})", {"theta": self.theta}
        if not differ.any():
            return "pass", f"{len(z)} instances alike"
        row = int(differ.nonzero()[0])
        return "fail", f"{complaint} ({int(differ.sum())} of {len(z)} instances differ)", {"theta": self.theta[row]}

    @staticmethod
    def _values(theta: Tensor, own: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        """``<theta_i, own_i>``, ``(N,)``, and ``<theta_i, others_j>``, ``(N, M)``, in float64."""
        rows = theta.flatten(1).double()
        return (rows * own.flatten(1).double()).sum(dim=1), rows @ others.flatten(1).double().T

    @staticmethod
    def _slack(theta: Tensor, z: Tensor) -> float:
        """What rounding in the solver's own sums, of 32 bits at least, may cost."""
        terms = (theta.flatten(1).double() * z.flatten(1).double()).abs().sum(dim=1)
        return 1e-5 * float(terms.max()) + 1e-12
