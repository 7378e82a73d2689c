"""``imle data``: a data set of images of maps with their gold paths."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from imle_cli.console import Report, Result
from imle_cli.options.checks import check_at_least, check_range
from imle_cli.options.groups import Without
from imle_cli.options.panels import OUTPUT, PROBLEM
from imle_cli.options.report import ReportOptions

if TYPE_CHECKING:
    from imle_core.perception import ImageMaps

SHEET = "maps.png"

EXAMPLES = ("imle data terrain --size 12 --train 2000 --test 500 -o maps",)

Kind = Annotated[Literal["terrain"], typer.Argument(metavar="KIND", help="The kind of images: terrain, seen from above.")]
Size = Annotated[
    int,
    typer.Option(metavar="TILES", min=2, max=1000, rich_help_panel=PROBLEM, help="Side of a map; a tile is 8 x 8 pixels."),
]
Train = Annotated[int, typer.Option(metavar="MAPS", min=0, rich_help_panel=PROBLEM, help="Maps to learn from.")]
Validation = Annotated[
    int, typer.Option("--val", metavar="MAPS", min=0, rich_help_panel=PROBLEM, help="Maps to choose settings by.")
]
Test = Annotated[int, typer.Option(metavar="MAPS", min=0, rich_help_panel=PROBLEM, help="Maps to be judged by.")]
Hard = Annotated[bool, typer.Option("--hard", rich_help_panel=PROBLEM, help="Blur the borders of tiles more.")]
Unique = Annotated[
    bool,
    typer.Option(
        "--unique", rich_help_panel=PROBLEM, help="Vary costs within a class so that each map has one cheapest path."
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="DIR", rich_help_panel=OUTPUT, help="Folder; default: terrain-SIZExSIZE here."),
]


def data(
    kind: Kind,
    report: Annotated[ReportOptions, Without("device")],
    console: Report,
    size: Size = 12,
    train: Train = 2000,
    val: Validation = 0,
    test: Test = 500,
    hard: Hard = False,
    unique: Unique = False,
    out: Folder = None,
) -> Result:
    """Make images of maps, the costs of their tiles, and cheapest paths.

    They are arrays in a folder, from which imle perceive learns.
    """
    from imle_cli.errors import UsageError

    console.begin()
    check_range("--size", size, 2, 1000, "the usual size is 12")
    counts = {"train": train, "val": val, "test": test}
    for split, count in counts.items():
        check_at_least(f"--{split}", count, 0, "use 0 for none")
    if not any(counts.values()):
        raise UsageError("--train, --val, --test: got 0 each; one must be > 0; the usual numbers are 2000, 0 and 500")
    folder = out or Path(f"terrain-{size}x{size}")
    with _taken(folder), console.progress("drawing maps", sum(counts.values())) as advance:
        data_set = _make(folder, counts, size, report.seed, advance, hard=hard, unique=unique)
    made = ", ".join(f"{count:,} {split}" for split, count in counts.items() if count)
    solved = data_set.solved_by_colour
    facts = {
        "maps": f"{made} of {size} x {size} tiles",
        "unique": f"{data_set.unique_share:.1%} of the maps have one cheapest path only",
        **({} if solved is None else {"look-up": f"{solved:.1%} of the last maps are solved by the mean colours of tiles"}),
        "files": f"{folder} ({len(data_set.files)} files; {SHEET} shows the first maps)",
    }
    options = {"kind": kind, "size": size, **counts, "seed": report.seed, "hard": hard, "unique": unique}
    values = options | {"unique_share": data_set.unique_share, "solved_by_colour": solved}
    return Result(values, lambda _: list(facts.items()), data_set.files)


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
def _taken(folder: Path) -> Iterator[None]:
    """Makes the folder where it is missing, and keeps other processes from writing it; one that stays empty vanishes."""
    from imle_cli.files.folder_lock import FolderLock
    from imle_cli.files.outputs import leftovers, make_folder

    new = not folder.exists()
    make_folder("--out", folder, Path(SHEET).suffix, [Path(SHEET).stem])
    try:
        with FolderLock(folder):
            for path in leftovers(folder, _names()):
                path.unlink()
            _check_contents(folder)
            yield
    finally:
        if new and not any(folder.iterdir()):
            folder.rmdir()


def _check_contents(folder: Path) -> None:
    """Refuses a folder that holds anything but a data set that this command made."""
    from imle_cli.files.folder_lock import LOCK
    from imle_cli.files.outputs import OutputError

    names = {path.name + "/" * path.is_dir() for path in folder.iterdir()} - {LOCK}
    foreign = sorted(names - _names())
    if foreign:
        raise OutputError(f"--out: {folder} holds {foreign[0]}, which is no part of a made data set; choose another folder")
    if names and SHEET not in names:
        raise OutputError(
            f"--out: {folder} holds a data set without the {SHEET} of those that this command makes; choose another folder"
        )
