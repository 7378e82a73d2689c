"""Check of the method by which a solver adds noise and solves in one call."""

from torch import Tensor

from imle_core.contracts import Known, declared, solutions_in
from imle_core.doctor.subject import Outcome, Subject

_GRID = 4.0  # parameters on a grid of quarters and what is left of theta add up to theta without rounding


def check_fused(subject: Subject) -> Outcome:
    """Checks that ``perturb_and_map`` gives what the call gives for the sum, also where it knows other solutions."""
    method = declared(subject.solver, "perturb_and_map")
    if method is None or subject.sign < 0:
        return Outcome("pass", "it has no perturb_and_map that a layer would call")

    def split(theta: Tensor) -> tuple[Tensor, Tensor]:
        coarse = (theta * _GRID).round() / _GRID
        return coarse.unsqueeze(1), (theta - coarse).unsqueeze(1)

    def anew(theta: Tensor) -> Tensor:
        z, _ = solutions_in(method(*split(theta), 1.0))
        return z.squeeze(1)  # type: ignore[no-any-return]

    def knowing(theta: Tensor) -> Tensor:
        coarse, eps = split(theta)
        before = coarse.flip(0)
        z = subject.ask((before + eps).squeeze(1)).unsqueeze(1).to(theta)
        again, _ = solutions_in(method(coarse, eps, 1.0, Known(before, 1.0, z)))
        return again.squeeze(1)  # type: ignore[no-any-return]

    complaint = "its perturb_and_map gives others, which layers call in place of it; mend or remove it"
    outcome = subject.compared(lambda theta: subject.ask(theta, anew), complaint)
    if outcome.verdict != "pass":
        return outcome
    complaint = "told of other solutions, its perturb_and_map gives others; keep one only where it is surely the same"
    return subject.compared(lambda theta: subject.ask(theta, knowing), complaint)
