"""Calls of a command in this process: what it prints when it succeeds, and what it says when it refuses."""

import json

from typer.testing import CliRunner

from imle_cli.app import app


class Command:
    """The command ``imle``, or one of its commands, with these first words."""

    def __init__(self, *words):
        self.words = words

    def invoke(self, *arguments):
        """The result, whatever it is."""
        return CliRunner().invoke(app, [*self.words, *map(str, arguments)])

    def __call__(self, *arguments, note=""):
        """Standard output of a call that succeeds and says no more than ``note``."""
        result = self.invoke(*arguments)
        assert (result.exit_code, result.stderr) == (0, note)
        return result.stdout

    def values(self, *arguments):
        """The same as JSON."""
        return json.loads(self(*arguments, "--json"))

    def refusal(self, *arguments):
        """Exit code and message of a call that prints nothing else."""
        result = self.invoke(*arguments)
        assert result.stdout == ""
        return result.exit_code, result.stderr.rstrip("\n")

    def expect_refusal(self, arguments, code, message):
        """A call that prints nothing but this error."""
        result = self.invoke(*arguments)
        assert (result.exit_code, result.stderr, result.stdout) == (code, f"error: {message}\n", "")
