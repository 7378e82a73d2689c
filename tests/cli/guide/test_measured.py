"""Figures of the guide that take minutes to measure are those that commands printed, and the commands print them still."""

import json
import math
import re
from datetime import date
from statistics import fmean, stdev

import pytest

import measured
import measured_tables
from command_line import Command
from documents import PAGES, README
from imle_cli.benchmarks.measurement import Row
from imle_cli.benchmarks.rounds import Estimate
from imle_cli.trainings.perception.sweep import PerceptionSweep
from imle_core.decisions import METHODS
from imle_core.estimators import ESTIMATORS
from measured import MEASUREMENTS, NOISES, PROBLEMS, records, results
from measured_tables import TABLES

TEXTS = {document.name: " ".join(document.text.split()) for document in (README, *PAGES)}


def best(problem, estimator):
    """The record of an estimator at its best settings on a problem."""
    (values,) = (values for name, values in zip(PROBLEMS, results("errors"), strict=True) if name == problem)
    (cell,) = (cell for cell in values["cells"] if cell["estimator"] == estimator)
    return cell


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_file_says_what_was_run_and_when_and_where(name):
    assert [record["command"] for record in records(name)] == [measurement.command for measurement in MEASUREMENTS[name]]
    for record in records(name):
        assert list(record) == ["command", "date", "machine", "versions", "result"]
        assert date.fromisoformat(record["date"]) >= date(2026, 12, 1)
        assert re.search(r", \d+ processor", record["machine"])
        assert {"imle", "torch", "numpy"} < set(record["versions"])


def test_there_are_no_other_files():
    assert {path.stem for path in measured.FOLDER.iterdir()} == set(MEASUREMENTS)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_that_of_its_measurements(name):
    assert TABLES[name].shown() == TABLES[name].lines(results(name))


def told_errors(estimator, other):
    return f"{best('top-k', estimator)['error']:.2f} in place of {best('top-k', other)['error']:.2f}"


def test_rules_of_thumb_have_the_figures_of_the_table():
    told = told_errors("central-imle", "imle")
    assert f"on top-5 of 10 its error is {told}." in TEXTS["settings"]
    assert f"take `simple` ({best('top-k', 'simple')['error']:.2f})" in TEXTS["settings"]
    assert f"whose error is {told} on top-5 of 10" in TEXTS["README"]


def test_sentences_about_errors_are_true():
    quoted = re.search(r"the command ends: \*(.*?)\*", TEXTS["settings"])[1]
    assert results("errors")[0]["recommendation"].startswith(quoted)
    assert f"`identity` needs a temperature of {best('path', 'identity')['temperature']:.2g}" in TEXTS["settings"]
    hot, cool = (f"{best(problem, 'imle')['temperature']:g}" for problem in ("top-k", "path"))
    assert f"I-MLE does best at {hot} on top-5 of 10 and at {cool} on paths" in TEXTS["settings"]
    assert {(values["instances"], values["seed"]) for values in results("errors")} == {(5, 0)}


def test_the_best_lambda_is_about_as_large_as_the_noise():
    (values,) = results("lambdas")
    best_at = {
        temperature: min(
            (cell for cell in values["cells"] if cell["temperature"] == temperature), key=lambda cell: cell["error"]
        )["lambda"]
        for temperature in (1, 2, 4)
    }
    assert best_at[1] == best_at[2]
    told = f"that was lambda {best_at[1]:g} at temperatures 1 and 2, and lambda {best_at[4]:g} at temperature 4"
    assert told in TEXTS["settings"]


def test_sentences_about_distances_are_true():
    found = results("distances")
    assert {(values["instances"], values["seed"], values["samples"]) for values in found} == {(5, 0, 100_000)}
    assert "five instances (seeds 0 to 4), with 100,000 samples a temperature" in TEXTS["settings"]
    assert min(values["best"]["total_variation"] for values in found if values["problem"].startswith("path")) > 0.2


def test_sentences_about_the_experiment_are_true():
    (values,) = results("experiment")
    methods = values["methods"]
    assert {method["repetitions"] for method in methods.values()} == {1000}
    runs = {name: method["reference_repetitions"] for name, method in methods.items() if method["reference_repetitions"]}
    assert set(runs.values()) == {100, 10}
    assert runs["score-function"] == 10
    assert values["seed"] != values["tuning_seed"]
    gaps = {name: method["gap_mean"] for name, method in methods.items() if method["tuned"]}
    assert gaps["imle-sum-of-gamma-tuned"] < min(gaps["central-imle"], gaps["simple"])


def test_sentences_about_seeing_are_true():
    larger = results("seeing")[1:]
    assert {values["maps"] for values in larger} == {500}
    shares = [values["optimal"] for values in larger]
    told = f"{100 * fmean(shares):.1f} ± {stdev(shares):.1%} of 500 maps of 24x24"
    assert f"solve {told}, with a regret of {fmean(values['regret'] for values in larger):.2%}" in TEXTS["perception"]


def told_machine(record):
    """A machine, what runs there, and its load, in the words of the page."""
    versions, load = record["result"]["versions"], record["result"]["load"]
    short = {name: ".".join(number.split(".")[:2]) for name, number in versions.items() if name not in ("imle", "numpy")}
    python, *others = (f"{name} {number}" for name, number in short.items())
    told = f"The machine: {record['machine']}, {python.capitalize()}, {', '.join(others)}."
    return f"{told} Other processes took {load['others']:.0%} of the processors meanwhile."


def test_sentences_about_speed_without_avx512_are_true():
    (bench,) = records("speed-avx2")
    assert ", AVX2" in bench["machine"]
    assert ", AVX-512" in records("speed")[0]["machine"]
    assert told_machine(bench) in TEXTS["speed"]


def test_sentences_about_speed_are_true():
    (bench, warm_up), (_, compiled) = records("speed"), results("speed")
    assert bench["machine"] == warm_up["machine"]
    assert told_machine(bench) in TEXTS["speed"]
    assert "`imle warm-up` compiles everything beforehand, about a minute of a core" in TEXTS["speed"]
    assert 30 < compiled["compile_seconds"] < 90


@pytest.mark.parametrize("command", [record["command"] for name in MEASUREMENTS for record in records(name)])
def test_a_page_shows_the_command(command):
    command = re.sub(r"(seed |seed|noise-)[12]\b", r"\g<1>0", command.removesuffix(" --no-picture"))
    for_all = re.sub(rf"--problem ({'|'.join(PROBLEMS)})\b", "--problem NAME", command)
    for_all_noise = re.sub(rf"--noise ({'|'.join(NOISES)})\b", "--noise NAME", for_all)
    assert any(shown in text for shown in (command, for_all, for_all_noise) for text in TEXTS.values())


def test_sentences_about_decisions_are_true():
    (values,), (constant,) = results("decisions"), results("schedules")
    assert values["seeds"] == constant["seeds"] == [0, 1, 2]
    found = {name: protocol["methods"] for name, protocol in values["protocols"].items()}
    assert len(found["paths"]) >= 16
    barred = "spo-plus", "imle", "adaptive-imle", "fenchel-young"
    assert max(found["paths"][name]["regret_mean"] for name in barred) < 0.077
    assert min(record["regret_mean"] for record in found["paths"].values()) < 0.072
    assert max(found["knapsack"][name]["regret_mean"] for name in ("spo-plus", "imle")) < 0.069
    assert values["seconds"] < 150
    hamming, regret = (found["knapsack"][name]["regret_mean"] for name in ("imle-hamming", "imle"))
    assert hamming > regret + 0.01  # worse where there is little to learn from
    assert found["knapsack"]["cone"]["regret_mean"] > 0.15
    better = {
        key: [
            name for name, record in protocol["methods"].items() if found[key][name]["regret_mean"] < record["regret_mean"]
        ]
        for key, protocol in constant["protocols"].items()
    }
    assert better["paths"] == [*constant["protocols"]["paths"]["methods"]]
    told = [f"`{name}`" for name in better["knapsack"]]
    assert f"On knapsacks it helps {', '.join(told[:-1])} and {told[-1]} alone" in TEXTS["decisions"]
    ratios = [methods["spo-plus"]["epoch_seconds"] / methods["regression"]["epoch_seconds"] for methods in found.values()]
    assert max(ratios) <= 1.5
    told = "`spo-plus` takes {:.1f} times as long on paths and {:.1f} times on knapsacks".format(*ratios)
    assert told in TEXTS["decisions"]


FREE = {*ESTIMATORS, *METHODS, *results("experiment")[0]["methods"]}


def names(values, chosen):
    """Names in JSON; of estimators and methods those that are chosen."""
    if isinstance(values, dict):
        return {name: names(entry, chosen) for name, entry in values.items() if name == chosen or name not in FREE}
    return [names(values[0], chosen)] if isinstance(values, list) else None


COMPARE = "--repetitions 4 --samples 2 --lambdas 1 --temps 1 --estimators imle"
SMALL = {
    "errors": (f"compare --problem top-k --noise gumbel --antithetic {COMPARE}", "imle"),
    "lambdas": (f"compare {COMPARE}", "imle"),
    "distances": ("calibrate --problem top-k --samples 200 --temps 1,2", ""),
    "decisions": ("reproduce decisions --methods spo-plus --seeds 0 --epochs 1 --jobs 1", "spo-plus"),
    "experiment": ("reproduce top-k --repetitions 2 --methods imle-gumbel", "imle-gumbel"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_commands_print_the_same_names_still(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    command, chosen = SMALL[name]
    values = json.loads(Command(*command.split())("--no-picture", "--quiet", "--json"))
    kept = MEASUREMENTS[name][0].kept(values)
    assert names(kept, chosen) == names(records(name)[0]["result"], chosen)


def test_rows_have_the_names_that_commands_give_them_still():
    printed = Row("subject", "means", Estimate(1.0), "s").record
    assert all(set(row) <= set(printed) for row in results("speed")[0]["rows"])
    assert all(set(row) == set(PerceptionSweep.COLUMNS) for row in results("seeing")[0]["rows"])


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_files_are_written_as_they_are(name, monkeypatch, tmp_path):
    made, text = records(name), measured.path(name).read_text(encoding="utf-8")
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    measured.write(name, made)
    assert measured.path(name).read_text(encoding="utf-8") == text
    assert records(name) == made


def test_tables_are_written_into_their_pages(monkeypatch, tmp_path):
    text = TABLES["errors"].text()
    (tmp_path / "settings.md").write_text(re.sub(r"^\| `simple` \| 10 .*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    monkeypatch.setattr(measured_tables, "PAGES", tmp_path)
    assert TABLES["errors"].text() != text
    measured_tables.write_tables("errors")
    assert TABLES["errors"].text() == text


@pytest.mark.slow
@pytest.mark.parametrize("estimator", ["imle", "central-imle", "adaptive-imle", "adaptive-central-imle", "simple"])
def test_errors_of_fewer_repetitions_are_about_those_that_are_kept(estimator, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    kept = best("top-k", estimator)
    settings = [
        "--temps",
        f"{kept['temperature']:g}",
        *([] if kept["lambda"] is None else ["--lambdas", f"{kept['lambda']:g}"]),
    ]
    command = f"compare --problem top-k --noise gumbel --instances 5 --repetitions 100 --estimators {estimator}"
    values = json.loads(Command(*command.split())(*settings, "--no-picture", "--quiet", "--json"))
    (cell,) = values["cells"]
    assert cell["error"] == pytest.approx(kept["error"], rel=0.15)


@pytest.mark.slow
def test_gaps_of_fewer_runs_are_about_those_that_are_kept():
    kept = results("experiment")[0]["methods"]
    names = ["imle-sum-of-gamma", "imle-gumbel-tuned", "adaptive-imle"]
    words = ["--methods", ",".join(names), "-n", 100, "--no-picture", "--quiet", "--json"]
    found = json.loads(Command("reproduce", "top-k")(*words))["methods"]
    for name in names:
        error = math.hypot(kept[name]["gap_standard_error"], found[name]["gap_standard_error"])
        assert abs(found[name]["gap_mean"] - kept[name]["gap_mean"]) < 4 * error
        assert found[name]["settings"] == kept[name]["settings"]
