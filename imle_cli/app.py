"""Assembles the commands; imports nothing heavy."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from imle_cli.errors import Exit, one_line
from imle_cli.figures.settings import ignore_user_settings
from imle_cli.runs.interruption import handled_signals

# Modules of ``commands`` by the first paragraphs of their commands' help, in the order of the help.
SUMMARIES = {
    "solve": "Find the cheapest path of a map, or the best edges of a graph, or the best items or pairs of a table.",
    "sample": "Draw perturb-and-MAP samples of a map, a graph or a table, as a sheet of small pictures.",
    "marginals": "Draw perturb-and-MAP samples: one of them, and the marginal probability of every tile, "
    "edge, item or pair.",
    "noise": "Draw noise: its histogram over the exact density, its mean and variance, and a Kolmogorov-Smirnov statistic.",
    "train": "Learn weights for MAP, from random ones, so that the solver finds the gold path; record the run.",
    "sweep": "Train for every pair of temperatures, number of samples and seed: a table, heat maps, and perhaps animations.",
    "animate": "Animate a training, or samples of a map: paths, weights, marginals, frame by frame.",
    "check": "Check whether a solver of batches maximises <z, theta> row by row, and what else makes gradients "
    "wrong or slow.",
    "compare": "Measure the bias, variance, direction and cost of every estimator's gradient, and say which to take.",
    "calibrate": "Find the noise temperature at which samples come closest to the exact distribution "
    "p(z) ~ exp(<z, theta>).",
    "reproduce": "Do the synthetic top-k experiment of the I-MLE paper again, beside what its authors' code gives.",
    "data": "Make images of maps, what their tiles cost, and the cheapest paths, as arrays in a folder.",
    "perceive": "Train a network that sees images of maps to predict costs, from gold paths, "
    "through the solver; record the run.",
    "evaluate": "Judge a trained network on a data set, and show the maps on which it plans worst, in the middle, and best.",
    "bench": "Measure solvers, noise, an estimator step and whole commands on this machine, as a table.",
    "guide": "Read the guide: first steps, your own solver, settings, all commands, every name; or write it as a website.",
}


class _Commands(TyperGroup):
    """The commands by their names and summaries; one is imported once it is called, or asked for its own help.

    To make the options of all of them takes several times as long as the help that names none.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, summary in SUMMARIES.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and further arguments of a call."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, _made(str(name)) if known else None, rest


def _made(name: str) -> Any:
    """A command with all of its options."""
    from imle_cli.options.groups import command

    lone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    lone.command()(command(getattr(import_module(f"imle_cli.commands.{name}"), name), _report))
    return get_command(lone)


def _report(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Calls a command with a console, and shows its result there."""
    from imle_cli.console import Report

    report = arguments["report"]
    # Solvers of others are examined in a process of their own, which says itself when it compiles.
    console = Report(as_json=report.json, quiet=report.quiet, compiles=function.__name__ != "check")
    console.show(function(console=console, **arguments))


app = typer.Typer(
    name="imle",
    cls=_Commands,
    help="See what a combinatorial solver does inside a network: paths, samples, marginals, and how it learns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"imle {version('imle')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """The command ``imle``."""
    # What is imported stays. To look through it for garbage, again and again as it grows and once more at the end, takes a
    # third of the time that torch takes to import.
    gc.disable()
    atexit.register(gc.freeze)
    # Threads of torch that spin while they wait make each step many times slower as soon as anything else needs a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    ignore_user_settings()
    # What is opened next would take the number of a standard stream that is closed, and get what is written to that.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    if sys.stderr is None:  # closed, so that what is printed to it would go to standard output
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    # A file name may hold what the terminal's encoding lacks; that must not spoil a result.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        print("error: the current folder has been removed; change to another one", file=sys.stderr)
        raise SystemExit(Exit.FAILED) from None
    for wanted in handled_signals():
        if wanted != signal.SIGINT:
            signal.signal(wanted, _end)
    if all(argument.isprintable() for argument in sys.argv):
        app(prog_name="imle")
    else:
        _run_plainly()


def _run_plainly() -> None:
    """Runs the command; an argument that would do something to a terminal is escaped in errors, as it is not by typer."""
    try:
        raise SystemExit(app(prog_name="imle", standalone_mode=False) or Exit.DONE)
    except Exception as error:
        message = error.format_message() if hasattr(error, "format_message") else error
        print(one_line(f"error: {message}"), file=sys.stderr)
        raise SystemExit(getattr(error, "exit_code", Exit.FAILED)) from None


def _end(number: int, _: FrameType | None) -> None:
    """Ends on a signal as on an error, so that temporary files and worker processes end, too."""
    raise SystemExit(128 + number)
