"""Films: which moments they show, what is in each frame, how long it is shown."""

import numpy as np
import pytest

from imle_cli.films.frames import MISSED, PATH
from imle_cli.films.map import MapFilms
from imle_cli.films.timing import evenly, timed
from imle_cli.films.training import RunFilms
from imle_cli.runs.directories import RunError
from imle_cli.runs.training import TrainingHistory

OPTIONS = {"input_temp": 5.0, "target_temp": 0.5, "solver": "dijkstra"}


def history(records=11, weights=None):
    gold = np.eye(8, dtype=np.uint8)
    made = TrainingHistory(gold, np.ones((8, 8)))
    for number in range(records):
        solution = gold if number > records // 2 else np.eye(8, dtype=np.uint8)[::-1]
        made.add(10 * number, np.full((8, 8), 0.1 * number) if weights is None else weights, gold, solution)
    return made


def films(recorded, most=100, size=128, options=OPTIONS):
    rows = [(step, 9.0 - 0.05 * step, 3) for step in range(10 * len(recorded.steps) - 9)]
    return RunFilms(recorded, rows, options, size, most)


class TestTime:
    @pytest.mark.parametrize("fps", [0.1, 1, 7, 8, 30, 50])
    def test_frames_last_a_frame_and_the_last_two_seconds_more(self, fps):
        pictures = [np.full((2, 2), number, np.uint8) for number in range(9)]
        shown = list(timed(iter(pictures), fps))
        assert [int(picture[0, 0]) for picture, _ in shown] == list(range(9))
        assert sum(duration for _, duration in shown) == pytest.approx(9000 / fps + 2000, abs=1)
        assert shown[-1][1] == pytest.approx(1000 / fps + 2000, abs=1)

    def test_a_single_frame_is_the_last(self):
        assert [duration for _, duration in timed(iter([np.zeros((1, 1), np.uint8)]), 10)] == [2100]

    @pytest.mark.parametrize(
        ("count", "most", "places"),
        [
            (1, 100, [0]),
            (5, 100, [0, 1, 2, 3, 4]),
            (5, 1, [4]),
            (5, 2, [0, 4]),
            (11, 3, [0, 5, 10]),
            (111, 4, [0, 37, 73, 110]),
        ],
    )
    def test_moments_are_even_with_first_and_last(self, count, most, places):
        assert evenly(count, most).tolist() == places


class TestRunFilms:
    def test_one_frame_a_record_all_of_one_size(self):
        made = films(history())
        assert list(made.films) == ["learning_paths", "learning_weights", "learning"]
        for film in made.films.values():
            frames = list(film())
            assert len(frames) == made.count == 11
            assert len({frame.shape for frame in frames}) == 1

    def test_the_step_is_in_every_frame(self):
        for film in films(history(weights=np.zeros((8, 8)))).films.values():
            headlines = {frame[:14].tobytes() for frame in film()}
            assert len(headlines) == 11

    @pytest.mark.slow
    def test_the_temperatures_are_in_every_frame(self):
        for name in ("input_temp", "target_temp"):
            one, other = films(history()), films(history(), options=OPTIONS | {name: 2.0})
            for film in one.films:
                pairs = zip(one.films[film](), other.films[film](), strict=True)
                assert not any(np.array_equal(a[:14], b[:14]) for a, b in pairs)

    def test_a_missed_gold_path_shows_until_it_is_found(self):
        # The square of the key is there always.
        missed = [int(np.count_nonzero(frame == MISSED)) for frame in films(history()).films["learning_paths"]()]
        assert missed[0] == missed[5] > 8 * 16 * 16
        assert missed[-1] == missed[6] < 100

    def test_weights_have_one_scale_in_all_frames(self):
        film = films(history()).films["learning_weights"]
        middles = [int(frame[frame.shape[0] // 2, frame.shape[1] // 2]) for frame in film()]
        assert middles == sorted(middles)
        assert middles[-1] - middles[0] == 95

    def test_weights_may_be_walls_everywhere(self):
        for film in films(history(weights=np.full((8, 8), np.inf))).films.values():
            assert len(list(film())) == 11

    def test_no_history(self):
        message = "^history.npz: nothing was recorded before the run stopped; go on with imle train --resume$"
        with pytest.raises(RunError, match=message):
            films(history(0))
        with pytest.raises(RunError, match=message.replace("history.npz", "metrics.csv")):
            RunFilms(history(1), [], OPTIONS, 128, 100)


class TestMapFilms:
    def made(self, count=20, most=100):
        generator = np.random.default_rng(0)
        samples = generator.integers(0, 2, (count, 4, 6))
        costs = np.ones((4, 6))
        costs[0, 0] = np.inf
        return samples, MapFilms(costs, lambda: iter(samples), count, "no noise", 96, most)

    def test_paths_are_the_samples(self):
        samples, made = self.made()
        for sample, frame in zip(samples, made.films["paths"](), strict=True):
            # Sixteen pixels a tile, and the square of the key.
            assert np.count_nonzero(frame == PATH) - 256 * sample.sum() in range(10, 100)

    def test_the_distribution_ends_with_the_mean(self):
        samples, made = self.made(count=20, most=3)
        frames = list(made.films["distribution"]())
        assert len(frames) == made.count == 3
        rows, columns = np.nonzero(samples.mean(axis=0) == samples.mean(axis=0).max())
        assert made.count == len(list(made.films["paths"]()))
        top, left = np.argwhere(frames[-1] > 150)[0]  # the wall, at the map's corner
        tile = frames[-1][top + 16 * rows[0] + 8, left + 16 * columns[0] + 8]
        assert tile == 96 + round(63 * samples.mean(axis=0).max())
