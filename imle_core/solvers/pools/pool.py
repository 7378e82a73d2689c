"""A solver that mostly answers from the solutions that it has seen."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from imle_core.checks import (
    ArgumentError,
    ArgumentTypeError,
    check_generator,
    check_name,
    check_not_learned,
    check_numbers,
    check_whole,
    shown,
    wrong_shape,
)
from imle_core.concurrency import OwnLock
from imle_core.contracts import declared, solved_rows
from imle_core.solvers.pools.members import Entries, Members, best_of
from imle_core.solvers.rows import as_rows

_TURN = 0.6180339887498949
"""The golden ratio less 1: its multiples, less whole numbers, fill the span from 0 to 1 evenly, also every other of them."""


class SolutionPool(nn.Module):
    """``argmax_g <g, theta>`` over a pool of solutions, or with probability ``share``, the solver's, which join the pool.

    A solver like any other, for expensive ones: of a call either all rows are solved or all are answered by the best member,
    the first of equally good ones, for which it needs a product with each of them, compiled, on as many threads as torch
    may use. Members are feasible, but seldom the best there is, so that gradients of estimators are approximate. The first
    call solves.

    A row is solved in any case if no member fits it: -inf is an entry that is never taken (inf under "min"), and with inf,
    as with NaN, it is the solver's to answer. Finite theta outside the solver's ``domain`` count as its nearest end. After
    ``eval()``, also of a module that it is part of, all rows are solved and the pool stays as it is.

    Each shape of instances has a pool of its own, as in ragged batches, unless gold solutions say the only one. Threads may
    share a pool. Its ``state_dict`` has the members, the counts and the state of the generator, so that a run that goes on
    after loading does what it would have done.

    Args:
        solver: solves, for theta alone; what it declares holds for the pool, too.
        gold: solutions with which the pool begins, ``(K, *event)``, such as those of the training set; they always stay.
        share: probability that a call solves, > 0; 1 for always.
        generator: source of the coins, one for each call. Without one no number is random: call n, from 0 on, solves where
            the fractional part of n times the golden ratio is below the share.
        limit: most members of a pool; the oldest others go where there would be more. None for no limit.
        sense: whether the solver maximises, "max", or minimises, "min"; by default what it declares.

    Attributes:
        solved: rows that were solved so far.
        answered: rows that members answered so far.

    Raises:
        ArgumentError: a share that is 0, above 1 or NaN; gold solutions that are no finite ``(K, *event)`` with K >= 1; a
            limit below their number; a solver that does not say its sense where it is not given, or says another one, or is
            of certain instances, as one of a list of graphs; when called, further arguments or another shape than the gold
            solutions'.
        ArgumentTypeError: when called, a solver that has further outputs.

    Source: Mulamba et al. 2021, "Contrastive losses and solution caching for predict-and-optimize" (arXiv 2011.05354).

    >>> from imle_core.solvers import TopK
    >>> pool = SolutionPool(TopK(1), torch.eye(3)[:2], share=0.05)
    >>> pool(torch.tensor([[1.0, 2.0, 3.0]])), pool(torch.tensor([[2.0, 1.0, 0.0]]))
    (tensor([[0., 0., 1.]]), tensor([[1., 0., 0.]]))
    >>> len(pool.members), pool.solved, pool.answered
    (3, 1, 1)
    """

    pure, takes_padding = True, False

    def __init__(
        self,
        solver: Callable[[Tensor], Tensor],
        gold: Tensor | None = None,
        *,
        share: float = 0.05,
        generator: torch.Generator | None = None,
        limit: int | None = None,
        sense: str | None = None,
    ) -> None:
        super().__init__()
        if isinstance(solver, type) or not callable(solver):
            what = f"the class {solver.__name__}" if isinstance(solver, type) else type(solver).__name__
            raise ArgumentTypeError("solver", what, "it must be a solver, an object that can be called", "make one")
        check_generator(generator)
        self.solver, self.share, self.generator = solver, _checked_share(share), generator
        self.sense = _sense(solver, sense)
        if declared(solver, "offsets") is not None:
            what, rule = "a solver of certain instances", "its solutions are of these, each of its own"
            raise ArgumentError("solver", what, rule, "give one that takes any instances")
        self._pools: dict[tuple[int, ...], Members] = {}
        self._gold, self._lock = 0, OwnLock()
        self.calls = self.solved = self.answered = 0
        if gold is not None:
            members = Members(_event_of(gold))
            members.add(gold)
            self._pools, self._gold = {members.event: members}, len(members)
        if limit is not None:
            check_whole("limit", limit, max(1, self._gold), "allow at least the gold solutions, or use None")
        self.limit = limit

    def __repr__(self) -> str:
        count = sum(map(len, self._pools.values()))
        return f"SolutionPool({self.solver!r}, {count} member{'s' * (count != 1)}, share={self.share:g})"

    @property
    def members(self) -> Tensor:
        """Solutions of the pool, ``(K, *event)``, the oldest first, not to be written into; ``(0,)`` before the first.

        Raises:
            ArgumentError: there are pools of several shapes.
        """
        with self._lock:
            if len(self._pools) > 1:
                rule = "members of one pool are of one shape"
                raise ArgumentError("members", f"{len(self._pools)} shapes", rule, "take a pool for each")
            return next((members.tensor() for members in self._pools.values()), torch.zeros(0))

    @property
    def domain(self) -> Any:
        """Smallest and largest theta that the solver declares, or None."""
        return declared(self.solver, "domain")

    @property
    def typical_ones(self) -> Any:
        """The solver's function of event shapes, or None."""
        return declared(self.solver, "typical_ones")

    @property
    def normals(self) -> Any:
        """The solver's function of solutions, or None."""
        return declared(self.solver, "normals")

    def forward(self, theta: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Solutions ``(N, *event)`` for parameters ``(N, *event)``, in theta's type and on its device."""
        self._check_call(theta, args, kwargs)
        if not len(theta):
            return torch.zeros_like(theta)
        with self._lock:
            entries = None if not self.training or self._is_next_solved(theta.shape[1:]) else self._entries(theta)
        if entries is None:
            return self._solve(theta)
        z, lacking = best_of(entries, as_rows(theta).reshape(len(theta), -1), *self._order())
        answers = torch.from_numpy(z).to(theta).view(theta.shape)
        if lacking.any():
            rows = torch.from_numpy(lacking).to(theta.device)
            answers[rows] = self._solve(theta[rows])
        with self._lock:
            self.answered += len(lacking) - int(lacking.sum())
        return answers

    def grow(self, theta: Tensor) -> None:
        """Tosses the coin of a call, and if that says so solves theta ``(N, *event)``, whose solutions join the pool.

        Losses that need a pool, and no solutions, ask for it at each step; after ``eval()`` it does nothing.
        """
        self._check_call(theta, (), {})
        if self.training and len(theta):
            with self._lock:
                is_solved = self._is_next_solved(theta.shape[1:])
            if is_solved:
                self._solve(theta)

    def _check_call(self, theta: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        check_numbers(theta)
        if args or kwargs:
            what = "further arguments of the solver"
            rule = "a pool has solutions that every instance may have"
            raise ArgumentError("solver", what, rule, "use the solver itself")
        event = next(iter(self._pools)) if self._gold else None
        if theta.dim() < 2 or event not in (None, theta.shape[1:]):
            shape = "(N, *event)" if event is None else str(("N", *event)).replace("'", "")
            rule = "a pool needs one axis more than an instance" if event is None else "gold solutions have that shape"
            raise wrong_shape("theta", theta, f"it must be {shape}; {rule}", "give a row for each instance")

    def _is_next_solved(self, event: torch.Size) -> bool:
        """What the coin of a call says; the lock must be held."""
        call, self.calls = self.calls, self.calls + 1
        if self.share == 1 or not len(self._pools.get(tuple(event), ())):
            return True
        if self.generator is None:
            return call * _TURN % 1 < self.share
        coin = torch.rand((), dtype=torch.float64, generator=self.generator, device=self.generator.device)
        return bool(coin < self.share)

    def _entries(self, theta: Tensor) -> Entries:
        return self._pools[tuple(theta.shape[1:])].entries()

    def _order(self) -> tuple[float, tuple[float, float]]:
        low, high = self.domain or (-torch.inf, torch.inf)
        return (1.0 if self.sense == "max" else -1.0), (float(low), float(high))

    def _solve(self, theta: Tensor) -> Tensor:
        """Solutions of the solver, which join the pool while it learns."""
        z, outputs = solved_rows(self.solver, theta.detach().unsqueeze(1))
        if outputs is not None:
            remedy = "give lambda theta: solver(theta)[0]"
            raise ArgumentTypeError("solver", "further outputs", "a pool keeps solutions alone", remedy, "gave")
        z = z.squeeze(1)
        with self._lock:
            self.solved += len(z)
            if self.training:
                event = tuple(theta.shape[1:])
                self._pools.setdefault(event, Members(event)).add(z, self._gold, self.limit)
        return z

    def get_extra_state(self) -> dict[str, Any]:
        """Members, counts, and the state of the generator, where there is one."""
        with self._lock:
            members = [members.tensor().clone() for members in self._pools.values()]
            state = {"members": members, "gold": self._gold, "calls": self.calls}
            state |= {"solved": self.solved, "answered": self.answered}
            return state if self.generator is None else {**state, "generator": self.generator.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Goes on from where the pool stood whose state this is."""
        pools = {tuple(members.shape[1:]): Members(tuple(members.shape[1:])) for members in state["members"]}
        for members in state["members"]:
            pools[tuple(members.shape[1:])].add(members)
        with self._lock:
            self._pools, self._gold, self.calls = pools, state["gold"], state["calls"]
            self.solved, self.answered = state["solved"], state["answered"]
            if self.generator is not None and "generator" in state:
                self.generator.set_state(state["generator"].cpu())


def _checked_share(share: Any) -> float:
    check_not_learned("share", share, "choose it")
    if not 0 < share <= 1:
        rule = "it is the probability that a call solves, above 0 and at most 1"
        raise ArgumentError("share", shown(share), rule, "the usual one is 0.05; 1 always solves")
    return float(share)


def _sense(solver: Any, sense: str | None) -> str:
    """Sense of a solver, by what it declares or is told."""
    if sense is not None:
        check_name("sense", sense, ("max", "min"))
    does = declared(solver, "sense")
    if does not in ("max", "min"):
        if sense is None:
            rule = "a pool must know it, and the solver declares none"
            raise ArgumentError("sense", "missing", rule, "give sense='max' if it maximises, else 'min'", verb="")
        return sense
    if sense not in (None, does):
        raise ArgumentError("sense", repr(sense), f"the solver declares {does!r}", "leave it out")
    return str(does)


def _event_of(gold: Any) -> tuple[int, ...]:
    """Shape of gold solutions, which must be some."""
    check_numbers(gold, "gold")
    if gold.dim() < 2 or not len(gold):
        raise wrong_shape("gold", gold, "it must be (K, *event)", "give at least one solution, or None")
    wrong = int((~gold.double().isfinite()).sum())
    if wrong:
        raise ArgumentError("gold", f"{wrong} NaN or infinite entries", "a solution has numbers", "solve it again")
    return tuple(gold.shape[1:])
