"""The page of ``imle explain`` in a browser: its numbers are the library's, its solver is GridPath, any hand can work it."""

import numpy as np
import pytest
import torch

from command_line import Command
from imle_core import ArgumentError, TargetDistribution, hamming, imle
from imle_core.solvers import GridPath

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The page of a map with walls and ties."""
    folder = tmp_path_factory.mktemp("explain")
    costs = np.random.default_rng(3).integers(1, 4, (7, 9)).astype(float)
    costs[2, :6] = costs[4, 3:] = np.nan
    np.save(folder / "m.npy", np.where(np.isnan(costs), np.inf, costs))
    Command("explain")(folder / "m.npy", "--out", folder / "m.html", "--quiet")
    return folder / "m.html"


@pytest.fixture
def opened(browser, written):
    """A function that opens the page; afterwards nothing was requested, and nothing stood in the console."""

    def open_page(**settings):
        browser.open(written, **settings)
        browser.wait("return window.imle !== undefined")
        return browser

    yield open_page
    assert (browser.log(), browser.requests()) == ([], [])


def state(browser):
    """Numbers that the page shows, as arrays; walls have become null on the way."""
    return browser.run("return imle.state()")


def of_walls(values, wall):
    return [wall if value is None else value for value in values]


class Given:
    """Noise that is what a page has drawn."""

    def __init__(self, eps):
        self.eps = eps

    def sample(self, shape, **_):
        return self.eps.view(shape)


def expected(shown, shape):
    """Loss, gradient, marginals, paths and targets' paths of the library for the noise of a page."""
    settings, samples = shown["settings"], shown["settings"]["samples"]
    theta = torch.tensor(of_walls(shown["theta"], -torch.inf), dtype=torch.float64).view(1, *shape).requires_grad_()
    eps = torch.tensor(shown["eps"], dtype=torch.float64).view(1, samples, *shape)
    gold = torch.tensor(shown["gold"], dtype=torch.float64).view(shape)
    ends = [divmod(shown[name], shape[1]) for name in ("start", "goal")]
    solver = GridPath(8, *ends)
    target = TargetDistribution(beta=settings["lambda"])
    layer = imle(solver, target, Given(eps), samples, settings["tauIn"], settings["tauTarget"])
    z = layer(theta)
    z.retain_grad()
    losses = hamming(z, gold)
    (losses.mean() if settings["meanLoss"] else losses.sum()).backward()
    moved = theta.detach() - settings["lambda"] * z.grad
    z_target = solver(moved + settings["tauTarget"] * eps[0])
    return {
        "loss": losses.mean().item(),
        "gradient": theta.grad.flatten().tolist(),
        "target": moved[0].flatten().tolist(),
        "dy": z.grad[0].flatten().tolist(),
        "marginals": z.detach().mean(dim=0).flatten().tolist(),
        "z": z.detach().flatten(1).tolist(),
        "zTarget": z_target.flatten(1).tolist(),
        "distance": hamming(solver(theta.detach()), gold).item(),
    }


def agree(browser, shape=(7, 9)):
    shown = state(browser)
    for name, value in expected(shown, shape).items():
        values = of_walls(shown[name], -np.inf) if name == "target" else shown[name]
        np.testing.assert_allclose(values, value, rtol=0, atol=1e-6, err_msg=name)
    return shown


class TestNumbers:
    @pytest.mark.slow
    def test_are_those_of_the_library_at_first(self, opened):
        shown = agree(opened())
        assert shown["loss"] > 0

    @pytest.mark.slow
    def test_are_after_every_slider_was_moved(self, opened):
        browser = opened()
        for name, at in (("tauIn", 8), ("tauTarget", 3), ("lambda", 9), ("samples", 4), ("eta", 5), ("seed", 3)):
            browser.slide(f"#{name}", at)
            agree(browser)
        wanted = {"tauIn": 2, "tauTarget": 0.3, "lambda": 1, "samples": 10, "eta": 0.5, "seed": 3}
        assert state(browser)["settings"] == wanted | {"beginning": "flat", "meanLoss": False}

    @pytest.mark.slow
    def test_are_while_it_learns(self, opened):
        browser = opened()
        before = state(browser)
        browser.click("#one")
        after = agree(browser)
        moved = np.array(of_walls(before["theta"], -np.inf)) - 0.1 * np.array(before["gradient"])
        np.testing.assert_allclose(of_walls(after["theta"], -np.inf), moved, rtol=0, atol=1e-6)
        assert after["eps"] != before["eps"]
        browser.click("#ten")
        assert agree(browser)["step"] == 11

    @pytest.mark.slow
    def test_are_under_a_mean_loss_which_divides_lambda(self, opened):
        browser = opened()
        browser.click("#mean-loss")
        shown = agree(browser)
        assert max(map(abs, shown["dy"])) == 0.1

    @pytest.mark.slow
    def test_are_those_at_the_pointer_and_on_the_page(self, opened):
        browser = opened()
        browser.slide("#lambda", 10)
        shown = agree(browser)
        tile = int(np.abs(shown["gradient"]).argmax())
        right, down = ["right"] * (tile % 9), ["down"] * (tile // 9)
        browser.press("#gradient canvas", "down", *right, *down)  # the first arrow leads to the first tile
        told = browser.text(".tip").replace("−", "-")
        assert told == f"row {tile // 9}, column {tile % 9}\ngradient {shown['gradient'][tile]:.7g}"
        assert float(browser.text("#loss")) == pytest.approx(shown["loss"], abs=0.05)

    @pytest.mark.slow
    def test_of_noise_are_those_that_the_library_drew(self, opened):
        browser = opened()
        eps = np.array(state(browser)["eps"])
        browser.slide("#samples", 7)
        more = np.array(state(browser)["eps"])
        assert (more[: len(eps)] == eps).all()  # the same noise for the samples that were there
        assert len(np.unique(more)) > 3000
        pool = browser.run("return imle.pool()")
        assert np.isin(more, pool).all()
        assert abs(more.mean() - np.mean(pool)) < 5 * np.std(pool) / np.sqrt(len(more))

    @pytest.mark.slow
    def test_with_learning_the_path_becomes_the_gold_one(self, opened):
        browser = opened()
        for _ in range(12):
            browser.click("#ten")
        assert state(browser)["distance"] == 0


def ended(browser, experiment):
    """Steps until the gold path is found in an experiment on the built-in map, None for never; and how often it is lost."""
    browser.click(f".tries li:nth-child({experiment}) button")
    return browser.run(
        "for (let i = 0; i < 20; i++) document.getElementById('ten').click();"
        "const wrong = imle.state().history.map(({distance}) => distance > 0), found = wrong.indexOf(false);"
        "return [found < 0 ? null : found, wrong.slice(found).filter(Boolean).length]"
    )


@pytest.mark.slow
def test_experiments_end_on_the_built_in_map_as_the_page_says(browser, tmp_path):
    Command("explain")("--out", tmp_path / "x.html", "--quiet")
    browser.open(tmp_path / "x.html")
    browser.wait("return window.imle !== undefined")
    (first, lost), (slow, _), (mean, _), (bare, bare_lost), (_, noisy) = (ended(browser, number) for number in range(1, 6))
    assert (first < 30, lost, slow, mean) == (True, 0, None, None)
    assert (bare < 60, bare_lost) == (True, 0)
    assert noisy > 20


class TestSolver:
    """The page's solver and GridPath, tile by tile."""

    @staticmethod
    def problems():
        """A thousand maps: ties and none, walls, costs below the floor, huge ones that swallow others in a sum; any ends."""
        rng = np.random.default_rng(0)
        for number in range(1000):
            height, width = (int(size) for size in rng.integers(2, 17, 2))
            kinds = (
                lambda shape: rng.integers(1, 4, shape).astype(float),
                lambda shape: rng.random(shape),
                lambda shape: rng.normal(1, 1, shape),
                lambda shape: np.where(rng.random(shape) < 0.2, 100.0, 1.0) + 0.1 * rng.integers(0, 3, shape),
                lambda shape: rng.choice([1e-4, 1.0, 1e17], shape),
            )
            costs = kinds[number % 5]((height, width))
            costs[rng.random(costs.shape) < (0.25 if number % 3 == 0 else 0)] = np.inf
            ends = [int(tile) for tile in rng.permutation(costs.size)[:2]] if number % 2 else [0, costs.size - 1]
            costs.flat[ends] = 1.0
            yield {"height": height, "width": width, "moves": 4 if number % 7 == 0 else 8, "floor": 1e-4}, ends, costs

    @staticmethod
    def tiles(settings, ends, costs):
        """Tiles of GridPath's solution, in no order; None where there is none."""
        start, goal = (divmod(tile, settings["width"]) for tile in ends)
        try:
            mask = GridPath(settings["moves"], start, goal)(-torch.from_numpy(costs)[None])
        except ArgumentError:
            return None
        return torch.nonzero(mask.flatten()).flatten().tolist()

    @pytest.mark.slow
    def test_is_grid_path_on_a_thousand_maps_with_ties(self, opened):
        problems = list(self.problems())
        given = [
            {**settings, "start": ends[0], "goal": ends[1], "costs": [None if np.isinf(c) else c for c in costs.flat]}
            for settings, ends, costs in problems
        ]
        script = "return given[0].map(({costs, ...rest}) => imle.solve(rest, costs.map(c => c === null ? -Infinity : -c)))"
        solved = opened().run(script, given)
        wanted = [self.tiles(*problem) for problem in problems]
        assert [path and sorted(path) for path in solved] == wanted
        assert 10 < sum(tiles is None for tiles in wanted) < 200
        for (settings, ends, _), path in zip(problems, solved, strict=True):
            if path:
                steps = np.abs(np.diff(np.array(np.divmod(path, settings["width"])), axis=1))
                assert [path[0], path[-1]] == ends
                assert (steps.max(axis=0) == 1).all()


class TestDrawing:
    @pytest.mark.slow
    def test_by_mouse_leaves_no_gaps(self, opened):
        browser = opened()
        browser.click("[data-tool=expensive]")
        browser.drag("#map canvas", (0.5 / 9, 0.5 / 7), (8.5 / 9, 0.5 / 7))
        assert agree(browser)["costs"][:9] == [3.0] * 9

    @pytest.mark.slow
    def test_by_keyboard(self, opened):
        browser = opened()
        before = state(browser)
        browser.press("#map canvas", "down", "right", "right", "4", " ")
        after = agree(browser)
        changed = [tile for tile in range(63) if before["costs"][tile] != after["costs"][tile]]
        assert (changed, after["costs"][2], after["step"]) == ([2], None, 0)

    @pytest.mark.slow
    def test_moves_start_and_goal(self, opened):
        browser = opened()
        browser.press("#map canvas", "down", "right", "5", " ", "down", "6", " ")
        shown = agree(browser)
        assert (shown["start"], shown["goal"], sum(shown["gold"])) == (1, 10, 2)

    @pytest.mark.slow
    def test_of_what_leaves_no_way_is_refused_with_a_reason(self, opened):
        browser = opened()
        before = state(browser)
        browser.drag("#map canvas", (6.5 / 9, 2.5 / 7), (8.5 / 9, 2.5 / 7))
        assert browser.text("#map-says") == "There must be a way from the start to another tile, the goal."
        assert sum(cost is None for cost in state(browser)["costs"]) >= sum(cost is None for cost in before["costs"])
        browser.click("#original")
        assert state(browser)["costs"] == before["costs"]
        assert browser.text("#map-says") == ""


class TestPage:
    @pytest.mark.slow
    def test_says_when_the_gradient_is_zero_though_the_loss_is_not(self, opened):
        browser = opened()
        assert browser.text("#gradient-says") == ""
        browser.slide("#lambda", 0)
        assert "λ moved no path" in browser.text("#gradient-says")

    @pytest.mark.slow
    @pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1280, True), (1920, False)])
    def test_fits_every_screen(self, opened, width, dark):
        browser = opened(width=width, dark=dark)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        sides = browser.run("return [...document.querySelectorAll('.tiles canvas')].map(c => [c.width / 9, c.height / 7])")
        assert len(sides) == 8
        assert all(across == down == int(across) > 10 for across, down in sides)  # whole pixels a tile

    @pytest.mark.slow
    def test_every_control_has_a_name_and_shows_the_focus(self, opened):
        browser = opened()
        nameless = browser.run(
            "return [...document.querySelectorAll('button, input, select, canvas[tabindex]')].filter(control =>"
            "!(control.getAttribute('aria-label') || control.textContent.trim() || control.labels?.length)).length"
        )
        assert nameless == 0
        browser.press("body", "tab")
        seen = set()
        for _ in range(30):
            focus = browser.run(
                "const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);"
                "return [document.activeElement.id || document.activeElement.className || document.activeElement.tagName,"
                "outlineStyle, outlineWidth]"
            )
            assert focus[1:] == ["solid", "3px"], focus
            seen.add(focus[0])
            browser.press(":focus", "tab")
        assert {"theme", "one", "play", "tauIn", "lambda", "mean-loss"} <= seen

    @pytest.mark.slow
    def test_experiments_begin_anew_with_their_settings(self, opened):
        browser = opened()
        first = state(browser)["settings"]
        browser.click("#ten")
        for number in range(5):
            changed = browser.run("return JSON.parse(document.querySelectorAll('[data-try]')[given[0]].dataset.try)", number)
            browser.click(f".tries li:nth-child({number + 1}) button")
            shown = agree(browser)
            assert (shown["settings"], shown["step"]) == (first | changed, 0)
            assert changed.keys() <= first.keys()
        shown = browser.run("return ['tauIn', 'tauTarget', 'lambda'].map(id => document.getElementById(id).ariaValueText)")
        assert shown == ["0", "5", "0.7"]

    @pytest.mark.slow
    def test_plays_and_pauses(self, opened):
        browser = opened()
        browser.click("#play")
        browser.wait("return imle.state().step > 1")
        browser.click("#play")
        step = state(browser)["step"]
        assert browser.run("await new Promise(done => setTimeout(done, 250)); return imle.state().step") == step
        browser.click("#restart")
        assert state(browser)["step"] == 0

    def test_without_scripts_shows_a_still_picture_and_no_controls(self, browser, written):
        browser.open(written, scripts=False)
        told = browser.text()
        assert "how often each tile is on the path" in told
        assert "1 step" not in told
