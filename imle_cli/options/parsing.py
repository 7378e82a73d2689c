"""A command's words become values, or one line that says which of them is wrong, in the voice of all errors."""

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from typer.core import TyperCommand

from imle_cli.messages import UsageError
from imle_cli.options.help import option_sections, page
from imle_cli.options.values import nearest

_EXPLANATION = 72  # letters beside an option, of the 80 in which typer wraps them
_WRITTEN = "imle_cli.written"  # where a context keeps the words of the command


class Command(TyperCommand):
    """A command whose help is plain text, and whose refusals are one line."""

    allow_extra_args = True  # which are refused here
    examples: Sequence[str] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the words of a call.

        Raises:
            UsageError: a word that is no option, an option without its value, too many arguments.
        """
        if ctx.resilient_parsing:  # to complete a word
            return super().parse_args(ctx, args)
        ctx.meta[_WRITTEN] = written = list(args)
        with refusals(self, ctx, written):
            left = super().parse_args(ctx, args)
        if left:
            names = " ".join(str(argument.metavar) for argument in self.params if argument.param_type_name == "argument")
            raise UsageError(f"{left[0]}: unexpected; {ctx.command_path} takes {names or 'no argument'}; {_see_help(ctx)}")
        return left

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Options that may be meant, each with an explanation of one line, since shells take the next for another option."""
        items = super().shell_complete(ctx, incomplete)
        for item in items:
            item.help = textwrap.shorten(item.help or "", _EXPLANATION, placeholder=" ...")
        return items

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes the help."""
        sections = option_sections(self.get_params(ctx))
        formatter.write(page(f"{ctx.command_path} {_pieces(self)}", self.help or "", [sections], self.examples))


def _pieces(command: Any) -> str:
    """Arguments of a command, those in brackets that may be left out, and its options."""
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    named = [argument.metavar if argument.required else f"[{argument.metavar}]" for argument in arguments]
    text = " ".join([*named, "[OPTIONS]"])
    return re.sub(r"\[(\S+)\] \[\1\.\.\.\]", r"[\1...]", text)  # one and further ones of its kind are any number of them


@contextmanager
def refusals(command: Any, ctx: Any, written: Sequence[str]) -> Iterator[None]:
    """Turns whatever typer says of a wrong word into our words.

    Args:
        command: the command.
        ctx: its context.
        written: the words.
    """
    try:
        yield
    except UsageError as error:
        raise UsageError(as_written(ctx)(str(error))) from error
    except Exception as error:
        if not hasattr(error, "format_message"):  # none of typer's refusals
            raise
        raise UsageError(_refusal(error, command, ctx, written)) from error


def _refusal(error: Any, command: Any, ctx: Any, written: Sequence[str]) -> str:
    parameters, kind = command.get_params(ctx), type(error).__name__
    if kind == "NoSuchOption":
        name = next((word for word in written if word.startswith(error.option_name)), error.option_name).split("=")[0]
        known = [option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)]
        near = nearest(name, [option for option in known if option.startswith("--")])
        return f"{name}: no such option; " + (f"did you mean {near}?" if near else _see_help(ctx))
    if kind == "BadOptionUsage":
        (option,) = (parameter for parameter in parameters if error.option_name in parameter.opts + parameter.secondary_opts)
        if option.is_flag:
            return f"{error.option_name}: got a value; it takes none; write {error.option_name} alone"
        return f"{error.option_name}: got no value; write {error.option_name} {option.metavar}"
    if kind == "MissingParameter":
        explained = error.param.help.split(";")[0].rstrip(".")
        return f"{error.param.metavar}: missing; give {explained[0].lower()}{explained[1:]}"
    return str(error.format_message())


def _see_help(ctx: Any) -> str:
    return f"see {ctx.command_path} --help"


def as_written(context: Any) -> Callable[[str], str]:
    """A function that makes a message name an option as the user wrote it: ``-n`` where ``--samples`` was written so."""
    words = context.meta.get(_WRITTEN, [])
    short = {
        long: name
        for parameter in context.command.params
        for name in parameter.opts[:1]
        for long in parameter.opts[1:]
        if any(word.startswith(name) for word in words) and not any(word.split("=")[0] == long for word in words)
    }

    def named(message: str) -> str:
        option, colon, rest = message.partition(":")
        return f"{short.get(option, option)}{colon}{rest}"

    return named
