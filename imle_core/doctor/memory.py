"""Checks of what a solver leaves behind: its input, the memory of what it gives, settings of the process."""

import torch
from torch import Tensor

from imle_core.doctor.example import Example, said
from imle_core.doctor.settings import INFERENCE
from imle_core.doctor.subject import Outcome, Subject, apart

_CALLS = 4  # among which a solver with a few buffers gives one again


def check_input(subject: Subject) -> Outcome:
    """Checks that it leaves its input alone."""

    def show(theta: Tensor) -> Example | None:
        given = theta.clone()
        z = subject.solve(given)
        return None if torch.equal(given, theta) else {"theta": theta, "z": z, "changed": given}

    example = subject.smallest(subject.theta, show, [subject.theta[:1]])
    if not example:
        return Outcome("pass", "left as it is")
    return _impure(subject, "it changes its input", "work on theta.clone()", example)._replace(spoils=True)


def check_buffer(subject: Subject) -> Outcome:
    """Checks that it gives memory that is nobody else's: neither its input's nor its own of other calls."""
    size = 1 if subject.single else 2
    differing = apart(subject.z, subject.z[:1].expand_as(subject.z)).nonzero().flatten().tolist() or [1]
    batches = [subject.theta.roll(-start, dims=0)[:size] for start in (0, *differing[: _CALLS - 1], 0)]
    given = [theta.clone() for theta in batches]
    solutions = [subject.answer(given[0])]
    example = {"theta": batches[0], "z": solutions[0].detach().float().cpu().clone()}
    solutions += [subject.answer(theta) for theta in given[1:-1]]
    example["other"] = solutions[0].detach().float().cpu().clone()
    solutions.append(subject.answer(given[-1]))  # the first batch again, whose solution it may have kept
    if any(map(_overlap, solutions, given)):
        return _impure(subject, "it returns its input or a view of it", "return a clone", {"theta": batches[0]})
    if any(_overlap(z, earlier) for number, z in enumerate(solutions) for earlier in solutions[:number]):
        if apart(example["z"], example["other"]).any():
            what = "it returns the same memory again, so that later calls change earlier solutions"
            return _impure(subject, what, "give a new tensor each time", example)
        return _impure(subject, "it returns the same memory again", "give a new tensor each time")
    if any(z.is_inference() for z in solutions):
        text = "it returns tensors of inference mode, which imle() copies out of it, and which others cannot differentiate"
        return Outcome("warn", f"{text}; use torch.no_grad()")
    return _kept_input(subject, batches[:2])


def _kept_input(subject: Subject, batches: list[Tensor]) -> Outcome:
    """Checks that a solution is the same after the theta of an earlier call was overwritten with its own."""
    expected = subject.ask(batches[1])
    theta = batches[0].clone()
    subject.answer(theta)
    theta.resize_(batches[1].shape).copy_(batches[1])
    if apart(subject.ask(batches[1]), expected).any():
        return _impure(subject, "it keeps its input, so that what becomes of that changes solutions", "keep theta.clone()")
    return Outcome("pass", "new memory for each call")


def _impure(subject: Subject, what: str, remedy: str, example: Example | None = None) -> Outcome:
    """Outcome for shared memory, which the layer makes up for by copies unless the solver declares itself pure."""
    example = example or {}
    if subject.pure:
        text = f"{what}, though it declares pure = True, for which imle() copies nothing; {remedy}, or leave that out"
        return Outcome("fail", text + said(example), example)
    text = f"{what}, which costs imle() a copy and others their numbers; {remedy}, and do not declare pure = True before"
    return Outcome("warn", text + said(example), example)


def _overlap(left: Tensor, right: Tensor) -> bool:
    """True where two tensors lie on the same memory, at least in part."""
    (start, end), (begin, stop) = _range(left), _range(right)
    return left.device == right.device and start < stop and begin < end


def _range(tensor: Tensor) -> tuple[int, int]:
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.data_ptr(), tensor.data_ptr() + (last + 1) * tensor.element_size()


def check_settings(subject: Subject) -> Outcome:
    """Checks that it leaves settings of the whole process as they are."""
    changed = subject.watch.changed
    if not changed:
        return Outcome("pass", "of torch and the process left as they are")
    text = f"it changes {', '.join(f'{name} (to {value})' for name, value in changed.items())}"
    if INFERENCE in changed:
        return Outcome("fail", f"{text}, after which nothing has gradients; leave that mode before returning")
    return Outcome("warn", f"{text}, for all that follows; put it back before returning")
