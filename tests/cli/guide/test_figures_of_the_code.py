"""Figures in sentences of the guide are those of the code, of its defaults, or of a short calculation."""

import re

import pytest
import torch

import imle_core
from command_line import Command
from documents import PAGES
from imle_cli.benchmarks import rounds
from imle_cli.problems import problem
from imle_cli.runs.cadence import is_kept
from imle_core.lab import search
from imle_core.perception import PerceptionTraining, make_method, make_network, terrain_maps
from imle_core.perception.terrain import COSTS
from imle_core.sampling import distinct
from imle_core.solvers import GridPath
from imle_core.solvers.permutations import tour

TEXTS = {document.name: " ".join(document.text.split()) for document in PAGES}
LARGEST_SCALE = torch.amp.GradScaler("cpu").get_scale()
STEPS = 1100


def default(command, option):
    """The default that the help of a command tells of an option."""
    text = " ".join(Command(command)("--help").split())
    return re.search(rf"{option} .*?\[default: (.*?)\]", text)[1]


def first_left_out():
    return next(step for step in range(STEPS) if not is_kept(step))


SAID = {
    "samples of marginals": lambda: ("first-steps", f"in how many of {int(default('marginals', '--samples')):,} samples"),
    "k of a map": lambda: ("first-steps", f"| `k` | {GridPath().typical_ones((16, 16)):g} |"),
    "factor of a mean": lambda: ("first-steps", f"{64 * 12} times smaller, so lambda = 1 behaves like {1 / (64 * 12):.4f}"),
    "share of the height": lambda: ("layer", f"it is {GridPath().typical_ones((100, 7)) / 100:g} times the height"),
    "scale of losses": lambda: ("layer", f"| `torch.amp.GradScaler` | lambda * {LARGEST_SCALE:.0f} at first |"),
    "seconds of a check": lambda: ("own-solver", f"`--time-limit` seconds ({float(default('check', '--time-limit')):g})"),
    "compiled tours": lambda: ("own-solver", f"exact, compiled up to {tour._MOST_COMPILED} nodes"),
    "tours of integer programs": lambda: ("decisions", f"above {tour._MOST_COMPILED} nodes by integer programs"),
    "solutions in memory": lambda: ("command-line", f"Where more than {distinct._CAPACITY:,} different solutions occur"),
    "tiles in a line": lambda: (
        "command-line",
        f"more than {problem._MOST_SHOWN} tiles, edges or items is shown by its first {problem._FIRST_SHOWN};",
    ),
    "recorded steps": lambda: (
        "training",
        f"of every step up to step {first_left_out() - 1}, then of fewer and fewer, "
        f"{sum(map(is_kept, range(STEPS + 1)))} of {int(default('train', '--steps')):,}",
    ),
    "costs of terrain": lambda: ("perception", f"cost {', '.join(map(str, COSTS[:-1]))} and {COSTS[-1]}"),
    "epochs": lambda: ("perception", f"500 maps to judge by, {default('perceive', '--epochs')} epochs"),
}


@pytest.mark.parametrize("what", SAID)
def test_a_sentence_has_the_figure(what):
    page, sentence = SAID[what]()
    assert sentence in TEXTS[page]


def test_as_many_maps_as_the_help_says():
    text = " ".join(Command("data")("--help").split())
    seen, judged = (re.search(rf"{words}; (\d+) maps", text)[1] for words in ("to learn from", "to be judged by"))
    assert f"12x12 tiles, {int(seen):,} maps to learn from, {judged} maps to judge by" in TEXTS["perception"]


@pytest.mark.parametrize("page", ["layer", "command-line"])
def test_the_standard_error_of_samples_that_agree(page):
    assert "standard error is not 0 but about 2/S, by Wilson's interval" in TEXTS[page]
    noise = imle_core.GumbelNoiseDistribution()
    for samples in (1000, 10_000):
        found = imle_core.marginals(imle_core.solvers.TopK(1), torch.tensor([[99.0, 0.0]]), noise, nb_samples=samples)
        assert found.standard_error.max().item() * samples == pytest.approx(2, rel=0.05)


def test_blackbox_learns_the_same_networks_as_i_mle():
    assert "`blackbox` learns the very same networks as `imle` here" in TEXTS["perception"]
    assert default("perceive", "--lambda,") == "1"
    learned = []
    for name in ("imle", "blackbox"):
        network, generator = make_network("small", seed=0), torch.Generator().manual_seed(0)
        method = make_method(name, noise_distribution=imle_core.SumOfGammaNoiseDistribution(k=5.2), generator=generator)
        for _ in PerceptionTraining(network, method, terrain_maps(16, 4, seed=0), epochs=2, batch=8, seed=0):
            pass
        learned.append([*network.parameters()])
    assert all(map(torch.equal, *learned))
    assert not any(map(torch.equal, learned[0], make_network("small", seed=0).parameters()))


def test_what_is_compared_takes_turns_as_is_said():
    assert "takes turns, a hundredth of a second each" in TEXTS["speed"]
    assert rounds._TURN == 0.01
    assert f"at most {rounds._NARROW:g} times its lower one" in TEXTS["speed"]
    assert f"until the {100 - 100 // rounds._MISSES}% interval of every ratio" in TEXTS["speed"]


def test_the_search_for_the_best_settings_goes_as_far_as_is_said():
    told = "until the error surely rises by more than 5%, or two further values do not surely lower it"
    assert f"{told}, or for six further values" in TEXTS["settings"]
    assert (search._SURE, search._LOOKS, search._WIDENINGS) == (0.05, 2, 6)
