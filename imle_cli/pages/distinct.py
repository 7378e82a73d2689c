"""The page of ``imle sample --distinct``: whole solutions one by one, from the most frequent on, with their shares."""

from imle_cli.figures.percentages import percentages, with_error
from imle_cli.pages.facts import fact_list
from imle_cli.pages.grounds import described
from imle_cli.pages.page import page
from imle_cli.problems.problem import Lines
from imle_cli.problems.whole_solutions import WholeSolutions

_BODY = """\
<div class="cards beside">
<section class="card" id="picture"></section>
<section class="card"><h2>Shares of the samples</h2><ol id="shares" class="shares"></ol></section>
<div class="stack">
<section class="card" id="controls"></section>
<section class="card"><h2>Numbers</h2>{facts}</section>
</div>
</div>
"""


def distinct_page(solutions: WholeSolutions, title: str, lines: Lines, still: bytes) -> bytes:
    """The page as a file.

    Args:
        solutions: the solutions.
        title: heading.
        lines: names and texts that the command prints.
        still: a PNG of the solutions, for browsers without scripts.
    """
    record = solutions.record
    data = described(solutions.problem) | {
        "title": title,
        "masks": solutions.masks.astype(bool),
        "shares": record.shares.cpu().numpy(),
        "texts": [*map(with_error, *percentages(record.shares.tolist(), record.standard_errors.tolist(), 2))],
    }
    body = _BODY.format(facts=fact_list(lines, [("this solution", "this")]))
    return page(title, body, data, "distinct.js", still=still, still_text=title, styles=("reports.css",)).encode()
