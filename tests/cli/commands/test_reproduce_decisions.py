"""``imle reproduce decisions``: table, JSON, picture, numbers, an interruption, messages."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import Command
from imle_cli.lab import published_decisions
from imle_core.decisions import METHODS, PROTOCOLS
from imle_core.decisions import reproduce_protocol as run_method

run = Command("reproduce", "decisions")
SHORT = ["--epochs", 2, "--jobs", 1, "--no-picture"]
RECORD = ["regret_mean", "regret_std", "seconds", "epoch_seconds", "solves", "best_mean", "runs", "learns_from"]
RECORD += ["published_regret", "published_best", "published_seconds"]


@pytest.mark.slow
def test_json():
    values = run.values("--methods", "least-squares,mean_costs,spo-plus", "--seeds", "1,0", *SHORT)
    assert list(values) == ["protocols", "experiment", "schedule", "seeds", "seconds", "files"]
    assert (values["experiment"], values["schedule"], values["seeds"], values["files"]) == (
        "decisions",
        "cosine",
        [0, 1],
        [],
    )
    assert list(values["protocols"]) == ["paths", "knapsack"]
    for name, found in values["protocols"].items():
        assert (found["epochs"], list(found["methods"])) == (2, ["least-squares", "mean-costs", "spo-plus"])
        assert all(list(record) == RECORD for record in found["methods"].values())
        outcome = run_method(PROTOCOLS[name], METHODS["spo-plus"], [0, 1], epochs=2)
        record = found["methods"]["spo-plus"]
        assert (record["regret_mean"], record["regret_std"], record["runs"]) == (outcome.mean, outcome.deviation, 2)
        assert (record["best_mean"], record["solves"]) == (outcome.best, outcome.solves.mean().item())
        assert record["learns_from"] == "true costs"
        assert record["seconds"] > 0
        assert record["published_regret"] == PROTOCOLS[name].published["spo-plus"].regret
        assert found["methods"]["mean-costs"]["published_regret"] is None
    figures = [found["methods"]["least-squares"]["regret_mean"] for found in values["protocols"].values()]
    assert figures == pytest.approx([0.085787, 0.107327], abs=1e-6)


@pytest.mark.slow
def test_table():
    lines = run("--methods", "least-squares,regression,spo-plus", "--seeds", "0,1", *SHORT).splitlines()
    assert re.split(r"\s{2,}", lines[0]) == published_decisions._HEADER
    assert [line for line in lines if line.endswith(":")] == ["paths:", "knapsack:"]
    assert re.split(r"\s{2,}", lines[2])[:4] == ["least-squares", "true costs", "8.58%", "8.58%"]
    name, _, regret, best, seconds, ratio, solves, *published = re.split(r"\s{2,}", lines[4])
    assert (name, solves, published) == ("spo-plus", "2,000", ["7.59%", "7.07%", "10.0"])
    assert re.fullmatch(r"\d+\.\d\d% ± \d\.\d\d%", regret)
    assert re.fullmatch(r"\d+\.\d\d%", best)
    assert float(seconds) >= 0
    assert float(ratio) > 0
    assert re.split(r"\s{2,}", lines[3])[5] == "1.00"
    assert lines[9] == ""
    assert [line.split("  ")[0] for line in lines[10:]] == ["regret", "seconds", "published", "time"]
    assert "of seeds 0, 1;" in lines[10]


@pytest.mark.slow
def test_one_seed_has_no_deviation():
    lines = run("--methods", "spo-plus", "--seeds", "4", "--schedule", "constant", *SHORT).splitlines()
    assert not any("±" in line for line in lines[:5])


@pytest.mark.slow
def test_picture_and_numbers():
    for methods in ("mean-costs", "mean-costs,spo-plus,contrastive"):  # its own kind of file is overwritten
        run("--methods", methods, "--seeds", "0", *SHORT[:-1], "--save", "regrets.csv")
    with Image.open("decisions-reproduce.png") as image:
        assert np.asarray(image.convert("L")).std() > 5
    with Path("regrets.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["protocol", "method", "seed", "epoch", "regret"]
    assert len(rows) == 2 * (1 + 2 + 2)
    outcome = run_method(PROTOCOLS["paths"], METHODS["spo-plus"], [0], epochs=2)
    found = [float(row["regret"]) for row in rows if (row["protocol"], row["method"]) == ("paths", "spo-plus")]
    assert found == outcome.regrets[0].tolist()
    run("--methods", "mean-costs", "--seeds", "0", *SHORT[:-1], "--out", "regrets.svg")
    assert "<!-- grey: published -->" not in Path("regrets.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_ctrl_c_shows_what_has_ended(monkeypatch):
    done = []

    def interrupted(task):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(task)
        return trained(task)

    trained = published_decisions._trained
    monkeypatch.setattr(published_decisions, "_trained", interrupted)
    result = run.invoke("--methods", "mean-costs,spo-plus", "--seeds", "0,1", *SHORT[:-1], "--json")
    assert result.exit_code == 130
    assert result.stderr.splitlines()[0] == "stopped: 2 of 6 trainings have ended, those of the table"
    values = json.loads(result.stdout)
    assert {name: list(found["methods"]) for name, found in values["protocols"].items()} == {
        "paths": ["mean-costs", "spo-plus"],
        "knapsack": [],
    }
    assert values["protocols"]["paths"]["methods"]["spo-plus"]["runs"] == 1
    assert list(Path().iterdir()) == []


@pytest.mark.slow
def test_quiet():
    assert run("--methods", "mean-costs", "--quiet", *SHORT) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "spoplus"], "--methods: got 'spoplus'; it must be one of 'least-squares', "),
        (["--methods", "simple"], "--methods: got 'simple'; it must be one of 'least-squares', "),
        (["--seeds", "0,x"], "--seeds: got '0,x'; it must be whole numbers >= 0 between commas, such as 0,1,2"),
        (["--epochs", "0"], "--epochs: got 0; it must be a whole number >= 1"),
        (["--schedule", "linear"], "--schedule: got 'linear'; it must be one of 'cosine', 'constant'"),
        (["--seed", "1"], "--seed: it belongs to top-k, but the experiment is decisions; leave it out"),
        (["-n", "10"], "-n: it belongs to top-k, but the experiment is decisions; leave it out"),
        (["--save", "regrets.npy"], "--save: regrets.npy ends in .npy; it must end in .csv"),
        (["--no-picture", "--out", "a.png"], "--no-picture: got it beside --out a.png; leave one of them out"),
    ],
    ids=str,
)
def test_wrong_usage(arguments, message):
    code, text = run.refusal(*arguments)
    assert code == 2
    assert text.startswith(f"error: {message}")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("option", ["--seeds", "--epochs", "--jobs"])
def test_options_of_decisions_are_not_for_top_k(option):
    message = f"{option}: it belongs to decisions, but the experiment is top-k; leave it out"
    Command("reproduce", "top-k").expect_refusal([option, "1"], 2, message)
