"""``imle reproduce``: table, JSON, picture, numbers, messages."""

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from command_line import Command
from imle_core.lab import reproduce
from imle_core.lab.reproduction import METHODS, top_k

NAMES = ["imle-sum-of-gamma", "imle-sum-of-gamma-tuned", "imle-gumbel", "imle-gumbel-tuned", "straight-through"]
NAMES += ["score-function", "adaptive-imle", "central-imle", "simple"]
RECORD = ["gap_mean", "gap_std", "gap_standard_error", "repetitions"]
RECORD += ["reference_mean", "reference_std", "reference_standard_error", "reference_repetitions"]
RECORD += ["difference", "tuned", "tuned_over", "settings"]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


invoke, run = Command("reproduce").invoke, Command("reproduce", "top-k")


@pytest.mark.slow
def test_json_of_all_methods():
    values = json.loads(run("--repetitions", 10, "--json"))
    assert list(values) == ["optimum", "start", "methods", "experiment", "seed", "tuning_seed", "seconds", "files"]
    assert values["optimum"] == pytest.approx(1.1252, abs=5e-5)
    assert values["start"] == pytest.approx(4.114, abs=5e-4)
    assert list(values["methods"]) == NAMES
    for name, found in values["methods"].items():
        assert list(found) == RECORD
        assert found["repetitions"] == 10
        assert found["gap_standard_error"] == pytest.approx(found["gap_std"] / math.sqrt(10))
        assert 0 < found["gap_mean"] < 1.2
        reference = METHODS[name].reference
        assert found["reference_mean"] == (reference and reference.mean)
        assert found["reference_std"] == (reference and reference.deviation)
        assert found["reference_repetitions"] == (reference and reference.repetitions)
        assert found["reference_standard_error"] == (reference and reference.standard_error)
        assert (found["tuned"], found["tuned_over"]) == (reference is None, METHODS[name].tuned_over)
        assert found["settings"] == METHODS[name].settings
        if reference:
            error = math.sqrt(found["gap_std"] ** 2 / 10 + reference.deviation**2 / reference.repetitions)
            assert found["difference"] == pytest.approx((found["gap_mean"] - reference.mean) / error)
        else:
            assert found["difference"] is None
    assert (values["experiment"], values["seed"], values["files"]) == ("top-k", 0, ["top-k-reproduce.png"])


@pytest.mark.slow
def test_the_numbers_are_those_of_the_library():
    values = json.loads(run("--repetitions", 10, "--methods", "simple", "--seed", 5, "--json"))
    outcome = reproduce(top_k(), METHODS["simple"], 10, 5)
    assert values["methods"]["simple"]["gap_mean"] == float(outcome.means[-1])
    assert values["methods"]["simple"]["gap_std"] == float(outcome.deviations[-1])


@pytest.mark.slow
def test_a_method_does_not_depend_on_the_others():
    both = json.loads(run("--repetitions", 10, "--methods", "imle-gumbel, simple", "--json"))["methods"]
    one = json.loads(run("--repetitions", 10, "--methods", "simple,simple", "--json"))["methods"]
    assert list(both) == ["imle-gumbel", "simple"]
    assert one == {"simple": both["simple"]}


@pytest.mark.slow
def test_table():
    lines = run("--repetitions", 50, "--methods", "straight-through,central-imle,adaptive-imle,score-function").splitlines()
    header = "method settings gap at the end standard error runs authors' code their runs difference"
    assert " ".join(lines[0].split()) == header
    name, settings, gap, error, runs, reference, their_runs, difference = re.split(r"\s{2,}", lines[1])
    assert (name, settings) == ("straight-through", "authors' settings: rate 0.019; 50 steps")
    assert (runs, reference, their_runs) == ("50", "0.752 ± 0.107", "100")
    mean, deviation = map(float, gap.split(" ± "))
    assert float(error) == pytest.approx(deviation / math.sqrt(50), abs=6e-4)
    assert difference == f"{float(difference):+.1f}"
    assert float(difference) == pytest.approx((mean - 0.752) / math.hypot(deviation / math.sqrt(50), 0.0107), abs=0.1)
    central, adaptive, score = (re.split(r"\s{2,}", line.strip()) for line in lines[2:5])
    assert (central[1], len(central)) == ("tuned here: rate 2.5, lambda 4; 50 steps", 5)
    assert adaptive[1] == "tuned here: rate 0.4, first beta 0.8, beta step 0.02; 50 steps"
    assert (score[1], score[4], score[6]) == ("authors' settings: rate 0.0046; 500 steps", "50", "10")
    assert lines[5:] == [
        "",
        "optimum   1.1252, gap at the start 4.114",
        "±         standard deviation of single runs; the standard error is that of their mean",
        "tuned     here, on this experiment with seed 1, by the least mean gap at the end",
        "files     top-k-reproduce.png",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("_fine_pictures")
@pytest.mark.parametrize("methods", ["simple", "simple,imle-gumbel,straight-through,central-imle,adaptive-imle"])
def test_picture(methods):
    run("--repetitions", 3, "--methods", methods, "--out", "gaps.png")
    with Image.open("gaps.png") as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    blue = np.abs(pixels - (0x00, 0x72, 0xB2)).sum(axis=2) < 30
    assert blue.sum() > 300
    assert [path.name for path in Path().iterdir()] == ["gaps.png"]


@pytest.mark.slow
def test_results_with_the_seed_of_the_tuning_are_said_to_be_too_good():
    lines = run("--repetitions", 2, "--methods", "simple", "--seed", 1).splitlines()
    line = "tuned     here, on this experiment with seed 1, by the least mean gap at the end"
    assert lines[-2] == f"{line}; with this run's seed their gaps are too small"


@pytest.mark.slow
def test_panels_say_whose_settings_and_how_many_runs():
    run("--repetitions", 3, "--methods", "imle-gumbel,imle-gumbel-tuned", "--out", "gaps.svg")
    text = Path("gaps.svg").read_text(encoding="utf-8")
    for words in ("imle-gumbel, authors' settings", "imle-gumbel-tuned, tuned here", "authors 0.301, 100 runs"):
        assert f"<!-- {words} -->" in text
    assert len(re.findall(r"<!-- here 0\.\d{3}, 3 runs", text)) == 2


@pytest.mark.slow
def test_the_same_seed_gives_the_same_picture():
    run("--repetitions", 3, "--methods", "simple", "--out", "first.png")
    run("--repetitions", 3, "--methods", "simple", "--out", "second.png")
    run("--repetitions", 3, "--methods", "simple", "--out", "third.png", "--seed", "1")
    first, second, third = (Path(f"{name}.png").read_bytes() for name in ("first", "second", "third"))
    assert first == second != third


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_other_kinds_of_pictures(kind):
    run("--repetitions", 2, "--methods", "imle-gumbel", "--out", f"gaps.{kind}")
    assert Path(f"gaps.{kind}").stat().st_size > 5000


@pytest.mark.slow
def test_numbers_of_every_step():
    for _ in range(2):  # its own kind of file is overwritten
        out = run("--repetitions", 5, "--methods", "imle-gumbel,simple", "--save", "gaps.csv")
    assert out.splitlines()[-1] == "files     top-k-reproduce.png, gaps.csv"
    with Path("gaps.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["method", "step", "gap_mean", "gap_std", "standard_error", "quantile_10", "quantile_90"]
    assert list(rows[0]) == names
    assert [(row["method"], int(row["step"])) for row in rows] == [
        (name, step) for name in ("imle-gumbel", "simple") for step in range(50)
    ]
    outcome = reproduce(top_k(), METHODS["simple"], 5)
    expected = outcome.means, outcome.deviations, outcome.standard_errors, outcome.quantile(0.1), outcome.quantile(0.9)
    for name, values in zip(names[2:], expected, strict=True):
        assert [float(row[name]) for row in rows[50:]] == values.tolist()


@pytest.mark.slow
def test_quiet():
    assert run("--repetitions", 2, "--methods", "simple", "--quiet") == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["topk"], "EXPERIMENT: got 'topk'; it must be one of 'top-k', 'decisions'; did you mean 'top-k'?"),
        (["warcraft"], "EXPERIMENT: got 'warcraft'; it must be one of 'top-k', 'decisions'; use 'top-k' for instance"),
        (
            ["top-k", "--methods", "simple,imle-gumbl"],
            "--methods: got 'imle-gumbl'; it must be one of 'imle-sum-of-gamma', 'imle-sum-of-gamma-tuned', 'imle-gumbel', "
            "'imle-gumbel-tuned', 'straight-through', 'score-function', 'adaptive-imle', 'central-imle', 'simple'; "
            "did you mean 'imle-gumbel'?",
        ),
        (
            ["top-k", "--methods", ""],
            "--methods: got ''; it must be one of 'imle-sum-of-gamma', 'imle-sum-of-gamma-tuned', 'imle-gumbel', "
            "'imle-gumbel-tuned', 'straight-through', 'score-function', 'adaptive-imle', 'central-imle', 'simple'; "
            "use 'imle-sum-of-gamma' for instance",
        ),
        (["top-k", "--repetitions", "1"], "--repetitions: got 1; it must be a whole number >= 2; the usual number is 1000"),
        (["top-k", "--seed", "-1"], "--seed: got -1; it must be a whole number from 0 to 2^63 - 1; the usual one is 0"),
    ],
    ids=str,
)
def test_wrong_usage(arguments, message):
    Command("reproduce").expect_refusal(arguments, 2, message)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "gaps.jpg"], "--out: gaps.jpg ends in .jpg; it must end in .png or .pdf or .svg"),
        (["--out", "none/gaps.png"], "--out: the folder none does not exist; make it first"),
        (["--save", "gaps.npy"], "--save: gaps.npy ends in .npy; it must end in .csv"),
    ],
    ids=str,
)
def test_files_that_cannot_be_written(arguments, message):
    run.expect_refusal(arguments, 2, message)


def test_another_file_is_not_overwritten():
    Path("gaps.csv").write_text("my,own\n1,2\n")
    result = invoke("top-k", "--save", "gaps.csv")
    assert (result.exit_code, Path("gaps.csv").read_text()) == (2, "my,own\n1,2\n")
    assert result.stderr == "error: --save: gaps.csv exists and is no CSV file of imle; choose another name or remove it\n"


def test_without_an_experiment():
    assert invoke().exit_code == 2
