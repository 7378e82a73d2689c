"""The command ``imle``, called in this process: ``from command_line import Command``."""

import json
import re

from typer.testing import CliRunner

from imle_cli.app import app


def options_in(text):
    """Options of a help text, as ``-n, --samples NUMBER``, by their explanations without line breaks."""
    options, name = {}, None
    for line in text.splitlines():
        if match := re.fullmatch(r"  +((?:-\w, )?--\S+(?: \S+)?)(?:  +(\S.*))?", line):
            name = match[1]
            options[name] = match[2] or ""
        elif name and line.startswith(" " * 10):
            options[name] = f"{options[name]} {line.strip()}".strip()
        else:
            name = None
    return options


class Command:
    """``imle`` with the first words of a call: ``Command("train")("--steps", 3)`` is the text of a call that succeeds."""

    def __init__(self, *words):
        self.words = words

    def invoke(self, *arguments, **settings):
        """The result of a call, however it ends."""
        return CliRunner().invoke(app, [*self.words, *map(str, arguments)], **settings)

    def __call__(self, *arguments, note=""):
        result = self.invoke(*arguments)
        assert (result.exit_code, result.stderr) == (0, note)
        return result.stdout

    def values(self, *arguments):
        """The JSON object of a call that succeeds."""
        return json.loads(self(*arguments, "--json"))

    def refusal(self, *arguments):
        """Exit code and message of a call that prints nothing else."""
        result = self.invoke(*arguments)
        assert result.stdout == ""
        return result.exit_code, result.stderr.rstrip("\n")

    def expect_refusal(self, arguments, code, message):
        """A call that ends with this exit code, and says this on standard error and nothing else."""
        result = self.invoke(*arguments)
        assert (result.exit_code, result.stderr, result.stdout) == (code, f"error: {message}\n", "")
