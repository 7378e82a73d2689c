"""Assembles the commands; imports nothing heavy."""

import atexit
import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from imle_cli.figures.settings import ignore_user_settings
from imle_cli.messages import Exit, StandardError, UsageError, one_line
from imle_cli.options.help import option_sections, page
from imle_cli.options.parsing import refusals
from imle_cli.options.values import nearest
from imle_cli.runs.interruption import end_on_signals

EXAMPLES = (
    "imle marginals -o map.png",
    "imle train --input-temp 5 --target-temp 0 -o runs/first",
    "imle help train",
)
# Modules of ``commands`` by the first paragraphs of their commands' help, in the order of the help.
SUMMARIES = {
    "solve": "Find the cheapest path of a map, or the best edges, items or pairs.",
    "sample": "Draw perturb-and-MAP samples, as a sheet of small pictures.",
    "marginals": "Draw how often each tile, edge, item or pair is chosen under noise.",
    "explain": "Explain the method on a page: draw a map, move lambda, see it learn.",
    "noise": "Draw noise beside its exact density, and test how well they agree.",
    "train": "Learn weights with which the solver finds a gold path.",
    "sweep": "Train over a grid of temperatures, numbers of samples and seeds.",
    "animate": "Animate a training, or samples of a map, frame by frame.",
    "check": "Check that a solver maximises, and what else spoils gradients.",
    "compare": "Measure bias, variance and cost of every estimator's gradient.",
    "calibrate": "Find the temperature at which samples are closest to exact ones.",
    "reproduce": "Do published experiments again: top-k, or costs predicted for decisions.",
    "data": "Make images of maps, or features and costs, with their best solutions.",
    "perceive": "Train a network that sees maps to predict costs, from paths.",
    "decide": "Train a network that predicts costs, judged by its decisions.",
    "evaluate": "Judge a trained network on a data set, and show maps it plans on.",
    "bench": "Measure solvers, noise and whole commands on this machine.",
    "warm-up": "Compile all that is compiled at first use, for images and clusters.",
    "guide": "Read the guide in the terminal, or write it as a website.",
}
_SUBJECTS = {
    "Look at a problem": ("solve", "sample", "marginals", "explain", "noise"),
    "Learn a path": ("train", "sweep", "animate"),
    "Measure": ("check", "compare", "calibrate", "reproduce"),
    "Learn from images and features": ("data", "perceive", "decide", "evaluate"),
    "This machine": ("bench", "warm-up"),
}


class _Commands(TyperGroup):
    """The commands by their names and summaries; one is imported once it is called, or asked for its own help.

    To make the options of all of them takes several times as long as the help that names none.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, summary in SUMMARIES.items():
            self.add_command(TyperCommand(name, help=summary))
        self.add_command(TyperCommand("help", help="Show the help of a command."))

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Runs a command; what is wrong with its words becomes one line on standard error."""
        try:
            return super().main(*arguments, **settings)
        except UsageError as error:
            if not settings.get("standalone_mode", True):
                raise
            print(one_line(f"error: {error}"), file=StandardError())
            raise SystemExit(error.code) from None
        except OSError as error:  # of standard output, to which help goes
            if not settings.get("standalone_mode", True):
                raise
            print(one_line(f"error: {error.strerror or error}"), file=StandardError())
            raise SystemExit(Exit.FAILED) from None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the options before the command; without any word there is help, as an error."""
        if ctx.resilient_parsing:  # to complete a word
            return super().parse_args(ctx, args)
        if not args:
            print(self.get_help(ctx), file=StandardError())
            raise typer.Exit(Exit.USAGE)
        with refusals(self, ctx, list(args)):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and further arguments of a call."""
        name = args[0]
        if name in self.commands:
            return name, _made(name), args[1:]
        if ctx.resilient_parsing:
            return None, None, args[1:]
        near = nearest(name, self.commands)
        raise UsageError(f"{name}: no such command; " + (f"did you mean {near!r}?" if near else "see imle --help"))

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Commands and options that may be meant, with their summaries in full."""
        items = super().shell_complete(ctx, incomplete)
        for item in items:
            item.help = SUMMARIES.get(item.value, item.help)
        return items

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the commands by subject."""
        texts = {name: command.help or "" for name, command in self.commands.items()}
        shown = {title: [(name, texts.pop(name)) for name in names] for title, names in _SUBJECTS.items()}
        commands = {**shown, "Help": list(texts.items())}
        options = option_sections(self.get_params(ctx))
        formatter.write(page("imle COMMAND [OPTIONS]", self.help or "", [commands, options], EXAMPLES))


def _made(name: str) -> Any:
    """A command with all of its options."""
    from imle_cli.options.groups import command
    from imle_cli.options.parsing import Command

    lone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    if name == "help":
        lone.command(cls=Command)(_help)
        made: Any = get_command(lone)
        made.examples = ("imle help train",)
        return made
    word = name.replace("-", "_")
    module = import_module(f"imle_cli.commands.{word}")
    lone.command(cls=Command)(command(getattr(module, word), _report))
    made = get_command(lone)
    made.examples = module.EXAMPLES
    return made


def _complete_command(incomplete: str) -> list[str]:
    return [name for name in SUMMARIES if name.startswith(incomplete)]


def _help(
    context: typer.Context,
    command: Annotated[
        str | None,
        typer.Argument(
            metavar="COMMAND", help="A command; default: all of them, in short.", autocompletion=_complete_command
        ),
    ] = None,
) -> None:
    """Show the help of a command."""
    group = context.find_root().command
    words = ["--help"] if command is None else [command, "--help"]
    group.main(words, prog_name="imle", standalone_mode=False)


def _report(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Calls a command with a console, and shows its result there."""
    from imle_cli.console import Loading, Report

    report = arguments["report"]
    loading = Loading(not report.quiet)
    try:
        # Solvers of others are examined in a process of their own, which says itself when it compiles.
        compiles = function.__name__ != "check"
        console = Report(as_json=report.json, quiet=report.quiet, compiles=compiles, loading=loading)
        console.show(function(console=console, **arguments))
    finally:
        loading.end()


app = typer.Typer(
    name="imle",
    cls=_Commands,
    help="See what a combinatorial solver does inside a network: paths, samples, marginals, and how it learns.",
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
        bool, typer.Option("-V", "--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
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
    end_on_signals()
    app(prog_name="imle")
