"""Every option of every command, given what it does not take: one line, of one form, that names it as it was written."""

import functools
import re
from importlib import import_module

import pytest

from command_line import Command
from imle_cli import app
from imle_cli.app import SUMMARIES
from imle_cli.options.panels import PANELS

imle = Command()
# What an argument that is missing would be refused before options are.
ARGUMENTS = {"check": ["top-k"], "data": ["terrain"], "evaluate": ["run", "maps"], "reproduce": ["top-k"]}
made = functools.cache(app._made)


@pytest.fixture(autouse=True)
def _commands_are_made_once(monkeypatch):
    monkeypatch.setattr(app, "_made", made)


def parameters_of(command):
    return [parameter for parameter in made(command).params if parameter.param_type_name == "option"]


def kind_of(parameter):
    """Annotations name what typer reads: int, float, a Literal, Path or str."""
    annotation = str(parameter.type_descriptor.annotation)
    return next((kind for kind in ("bool", "int", "float", "Literal") if kind in annotation.replace("typing.", "")), "text")


OPTIONS = [(command, parameter) for command in SUMMARIES for parameter in parameters_of(command)]
VALUED = [pair for pair in OPTIONS if not pair[1].is_flag]
NUMBERS = [pair for pair in VALUED if kind_of(pair[1]) in ("int", "float")]
CHOICES = [pair for pair in VALUED if kind_of(pair[1]) == "Literal"]


def names(pairs):
    return [f"{command} {parameter.opts[-1]}" for command, parameter in pairs]


def refused(command, *words):
    """The message of a call that has exit code 2."""
    code, message = imle.refusal(command, *ARGUMENTS.get(command, []), *words)
    assert code == 2, message
    assert re.fullmatch(r"error: [^:]+: [^\n]+", message), message
    assert not re.search(r"Error|Invalid|Input should|Traceback|<|\bNone\b", message), message
    return message.removeprefix("error: ")


def test_there_are_options_of_each_kind():
    assert len(VALUED) > 150
    assert len(NUMBERS) > 70
    assert len(CHOICES) > 40


@pytest.mark.slow
@pytest.mark.parametrize(("command", "parameter"), NUMBERS, ids=names(NUMBERS))
def test_a_word_for_a_number(command, parameter):
    kind = "a whole number" if kind_of(parameter) == "int" else "a number"
    for name in parameter.opts:
        assert re.fullmatch(
            rf"{name}: got 'abc'; it must be {kind}( >= \S+| from \S+ to \S+)?", refused(command, name, "abc")
        )


@pytest.mark.slow
@pytest.mark.parametrize(("command", "parameter"), CHOICES, ids=names(CHOICES))
def test_a_slip_for_a_choice(command, parameter):
    name, choices = parameter.opts[-1], [*map(str, parameter.type_descriptor.choices)]
    slip = choices[-1].upper() + "e"
    message = refused(command, name, slip)
    assert message.startswith(f"{name}: got {slip!r}; it must be ")
    assert all(repr(choice) in message for choice in choices)
    assert message.endswith(f"; did you mean {choices[-1]!r}?") or len(choices) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("command", "parameter"), VALUED, ids=names(VALUED))
def test_no_value(command, parameter):
    for name in parameter.opts:
        assert refused(command, name) == f"{name}: got no value; write {name} {parameter.metavar}"


@pytest.mark.slow
@pytest.mark.parametrize("command", SUMMARIES)
def test_a_flag_with_a_value(command):
    for parameter in parameters_of(command):
        if parameter.is_flag and "--help" not in parameter.opts:
            name = parameter.opts[-1]
            assert refused(command, f"{name}=1") == f"{name}: got a value; it takes none; write {name} alone"


@pytest.mark.slow
@pytest.mark.parametrize("command", SUMMARIES)
def test_a_slip_for_an_option(command):
    for parameter in parameters_of(command):
        name = parameter.opts[-1]
        assert refused(command, name + name[-1]) == f"{name}{name[-1]}: no such option; did you mean {name}?"
    assert refused(command, "--qqqq") == f"--qqqq: no such option; see imle {command} --help"
    assert refused(command, "-Z") == f"-Z: no such option; see imle {command} --help"


def test_of_an_option_given_twice_the_last_one_counts_as_scripts_expect():
    assert refused("noise", "--bins", "abc", "--bins", "0").startswith("--bins: got 0; ")
    assert refused("sweep", "--seeds", "abc", "--seeds", "-1").startswith("--seeds: got '-1'; ")
    assert refused("solve", "-o", "a.xyz", "--out", "b.xyz").startswith("--out: b.xyz ends in .xyz; ")


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in SUMMARIES if name != "solve"])  # which takes any number
def test_one_argument_too_many(command):
    takes = {
        "evaluate": "RUN DIR",
        "perceive": "DIR",
        "decide": "DIR",
        "check": "MODULE:SOLVER",
        "data": "KIND",
        "reproduce": "EXPERIMENT",
    }
    takes |= dict.fromkeys(("noise", "bench", "warm-up"), "no argument")
    takes |= dict.fromkeys(("train", "sweep", "explain"), "FILE")
    takes |= {"animate": "RUN|FILE", "guide": "PAGE"}
    many = ["no.csv"] * (not ARGUMENTS.get(command) and command not in ("noise", "bench", "warm-up"))
    message = f"extra: unexpected; imle {command} takes {takes.get(command, 'INPUT')}; see imle {command} --help"
    assert refused(command, *many, "extra") == message


# Options that others must be given for to be looked at, and rules that say more of them than that of a word.
NEEDED = {"--top-k": ["--solver", "top-k"]}
SAID = {"--seed": "a whole number from 0 to 2^63 - 1", "--top-k": "from 1 to the map's 256 passable tiles"}
RANGED = [pair for pair in NUMBERS if pair[1].type_descriptor.parameter_info.min is not None and pair[1].name != "capacity"]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "parameter"), RANGED, ids=names(RANGED))
def test_out_of_range_by_the_rule_that_a_word_is_refused_by(command, parameter):
    name, info = parameter.opts[-1], parameter.type_descriptor.parameter_info
    rule = refused(command, name, "abc").partition("it must be ")[2]
    message = refused(command, *NEEDED.get(name, []), name, str(info.min - 1))
    assert message.startswith(f"{name}: got {info.min - 1:g}; it must be {SAID.get(name, rule)}")


@pytest.mark.parametrize("command", SUMMARIES)
def test_help(command):
    for parameter in parameters_of(command):
        assert parameter.rich_help_panel in PANELS
        assert parameter.help.endswith("."), parameter.opts
        assert parameter.is_flag or parameter.metavar, parameter.opts
        for choice in parameter.type_descriptor.choices or ():
            assert str(choice) in parameter.metavar + parameter.help, parameter.opts


SHORT = {"-h": "--help", "-o": "--out", "-q": "--quiet"}


def test_short_options():
    for command in SUMMARIES:
        by_name = {parameter.opts[-1]: parameter.opts for parameter in parameters_of(command)}
        for short, long in (SHORT | {"-n": "--samples"}).items():
            assert long not in by_name or short in (*by_name[long], "-h"), (command, long)
    assert [name for name in _short("check") if name not in SHORT] == ["-n"]
    assert [name for name in _short("reproduce") if name not in SHORT] == ["-n"]


def _short(command):
    return [name for parameter in parameters_of(command) for name in parameter.opts if not name.startswith("--")]


@pytest.mark.parametrize("command", SUMMARIES)
def test_examples_are_calls_that_the_options_take(command):
    for example in import_module(f"imle_cli.commands.{command.replace('-', '_')}").EXAMPLES:
        program, name, *words = example.split()
        assert (program, name) == ("imle", command)
        made(command).make_context(f"imle {command}", words)
