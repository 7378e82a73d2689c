"""``imle compare``: every estimator's gradients on a problem, and which to take."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import Command
from imle_cli.commands import compare as command
from imle_cli.figures import comparison
from imle_core.estimators import ESTIMATORS

SMALL = ["--repetitions", "20", "--samples", "2", "--temps", "1", "--lambdas", "1,3"]
KEYS = ["problem", "instances", "states", "log10_states", "loss", "noise", "samples", "repetitions", "seed", "reference"]
KEYS += ["cells", "best", "alike", "skipped", "temperature"]
KEYS += [f"{name}{end}" for name in ("cosines", "antithetic") for end in ("", "_standard_error", "_low", "_high")]
KEYS += ["recommendation", "seconds", "files"]
FIGURES = ["bias", "variance", "mse", "error", "cosine", "zero_share", "sign_agreement", "squared_bias", "alignment"]
CELL = ["estimator", "lambda", "beta", "temperature", "repetitions", "best", "edge"]
CELL += [f"{name}{part}" for name in FIGURES for part in ("", "_standard_error", "_low", "_high")]
CELL += ["calls", "milliseconds"]


compare = Command("compare")
invoke, fails = compare.invoke, compare.refusal


@pytest.fixture
def _measured_once(monkeypatch):
    """For a test of calls with the same settings, which differ in what they print of what was measured."""
    results, measured = [], command._measured

    def once(*given):
        results.append(results[0] if results else measured(*given))
        return results[0]

    monkeypatch.setattr(command, "_measured", once)


@pytest.mark.slow
@pytest.mark.usefixtures("_fine_pictures")
def test_every_estimator_has_a_row_or_a_reason_and_a_sentence_ends_it():
    text = compare(*SMALL)
    rows = [row.rstrip() for row in text.split("\n\n")[0].splitlines()]
    header = "estimator lambda temperature bias variance mse error cosine zero signs calls ms repetitions note"
    assert rows[0].split() == header.split()
    assert {row.split()[0] for row in rows[1:]} == set(ESTIMATORS)
    (skipped,) = (row for row in rows if row.startswith("fenchel-young"))
    assert skipped.endswith("skipped: it has a loss of its own, of gold solutions, and estimates the gradient of no other")
    assert "reference  exact, Gibbs distribution at temperature 1 over 252 states" in text
    assert re.search(
        r"\nTake .* at temperature 1.* has the smallest error times solver calls here, an error of \S+ ± ", text
    )
    assert "± standard error of repetitions; where it is above a third of the figure, ends of the interval of 95%" in text
    assert "\ninstances  one, for which alone the ranking holds; --instances 5 tells whether others agree\n" in text
    with Image.open("top-k-compare.png") as picture:
        assert min(picture.size) > 800


@pytest.mark.slow
def test_json_has_every_cell_and_so_has_the_table():
    values = json.loads(compare(*SMALL, "--estimators", "imle,simple,adaptive-imle", "--save", "cells.csv", "--json"))
    assert list(values) == KEYS
    assert [(cell["estimator"], cell["lambda"]) for cell in values["cells"]] == [
        ("imle", 1.0),
        ("imle", 3.0),
        ("simple", None),
        ("adaptive-imle", None),
    ]
    assert all(list(cell) == [*CELL, "by_instance"] for cell in values["cells"])
    for cell in values["cells"]:
        assert cell["variance_low"] < cell["variance"] < cell["variance_high"]
        assert cell["cosine_standard_error"] > 0
        assert cell["by_instance"]["variance"] == [cell["variance"]]
    assert values["cells"][3]["beta"] > 0
    assert (values["states"], values["problem"], values["noise"]) == (252, "top-k 10,5", "sum-of-gamma")
    assert values["files"] == ["top-k-compare.png", "cells.csv"]
    assert set(values["cosines"]["imle"]) == {"1", "3", "10", "30", "100"}
    with Path("cells.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["estimator"] for row in rows] == ["imle", "imle", "simple", "adaptive-imle"]
    assert float(rows[1]["bias"]) == values["cells"][1]["bias"]
    assert rows[2]["lambda"] == ""
    assert list(rows[0]) == CELL
    assert float(rows[0]["error_standard_error"]) == values["cells"][0]["error_standard_error"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures():
    one, same, other = (
        json.loads(compare(*SMALL, "--estimators", "imle,perturbed", "--noise", "gumbel", "--json", "--seed", seed))
        for seed in (5, 5, 6)
    )
    measured = [[{**cell, "milliseconds": 0} for cell in values["cells"]] for values in (one, same, other)]
    assert measured[0] == measured[1]
    assert measured[0] != measured[2]


@pytest.mark.slow
@pytest.mark.parametrize(("problem", "size"), [("path", "3x3"), ("spanning-tree", "4"), ("knapsack", "6"), ("top-k", "6,2")])
def test_problems_and_sizes(problem, size):
    values = json.loads(compare(*SMALL, "--problem", problem, "--size", size, "--estimators", "central-imle", "--json"))
    assert values["problem"] == f"{problem} {size}"
    assert values["files"] == [f"{problem}-compare.png"]
    assert values["reference"]["relative_error"] == 0


@pytest.mark.slow
def test_antithetic_pairs_halve_a_variance_that_is_odd_in_the_noise():
    arguments = ["--estimators", "perturbed,imle", "--noise", "normal", "--antithetic", "--temps", "2", "--lambdas", "1"]
    values = json.loads(compare(*arguments, "--repetitions", "400", "--json"))
    assert set(values["antithetic"]) == {"perturbed", "imle"}
    assert values["antithetic"]["perturbed"] + 2 * values["antithetic_standard_error"]["perturbed"] < 0.8


class TestHowSure:
    @pytest.mark.slow
    def test_a_figure_that_is_hardly_known_is_a_bound(self):
        text = compare("--problem", "path", "--size", "5x5", "--noise", "gumbel", "--estimators", "score-function", *SMALL)
        row = next(line for line in text.splitlines() if line.startswith("score-function"))
        assert re.search(r" > \d", row)

    @pytest.mark.slow
    @pytest.mark.usefixtures("_measured_once")
    def test_the_table_of_lambdas_is_that_of_the_picture(self):
        arguments = ["--estimators", "imle,central-imle,simple", "--noise", "gumbel", "--temps", "1,2", "--lambdas", "1,3"]
        text = compare(*arguments, "--repetitions", "40")
        table = text.split("\n\n")[1].splitlines()
        assert table[0].split() == ["at", "temperature", "1", "lambda", "1", "3"]
        assert [line.split("  ")[0] for line in table[1:]] == ["imle", "", "central-imle", ""]
        assert all(line.count("±") == 2 for line in table[1:])
        values = json.loads(compare(*arguments, "--repetitions", "40", "--json"))
        assert values["temperature"] == 1.0
        cell = next(cell for cell in values["cells"] if (cell["estimator"], cell["temperature"]) == ("imle", 1.0))
        shown = re.search(r"squared bias +(\S+) ± (\S+)", text).groups()
        assert [float(number) for number in shown] == pytest.approx(
            [cell["squared_bias"], cell["squared_bias_standard_error"]], abs=0.006
        )

    @pytest.mark.slow
    def test_one_temperature_is_in_the_title_of_all_curves(self, monkeypatch):
        titles = []
        drawn = comparison.comparison_figure
        monkeypatch.setattr(
            comparison,
            "comparison_figure",
            lambda *given, **more: titles.append(more["title"]) or drawn(*given, **more),
        )
        compare("--estimators", "imle", "--repetitions", "8", "--temps", "0.3,0.9,4", "--lambdas", "1,3")
        compare("--estimators", "imle", "--repetitions", "4", "--temps", "1", "--lambdas", "1", "--instances", "2")
        assert titles == [
            "Gradients for top-5 of 10 under Sum-of-Gamma noise at temperature 0.9",
            "Gradients for top-5 of 10, 2 instances, under Sum-of-Gamma noise at temperature 1",
        ]

    @pytest.mark.slow
    @pytest.mark.usefixtures("_measured_once")
    def test_the_edge_of_a_grid_of_one_s_own_is_marked(self):
        arguments = ["--problem", "path", "--noise", "gumbel", "--estimators", "imle", "--temps", "4,8", "--lambdas", "0.3"]
        text = compare(*arguments, "--repetitions", "100")
        assert (
            next(line for line in text.splitlines() if line.startswith("imle")).rstrip().endswith("at the edge of --temps")
        )
        assert text.endswith("That is at the edge of --temps: others beyond it may be better.\n")
        values = json.loads(compare(*arguments, "--repetitions", "100", "--json"))
        assert [cell["edge"] for cell in values["cells"] if cell["best"]] == ["at the edge of --temps"]

    @pytest.mark.slow
    def test_a_grid_that_is_left_to_the_command_widens(self):
        arguments = ["--problem", "path", "--noise", "gumbel", "--estimators", "imle", "--lambdas", "0.1,0.3"]
        values = json.loads(compare(*arguments, "--repetitions", "300", "--json"))
        (best,) = (cell for cell in values["cells"] if cell["best"])
        assert min(cell["temperature"] for cell in values["cells"]) < min(best["temperature"], 0.5)
        assert {cell["lambda"] for cell in values["cells"]} == {0.1, 0.3}


class TestInstances:
    @pytest.mark.slow
    @pytest.mark.usefixtures("_measured_once")
    def test_the_recommendation_is_of_their_mean(self):
        arguments = ["--instances", "3", "--noise", "gumbel", "--estimators", "identity,imle,blackbox", *SMALL]
        values = json.loads(compare(*arguments, "--json"))
        assert values["instances"] == 3
        assert values["best"][0] == "identity"
        assert values["alike"] in ([], ["imle", "blackbox"])
        cell = values["cells"][0]
        assert len(cell["by_instance"]["cosine"]) == 3
        assert cell["cosine"] == pytest.approx(sum(cell["by_instance"]["cosine"]) / 3)
        assert cell["cosine_standard_error"] == pytest.approx(np.std(cell["by_instance"]["cosine"], ddof=1) / np.sqrt(3))
        text = compare(*arguments)
        assert ", 3 instances, 2 samples, 20 repetitions, seed 0" in text
        assert "--instances 5" not in text
        assert "± standard error of the mean of 3 instances, from their spread" in text

    @pytest.mark.slow
    def test_what_they_do_not_tell_apart(self):
        arguments = ["--instances", "3", "--noise", "gumbel", "--estimators", "imle,blackbox", *SMALL]
        values = json.loads(compare(*arguments, "--json"))
        assert values["alike"] == ["blackbox"]
        assert values["recommendation"].startswith("Take imle or blackbox: not told apart by 3 instances. imle with lambda ")

    @pytest.mark.slow
    def test_the_first_is_that_of_the_seed_alone(self):
        alone, second, both = (
            json.loads(compare(*SMALL, "--estimators", "simple", "--seed", seed, "--instances", number, "--json"))
            for seed, number in ((5, 1), (6, 1), (5, 2))
        )
        assert both["cells"][0]["by_instance"]["variance"] == [
            alone["cells"][0]["variance"],
            second["cells"][0]["variance"],
        ]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["--instances", "0"],
                "error: --instances: got 0; it must be a whole number from 1 to 1000; the usual number is 5",
            ),
            (
                ["map.npy", "--instances", "2"],
                "error: --instances: got 2; an input is one instance; leave it out",
            ),
            (["--top-k", "3"], "error: --top-k: it belongs to an INPUT or a --solver; name one or leave it out"),
        ],
    )
    def test_wrong_usage(self, arguments, message):
        np.save("map.npy", np.ones((3, 3)))
        assert fails(*SMALL, *arguments) == (2, message)


class TestYourOwn:
    @pytest.mark.slow
    def test_a_map_is_held_against_a_measured_reference(self):
        np.save("map.npy", np.array([[1.0, 5.0, 1.0], [1.0, 9.0, 1.0], [1.0, 1.2, 1.0]]))
        values = json.loads(
            compare("map.npy", *SMALL, "--noise", "normal", "--estimators", "imle,simple,perturbed", "--json")
        )
        assert values["loss"] == "Hamming distance to the noise-free solution"
        assert values["states"] is None
        assert "central differences" in values["reference"]["text"]
        assert 0 < values["reference"]["relative_error"] < 0.2
        assert set(values["skipped"]) == {"simple"}
        assert values["files"] == ["map-compare.png"]

    @pytest.mark.slow
    def test_a_map_with_an_exact_distribution(self):
        np.save("map.npy", np.arange(1.0, 10.0).reshape(3, 3))
        values = json.loads(
            compare("map.npy", "--solver", "top-k", "--top-k", "2", *SMALL, "--estimators", "simple", "--json")
        )
        assert values["states"] == 36

    @pytest.mark.slow
    def test_a_gold_path(self):
        np.save("map.npy", np.ones((3, 3)))
        np.save("gold.npy", np.eye(3))
        values = json.loads(compare("map.npy", "--gold", "gold.npy", *SMALL, "--estimators", "imle", "--json"))
        assert values["loss"] == "Hamming distance to the gold solution"

    @pytest.mark.slow
    def test_a_solver_and_a_loss_of_one_s_own(self):
        Path("mine_to_compare.py").write_text(
            "import torch\n"
            "def solver(theta):\n    return (theta == theta.amax(dim=1, keepdim=True)).to(theta)\n"
            "def loss(z):\n    return (z.cumsum(dim=1) ** 3).sum(dim=1)\n"
        )
        own = ["--function", "mine_to_compare:solver", "--loss", "mine_to_compare:loss", "--size", "4,1"]
        values = json.loads(compare(*SMALL, *own, "--noise", "gumbel", "--estimators", "imle,score-function", "--json"))
        assert (values["problem"], values["loss"]) == ("top-k 4,1, mine_to_compare:solver", "mine_to_compare:loss")
        assert "of every entry" in values["reference"]["text"]

    @pytest.mark.slow
    def test_what_is_printed_and_a_loss_without_a_gradient(self):
        Path("printing_solver.py").write_text(
            "import torch\n"
            "def solver(theta):\n    print('hello')\n    return theta == theta.amax(dim=1, keepdim=True)\n"
            "def loss(z):\n    return (z[:, 0] > 0.5).double()\n"
        )
        own = ["--function", "printing_solver:solver", "--loss", "printing_solver:loss"]
        own += ["--size", "4,1", "--noise", "gumbel"]
        result = invoke(*SMALL, *own, "--estimators", "imle,score-function", "--json")
        assert result.exit_code == 0
        values = json.loads(result.stdout)
        assert values["skipped"] == {"imle": "the loss has no gradient, and this estimator needs it"}
        assert values["best"] == ["score-function"]
        assert "hello" in result.stderr


class TestBadInput:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ["--problem", "topk"],
                "error: --problem: got 'topk'; it must be one of 'top-k', 'path', 'spanning-tree', 'knapsack'; did you mean "
                "'top-k'?",
            ),
            (["--size", "3,9"], "error: --size: got '3,9'; top-k chooses at most n of n; use '3,1'"),
            (
                ["--lambdas", "a"],
                "error: --lambdas: got 'a'; it must be finite numbers >= 0 between commas, such as 0.1,1,10",
            ),
            (["--temps", "-1"], "error: --temps: got '-1'; it must be finite numbers >= 0 between commas, such as 0.5,1,2"),
            (["--samples", "0"], "error: --samples: got 0; it must be a whole number >= 1; use 10"),
            (["--repetitions", "1"], "error: --repetitions: got 1; it must be a whole number >= 2; the usual number is 300"),
            (["--gold", "g.npy"], "error: --gold: it belongs to a map; name one"),
            (
                ["--seed", str(2**32)],
                "error: --seed: got 4294967296; random problems have seeds from 0 to 2^32 - 1; the usual one is 0",
            ),
            (
                ["--solver", "dijkstra", "--problem", "path"],
                "error: --problem: got path with an input or a solver of its own; leave one of them out",
            ),
            (["--loss", "nothing"], "error: --loss: got 'nothing'; it must be module:name"),
        ],
    )
    def test_wrong_usage(self, arguments, message):
        assert fails(*SMALL, *arguments) == (2, message)

    def test_an_unknown_estimator_lists_all_and_suggests_the_nearest(self):
        code, message = fails(*SMALL, "--estimators", "imle,straight-trough")
        assert code == 2
        assert message.startswith("error: --estimators: got 'straight-trough'; it must be one of 'imle', 'central-imle', ")
        assert message.endswith("'simple'; did you mean 'straight-through'?")

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (
                "z.sum()",
                "error: loss: gave shape () for states of shape (252, 10); it must give one number for each, (252,); ",
            ),
            (
                "z[:, 0] * float('nan')",
                "error: loss: gave 252 NaN for 252 states; it must give numbers; look for",
            ),
            ("1.0", "error: loss: gave float; it must give a tensor; wrap arrays in torch.as_tensor"),
            ("z.sum(dim=1)", "error: loss: its true gradient here is 0; nothing can be measured against it; take another "),
        ],
    )
    def test_a_loss_that_cannot_be_used(self, body, message, request):
        name = f"losses_{abs(hash(request.node.name))}"
        Path(f"{name}.py").write_text(f"def loss(z):\n    return {body}\n")
        code, text = fails(*SMALL, "--loss", f"{name}:loss")
        assert code == 1
        assert text.startswith(message)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (
                "theta.numpy()",
                "error: solver: gave ndarray; it must give a dense tensor of real numbers; use torch.as_tensor",
            ),
            (
                "theta[:, :2]",
                "error: solver: gave shape (1, 2) for parameters of shape (1, 10); it must map (N, *event) to ",
            ),
            (
                "theta[99]",
                "error: {name}:solver: IndexError: index 99 is out of bounds for dimension 0 with size 1; --debug ",
            ),
        ],
    )
    def test_a_solver_that_cannot_be_used(self, body, message, request):
        name = f"solvers_{abs(hash(request.node.name))}"
        Path(f"{name}.py").write_text(f"def solver(theta):\n    return {body}\n")
        code, text = fails(*SMALL, "--function", f"{name}:solver", "--noise", "normal")
        assert code == 1
        assert text.startswith(message.format(name=name))

    def test_no_estimator_that_applies(self):
        code, message = fails(*SMALL, "--estimators", "perturbed-multiplicative")
        assert code == 1
        assert message.startswith(
            "error: no estimator applies; perturbed-multiplicative: noise_distribution: got SumOfGamma"
        )

    def test_antithetic_pairs_of_noise_without_them(self):
        for noise in ("sum-of-gamma", "none"):
            code, message = fails(*SMALL, "--antithetic", "--noise", noise)
            assert code == 2
            assert message == (
                f"error: --antithetic: it does not go with --noise {noise}; take --noise gumbel, normal or logistic"
            )

    def test_a_module_that_cannot_be_imported(self):
        code, message = fails(*SMALL, "--function", "not_there_at_all:solver")
        assert code == 1
        assert message == (
            f"error: not_there_at_all:solver: no module 'not_there_at_all' is installed or in {Path.cwd()}, where there is "
            "no Python file"
        )

    def test_something_that_cannot_be_called(self):
        assert fails(*SMALL, "--function", "math:pi") == (
            2,
            "error: --function: math:pi is float and cannot be called; name a function or an object like one",
        )

    def test_a_file_of_another_kind_is_not_overwritten(self):
        Path("notes.csv").write_text("my,notes\n1,2\n")
        code, message = fails(*SMALL, "--save", "notes.csv")
        assert (code, message.split(";")[0]) == (2, "error: --save: notes.csv exists and is no CSV file of imle")
