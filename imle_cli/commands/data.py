"""``imle data``: a data set of images of maps with their gold paths, or of decision problems with their best solutions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from imle_cli.console import Report, Result
from imle_cli.options.checks import check_at_least, check_range
from imle_cli.options.decision_data import DataKind, DecisionDataOptions, check_kind, check_ranges
from imle_cli.options.groups import Given, Without
from imle_cli.options.panels import OUTPUT, PROBLEM
from imle_cli.options.report import ReportOptions

if TYPE_CHECKING:
    from imle_core.perception import ImageMaps

SHEET = "maps.png"

EXAMPLES = (
    "imle data terrain --size 12 --train 2000 --test 500 -o maps",
    "imle data shortest-path --size 5 --seed 42 -o paths",
    "imle data knapsack --items 16 --constraints 2 --capacity 20 -o pack",
)

_USUAL = {"terrain": (12, 2000, 500)}  # size, instances to learn from, and to be judged by
_OF_DECISIONS = (5, 1000, 1000)

Kind = Annotated[
    DataKind,
    typer.Argument(
        metavar="KIND", help="The kind of data: images of terrain, or decisions: shortest-path, knapsack, tour, portfolio."
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        metavar="TILES",
        min=2,
        max=1000,
        rich_help_panel=PROBLEM,
        help="Side of a map, 12 tiles of 8 x 8 pixels; of a grid of nodes for paths, 5.",
    ),
]
Train = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=0, rich_help_panel=PROBLEM, help="Instances to learn from; 2000 maps, or 1000."),
]
Validation = Annotated[
    int, typer.Option("--val", metavar="NUMBER", min=0, rich_help_panel=PROBLEM, help="Instances to choose settings by.")
]
Test = Annotated[
    int | None,
    typer.Option(metavar="NUMBER", min=0, rich_help_panel=PROBLEM, help="Instances to be judged by; 500 maps, or 1000."),
]
Hard = Annotated[bool, typer.Option("--hard", rich_help_panel=PROBLEM, help="Blur the borders of tiles more.")]
Unique = Annotated[
    bool,
    typer.Option(
        "--unique", rich_help_panel=PROBLEM, help="Vary costs within a class so that each map has one cheapest path."
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="DIR", rich_help_panel=OUTPUT, help="Folder; default: KIND-SIZE here."),
]


def data(
    kind: Kind,
    decisions: DecisionDataOptions,
    report: Annotated[ReportOptions, Without("device")],
    given: Given,
    console: Report,
    size: Size = None,
    train: Train = None,
    val: Validation = 0,
    test: Test = None,
    hard: Hard = False,
    unique: Unique = False,
    out: Folder = None,
) -> Result:
    """Make images of maps, or features and costs, with their best solutions.

    They are arrays in a folder. From images of terrain imle perceive learns. Decision problems are those of the library
    PyEPO, the same arrays for the same seed: features, the costs that depend on them, and problem.json.
    """
    console.begin()
    check_ranges(decisions)
    usual_size, *usual_counts = _USUAL.get(kind, _OF_DECISIONS)
    size = usual_size if size is None else size
    check_range("--size", size, 2, 1000, f"the usual size is {usual_size}")
    counts = _counts(train, val, test, *usual_counts)
    check_kind(kind, given.names)
    if kind != "terrain":
        return _decisions(kind, decisions, counts, size, report.seed, out, console)
    folder = out or Path(f"terrain-{size}x{size}")
    with _taken(folder, _names(), SHEET), console.progress("drawing maps", sum(counts.values())) as advance:
        data_set = _make(folder, counts, size, report.seed, advance, hard=hard, unique=unique)
    solved = data_set.solved_by_colour
    facts = {
        "maps": f"{_listed(counts)} of {size} x {size} tiles",
        "unique": f"{data_set.unique_share:.1%} of the maps have one cheapest path only",
        **({} if solved is None else {"look-up": f"{solved:.1%} of the last maps are solved by the mean colours of tiles"}),
        "files": f"{folder} ({len(data_set.files)} files; {SHEET} shows the first maps)",
    }
    options = {"kind": kind, "size": size, **counts, "seed": report.seed, "hard": hard, "unique": unique}
    values = options | {"unique_share": data_set.unique_share, "solved_by_colour": solved}
    return Result(values, lambda _: list(facts.items()), data_set.files)


def _counts(train: int | None, val: int, test: int | None, usual_train: int, usual_test: int) -> dict[str, int]:
    """Numbers of instances of each split, of which there must be one."""
    from imle_cli.messages import UsageError

    counts = {"train": usual_train if train is None else train, "val": val, "test": usual_test if test is None else test}
    for split, count in counts.items():
        check_at_least(f"--{split}", count, 0, "use 0 for none")
    if not any(counts.values()):
        usual = f"{usual_train}, 0 and {usual_test}"
        raise UsageError(f"--train, --val, --test: got 0 each; one must be > 0; the usual numbers are {usual}")
    return counts


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {split}" for split, count in counts.items() if count)


def _decisions(
    kind: str, options: DecisionDataOptions, counts: dict[str, int], size: int, seed: int, out: Path | None, console: Report
) -> Result:
    """Generates a decision problem, solves its instances, and writes them split by split."""
    from imle_cli.files import decisions as files
    from imle_cli.problems.decisions import made_with, make_problem, solved
    from imle_core.decisions import split

    made = {"kind": kind} | made_with(kind, options, size) | {"seed": seed, "split_seed": seed}
    made["split_seed"] = seed if options.split_seed is None else options.split_seed
    total = sum(counts.values())
    problem = make_problem(kind, total, options, size, seed)
    rest, test = split(total, counts["test"], seed=made["split_seed"])
    rows = {"train": rest[: counts["train"]], "val": rest[counts["train"] :], "test": test}
    folder = out or Path(f"{kind}-{made.get('items', made.get('nodes', made.get('assets', f'{size}x{size}')))}")
    names = {files.PROBLEM} | {name for each in rows for name in files.file_names(each)}
    with _taken(folder, names, files.PROBLEM), console.progress("solving", total) as advance:
        instances = solved(problem, advance)
        for name in names - {files.PROBLEM}:
            (folder / name).unlink(missing_ok=True)
        files.write_problem(folder, problem.solver, problem.arguments, problem.sense, made)
        for name, chosen in rows.items():
            if len(chosen):
                files.write_decisions(folder, name, instances.part(chosen))
    written = [str(folder / name) for name in sorted(names) if (folder / name).exists()]
    optimum = float(instances.optimum.mean())
    facts = {
        "instances": f"{_listed(counts)}, {options.features} features and {problem.costs.shape[1]} costs each",
        "decision": problem.words,
        "optimum": f"{optimum:.4g} on average",
        "files": f"{folder} ({len(written)} files; {files.PROBLEM} has the problem)",
    }
    return Result(made | counts | {"mean_optimum": optimum}, lambda _: list(facts.items()), written)


class _Made(NamedTuple):
    """A data set that was made.

    Attributes:
        files: what was written.
        unique_share: share of the maps that have one cheapest path only.
        solved_by_colour: share of the maps of the last split, if it is not that to learn from, on which a look-up of costs
            by the mean colours of tiles plans optimally.
    """

    files: list[str]
    unique_share: float
    solved_by_colour: float | None


def _make(
    folder: Path, counts: dict[str, int], size: int, seed: int, advance: Callable[[int], None], **looks: bool
) -> _Made:
    """Makes and writes one split after another; a data set in the folder goes when the first one is drawn."""
    from imle_cli.files.datasets import file_names, write_maps
    from imle_core.perception import ColourLookup, judge, plan, terrain_maps

    files, done, unique, learned_from, solved = [str(folder / SHEET)], 0, 0, None, None
    for number, (split, count) in enumerate(counts.items()):
        if not count:
            continue
        told = partial(_advance, advance, done)
        maps = terrain_maps(count, size, seed=(seed, number), advance=told, **looks)
        if not done:
            _begin(folder, maps, split)
        write_maps(folder, split, maps)
        files += [str(folder / name) for name in file_names(split)]
        done, unique = done + count, unique + int(maps.unique.sum())
        if learned_from is not None:
            solved = judge(plan(ColourLookup().fit(learned_from), maps), maps).optimal
        elif split == "train":
            learned_from = maps
    return _Made(files, unique / done, solved)


def _begin(folder: Path, maps: "ImageMaps", split: str) -> None:
    """Empties the folder, or makes it, and writes the contact sheet, which marks the folder as one of this command."""
    from imle_cli.figures.canvas import encode
    from imle_cli.figures.contact_sheet import MAPS, contact_sheet
    from imle_cli.files.outputs import replacing

    for name in _names() - {SHEET}:  # which goes last, since without it the rest would be somebody else's
        (folder / name).unlink(missing_ok=True)
    few, (height, width) = maps.part(slice(MAPS)), maps.size
    title = f"The first {len(few)} of {len(maps):,} {split} maps, {height} x {width} tiles, and their gold paths"
    with replacing(folder / SHEET) as file:
        file.write(encode(contact_sheet(few.images.numpy(), few.paths.numpy(), title=title), "png"))


def _advance(advance: Callable[..., None], before: int, done: int) -> None:
    advance(before + done)


def _names() -> set[str]:
    """Names of the files of a data set."""
    from imle_cli.files.datasets import SPLITS, file_names

    return {SHEET} | {name for split in SPLITS for name in file_names(split)}


@contextmanager
def _taken(folder: Path, own: set[str], mark: str) -> Iterator[None]:
    """Makes the folder where it is missing, and keeps other processes from writing it; one that stays empty vanishes.

    ``own`` are the names of the files that it may hold, of which ``mark`` says that this command made them.
    """
    from imle_cli.files.folder_lock import FolderLock
    from imle_cli.files.outputs import leftovers, make_folder

    new = not folder.exists()
    make_folder("--out", folder, Path(mark).suffix, [Path(mark).stem])
    try:
        with FolderLock(folder):
            for path in leftovers(folder, own):
                path.unlink()
            _check_contents(folder, own, mark)
            yield
    finally:
        if new and not any(folder.iterdir()):
            folder.rmdir()


def _check_contents(folder: Path, own: set[str], mark: str) -> None:
    """Refuses a folder that holds anything but a data set that this command made."""
    from imle_cli.files.folder_lock import LOCK
    from imle_cli.files.outputs import OutputError

    names = {path.name + "/" * path.is_dir() for path in folder.iterdir()} - {LOCK}
    foreign = sorted(names - own)
    if foreign:
        raise OutputError(f"--out: {folder} holds {foreign[0]}, which is no part of a made data set; choose another folder")
    if names and mark not in names:
        raise OutputError(
            f"--out: {folder} holds a data set without the {mark} of those that this command makes; choose another folder"
        )
