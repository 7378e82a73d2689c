"""Options of output: where pictures, numbers and messages go."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least, check_range
from imle_cli.options.inputs import DeviceName
from imle_cli.options.panels import GENERAL, OUTPUT

Picture = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        rich_help_panel=OUTPUT,
        help="Picture to write (.png, .pdf, .svg, or - for a .png on standard output); default: INPUT-COMMAND.png here.",
    ),
]
PictureOrPage = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        rich_help_panel=OUTPUT,
        help="Picture to write (.png, .pdf, .svg), or page to explore (.html); default: INPUT-COMMAND.png here.",
    ),
]
Array = Annotated[
    Path | None,
    typer.Option(
        "--save",
        rich_help_panel=OUTPUT,
        help="Numbers to write (.npy, or .csv with their names, or - for that on standard output).",
    ),
]
NoPicture = Annotated[bool, typer.Option("--no-picture", rich_help_panel=OUTPUT, help="Write no picture.")]


def picture_path(out: Path | None, no_picture: bool, usual: Path) -> Path | None:
    """Path of a command's picture: that of ``--out``, else the ``usual`` one; None for no picture.

    Raises:
        UsageError: a path for a picture that is not wanted.
    """
    if no_picture and out is not None:
        raise UsageError(f"--no-picture: got it beside --out {out}; leave one of them out")
    return None if no_picture else out or usual


@dataclass(frozen=True)
class FilmOptions:
    """Options of films: length, speed, size."""

    panel: ClassVar[str] = OUTPUT

    fps: Annotated[float, typer.Option(min=0.1, max=50, help="Frames a second.")] = 8.0
    frames: Annotated[int, typer.Option(min=1, help="How many frames at most.")] = 100
    size: Annotated[
        int, typer.Option(metavar="PIXELS", min=64, max=4096, help="About the pixels of a frame's longer side.")
    ] = 480
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Learned costs that are white and black, one scale for several films; default: the extremes of the run.",
        ),
    ] = None

    def __post_init__(self) -> None:
        check_range("--fps", self.fps, 0.1, 50, "the usual value is 8")
        check_at_least("--frames", self.frames, 1, "the usual number is 100")
        check_range("--size", self.size, 64, 4096, "the usual value is 480")
        _ = self.bounds

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The two numbers of the scale."""
        if self.scale is None:
            return None
        try:
            low, high = map(float, self.scale.split(","))
        except ValueError:
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            got = f"--scale: got {self.scale!r}"
            raise UsageError(f"{got}; it must be two finite numbers, the smaller one first, such as --scale=-1,2")
        return low, high


@dataclass(frozen=True)
class ReportOptions:
    """Seed, device, and how to report."""

    panel: ClassVar[str] = GENERAL

    seed: Annotated[int, typer.Option(min=0, help="Seed of every random number.")] = 0
    device: Annotated[DeviceName, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto"
    json: Annotated[bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print one JSON object.")] = False
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", rich_help_panel=OUTPUT, help="Print nothing but errors (and JSON).")
    ] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed: got {self.seed}; it must be a whole number from 0 to 2^63 - 1; the usual one is 0")
