"""``-`` for standard input and output, several inputs, and what is said of addresses."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import Command

solve = Command("solve")
ASSETS = Path(__file__).parents[3] / "assets"


def values(content, *arguments, command="solve"):
    result = Command(command).invoke("-", *arguments, "--json", "--no-picture", input=content)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


class TestInput:
    def test_a_picture_an_array_a_table_and_a_grid(self):
        stream = io.BytesIO()
        np.save(stream, np.ones((3, 4)))
        assert values((ASSETS / "map.png").read_bytes())["cost"] == 47
        assert values(stream.getvalue())["shape"] == [3, 4]
        assert values(b"1 2\n3 4\n")["cost"] == 5
        assert values(b"ncols 2\nnrows 1\n2 3\n")["cost"] == 5
        assert values(b"1 2\n3 4\n")["map"] == "stdin"

    @pytest.mark.slow
    def test_graphs_and_scores(self):
        city, pack = ((ASSETS / name).read_bytes() for name in ("city.graphml", "pack.csv"))
        ends = "--start", "a1", "--goal", "h7", "--weight", "minutes"
        assert values(city, *ends)["total"] == solve.values(ASSETS / "city.graphml", *ends)["total"]
        assert values(b"a,b,1\nb,c,2\n", "--solver", "spanning-tree")["chosen"] == [["a", "b"], ["b", "c"]]
        assert values(pack, "--solver", "knapsack", "--capacity", "30")["total"] == 73

    @pytest.mark.parametrize("command", ["sample", "marginals"])
    def test_other_commands(self, command):
        assert values(b"1 2\n3 4\n", "--samples", "3", command=command)["map"] == "stdin"

    def test_the_picture_is_named_after_it(self):
        result = solve.invoke("-", "--json", input=b"1 2\n3 4\n")
        assert json.loads(result.stdout)["files"] == ["stdin-solve.png"]

    def test_nothing_and_something_else(self):
        assert solve.invoke("-", input=b"").stderr == "error: stdin: the file is empty (0 bytes); save the input again\n"
        message = solve.invoke("-", input=b"%PDF-1.4 \xff\x00").stderr
        assert message.startswith("error: stdin: is a drawing, not pixels, whatever its name says; export it as .png")

    def test_it_is_no_file_for_an_option(self):
        text = "--gold: -: standard input is read as INPUT alone; give the name of a file"
        Command("train").expect_refusal(["--gold", "-", "--steps", "1"], 2, text)


class TestOutput:
    def test_a_picture_with_the_result_on_standard_error(self):
        result = solve.invoke("--out", "-")
        assert result.exit_code == 0
        assert Image.open(io.BytesIO(result.stdout_bytes)).format == "PNG"
        assert "cost    47\n" in result.stderr
        assert list(Path().iterdir()) == []

    def test_numbers_with_json_on_standard_error(self):
        result = solve.invoke("--save", "-", "--json", "--no-picture")
        lines = result.stdout.splitlines()
        assert (lines[0], len(lines)) == ("row,column,cost,chosen", 257)
        assert json.loads(result.stderr)["files"] == ["-"]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (["solve", "--out", "-", "--save", "-"], "--save: got - beside --out -; give one of them the name of a file"),
            (["train", "--out", "-", "--steps", "1"], "--out: got -; a folder cannot go to standard output; give a name"),
            (
                ["check", "top-k", "--save", "-"],
                "--save: got -; this is not written to standard output; give the name of a file",
            ),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_what_is_not_for_it(self, call, text):
        Command().expect_refusal(call, 2, text)
        assert list(Path().iterdir()) == []

    def test_a_picture_is_not_for_a_terminal(self, monkeypatch):
        monkeypatch.setattr("imle_cli.files.outputs.sys.stdout.isatty", lambda: True, raising=False)
        from imle_cli.files.outputs import OutputError, Outputs

        with pytest.raises(OutputError, match=r"^--out: got -, and standard output is a terminal; lead it to a file or"):
            Outputs(Path("-"), None, ())
        assert Outputs(None, Path("-"), ()).files == ["-"]


class TestSeveral:
    @pytest.fixture(autouse=True)
    def _maps(self):
        for name, cost in (("a", 1.0), ("b", 2.0)):
            np.save(f"{name}.npy", np.full((2, 2), cost))

    @pytest.mark.slow
    def test_results_one_after_the_other(self):
        blocks = solve("a.npy", "b.npy").split("\n\n")
        assert [
            [line.split()[-1] for line in block.splitlines() if line.startswith(("cost", "files"))] for block in blocks
        ] == [
            ["2", "a-solve.png"],
            ["4", "b-solve.png"],
        ]

    def test_one_json_object(self):
        told = solve.values("a.npy", "b.npy", "--no-picture")
        assert list(told) == ["results", "failed", "seconds"]
        alone = solve.values("b.npy", "--no-picture")
        assert {**told["results"][1], "seconds": 0} == {"input": "b.npy", **alone, "seconds": 0}
        assert told["seconds"] == sum(result["seconds"] for result in told["results"])

    def test_a_failure_stops_no_other(self):
        result = solve.invoke("gone.png", "a.npy", "--no-picture", "b.npy", "--json")
        told = json.loads(result.stdout)
        assert told["results"][0] == {"input": "gone.png", "error": "gone.png: no such file; check the path"}
        assert ([record.get("cost") for record in told["results"]], told["failed"]) == ([None, 2, 4], 1)
        lines = ["error: gone.png: no such file; check the path", "error: 1 of 3 inputs failed; the first is gone.png"]
        assert (result.exit_code, result.stderr.splitlines()) == (1, lines)

    def test_standard_input_among_them(self):
        result = solve.invoke("a.npy", "-", "--no-picture", "--json", input=b"5 6\n")
        assert [record["cost"] for record in json.loads(result.stdout)["results"]] == [2, 11]

    @pytest.mark.parametrize("option", ["--out", "--save"])
    def test_files_of_one_name_for_several(self, option):
        text = f"{option}: got x.npy beside 2 inputs; each has files of its own: leave it out, or give one input"
        solve.expect_refusal(["a.npy", "b.npy", option, "x.npy"], 2, text)

    @pytest.mark.slow
    def test_pictures_of_inputs_that_share_a_name_lie_beside_each_other(self, tmp_path):
        (tmp_path / "other").mkdir()
        np.save("other/a.npy", np.ones((2, 2)))
        folder = tmp_path.resolve().name
        results = solve.values("a.npy", "other/a.npy", "b.npy")["results"]
        assert [record["files"] for record in results] == [[f"{folder}-a-solve.png"], ["other-a-solve.png"], ["b-solve.png"]]

    def test_quiet(self):
        assert solve("a.npy", "b.npy", "--quiet", "--no-picture") == ""


@pytest.mark.slow
@pytest.mark.parametrize("address", ["https://example.com/map.png", "s3://maps/a/b.csv", "file:///maps/a.npy"])
@pytest.mark.parametrize("command", ["solve", "marginals", "train"])
def test_addresses_are_not_read(command, address):
    shown = address.replace("///", "//")
    Command(command).expect_refusal([address], 1, f"{shown}: URLs are not read; download it first")
