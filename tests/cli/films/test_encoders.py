"""Animation files: what they decode to, how long they last, that they stream."""

import subprocess
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from imle_cli.films.encoders import TRANSPARENT, AnimationError, write
from imle_cli.films.frames import PALETTE

KINDS = ("gif", "webp", "apng")


def pictures(count, shape=(33, 47), seed=0):
    """Pictures of colours below 255, each of which differs from the one before in a few pixels."""
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, TRANSPARENT, shape).astype(np.uint8)
    for _ in range(count):
        yield picture
        picture = picture.copy()
        row, column = generator.integers(0, min(shape), 2)
        picture[row, column] = (int(picture[row, column]) + 1) % TRANSPARENT


def encoded(kind, frames):
    file = BytesIO()
    write(file, kind, iter(frames), PALETTE)
    return Image.open(BytesIO(file.getvalue()))


def decoded(kind, frames):
    """Pictures ``(n, h, w, 3)`` and durations in milliseconds."""
    shown = [
        (np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(encoded(kind, frames))
    ]
    return np.array([picture for picture, _ in shown]), [duration for _, duration in shown]


@pytest.mark.parametrize("kind", KINDS)
class TestEveryFormat:
    def test_decoded_frames_are_the_drawn_ones(self, kind):
        drawn = list(pictures(12))
        found, durations = decoded(kind, [(picture, 130) for picture in drawn])
        np.testing.assert_array_equal(found, PALETTE[np.array(drawn)])
        assert durations == [130] * 12

    def test_a_frame_may_change_everywhere(self, kind):
        drawn = np.random.default_rng(1).integers(0, TRANSPARENT, (3, 20, 31)).astype(np.uint8)
        np.testing.assert_array_equal(decoded(kind, [(picture, 100) for picture in drawn])[0], PALETTE[drawn])

    def test_equal_frames_become_one_that_lasts(self, kind):
        first, second = pictures(2)
        found, durations = decoded(kind, [(first, 100), (first.copy(), 50), (second, 70), (second.copy(), 30)])
        np.testing.assert_array_equal(found, PALETTE[np.array([first, second])])
        assert durations == [150, 100]

    def test_it_loops_for_ever(self, kind):
        assert encoded(kind, [(picture, 100) for picture in pictures(3)]).info["loop"] == 0

    def test_a_single_frame(self, kind):
        (picture,) = pictures(1)
        image = encoded(kind, [(picture, 100)])
        assert image.size == (47, 33)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), PALETTE[picture])

    def test_a_single_pixel(self, kind):
        drawn = [np.full((1, 1), colour, dtype=np.uint8) for colour in (1, 200)]
        np.testing.assert_array_equal(decoded(kind, [(picture, 100) for picture in drawn])[0], PALETTE[np.array(drawn)])

    def test_a_long_duration(self, kind):
        first, second = pictures(2)
        assert decoded(kind, [(first, 100_000), (second, 100)])[1] == [100_000, 100]

    @pytest.mark.slow
    def test_memory_does_not_grow_with_the_frames(self, kind):
        class Nowhere(BytesIO):
            """Forgets what is written and knows where it is."""

            place = 0

            def write(self, data):
                self.place += len(data)
                return len(data)

            def tell(self):
                return self.place

            def seek(self, place, whence=0):
                self.place = place if whence == 0 else self.place
                return self.place

        def peak(count):
            tracemalloc.start()
            try:
                write(Nowhere(), kind, ((picture, 40) for picture in pictures(count, (64, 64))), PALETTE)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        peak(2)  # imports
        assert peak(4000) < 700_000  # the pictures alone would take 16 MB


class TestGif:
    def test_rounding_of_durations_does_not_add_up(self):
        assert sum(decoded("gif", [(picture, 125) for picture in pictures(80)])[1]) == 80 * 125

    def test_the_palette_is_written_once(self):
        file = BytesIO()
        write(file, "gif", ((picture, 100) for picture in pictures(50)), PALETTE)
        assert file.getvalue().count(PALETTE[:20].tobytes()) == 1


class TestMp4:
    @pytest.mark.slow
    def test_frames_and_length(self):
        ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
        drawn = [np.full((33, 47), colour, dtype=np.uint8) for colour in (0, 95)]
        with Path("a").open("wb") as file:
            write(file, "mp4", iter([(drawn[0], 1000), (drawn[1], 3000)]), PALETTE)
        call = [ffmpeg, "-v", "error", "-i", "a", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        found = np.frombuffer(subprocess.run(call, capture_output=True, check=True).stdout, np.uint8)
        found = found.reshape(100, 34, 48, 3)
        assert (found[:24] > 240).all()
        assert (found[26:] < 60).all()

    def test_without_an_encoder(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
        message = r"^--format: mp4 needs an encoder that is not installed; pip install 'imle\[mp4\]', or take --format gif$"
        with pytest.raises(AnimationError, match=message):
            write(BytesIO(), "mp4", ((picture, 100) for picture in pictures(2)), PALETTE)
