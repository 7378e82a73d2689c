"""Checks of what a solver solves: is it a maximiser, monotone, on ties and beyond its domain; how it scales and shifts."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from imle_core.doctor.example import Example, RefusedError, said
from imle_core.doctor.subject import ROUNDING, Outcome, Subject, apart

_FEW = 12  # instances for each kind of number
_NEARLY = 1e-3  # relative loss that is a solver's tolerance rather than a fault


def check_maximiser(subject: Subject) -> Outcome:
    """Checks that each solution is the best of all that it gave, which are feasible whatever the constraints."""
    theta, z = subject.theta, subject.z
    loss, room = _losses(subject, theta, z, z)
    name = "maximises" if subject.sign > 0 else "minimises"
    if not (loss > ROUNDING * room).any():
        if subject.declared not in (None, _sense(subject)):
            text = f"it {name} <z, theta>, but declares sense = '{subject.declared}'; declare '{_sense(subject)}'"
            return Outcome("fail", text, learned={"optimal": True})
        text = f"it {name} <z, theta>: none of {loss.numel():,} other solutions of its own is better"
        return Outcome("pass", text, learned={"optimal": True})
    limit = ROUNDING if not (loss > _NEARLY * room).any() else _NEARLY
    example = subject.smallest(theta, _beaten(subject, limit), [_pair(theta, loss - limit * room)])
    if not (-loss > ROUNDING * room).any():
        text = f"{_opposite(subject)}{said(example)}; from here on it is taken for that"
        return Outcome("fail", text, example, {"sign": -subject.sign, "optimal": True})
    count, worst = int((loss > limit * room).any(dim=1).sum()), float(loss.max())
    share = float((loss / room).max())
    text = f"for {count} of {len(theta)} instances another of its own solutions is better, by up to {worst:.3g}"
    shown = said(example)
    if limit < _NEARLY:
        text = f"{text}, {100 * share:.2g} % of the value; does it round, or stop early?{shown}"
        return Outcome("warn", text, example, {"optimal": True})
    return Outcome("fail", f"{text}; {_advice(subject)}{shown}", example, spoils=True)


def _sense(subject: Subject) -> str:
    return "max" if subject.sign > 0 else "min"


def _opposite(subject: Subject) -> str:
    """Words for a solver that does the opposite of what is wanted, and the way to write a layer of it."""
    does, sense = ("minimises", "min") if subject.sign > 0 else ("maximises", "max")
    does = f"it {does} <z, theta>"
    if subject.declared == sense:  # both say that it minimises: layers negate for a solver that maximises, and so does sign
        alternative = "imle(lambda theta: solver(-theta), sense='max') for scores"
        return f"{does}, as it declares; write imle(solver, sense='min') for costs, or {alternative}"
    if subject.declared:
        return f"{does}, though it declares sense = '{subject.declared}'; declare '{sense}', or give it -theta"
    return f"{does}; give -theta, or take imle(..., sense='{sense}')"


def _advice(subject: Subject) -> str:
    """Remedy for a solver that neither maximises nor minimises: it may be one for theta of one sign."""
    if not subject.low < 0 < subject.high:
        return f"it is no {_role(subject)} of <z, theta>, or theta from low to high is outside its domain"
    size = subject.high - subject.low
    for name, outside, low, high in (("below 0", "above", -size, -size / 100), ("above 0", "below", size / 100, size)):
        theta = subject.draw(len(subject.theta), low, high)
        try:
            z = subject.ask(theta)
        except RefusedError:
            continue
        loss, room = _losses(subject, theta, z, z)
        if (loss > ROUNDING * room).any() or len(z.flatten(1).unique(dim=0)) == 1:
            continue
        like = ", like Dijkstra's algorithm on negative costs" if (subject.sign > 0) == (high < 0) else ""
        return (
            f"theta is outside its domain: where all theta are {name} it solves, with some {outside} it does not{like}; "
            f"give low={low:g} and high={high:g}, or a domain attribute, and clamp theta to it"
        )
    none = f"it is no {_role(subject)} of <z, theta>"
    if torch.equal(subject.z.sort(dim=-1).values, torch.arange(subject.shape[-1]).expand_as(subject.z).float()):
        return f"{none}; it gives indices, as argsort does: ranks are argsort().argsort(), a choice has ones among zeros"
    return f"{none}; look at its objective, its signs and the order of its entries"


def _role(subject: Subject) -> str:
    return "maximiser" if subject.sign > 0 else "minimiser"


def check_monotone(subject: Subject) -> Outcome:
    """Checks that <t1 - t2, z1 - z2> >= 0 for all pairs."""

    def products(theta: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        loss, room = _losses(subject, theta, z, z)
        return -loss - loss.T, room + room.T

    def show(theta: Tensor) -> Example | None:
        z = subject.ask(theta)
        product, room = products(theta, z)
        return {"theta": theta, "z": z} if (product < -limit * room).any() else None

    product, room = products(subject.theta, subject.z)
    count = len(product) * (len(product) - 1) // 2
    limit = _NEARLY if (product < -_NEARLY * room).any() else ROUNDING
    relation, beyond = (">= 0", "below 0") if subject.sign > 0 else ("<= 0", "above 0")
    if (product >= -limit * room).all():
        return Outcome("pass", f"<t1 - t2, z1 - z2> {relation} for all of {count:,} pairs")
    wrong = int((product < -limit * room).sum()) // 2
    example = subject.smallest(subject.theta, show, [_pair(subject.theta, -product - limit * room)])
    worst = subject.sign * float(product.min())
    text = f"<t1 - t2, z1 - z2> is {beyond} for {wrong:,} of {count:,} pairs, as far as {worst:.3g}"
    if limit < _NEARLY:
        return Outcome("warn", f"{text}, about as its tolerance allows{said(example)}", example)
    return Outcome("fail", f"{text}, which no {_role(subject)} has; expect wrong signs of gradients{said(example)}", example)


def check_ties(subject: Subject) -> Outcome:
    """Checks that solutions among equal entries are feasible, optimal, and the same again."""
    ties = subject.ties
    z = subject.ask(ties)
    both, solutions = torch.cat([subject.theta, ties]), torch.cat([subject.z, z])
    loss, room = _losses(subject, both, solutions, solutions)
    if (loss > _NEARLY * room).any():
        text = "on ties it gives what is not best, or not feasible"
        usual, sizes = subject.z.flatten(1).sum(dim=1), z.flatten(1).sum(dim=1)
        odd = (sizes - usual[0]).abs() > ROUNDING * usual[0].abs()
        if odd.any() and _equal(usual):
            size = sizes[odd][0]
            text = f"a solution has {usual[0]:g} in sum, but {size:g} on ties; take only as many as there may be"
        hint = _pair(both, loss - _NEARLY * room)
        example = subject.smallest(both, _beaten(subject, _NEARLY), [hint])
        return Outcome("fail", text + said(example), example)
    return _odd_ties(subject, ties, z)


def _odd_ties(subject: Subject, ties: Tensor, z: Tensor) -> Outcome:
    if subject.single and not subject.one_by_one:
        alone = subject.compared(
            lambda theta: torch.cat([subject.ask(row[None]) for row in theta]),
            "which of equally good solutions it takes depends on the batch; fix a tie rule",
            "warn",
            ties,
        )
        if alone.verdict != "pass":
            return alone
    whole = torch.equal(subject.z, subject.z.round())
    broken = (z != z.round()).flatten(1).any(dim=1)
    if whole and broken.any():
        row = int(broken.nonzero()[0])

        def show(theta: Tensor) -> Example | None:
            z = subject.ask(theta)
            return {"theta": theta, "z": z} if (z != z.round()).any() else None

        example = subject.smallest(ties, show, [ties[row : row + 1]])
        return Outcome("warn", f"on ties it gives fractions; take one of the best solutions{said(example)}", example)
    return Outcome("pass", f"{len(ties)} instances with many equal entries")


def check_scale(subject: Subject) -> Outcome:
    """Checks that <z, c theta> has the same best z as <z, theta>."""
    factors, (low, high) = _factors(subject)
    theta = subject.draw(len(subject.theta), low, high)
    changed = 0
    for factor in factors:

        def scaled(theta: Tensor, factor: float = factor) -> Tensor:
            return subject.inside(theta * factor)

        outcome, differing = _moved(subject, theta, (low, high), scaled)
        changed += differing
        if outcome and 0.25 < factor < 4:
            text = f"theta * {factor:g} has solutions that are better or worse for theta, which no {_role(subject)} has;"
            return outcome._replace(detail=f"{text} does it round, or compare with fixed numbers?{outcome.detail}")
        if outcome:
            text = f"theta * {factor:g} is too small or too large for its tolerances; scale theta inside it"
            return outcome._replace(verdict="warn", detail=text + outcome.detail)
    text = " and ".join(f"theta * {factor:g}" for factor in factors)
    if changed:
        return Outcome("warn", f"{text}: {changed} solutions are others, as good up to rounding; look for fixed tolerances")
    return Outcome("pass", f"{text}: {len(theta)} instances alike")


def _factors(subject: Subject) -> tuple[list[float], tuple[float, float]]:
    """Factors, powers of two where possible, and bounds of theta within which a scaled theta stays in the domain."""
    low, high = subject.low, subject.high
    if low <= 0 <= high:
        return [0.5, 2.0**-10], (low, high)
    near, far = sorted((abs(low), abs(high)))
    largest = float("inf") if subject.domain is None else max(abs(bound) for bound in subject.domain)
    if far * 2**10 <= largest and subject.domain is not None:
        return [2.0, 2.0**10], (low, high)
    factor = min(2.0, (far / near) ** 0.5)
    return [factor], ((low / factor, high) if high < 0 else (low, high / factor))


def check_shift(subject: Subject) -> Outcome:
    """Checks that theta + c asks for more of what sums up to more, and otherwise for the same."""
    step = (subject.high - subject.low) / 4
    bounds = subject.low, subject.high - step
    theta = subject.draw(len(subject.theta), *bounds)
    outcome, differing = _moved(subject, theta, bounds, lambda theta: subject.inside(theta + step))
    if outcome:
        return outcome._replace(
            detail=f"theta + {step:g} has solutions that no maximiser of both has; does it compare with fixed numbers?"
            f"{outcome.detail}"
        )
    sizes = subject.z.flatten(1).sum(dim=1)
    if not differing:
        return Outcome("pass", f"theta + {step:g}: {len(theta)} instances alike")
    what = f"all of the sum {sizes[0]:g}" if _equal(sizes) else f"of sums from {sizes.min():g} to {sizes.max():g}"
    return Outcome("pass", f"theta + {step:g}: {differing} of {len(theta)} solutions change, {what}; its level matters")


def _moved(
    subject: Subject, theta: Tensor, bounds: tuple[float, float], move: Callable[[Tensor], Tensor]
) -> tuple[Outcome | None, int]:
    """A fault if solutions for theta and for what it is moved to beat each other; and how many of them differ."""
    z, shifted = subject.ask(theta), subject.ask(move(theta))

    def wrong(theta: Tensor, z: Tensor, shifted: Tensor) -> Tensor:
        """Larger lead of one over the other for either theta, relative to the terms of the sums."""
        return torch.maximum(_gain(subject, theta, shifted, z), _gain(subject, move(theta), z, shifted))

    def show(theta: Tensor) -> Example | None:
        z, shifted = subject.ask(theta), subject.ask(move(theta))
        faulty = (wrong(theta, z, shifted) > limit).any()
        return {"theta": theta, "moved": move(theta), "z": z, "other": shifted} if faulty else None

    excess = wrong(theta, z, shifted)
    limit = _NEARLY if (excess > _NEARLY).any() else ROUNDING
    if not (excess > limit).any():
        return None, int(apart(z, shifted).sum())
    worst = int(excess.argmax())
    example = subject.smallest(theta, show, [theta[worst : worst + 1]], bounds)
    text = f" ({int((excess > limit).sum())} of {len(theta)} instances){said(example)}"
    return Outcome("fail" if limit == _NEARLY else "warn", text, example), 0


def check_domain(subject: Subject) -> Outcome:
    """Checks what negative, zero, huge, infinite and NaN entries do."""
    lowest, highest = subject.domain or (subject.low, subject.high)
    numbers = {"negative": -1.0, "zero": 0.0, "positive": 1.0, "huge": 1e30, "-huge": -1e30, "-inf": -float("inf")}
    said_to = {name: _entry(subject, value) for name, value in numbers.items()}
    unseen = _entry(subject, float("nan"))[0]
    detail = ", ".join([*(f"{name}: {what}" for name, (what, _) in said_to.items()), f"NaN: {unseen}"])
    wrong = {name: example for name, (what, example) in said_to.items() if what == "not best"}
    for name, example in wrong.items():
        if lowest <= numbers[name] <= highest:
            return Outcome("fail", f"{detail}; {name} entries are in its domain, but not solved{said(example)}", example)
    if wrong and subject.domain:
        text = f"{detail}; targets theta - lambda dy leave its domain, where it is silently wrong; clamp theta to it"
        return Outcome("warn", text, next(iter(wrong.values())))
    if unseen == "solved":
        return Outcome("warn", f"{detail}; NaN passes unseen, refuse it")
    return Outcome("pass", detail)


def _entry(subject: Subject, value: float) -> tuple[str, Example]:
    """Fate of instances that have one such entry each, in a word, and an example where it is bad."""
    theta = subject.theta[:_FEW].clone()
    positions = torch.arange(len(theta)) % 3 + 1  # not at the ends, where a path begins
    theta.flatten(1)[torch.arange(len(theta)), positions * theta[0].numel() // 4] = value
    try:
        z = subject.ask(theta)
        if not subject.optimal or not math.isfinite(value):
            return "solved", {}
        both, solutions = torch.cat([theta, subject.theta]), torch.cat([z, subject.z])
        loss, room = _losses(subject, theta, z, solutions)
        wrong = (loss > _NEARLY * room).any(dim=1)
        if not wrong.any():
            return "solved", {}
        inside = subject.inside(theta)
        if not torch.equal(inside, theta) and not apart(subject.ask(inside), z).any():
            return "clamped", {}
    except RefusedError as error:
        return ("no numbers" if error.kind == "values" else error.kind), {}
    row = int(wrong.nonzero()[0])
    pair = [row, int(loss[row].argmax())]
    return "not best", {"theta": both[pair], "z": solutions[pair]}


def _losses(subject: Subject, theta: Tensor, own: Tensor, rivals: Tensor) -> tuple[Tensor, Tensor]:
    """Lead of ``rivals_j`` over ``own_i`` for ``theta_i``, and the size of the terms in these sums, both ``(N, M)``."""
    rows, z, w = theta.flatten(1).double(), own.flatten(1).double(), rivals.flatten(1).double()
    values = (rows * z).sum(dim=1, keepdim=True)
    room = (rows * z).abs().sum(dim=1, keepdim=True) + rows.abs() @ w.abs().T + 1e-9
    return subject.sign * (rows @ w.T - values), room


def _gain(subject: Subject, theta: Tensor, rival: Tensor, own: Tensor) -> Tensor:
    """Lead of ``rival_i`` over ``own_i`` for ``theta_i``, relative to the terms of these sums, ``(N,)``."""
    rows = theta.flatten(1).double()
    better, worse = rows * rival.flatten(1).double(), rows * own.flatten(1).double()
    room = better.abs().sum(dim=1) + worse.abs().sum(dim=1) + 1e-9
    return subject.sign * (better - worse).sum(dim=1) / room


def _beaten(subject: Subject, limit: float) -> Callable[[Tensor], Example | None]:
    def show(theta: Tensor) -> Example | None:
        z = subject.ask(theta)
        loss, room = _losses(subject, theta, z, z)
        return {"theta": theta, "z": z} if (loss > limit * room).any() else None

    return show


def _equal(sizes: Tensor) -> bool:
    return bool(((sizes - sizes[0]).abs() <= ROUNDING * sizes[0].abs()).all())


def _pair(theta: Tensor, excess: Tensor) -> Tensor:
    """The two instances of which the second's solution beats the first's the most."""
    row, column = divmod(int(excess.argmax()), excess.shape[1])
    return theta[[row, column]]
