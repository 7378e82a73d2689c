"""Pages of results in a browser: they request nothing, and their numbers are Python's, wherever sliders and pointers go."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from command_line import Command
from imle_cli.options.inputs import InputOptions, NoiseOptions, SolverOptions
from imle_cli.pages import perceiving
from imle_cli.pages.ladder import ladder
from imle_cli.problems.reading import read_problem
from imle_cli.problems.sampling import read_sampling
from imle_cli.runs.perception import Views
from imle_cli.runs.training import Run

pytestmark = pytest.mark.browser
ASSETS = Path(__file__).parents[3] / "assets"
TEMPERATURE, PLAYER = "#controls .slider:first-child input", "#controls .slider:last-of-type input"
CASES = {
    "map": (InputOptions(), SolverOptions(), ()),
    "tiles": (InputOptions(), SolverOptions(solver="top-k", top_k=20), ("--solver", "top-k", "--top-k", 20)),
    "graph": (
        InputOptions(map=ASSETS / "city.graphml", weight="minutes"),
        SolverOptions(solver="path", start="a1", goal="h7"),
        (ASSETS / "city.graphml", "--weight", "minutes", "--solver", "path", "--start", "a1", "--goal", "h7"),
    ),
    "items": (
        InputOptions(map=ASSETS / "pack.csv", capacity=30),
        SolverOptions(solver="knapsack"),
        (ASSETS / "pack.csv", "--solver", "knapsack", "--capacity", 30),
    ),
    "pairs": (
        InputOptions(map=ASSETS / "shifts.csv"),
        SolverOptions(solver="assignment"),
        (ASSETS / "shifts.csv", "--solver", "assignment"),
    ),
}


@pytest.fixture
def opened(browser):
    """A function that opens a page and hands back the browser; at the end nothing was requested, and no script failed."""

    def open_page(name, **settings):
        browser.open(Path(name), **settings)
        return browser

    yield open_page
    assert (browser.requests(), browser.log()) == ([], [])


def value(browser, name):
    """The number behind a fact, to the last digit."""
    return float(browser.run(f"return document.getElementById('{name}').dataset.value"))


def tips(browser, card, entries):
    """What the page says of entries, to which the arrow keys lead, by number."""
    script = """
        const canvas = document.querySelector(given[0]);
        const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        const said = [];
        canvas.focus();
        const [height, width] = given[2];
        for (let entry = 0; entry < given[1]; entry++) {
            if (entry % width === 0 && entry) for (let i = 1; i < width; i++) press("ArrowLeft");
            press(entry % width === 0 && entry ? "ArrowDown" : "ArrowRight");
            said.push(document.querySelector(".tip").textContent);
        }
        canvas.blur();
        return said;
    """
    return browser.run(script, f"#{card} canvas", int(np.prod(entries)), [1, *entries][-2:])


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_marginals_at_every_temperature_are_those_of_python(name, opened):
    source, choice, arguments = CASES[name]
    Command("marginals")(*arguments, "--samples", 150, "--seed", 4, "--input-temp", 2, "--out", "x.html")
    problem = read_problem(source, choice, "auto", frozenset({"solver"}))
    asked = read_sampling(NoiseOptions(), problem.default_k, 2.0, 150, 4)
    temperatures = ladder(asked, problem.numbers.size)
    page = opened("x.html")
    for index in (temperatures.index(2.0), 0, 4, len(temperatures) - 1):
        page.slide(TEMPERATURE, index)
        sampled = replace(asked, input_temp=temperatures[index]).measure(problem, lambda _: None)
        assert value(page, "error") == pytest.approx(sampled.error.max(), abs=1e-12)
        assert value(page, "extent") == pytest.approx(sampled.probability.sum(), abs=1e-9)
        assert value(page, "measure") == pytest.approx(problem.total(sampled.probability), rel=1e-12)
        said = tips(page, "marginals", problem.numbers.shape)
        found = [list(map(float, re.search(r"marginal (\S+) ± (\S+)", text).groups())) for text in said]
        expected = np.stack([sampled.probability.ravel(), sampled.error.ravel()], axis=1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        numbers = [float(re.search(r"(?:cost|weight|score) (\S+)\n", text)[1].replace("−", "-")) for text in said]
        np.testing.assert_allclose(numbers, problem.numbers.ravel(), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_samples_are_stepped_through_by_slider_buttons_and_keys(name, opened):
    source, choice, arguments = CASES[name]
    Command("sample")(*arguments, "--samples", 6, "--input-temp", 2, "--out", "x.html")
    problem = read_problem(source, choice, "auto", frozenset({"solver"}))
    masks = read_sampling(NoiseOptions(), problem.default_k, 2.0, 6, 0).draw(problem, lambda _: None)
    page = opened("x.html")
    shown = [0]
    moves = [lambda: page.press("body", "right"), lambda: page.click("button[aria-label='On one step']")]
    moves += [lambda: page.slide(PLAYER, 5), lambda: page.press("body", "left")]
    for move, number in zip(moves, (1, 2, 5, 4), strict=True):
        move()
        shown.append(number)
        assert value(page, "this") == pytest.approx(problem.total(masks[number]), rel=1e-12)
        said = tips(page, "sample", problem.numbers.shape)
        assert [f"not in sample {number + 1}" not in text for text in said] == masks[number].ravel().astype(bool).tolist()
    assert page.text("#sample h2") == "Sample 5"


@pytest.mark.slow
def test_space_plays_and_stops_at_the_end(opened):
    Command("sample")("--samples", 4, "--out", "x.html")
    page = opened("x.html")
    page.press("body", " ")
    page.wait("return document.querySelector('#sample h2').textContent === 'Sample 4'")
    page.wait("return document.querySelector('#controls button.main').textContent.includes('Play')")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["solve", "sample", "distinct"])
def test_items_say_what_they_weigh(command, opened):
    words = ("sample", "--distinct", 2) if command == "distinct" else (command,)
    Command(words[0])(*words[1:], *CASES["items"][2], "--out", "x.html")
    page = opened("x.html")
    card = "sample" if command == "sample" else "picture"
    assert "weight 9\n" in tips(page, card, (12, 1))[0]
    assert page.text(f"#{card} .legend").startswith("chosen items (weight)")
    if command != "solve":
        assert page.text("#this").endswith(", weight 30 of 30")


@pytest.mark.slow
def test_an_edge_answers_to_the_pointer(opened):
    _, _, arguments = CASES["graph"]
    Command("solve")(*arguments, "--out", "x.html")
    page = opened("x.html")
    script = """
        const canvas = document.querySelector("#picture canvas");
        const { left, top, width, height } = canvas.getBoundingClientRect();
        const said = new Set();
        for (let x = 0; x < width; x += 8) for (let y = 0; y < height; y += 8) {
            canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y, bubbles: true }));
            const tip = document.querySelector(".tip");
            if (!tip.hidden) said.add(tip.textContent);
        }
        return Array.from(said);
    """
    source, choice, _ = CASES["graph"]
    problem = read_problem(source, choice, "auto", frozenset())
    ends = zip(*list(problem.labels.values())[:2], problem.numbers, problem.solve(), strict=True)
    told = {f"{u} – {v}\nweight {weight:g}\n{'chosen' if chosen else 'not chosen'}" for u, v, weight, chosen in ends}
    said = set(page.run(script))
    assert said <= told
    assert len(said) > 0.9 * len(told)


@pytest.mark.slow
@pytest.mark.parametrize("card", ["sample", "marginals"])
@pytest.mark.parametrize("name", ["map", "graph", "items"])
def test_words_stand_beside_what_is_pointed_at(name, card, opened):
    Command("sample")(*CASES[name][2], "--samples", 6, "--out", "x.html")
    script = """
        const canvas = document.querySelector(given[0]);
        canvas.focus({ preventScroll: true });
        canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
        const [tip, box] = [document.querySelector(".tip"), canvas].map((element) => element.getBoundingClientRect());
        const isInside = tip.left >= 0 && tip.top >= 0 && tip.right <= innerWidth && tip.bottom <= innerHeight;
        const isBeside = tip.left < box.right + 20 && tip.right > box.left;
        return isInside && isBeside && tip.top < box.bottom + 20 && tip.bottom > box.top;
    """
    assert opened("x.html").run(script, f"#{card} canvas")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_solution(name, opened):
    source, choice, arguments = CASES[name]
    Command("solve")(*arguments, "--out", "x.html")
    problem = read_problem(source, choice, "auto", frozenset({"solver"}))
    said = tips(opened("x.html"), "picture", problem.numbers.shape)
    assert ["not chosen" not in text for text in said] == problem.solve().ravel().astype(bool).tolist()


@pytest.mark.slow
def test_a_run(opened):
    Command("train")("--steps", 30, "--record-every", 3, "--out", "run", "--quiet")
    Command("animate")("run", "--format", "html", "--quiet")
    run = Run.open(Path("run"))
    history, rows = run.history(), run.metrics()
    page = opened("learning.html")
    for record, move in ((0, "Home"), (10, "End"), (9, "ArrowLeft")):
        key = f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{move}', bubbles: true}}))"
        page.run(key)
        step = history.steps[record]
        assert [value(page, name) for name in ("step", "loss-now", "distance")] == [step, *rows[step][1:]]
        said = tips(page, "weights", (16, 16))
        found = [float(re.search(r"learned cost (\S+)", text)[1]) for text in said]
        np.testing.assert_allclose(found, history.weights[record].ravel(), rtol=0, atol=0.50001e-5)
        assert ["on the path" in text for text in said] == history.solutions[record].ravel().astype(bool).tolist()
        assert ["the gold path" in text for text in said] == history.gold.ravel().astype(bool).tolist()


@pytest.fixture
def seen():
    """What a training on images might have seen of two maps."""
    generator = np.random.default_rng(0)
    gold = np.array([np.eye(4, dtype=np.uint8)] * 2)
    images = generator.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    views = Views(gold, images, generator.uniform(1, 9, (2, 4, 4)).astype(np.float32))
    for step in (0, 3, 10):
        path = np.eye(4, dtype=np.uint8)
        path[0, 1] = step < 10
        views.add(step, generator.uniform(0.1, 2, (2, 4, 4)), np.array([path, np.eye(4)]))
    return views


@pytest.mark.slow
def test_a_training_on_images(opened, seen):
    epochs = [{"epoch": 1, "optimal": 0.25, "regret": 0.5}, {"epoch": 2, "optimal": 0.5, "regret": 0.125}]
    made = perceiving.page_of(seen, epochs, "imle", [("estimator", "imle")])
    Path("x.html").write_bytes(made.make(lambda _: None))
    page = opened("x.html")
    for record in range(3):
        page.slide("#controls input", record)
        assert value(page, "step") == seen.steps[record]
        costs = [(seen.truth * paths).sum(axis=(1, 2), dtype=float) for paths in (seen.paths[record], seen.gold)]
        found = [value(page, f"regret-{number}") for number in (1, 2)]
        np.testing.assert_allclose(found, costs[0] / costs[1] - 1, atol=1e-12)
        said = tips(page, "costs-2", (4, 4))
        predicted = [float(re.search(r"predicted cost (\S+),", text)[1]) for text in said]
        np.testing.assert_allclose(predicted, seen.costs[record][1].ravel(), rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"width": 390}, {"width": 390, "dark": True}, {"dark": True}, {"scripts": False}])
def test_phones_dark_colours_and_browsers_without_scripts(opened, settings):
    Command("marginals")("--samples", 10, "--out", "x.html")
    page = opened("x.html", **settings)
    if settings.get("scripts") is False:
        assert page.text().count("still picture") == 1
    else:
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        assert page.text("#marginals h2") == "Marginals of 10 samples"


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_whole_solutions_are_stepped_through_and_chosen_by_their_shares(name, opened):
    source, choice, arguments = CASES[name]
    call = (*arguments, "--distinct", 3, "--samples", 60, "--input-temp", 4)
    values = Command("sample").values(*call, "--out", "x.html")
    problem = read_problem(source, choice, "auto", frozenset({"solver"}))
    totals = [solution[problem.words.measure] for solution in values["solutions"]]
    page = opened("x.html")
    assert value(page, "this") == pytest.approx(totals[0], rel=1e-12)
    page.press("body", "right")
    assert value(page, "this") == pytest.approx(totals[1], rel=1e-12)
    page.click("#shares li:last-child button")
    assert value(page, "this") == pytest.approx(totals[-1], rel=1e-12)
    assert page.text("#picture h2").startswith(f"Solution {len(totals)}: {100 * values['solutions'][-1]['share']:.1f}"[:14])
