"""Assembles the commands; imports nothing heavy."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from imle_cli.commands.animate import animate
from imle_cli.commands.bench import bench
from imle_cli.commands.calibrate import calibrate
from imle_cli.commands.check import check
from imle_cli.commands.compare import compare
from imle_cli.commands.data import data
from imle_cli.commands.evaluate import evaluate
from imle_cli.commands.marginals import marginals
from imle_cli.commands.noise import noise
from imle_cli.commands.perceive import perceive
from imle_cli.commands.reproduce import reproduce
from imle_cli.commands.sample import sample
from imle_cli.commands.solve import solve
from imle_cli.commands.sweep import sweep
from imle_cli.commands.train import train
from imle_cli.console import Report
from imle_cli.errors import Exit, one_line
from imle_cli.figures.settings import ignore_user_settings
from imle_cli.options.groups import command
from imle_cli.runs.interruption import handled_signals

app = typer.Typer(
    name="imle",
    help="See what a combinatorial solver does inside a network: paths, samples, marginals, and how it learns.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _report(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Calls a command with a console, and shows its result there."""
    report = arguments["report"]
    # Solvers of others are examined in a process of their own, which says itself when it compiles.
    console = Report(as_json=report.json, quiet=report.quiet, compiles=function is not check)
    console.show(function(console=console, **arguments))


MAPS = (solve, sample, marginals, noise, train, sweep, animate)
ESTIMATORS = (check, compare, calibrate, reproduce)
IMAGES = (data, perceive, evaluate)
for function in (*MAPS, *ESTIMATORS, *IMAGES, bench):
    app.command()(command(function, _report))


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
