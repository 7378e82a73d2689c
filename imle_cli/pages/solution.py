"""The page of ``imle solve``: a solution on its ground, and the numbers of what the reader points at."""

from collections.abc import Sequence

from imle_cli.pages.facts import fact_list
from imle_cli.pages.grounds import described
from imle_cli.pages.page import page
from imle_cli.problems.problem import Masks, Problem

_BODY = """\
<div class="cards beside">
<section class="card" id="picture"></section>
<section class="card"><h2>Result</h2>{facts}</section>
</div>
"""


def solution_page(problem: Problem, mask: Masks, title: str, facts: Sequence[tuple[str, str]], still: bytes) -> bytes:
    """The page as a file.

    Args:
        problem: the problem.
        mask: its solution, ``(*event)``.
        title: heading.
        facts: names and texts that the command prints.
        still: a PNG of the solution, for browsers without scripts.
    """
    data = described(problem) | {"title": title, "mask": mask.astype(bool)}
    body = _BODY.format(facts=fact_list(facts))
    return page(title, body, data, "solution.js", still=still, still_text=title, styles=("reports.css",)).encode()
