"""Frames: colours of maps, paths and values; panels on whole pixels; texts that fit."""

import numpy as np
import pytest

from imle_cli.films.frames import MISSED, PALETTE, PATH, WALL, Panel, Scale, Scene, greys, ground, hues, with_path


class TestColours:
    def test_costs_are_greys_from_white_to_dark_and_walls_blue(self):
        shown = PALETTE[ground(np.array([[1.0, 100.0], [50.5, np.inf]]))]
        np.testing.assert_array_equal(shown[0], [[255, 255, 255], [38, 38, 38]])
        assert 140 < shown[1, 0, 0] < 153
        np.testing.assert_array_equal(shown[1, 1], [0x56, 0xB4, 0xE9])

    @pytest.mark.parametrize(("costs", "colour"), [(np.full((2, 2), 7.0), 0), (np.full((2, 2), np.inf), WALL)])
    def test_a_map_of_one_cost(self, costs, colour):
        assert (ground(costs) == colour).all()

    def test_a_path_lies_over_the_gold_one(self):
        path, gold = np.array([[1, 0, 0, 1]]), np.array([[1, 1, 0, 0]])
        np.testing.assert_array_equal(with_path(np.zeros((1, 4), np.uint8), path, gold), [[PATH, MISSED, 0, PATH]])
        np.testing.assert_array_equal(with_path(np.zeros((1, 4), np.uint8), path), [[PATH, 0, 0, PATH]])

    def test_values_are_viridis_from_end_to_end(self):
        shown = PALETTE[hues(np.array([-9.0, 0.0, 1.0, 9.0]), 0.0, 1.0)]
        np.testing.assert_array_equal(shown, [[68, 1, 84]] * 2 + [[253, 231, 37]] * 2)
        assert hues(np.array([np.inf, np.nan]), 0.0, 1.0).tolist() == [WALL, WALL]
        assert len(set(hues(np.zeros(3), 0.0, 0.0).tolist())) == 1

    def test_weights_are_greys_from_white_to_dark(self):
        assert greys(np.array([-9.0, -1.0, 3.0, 9.0, np.inf]), -1.0, 3.0).tolist() == [0, 0, 95, 95, WALL]


class TestScene:
    def test_tiles_are_squares_of_whole_pixels(self):
        scene = Scene((3, 5), 480)
        pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
        frame = scene.frame("", [Panel(pixels)])
        tile = 480 // 5
        assert frame.shape == scene.size
        top, left = np.argwhere(frame == 14)[0] - [2 * tile, 4 * tile]
        shown = frame[top : top + 3 * tile, left : left + 5 * tile]
        np.testing.assert_array_equal(shown, pixels.repeat(tile, 0).repeat(tile, 1))

    def test_a_large_map_is_reduced_and_its_path_stays_whole(self):
        mask = np.eye(1000, dtype=np.uint8)
        frame = Scene(mask.shape, 100).frame("", [Panel(with_path(np.zeros(mask.shape, np.uint8), mask))])
        assert np.count_nonzero(frame == PATH) == 100

    @pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (16, 16), (2, 1000)])
    @pytest.mark.parametrize("panels", [1, 4])
    def test_every_shape_gives_a_frame_of_the_size_it_says(self, shape, panels):
        scene = Scene(shape, 200, panels, captions=True)
        panel = Panel(np.zeros(shape, np.uint8), "caption", ((PATH, "path"), (MISSED, "gold, missed")))
        frame = scene.frame("headline", [panel] * panels)
        assert (frame.shape, frame.dtype) == (scene.size, np.uint8)
        assert max(frame.shape) < 500

    @pytest.mark.slow
    @pytest.mark.parametrize("words", ["", "步 10", "\udce9", "x" * 500])
    def test_any_headline_fits(self, words):
        scene = Scene((16, 16), 200)
        frame = scene.frame(words, [Panel(np.zeros((16, 16), np.uint8))])
        assert frame.shape == scene.size

    def test_a_key_has_its_colours(self):
        scene = Scene((16, 16), 480)
        blank = np.zeros((16, 16), np.uint8)
        squares = scene.frame("", [Panel(blank, "", ((PATH, "path"), (MISSED, "gold")))])
        assert {PATH, MISSED} <= set(squares.flat)
        scale = scene.frame("", [Panel(blank, "", Scale("0", "1"))])
        assert set(hues(np.linspace(0, 1, 64), 0, 1).tolist()) <= set(scale.flat)
        scale = scene.frame("", [Panel(blank, "", Scale("0", "1", is_grey=True))])
        assert set(greys(np.linspace(0, 1, 96), 0, 1).tolist()) <= set(scale.flat)

    def test_a_plot_is_as_wide_as_the_panels_and_below_them(self):
        scene = Scene((16, 16), 480, 2, captions=True, plot=True)
        plot = np.full(scene.plot, MISSED, np.uint8)
        frame = scene.frame("", [Panel(np.zeros((16, 16), np.uint8))] * 2, plot)
        rows, columns = np.nonzero(frame == MISSED)
        assert (frame == MISSED).sum() == plot.size
        assert frame.shape == scene.size
        assert (columns.min(), columns.max() + 1) == (scene.gap, scene.size[1] - scene.gap)
        assert rows.min() > 2 * scene.line + scene.height
