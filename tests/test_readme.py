"""What the README and the guide show is run: examples, commands, pictures; and every link leads somewhere."""

import json
import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from typer.testing import CliRunner

import documents
import warm
from documents import COMMANDS, DOCUMENTS, PAGES, PICTURES, README, ROOT
from imle_cli.app import app
from imle_cli.benchmarks import catalogue, rounds, scaling
from imle_cli.files.endings import ARRAY_ENDINGS, TABLE_ENDINGS
from imle_cli.files.maps.terrain import built_in_map, load

DATA = {"assets/map.png", "assets/city.graphml", "assets/pack.csv", "assets/shifts.csv"}
PAGE = {page.name: page for page in PAGES}

# Commands that go on from a training take long; they run at small size.
LEARNING = [line for line in COMMANDS if re.match(r"imle (train|sweep) ", line) or " runs/" in line]
MEASURING = [line for line in COMMANDS if line.startswith("imle bench")]
SMALLER = {
    "train": ["--steps", "30", "--samples", "3"],
    "animate": ["--frames", "3", "--size", "64"],
    "compare": ["--repetitions", "4", "--samples", "2", "--lambdas", "1", "--temps", "1", "--estimators", "imle"],
    "calibrate": ["--samples", "200", "--temps", "1"],
    "reproduce": ["--repetitions", "2", "--methods", "simple"],
    "data": ["--size", "5", "--train", "12", "--test", "5"],
    "perceive": ["--epochs", "1", "--batch", "4", "--beta", "0.1"],
    "sweep": ["--steps", "3", "--frames", "2", "--size", "64", "--input-temps", "0,1", "--samples", "1", "--jobs", "1"],
}


@pytest.fixture
def _folder(tmp_path, monkeypatch):
    """A current folder with the data, and the files that blocks are."""
    (tmp_path / "assets").mkdir()
    for name in DATA:
        shutil.copy(ROOT / name, tmp_path / "assets")
    for block in (block for document in DOCUMENTS for block in document.programs if block.file):
        (tmp_path / block.file).write_text(block.code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def _coarse_pictures(monkeypatch):
    """For tests that ask whether there are pictures: few pixels. Another test looks at those of every command."""
    monkeypatch.setitem(mpl.rcParamsDefault, "savefig.dpi", 40)


@pytest.fixture
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_seeded")
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if document.programs], ids=lambda d: d.name)
def test_examples_run_from_top_to_bottom_and_print_what_is_said(document):
    blocks = [block for block in document.programs if not block.needs]
    documents.run(document, blocks)
    for name in re.findall(r'\.save\("(.*?)"\)', "".join(block.code for block in blocks)):
        assert frames(name).std() > 1  # a picture of something


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_seeded")
@pytest.mark.filterwarnings("default")  # those of other libraries are not ours
@pytest.mark.parametrize(
    ("document", "number"),
    [
        pytest.param(document, number, id=f"{document.name}-{number}")
        for document in DOCUMENTS
        for number, block in enumerate(document.programs)
        if block.needs
    ],
)
def test_examples_with_other_libraries_run_where_these_are_installed(document, number):
    block = document.programs[number]
    if block.missing:
        pytest.skip(f"could not import {block.missing}")
    before = [earlier for earlier in document.programs[:number] if not earlier.needs]
    documents.run(document, [*before, block])


ADVICE = [line.strip(" |").rpartition(" | ")[2] for line in PAGE["coming-from"].text.splitlines() if line.startswith("|")]
ADVICE = [cell.strip("`") for cell in ADVICE if "(" in cell]


@pytest.mark.slow
@pytest.mark.usefixtures("_seeded")
@pytest.mark.filterwarnings("ignore::imle_core.StepSizeWarning")
@pytest.mark.parametrize("advice", ADVICE)
def test_who_comes_from_another_library_can_write_this(advice):
    (block,) = (block for block in PAGE["coming-from"].programs if "there" not in block.code and "truth =" in block.code)
    names = {"torch": torch}
    exec(block.code, names)
    result = eval(advice, names)
    assert isinstance(result, torch.Tensor)
    assert result.isfinite().all()
    (leaf,) = (names[name] for name in ("theta", "costs") if re.search(rf"\b{name}\b", advice))
    (gradient,) = torch.autograd.grad(result.sum(), leaf)
    assert gradient.isfinite().all()


def run(command, *more):
    words = [*shlex.split(command)[1:], *more]
    if words[0] == "check":  # which has a process of its own, a fork where it is begun by one
        result = warm.run("-m", "imle_cli", *words)
        assert (result.returncode, result.stderr) == (0, ""), command
    else:
        result = CliRunner().invoke(app, words)
        assert (result.exit_code, result.stderr) == (0, ""), command
    assert result.stdout
    return result.stdout


def expect_biases(told):
    """Holds the table of lambdas to what ``imle compare`` tells, within its standard errors."""
    figure = r"(\d\S*) ± (\d\S*)"
    lines = told[told.index("at temperature 1") :].splitlines()
    for name in ("imle", "central-imle"):
        number = next(number for number, line in enumerate(lines) if line.startswith(f"{name} "))
        for words, line in (("squared bias", lines[number]), ("variance", lines[number + 1])):
            (row,) = re.findall(rf"^\| `{name}`: {words} .*$", PAGE["settings"].text, re.MULTILINE)
            shown, measured = re.findall(figure, row), re.findall(figure, line)
            assert len(shown) == 5
            for (value, error), (now, _) in zip(shown, measured, strict=False):
                assert abs(float(value) - float(now)) <= float(error), (name, words)


def expect_distances(told):
    """Holds the logistic row of the table of temperatures to what ``imle calibrate`` tells of top-5 of 10."""
    at_1, least, best = re.search(
        r"^\| logistic \| (\S+) \| (\S+) \| (\S+) \|", PAGE["settings"].text, re.MULTILINE
    ).groups()
    distances = dict(re.findall(r"^ *([\d.]+) +([\d.]+) ± ", told, re.MULTILINE))
    closest = re.search(r"^ *([\d.]+) .* closest$", told, re.MULTILINE)[1]
    assert float(distances["1"]) == pytest.approx(float(at_1), abs=0.006)
    assert float(distances[closest]) == pytest.approx(float(least), abs=0.006)
    assert float(closest) == pytest.approx(float(best), abs=0.02)


def frames(path):
    """Frames ``(n, h, w, 3)``."""
    with Image.open(path) as image:
        return np.array([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]).astype(int)


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("command", [line for line in COMMANDS if line not in LEARNING + MEASURING])
def test_every_command_works_and_makes_the_pictures_that_are_shown(command):
    before = set(Path().rglob("*.*"))
    told = run(command)
    if command.startswith("imle compare "):
        expect_biases(told)
    if command.startswith("imle calibrate "):
        expect_distances(told)
    for picture in set(map(Path, PICTURES)) & (set(Path().rglob("*.*")) - before):
        made, shown = frames(picture), frames(ROOT / picture)
        assert made.shape == shown.shape
        # Other versions of the font engine may set letters differently.
        assert np.mean(np.abs(made - shown) > 40) < 0.005


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_coarse_pictures")
def test_one_line_makes_every_picture_anew(monkeypatch):
    monkeypatch.setattr(rounds, "_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "_TURN", 0.0)
    for name in ("MEASUREMENTS", "MORE"):
        monkeypatch.setattr(catalogue, name, ())
    monkeypatch.setattr(catalogue, "CURVES", (partial(scaling.by_side, sides=(8,)),))
    (script,) = (line for block in PAGE["training"].blocks for line in block.code.splitlines() if "| sh -e" in line)
    pattern = re.fullmatch(
        r"rm -rf runs/gallery && mkdir -p runs/gallery && grep -h '(.*)' imle_cli/guide/\*\.md \| sh -e", script
    )[1]
    # Of grep's basic patterns, groups and alternatives are written otherwise in Python.
    lines = [line for page in sorted(PAGES, key=lambda page: page.name) for line in page.text.splitlines()]
    chosen = [line for line in lines if re.search(pattern.replace("\\", ""), line)]
    assert len(chosen) == len(set(chosen))
    assert set(chosen) == {line for line in COMMANDS if "--out assets" in line or "--out runs/gallery" in line}
    Path("runs/gallery").mkdir(parents=True)
    for command in chosen:
        run(command, *SMALLER.get(command.split()[1], []))
    assert {path.as_posix() for path in Path("assets").rglob("*.*")} == {*PICTURES, *DATA}


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
def test_two_settings_decide_as_is_said():
    text = " ".join(PAGE["training"].text.split())
    off, first = re.search(r"0, 5 the path ends (\d+) tiles off .*? The sum gets there at step (\d+)", text).groups()
    constant, decaying = re.search(r"path in (\d+) of the last 500 steps .*?; with the decay it is (\d+)", text).groups()
    train = "imle train assets/map.png --target-temp 5 --input-temp 0 --samples 100 --json"
    mean = json.loads(run(f"{train} --out mean --loss-reduction mean"))
    summed = json.loads(run(f"{train} --out sum"))
    run(f"{train} --out steady --schedule constant")
    assert mean["final_hamming"] == int(off)
    assert summed["first_gold_step"] == int(first)
    for name, wrong in (("sum", decaying), ("steady", constant)):
        distances = np.loadtxt(f"{name}/metrics.csv", delimiter=",", skiprows=1)[-500:]
        assert (distances[:, -1] > 0).sum() == int(wrong)


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
def test_the_gallery_learns_when_and_as_far_as_is_said():
    text = " ".join(PAGE["training"].text.split())
    quiet, noisy = re.search(
        r"as soon as the path is right, at step (\d+): .*? it goes on, from step (\d+) with", text
    ).groups()
    low, high = map(float, re.search(r"all on one scale from (\S+), white, to (\S+), black", text).groups())
    learned = []
    for command in (line for line in LEARNING if line.startswith("imle train ") and "in5-target5" not in line):
        wanted = quiet if "--input-temp 0" in command else noisy
        assert json.loads(run(command, "--json"))["first_gold_step"] == int(wanted)
        learned.append(np.load(f"{command.split()[-1]}/history.npz")["weights"])
    assert low < np.min(learned) < low + 0.1
    assert high - 0.1 < np.max(learned) < high
    assert f"--scale={low:g},{high:g}" in text


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_coarse_pictures")
def test_the_sweep_works():
    (command,) = (line for line in LEARNING if line.startswith("imle sweep ") and "--animate" in line)
    run(command, *SMALLER["sweep"])
    assert len(list(Path("sweeps/map").glob("*/learning_paths.gif"))) == 8


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_coarse_pictures")
def test_mean_colours_tell_as_much_as_is_said():
    row = next(line for line in PAGE["perception"].text.splitlines() if line.startswith("| `mean-colour`"))
    run("imle data terrain --out maps")
    found = json.loads(run("imle perceive maps --estimator mean-colour --out look-up --json"))
    told = [f"{found['optimal']:.1%}", f"{found['regret']:.3%}", f"{found['exact_on_unique']:.1%}"]
    assert row.split(" | ")[2:5] == told


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_coarse_pictures")
def test_learning_to_see_works():
    chosen = [
        line for line in PAGE["perception"].text.splitlines() if re.match(r"imle (data|perceive|evaluate|sweep)", line)
    ]
    assert [line.split()[1] for line in chosen] == ["data", "perceive", "data", "evaluate", "sweep"]
    Path("runs/gallery").mkdir(parents=True)
    for command in chosen:
        few = ["--epochs", "1", "--batch", "4", "--beta", "0.1", "--seeds", "0"]
        run(command, *(few if " sweep " in command else SMALLER.get(command.split()[1], [])))
    assert Path("sweeps/seeing/accuracy.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("_folder", "_coarse_pictures")
def test_learning_to_decide_has_the_figures_that_are_said():
    page = PAGE["decisions"].text
    chosen = [line for line in page.splitlines() if re.match(r"imle (data|decide runs|evaluate|sweep)", line)]
    assert [line.split()[1] for line in chosen] == ["data", "data", "decide", "evaluate", "sweep"]
    Path("runs").mkdir()
    found = [run(command, *(["--epochs", "1"] if " sweep " in command else [])) for command in chosen]
    told, (said,) = re.search("^learned .*$", page, re.MULTILINE)[0], re.findall("^learned .*$", found[2], re.MULTILINE)
    assert re.sub(r", \d+\.\d s;", ";", told) == re.sub(r", \d+\.\d s;", ";", said)
    assert Path("sweeps/paths/regret.png").exists()


def test_every_picture_is_shown_and_made_with_the_options_that_it_is_named_after():
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "assets").rglob("*.*")} == {*PICTURES, *DATA}
    trainings = [line for line in LEARNING if line.startswith("imle train ")]
    assert len(trainings) == 5
    for line in trainings:
        heat, target, folder = re.search(r"--input-temp (\d) --target-temp (\d) .* --out runs/gallery/(\S+)$", line).groups()
        assert folder == f"in{heat}-target{target}"


def test_the_map_is_the_built_in_one():
    np.testing.assert_array_equal(load(ROOT / "assets" / "map.png"), built_in_map())


def test_the_guide_names_every_ending_of_arrays_and_tables():
    assert set(re.findall(r"`(\.[a-z]+)`", PAGE["command-line"].text)) >= {*ARRAY_ENDINGS, *TABLE_ENDINGS}


def test_the_guide_shows_an_error_as_it_is():
    result = CliRunner().invoke(app, ["solve", "--engine", "torh"])
    assert result.exit_code == 2
    assert f"```text\n{result.stderr}```" in PAGE["command-line"].text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_and_picture_leads_somewhere(document):
    by_path = {other.path.relative_to(ROOT).as_posix(): other for other in DOCUMENTS}
    for link in document.links:
        target = by_path[document.target(link)] if link.path.endswith(".md") else document
        assert not link.path or link.path.startswith("http") or (document.path.parent / link.path).exists(), link
        assert not link.anchor or link.anchor in target.anchors, link
    assert all((ROOT / picture).is_file() for picture in document.pictures)


# What a newcomer asks, the page that answers it, and words of the answer.
QUESTIONS = {
    "Why is my gradient zero?": ("first-steps", "ZeroGradientWarning"),
    "Can I average the loss?": ("README", "Sum the loss, do not average it"),
    "How do I use my own solver?": ("own-solver", "It returns the **best** solution"),
    "What is k?": ("first-steps", "number of ones that you expect in a solution"),
    "Costs or gains?": ("own-solver", "If you have costs, say"),
    "How do I draw my marginals?": ("first-steps", "imle.draw.marginals(found"),
    "How do I make a GIF of my loop?": ("first-steps", "imle.draw.film(loop"),
    "Which estimator do I take?": ("settings", "**Estimator:** take `imle`"),
    "What if my graphs differ in size?": ("frameworks", "Graphs of a batch differ in size"),
    "How do I read theta for a networkx graph?": ("own-solver", "in the order of `solver.edges`"),
    "What does temperature mean?": ("first-steps", "how much noise"),
    "Why does a cheapest path zigzag?": ("first-steps", "costs as much as a straight step"),
    "What has a map to do with machine learning?": ("first-steps", "learn costs from paths"),
    "Does it work in Lightning, Trainer, skorch?": ("frameworks", "lightning.LightningModule"),
    "My batch is many graphs in one tensor with a ptr.": ("layer", "which graph libraries call `ptr`"),
    "Can my solver return more than a mask?": ("own-solver", "## More than a solution"),
    "Which solutions are frequent, as wholes?": ("command-line", "`--distinct 12` counts whole solutions"),
    "How do I train on regret?": ("decisions", "`layer.loss(theta, truth=..., gold=...)` is one call for all estimators"),
    "What is SPO+ here, or any loss of PyEPO?": ("coming-from", '`differentiable("spo-plus", solver, sense="min")'),
    "Does it work under vmap, compile, export?": ("layer", "## Transforms of PyTorch"),
}


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_newcomers_question_is_answered_within_two_links_of_the_readme(question):
    name, words = QUESTIONS[question]
    answer = {document.name: document for document in DOCUMENTS}[name]
    assert words in " ".join(answer.text.split())
    reached = {"README"}
    for _ in range(2):
        reached |= {
            link.page or Path(link.path).stem
            for document in DOCUMENTS
            for link in document.links
            if document.name in reached
        }
    assert name in reached


@pytest.mark.parametrize("call", ["imle.draw.marginals(", "imle.draw.film("])
def test_on_the_first_page_a_picture_or_a_film_of_ones_own_takes_at_most_12_lines(call):
    (block,) = (block for block in PAGE["first-steps"].programs if call in block.code)
    assert ".save(" in block.code
    assert len([line for line in block.code.splitlines() if line.strip()]) <= 12


def test_two_commands_for_a_fresh_machine():
    look, check = (
        block.code.rstrip() for block in README.blocks if block.language == "sh" and block.code.startswith("python3")
    )
    assert re.fullmatch(
        r"python3 -m venv \.venv && \.venv/bin/pip install -c tests/constraints\.txt \. && \S+/imle .*", look
    )
    assert re.fullmatch(
        r"python3 -m venv \.venv-test && .* -c tests/constraints\.txt -e '\.\[test\]' && \S+/python -m pytest -n .*",
        check,
    )
    script = (ROOT / ".ci" / "run").read_text()
    pattern = re.search(r"grep -E '(.*)' README", script)[1]
    assert [line for line in README.text.splitlines() if re.search(pattern, line)] == [check]
    pattern = re.search(r"sed -n 's/(.*)/\\1/p' README", (ROOT / ".ci" / "check").read_text())[1]
    chosen = [line for line in README.text.splitlines() if re.search(pattern.replace("\\(", "(").replace("\\)", ")"), line)]
    assert chosen == [check]
