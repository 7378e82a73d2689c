"""Terrain: costs from pictures and arrays, compared with the formulas, and every message word for word."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from imle_cli.files.maps import pictures, tiles
from imle_cli.files.maps.terrain import MAX_TILES, built_in_map, load
from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError

WALL = np.inf
NOT_POSITIVE = "costs must be > 0, use inf for a wall"
UNKNOWN_PICTURE = "is not a picture of a known kind; give a PNG, or costs as .npy, .csv or .txt"


def message(path, **options):
    """The text of the error that loading raises."""
    with pytest.raises((SourceError, UsageError), match=r".") as caught:
        load(path, **options)
    assert isinstance(caught.value, SourceError) or options
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert text.startswith(("--", " ".join(f"{path}: ".splitlines())))
    return text


def loaded_or_refused(path):
    """The costs, or None after an error of our kind; any other fails the test."""
    try:
        return load(path)
    except SourceError:
        message(path)
        return None


def saved(folder, picture, name="map.png", **options):
    path = folder / name
    picture.save(path, **options)
    return path


def picture_of(costs, low=1.0, high=100.0):
    """``grey = round(255 * (high - cost) / (high - low))``, walls transparent."""
    costs, wall = np.asarray(costs), np.isinf(costs)
    grey = np.rint(255 * (high - np.where(wall, high, costs)) / ((high - low) or 1.0)).astype(np.uint8)
    return Image.fromarray(np.dstack([grey, np.where(wall, 0, 255).astype(np.uint8)]) if wall.any() else grey)


def written(folder, content, name="map.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def array_file(folder, array, name="map.npy"):
    path = folder / name
    np.save(path, array, allow_pickle=True)
    return path


def png(height, width, depth, colour, rows=None, transparency=b""):
    """A PNG by hand; without rows it is the header and the start of nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    if transparency:
        data += chunk(b"tRNS", transparency)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows)) if rows else b""
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IDAT", pixels) + (chunk(b"IEND", b"") if rows else b"")


def tiff(values, bits, photometric):
    """A little-endian grey TIFF of one row, by hand."""
    tags = {256: len(values), 257: 1, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1, 278: 1, 279: 2 * len(values)}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + np.array(values, "<u2").tobytes()


def scaled(luminance):
    """The formula of the default scale, 1 to 100."""
    return 100 - 99 * np.asarray(luminance, dtype=float)


def averaged(costs, grid):
    """Independent of the code: cut each tile into equal parts so that the grid divides the map."""
    height, width = costs.shape
    fine = np.repeat(np.repeat(costs, grid[0], axis=0), grid[1], axis=1)
    parts = fine.reshape(grid[0], height, grid[1], width).swapaxes(1, 2).reshape(*grid, height * width)
    result = np.full(grid, WALL)
    for tile in np.ndindex(*grid):
        passable = parts[tile][np.isfinite(parts[tile])]
        if 2 * len(passable) >= height * width:
            result[tile] = np.mean(passable)
    return result


class TestBuiltInMap:
    def test_three_ridges(self):
        rows = ["." * 16] + ["#" * 12 + "." * 4] * 5 + ["." * 16] * 2
        rows += ["." + "#" * 15] * 4 + ["." * 16] * 2 + ["." * 6 + "#" * 4 + "." * 6] * 2
        expected = [[{".": 1.0, "#": 100.0}[tile] for tile in row] for row in rows]
        assert built_in_map().dtype == np.float64
        np.testing.assert_array_equal(built_in_map(), expected)

    def test_each_call_gives_a_new_array(self):
        built_in_map()[:] = 7
        assert built_in_map()[0, 0] == 1

    def test_its_picture_is_the_same_map(self, tmp_path):
        path = saved(tmp_path, picture_of(built_in_map()))
        np.testing.assert_array_equal(load(path), built_in_map())


class TestGrey:
    @pytest.mark.parametrize(("low", "high"), [(1.0, 100.0), (0.1, 0.7), (1 / 3, 1e300), (2.5, 2.5)])
    @pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "P", "I;16"])
    def test_white_and_black_are_the_bounds_to_the_bit(self, tmp_path, mode, low, high):
        if mode == "I;16":
            picture = Image.fromarray(np.array([[65535, 0]], dtype=np.uint16))
        else:
            picture = Image.fromarray(np.array([[255, 0]], dtype=np.uint8)).convert(mode)
        path = saved(tmp_path, picture)
        np.testing.assert_array_equal(load(path, min_cost=low, max_cost=high), [[low, high]])

    def test_all_levels_of_8_bits(self, tmp_path):
        path = saved(tmp_path, Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)))
        np.testing.assert_allclose(load(path), scaled(np.arange(256).reshape(16, 16) / 255), rtol=1e-14)

    def test_grey_rgb_equals_grey_to_the_bit(self, tmp_path):
        grey = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
        np.testing.assert_array_equal(
            load(saved(tmp_path, grey.convert("RGB"), "rgb.png")), load(saved(tmp_path, grey, "grey.png"))
        )

    @pytest.mark.parametrize("name", ["map.png", "map.tif"])
    def test_16_bits_keep_every_level(self, tmp_path, name):
        levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
        costs = load(saved(tmp_path, Image.fromarray(levels), name))
        assert len(np.unique(costs)) == 65536
        np.testing.assert_allclose(costs, scaled(levels / 65535), rtol=1e-13)

    def test_big_endian_16_bits(self, tmp_path):
        picture = Image.frombytes("I;16B", (3, 1), np.array([0, 1000, 65535], ">u2").tobytes())
        path = saved(tmp_path, picture, "map.tif")
        with Image.open(path) as opened:
            assert opened.mode == "I;16B"
        np.testing.assert_allclose(load(path), scaled([[0, 1000 / 65535, 1]]), rtol=1e-14)

    def test_32_bit_integers_are_16_bit_grey(self, tmp_path):
        path = saved(tmp_path, Image.fromarray(np.array([[0, 1000, 65535]], dtype=np.int32)), "map.tif")
        np.testing.assert_allclose(load(path), scaled([[0, 1000 / 65535, 1]]), rtol=1e-14)

    def test_float_is_luminance(self, tmp_path):
        path = saved(tmp_path, Image.fromarray(np.array([[0, 0.25, 1]], dtype=np.float32)), "map.tif")
        np.testing.assert_array_equal(load(path), scaled([[0, 0.25, 1]]))

    @pytest.mark.parametrize(("value", "text"), [(70000, "70000.0"), (-1, "-1.0")])
    def test_integers_out_of_range(self, tmp_path, value, text):
        path = saved(tmp_path, Image.fromarray(np.array([[0, 50000], [value, 7]], dtype=np.int32)), "map.tif")
        rule = "grey must lie in 0..65535, so save costs as .npy instead"
        assert message(path) == f"{path}: has a pixel of {text} at row 1, column 0; {rule}"

    @pytest.mark.parametrize(("value", "text"), [(np.nan, "nan"), (1.5, "1.5"), (-0.25, "-0.25"), (np.inf, "inf")])
    def test_floats_out_of_range(self, tmp_path, value, text):
        path = saved(tmp_path, Image.fromarray(np.array([[0, value], [2, 1]], dtype=np.float32)), "map.tif")
        rule = "a float picture holds luminance in 0..1, so save costs as .npy instead"
        assert message(path) == f"{path}: has a pixel of {text} at row 0, column 1; {rule}"

    @pytest.mark.parametrize(("bits", "photometric"), [(16, 0), (12, 1)])
    def test_tiff_grey_that_pillow_misreads_is_refused(self, tmp_path, bits, photometric):
        path = written(tmp_path, tiff([0, 1000, 65535, 7], bits, photometric), "map.tif")
        reason = "TIFF grey that is 12 bits deep, or has 0 for white"
        assert message(path) == f"{path}: cannot be read as a picture ({reason}); save it again, best as PNG"

    def test_tiff_by_hand_is_read_where_it_is_plain(self, tmp_path):
        path = written(tmp_path, tiff([0, 1000, 65535], 16, 1), "map.tif")
        np.testing.assert_allclose(load(path), scaled([[0, 1000 / 65535, 1]]), rtol=1e-14)


class TestColour:
    COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (10, 20, 31))
    LIGHT = ((0.299, 0.587, 0.114, (2.99 + 11.74 + 3.534) / 255),)

    def row(self, mode="RGB"):
        return Image.fromarray(np.array([self.COLOURS], dtype=np.uint8)).convert(mode)

    @pytest.mark.parametrize(
        ("mode", "name"),
        [
            *((mode, name) for mode in ("RGB", "RGBA", "P") for name in ("map.png", "map.tif")),
            ("CMYK", "map.tif"),
        ],
    )
    def test_bt601_unrounded(self, tmp_path, mode, name):
        picture = self.row().quantize(4) if mode == "P" else self.row(mode)
        np.testing.assert_allclose(load(saved(tmp_path, picture, name)), scaled(self.LIGHT), rtol=1e-13)

    def test_ycbcr_is_its_own_luminance(self, tmp_path):
        # Few files keep this mode once they are opened, hence the inner function.
        picture = self.row("YCbCr")
        light, wall = pictures._luminance(tmp_path, picture, 0)
        np.testing.assert_allclose(light, self.LIGHT, atol=1 / 255)
        np.testing.assert_array_equal(light, np.asarray(picture)[..., 0] / 255)
        assert not wall.any()

    def test_16_bit_colour_counts_by_its_upper_bits(self, tmp_path):
        pixels = np.array([[65535] * 3, [0] * 3, [0x8012, 0x8034, 0x80FF]], dtype=">u2").tobytes()
        path = written(tmp_path, png(1, 3, 16, 2, [pixels]), "map.png")
        np.testing.assert_allclose(load(path), scaled([[1, 0, 0x80 / 255]]), rtol=1e-14)

    @pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "YCbCr"])
    def test_jpeg(self, tmp_path, mode):
        path = saved(
            tmp_path, self.row(mode).resize((32, 8), Image.Resampling.NEAREST), "map.jpg", quality=100, subsampling=0
        )
        np.testing.assert_allclose(load(path)[:, ::8], np.tile(scaled(self.LIGHT), (8, 1)), atol=2 * 99 / 255)

    def test_lab_is_refused(self, tmp_path):
        path = saved(tmp_path, Image.new("LAB", (2, 2)), "map.tif")
        assert message(path) == f"{path}: cannot be read as a picture (colour mode LAB); save it again, best as PNG"


class TestWalls:
    def test_alpha_0_is_a_wall_and_alpha_1_is_not(self, tmp_path):
        rgba = Image.fromarray(np.array([[[255, 255, 255, 0], [255, 255, 255, 1], [0, 0, 0, 255]]], dtype=np.uint8))
        for mode in ("RGBA", "LA"):
            path = saved(tmp_path, rgba.convert(mode), f"{mode}.png")
            np.testing.assert_array_equal(load(path), [[WALL, 1, 100]])

    @pytest.mark.parametrize("transparency", [1, bytes([255, 0, 9])])
    def test_palette(self, tmp_path, transparency):
        picture = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8)).convert("P")
        picture.putpalette([255, 255, 255, 0, 0, 0, 0, 0, 0])
        path = saved(tmp_path, picture, transparency=transparency)
        with Image.open(path) as opened:
            assert opened.mode == "P"
        np.testing.assert_array_equal(load(path), [[1, WALL, 100]])

    @pytest.mark.parametrize(
        ("mode", "pixels", "key"),
        [
            ("L", [[0, 7, 255]], 7),
            ("I;16", [[0, 1799, 65535]], 1799),
            ("RGB", [[[0, 0, 0], [7, 8, 9], [255, 255, 255]]], (7, 8, 9)),
        ],
    )
    def test_transparent_colour(self, tmp_path, mode, pixels, key):
        picture = Image.fromarray(np.array(pixels, dtype=np.uint16 if mode == "I;16" else np.uint8))
        assert picture.mode == mode
        path = saved(tmp_path, picture, transparency=key)
        np.testing.assert_array_equal(load(path), [[100, WALL, 1]])

    def test_one_channel_alike_is_not_the_transparent_colour(self, tmp_path):
        picture = Image.fromarray(np.array([[[7, 8, 0], [7, 8, 9]]], dtype=np.uint8))
        costs = load(saved(tmp_path, picture, transparency=(7, 8, 9)))
        np.testing.assert_array_equal(np.isinf(costs), [[False, True]])

    @pytest.mark.parametrize(("key", "expected"), [(0, [[1, WALL]]), (1, [[WALL, 100]])])
    def test_transparent_colour_of_1_bit(self, tmp_path, key, expected):
        path = written(tmp_path, png(1, 2, 1, 0, [b"\x80"], struct.pack(">H", key)), "map.png")
        np.testing.assert_array_equal(load(path), expected)

    @pytest.mark.parametrize(
        ("depth", "colour", "row", "key"),
        [
            (2, 0, b"\x1b", struct.pack(">H", 1)),
            (4, 0, b"\x05\xaf", struct.pack(">H", 5)),
            (16, 2, bytes(24), struct.pack(">HHH", 0x0102, 0x0304, 0x0506)),
        ],
    )
    def test_a_transparent_colour_that_would_be_missed_is_refused(self, tmp_path, depth, colour, row, key):
        path = written(tmp_path, png(1, 4, depth, colour, [row], key), "map.png")
        reason = "PNG with a transparent colour of 2, 4 or 16 bits, where 8 bits or an alpha channel can be read"
        assert message(path) == f"{path}: cannot be read as a picture ({reason}); save it again, best as PNG"
        load(written(tmp_path, png(1, 4, depth, colour, [row]), "map.png"))

    def test_16_bit_grey_with_alpha(self, tmp_path):
        pixels = np.array([[0xFFFF, 0], [0xFFFF, 0xFFFF], [0, 0x8000]], dtype=">u2").tobytes()
        path = written(tmp_path, png(1, 3, 16, 4, [pixels]), "map.png")
        np.testing.assert_array_equal(load(path), [[WALL, 1, 100]])

    def test_a_map_all_of_walls_is_loaded(self, tmp_path):
        path = saved(tmp_path, Image.new("RGBA", (3, 2)))
        np.testing.assert_array_equal(load(path), np.full((2, 3), WALL))


class TestPictureFiles:
    @pytest.mark.parametrize("name", ["map.gif", "map.tif", "map.png", "map.webp"])
    def test_the_first_of_several_frames(self, tmp_path, name):
        frames = [Image.new("L", (4, 3), level) for level in (255, 0, 0)]
        options = {"lossless": True} if name == "map.webp" else {}
        path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(load(path), np.ones((3, 4)))

    @pytest.mark.parametrize("name", ["map.png", "map.tif", "map.jpg"])
    def test_an_orientation_tag_turns_the_map(self, tmp_path, name):
        exif = Image.Exif()
        exif[0x0112] = 6
        grey = np.zeros((16, 32), dtype=np.uint8)
        grey[:, :16] = 255
        path = saved(tmp_path, Image.fromarray(grey), name, exif=exif)
        expected = np.full((32, 16), 100.0)
        expected[:16] = 1
        np.testing.assert_array_equal(load(path), expected)
        np.testing.assert_array_equal(load(path, grid=(2, 1)), [[1], [100]])

    def test_unicode_path(self, tmp_path):
        path = saved(tmp_path, Image.new("L", (2, 1), 255), "карта ☃.png")
        np.testing.assert_array_equal(load(path), [[1, 1]])

    def test_a_name_with_a_line_break_stays_on_one_line(self, tmp_path):
        assert message(tmp_path / "a\nb.png") == f"{tmp_path}/a b.png: no such file; check the path"

    @pytest.mark.parametrize("name", ["map.png", "map", "map.abc"])
    def test_text_is_not_a_picture(self, tmp_path, name):
        path = written(tmp_path, "hello\nworld\n", name)
        assert message(path) == f"{path}: {UNKNOWN_PICTURE}"

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["map.png", "map.jpg", "map.bmp", "map.tif", "map.gif", "map.webp", "map.ico"])
    def test_every_truncation_is_an_error_or_the_whole_map(self, tmp_path, name):
        noise = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)
        path = saved(tmp_path, Image.fromarray(noise), name)
        content, whole = path.read_bytes(), load(path)
        for length in range(1, len(content), max(1, len(content) // 60)):
            path.write_bytes(content[:length])
            costs = loaded_or_refused(path)
            if costs is not None:
                np.testing.assert_array_equal(costs, whole)

    def test_truncated(self, tmp_path):
        path = saved(tmp_path, Image.new("L", (20, 20)), "map.bmp")
        path.write_bytes(path.read_bytes()[:-7])
        reason = "image file is truncated (13 bytes not processed)"
        assert message(path) == f"{path}: cannot be read as a picture ({reason}); save it again, best as PNG"

    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def test_a_damaged_file_raises_nothing_but_errors_of_ours(self, folder, data):
        name = data.draw(st.sampled_from(["map.png", "map.tif", "map.gif", "map.bmp"]))
        path = saved(folder, picture_of(built_in_map()), name)
        content = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
            content[place] = data.draw(st.integers(0, 255))
        path.write_bytes(content)
        costs = loaded_or_refused(path)
        assert costs is None or (costs.ndim == 2 and (costs > 0).all())

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            (OSError("broken\ndata"), "broken data"),
            (SyntaxError("not a TIFF"), "not a TIFF"),
            (ValueError("bad\r\nvalue"), "bad value"),
            (struct.error("short"), "short"),
            (EOFError(), "EOFError"),
            (RuntimeError("x"), "x"),
        ],
    )
    def test_whatever_a_reader_raises(self, tmp_path, monkeypatch, error, reason):
        path = written(tmp_path, "x", "map.png")

        def fail(*_, **__):
            raise error

        monkeypatch.setattr(Image, "open", fail)
        assert message(path) == f"{path}: cannot be read as a picture ({reason}); save it again, best as PNG"

    def test_a_picture_that_takes_too_much_memory_is_named(self, tmp_path, monkeypatch):
        path = written(tmp_path, "x", "map.png")

        def fail(*_, **__):
            raise MemoryError

        monkeypatch.setattr(Image, "open", fail)
        assert message(path) == f"{path}: takes more memory than there is, or is damaged; shrink it, or save it again"

    @pytest.mark.parametrize(("error", "names"), [(MemoryError, ["map.npy"]), (KeyboardInterrupt, ["map.png", "map.npy"])])
    def test_memory_errors_of_arrays_and_interrupts_pass(self, tmp_path, monkeypatch, error, names):
        def fail(*_, **__):
            raise error

        monkeypatch.setattr(Image, "open", fail)
        monkeypatch.setattr(np.lib.format, "read_magic", fail)
        for name in names:
            path = written(tmp_path, "x", name)
            with pytest.raises(error):
                load(path)


class TestSize:
    @pytest.mark.parametrize("grid", [None, (8, 8)])
    @pytest.mark.parametrize(("height", "width"), [(100_000, 100_000), (16_384, 16_385), (20_000, 20_000)])
    def test_bomb(self, tmp_path, height, width, grid):
        path = written(tmp_path, png(height, width, 8, 0), "bomb.png")
        text = "claims more than 268435456 pixels; that many cannot be read, so crop or shrink the picture"
        limit = Image.MAX_IMAGE_PIXELS
        assert message(path, grid=grid) == f"{path}: {text}"
        assert limit == Image.MAX_IMAGE_PIXELS

    @pytest.mark.parametrize(("height", "width"), [(4097, 4096), (10_000, 10_000), (16_384, 16_384)])
    def test_a_big_picture_asks_for_a_grid_before_it_is_decoded(self, tmp_path, height, width):
        path = written(tmp_path, png(height, width, 8, 0), "big.png")
        text = f"{height}x{width} tiles are too many; at most 16777216 can be used, so average with --grid HxW"
        assert message(path) == f"{path}: {text}"
        # With a grid it goes on to the pixels, of which there are none.
        assert message(path, grid=(4, 4)).startswith(f"{path}: cannot be read as a picture (")

    @pytest.mark.slow
    def test_a_big_picture_is_averaged_without_a_warning(self, tmp_path):
        picture = Image.new("1", (10_000, 9_000), 1)
        picture.paste(0, (5_000, 0, 10_000, 9_000))
        path = saved(tmp_path, picture)
        np.testing.assert_array_equal(load(path, grid=(2, 4)), [[1, 1, 100, 100]] * 2)

    def test_a_big_array_asks_for_a_grid_before_it_is_read(self, tmp_path):
        path = tmp_path / "map.npy"
        np.lib.format.open_memmap(path, "w+", np.uint8, (4097, 4096))
        text = "4097x4096 tiles are too many; at most 16777216 can be used, so average with --grid HxW"
        assert message(path) == f"{path}: {text}"

    def test_an_array_too_big_even_for_a_grid(self, tmp_path):
        path = tmp_path / "map.npy"
        np.lib.format.open_memmap(path, "w+", np.uint8, (2**14 + 1, 2**14))
        text = "16385x16384 tiles are too many; at most 268435456 can be read, so crop or shrink the file"
        assert message(path, grid=(2, 2)) == f"{path}: {text}"

    def test_text_is_counted_before_it_is_parsed(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tiles, "MAX_TILES", 5)
        path = written(tmp_path, "1,2\n3,x\n5,6\n")
        text = "3x2 tiles are too many; at most 5 can be used, so average with --grid HxW"
        assert message(path) == f"{path}: {text}"

    @pytest.mark.slow
    def test_the_most_tiles(self, tmp_path):
        path = array_file(tmp_path, np.ones((4096, 4096), dtype=np.uint8))
        assert load(path).size == MAX_TILES == 16777216

    def test_a_picture_of_nothing(self, tmp_path, monkeypatch):
        path = written(tmp_path, "x", "map.png")
        monkeypatch.setattr(Image, "open", lambda *_, **__: Image.new("L", (0, 3)))
        assert message(path) == f"{path}: has 3x0 tiles; a map needs at least one"


class TestArrays:
    @pytest.mark.parametrize("kind", ["bool", "u1", "i2", ">i4", "u8", "f2", "f4", ">f8", "g"])
    def test_costs_as_they_are(self, tmp_path, kind):
        path = array_file(tmp_path, np.ones((2, 3), dtype=kind))
        costs = load(path, min_cost=5, max_cost=6)
        assert (costs.dtype, type(costs)) == (np.float64, np.ndarray)
        np.testing.assert_array_equal(costs, np.ones((2, 3)))

    @pytest.mark.parametrize("name", ["map.npy", "MAP.NPY"])
    def test_values_order_and_walls(self, tmp_path, name):
        expected = np.array([[1e-300, 2.5, WALL], [1e300, 7, 1 / 3]])
        with (tmp_path / name).open("wb") as stream:
            np.save(stream, np.asfortranarray(expected))
        np.testing.assert_array_equal(load(tmp_path / name), expected)

    @pytest.mark.parametrize(
        ("array", "kind"),
        [(np.ones((2, 2), complex), "complex128"), (np.array([["1"]]), "<U1"), (np.ones(2, "M8[s]"), "datetime64[s]")],
    )
    def test_not_numbers(self, tmp_path, array, kind):
        path = array_file(tmp_path, array)
        assert message(path) == f"{path}: holds values of type {kind}; costs must be real numbers"

    def test_structured(self, tmp_path):
        path = array_file(tmp_path, np.zeros((2, 2), [("a", "<i8")]))
        assert message(path) == f"{path}: holds values of type fields with names; costs must be real numbers"

    def test_objects(self, tmp_path):
        path = array_file(tmp_path, np.array([[1, None]], dtype=object))
        text = "holds Python objects, which are not read since that may run code; save it with numpy.save as numbers"
        assert message(path) == f"{path}: {text}"

    @pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
    def test_not_two_dimensions(self, tmp_path, shape):
        path = array_file(tmp_path, np.ones(shape))
        assert message(path) == f"{path}: has shape {shape}; a map has two dimensions (height, width)"

    def test_no_tiles(self, tmp_path):
        path = array_file(tmp_path, np.ones((0, 3)))
        assert message(path) == f"{path}: has 0x3 tiles; a map needs at least one"

    def test_truncated(self, tmp_path):
        path = array_file(tmp_path, np.ones((9, 9)))
        path.write_bytes(path.read_bytes()[:-1])
        text = "is cut off: it holds 647 bytes of numbers and needs 648; copy or save it again"
        assert message(path) == f"{path}: {text}"

    def test_a_long_header_is_not_read(self, tmp_path):
        header = repr({"descr": "<f8", "fortran_order": False, "shape": (1, 1)}).ljust(20_000) + "\n"
        path = written(tmp_path, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode(), "map.npy")
        text = "has a header of 20001 bytes, that of numbers is below 10000; save it with numpy.save as numbers"
        assert message(path) == f"{path}: {text}"

    def test_archive(self, tmp_path):
        path = tmp_path / "map.npy"
        with path.open("wb") as stream:
            np.savez(stream, costs=np.ones((2, 2)), gold=np.ones((2, 2)))
        assert message(path) == f"{path}: holds 2 arrays ('costs', 'gold'); save the one map with numpy.save"

    @pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan, -np.inf])
    def test_one_bad_cost(self, tmp_path, bad):
        costs = np.ones((3, 4))
        costs[1, 2] = bad
        path = array_file(tmp_path, costs)
        assert message(path) == f"{path}: 1 cost is not positive (first: {bad} at row 1, column 2); {NOT_POSITIVE}"

    def test_three_bad_costs(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tiles, "BAND_TILES", 3)
        path = array_file(tmp_path, np.array([[1, 2, -1.0], [np.nan, WALL, 0], [1, 1, 1]]))
        text = f"3 costs are not positive (first: -1.0 at row 0, column 2); {NOT_POSITIVE}"
        assert message(path, grid=(1, 1)) == f"{path}: {text}"

    def test_the_row_is_counted_from_the_top_of_the_map(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tiles, "BAND_TILES", 3)
        path = array_file(tmp_path, np.array([[1, 2], [3, 4], [5, False]]))
        assert message(path) == f"{path}: 1 cost is not positive (first: 0.0 at row 2, column 1); {NOT_POSITIVE}"

    def test_a_false_in_a_boolean_map_is_a_cost_of_zero(self, tmp_path):
        path = array_file(tmp_path, np.array([[True, False]]))
        assert message(path) == f"{path}: 1 cost is not positive (first: 0.0 at row 0, column 1); {NOT_POSITIVE}"


class TestText:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("map.csv", "1,2.5,inf\n4,5e0,6\n"),
            ("map.CSV", " 1, 2.5 ,Infinity\r\n\r\n4,5,6"),
            ("map.csv", b"\xef\xbb\xbf1,2.5,inf\n4,5,6\n"),
            ("map.csv", "# row, column\n1,2.5,inf\n4,5,6\n\n"),
            ("map.txt", "1 2.5\tinf\n  4 5   6\n"),
            ("map.Txt", b"\xef\xbb\xbf# costs\n1 2.5 INF\n4 5 6"),
        ],
    )
    def test_values(self, tmp_path, name, content):
        path = written(tmp_path, content, name)
        np.testing.assert_array_equal(load(path), [[1, 2.5, WALL], [4, 5, 6]])

    @pytest.mark.parametrize(("name", "delimiter"), [("map.csv", ","), ("map.txt", " ")])
    def test_what_numpy_wrote_is_read_to_the_bit(self, tmp_path, name, delimiter):
        costs = np.random.default_rng(1).random((7, 5)) + 0.1
        np.savetxt(tmp_path / name, costs, delimiter=delimiter, header="costs\nof a map")
        np.testing.assert_array_equal(load(tmp_path / name), costs)

    def test_ragged(self, tmp_path):
        path = written(tmp_path, "# head\n1,2,3\n\n4,5\n")
        text = "line 4 has 2 cells and line 2 has 3; every line must have the same number"
        assert message(path) == f"{path}: {text}"

    @pytest.mark.parametrize(
        ("name", "content", "got", "between"),
        [
            ("map.csv", "1,2\n3,x\n", "value 2 of line 2 is 'x'", "commas"),
            ("map.csv", "1;2\n3;x4\n", "value 2 of line 2 is 'x4'", "semicolons"),
            ("map.csv", "1_5,2\n", "value 1 of line 1 is '1_5'", "commas"),
            ("map.txt", "1.5 2\n3 4,5\n", "value 2 of line 2 is '4,5'", "white space"),
            ("map.txt", "a" * 99, f"value 1 of line 1 is '{'a' * 40}'", "white space"),
        ],
    )
    def test_not_a_number(self, tmp_path, name, content, got, between):
        path = written(tmp_path, content, name)
        assert message(path) == f"{path}: {got}, not a number; write numbers with {between} between them"

    @pytest.mark.parametrize("content", ["\n \n", "# nothing\n", b"\xef\xbb\xbf"])
    def test_no_numbers(self, tmp_path, content):
        path = written(tmp_path, content)
        assert message(path) == f"{path}: holds no rows; write one line for each"

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
    def test_other_encodings(self, tmp_path, encoding):
        path = written(tmp_path, "1,2.5,inf\r4,5,6\r".encode(encoding))
        np.testing.assert_array_equal(load(path), [[1, 2.5, WALL], [4, 5, 6]])

    def test_no_text(self, tmp_path):
        assert message(written(tmp_path, b"1,2\0\n")).endswith(
            "map.csv: is no text (it holds zero bytes); save it as UTF-8 text"
        )

    def test_bad_costs(self, tmp_path):
        path = written(tmp_path, "1 nan\n-2 3\n", "map.txt")
        text = f"2 costs are not positive (first: nan at row 0, column 1); {NOT_POSITIVE}"
        assert message(path) == f"{path}: {text}"

    def test_it_is_averaged_too(self, tmp_path):
        np.testing.assert_array_equal(load(written(tmp_path, "1,2\n3,6\n"), grid=(1, 1)), [[3]])


@pytest.mark.parametrize("name", ["map.png", "map.npy", "map.csv", "map.txt"])
class TestFiles:
    def test_missing(self, tmp_path, name):
        assert message(tmp_path / name) == f"{tmp_path / name}: no such file; check the path"

    def test_the_path_is_told_as_it_was_given(self, tmp_path, monkeypatch, name):
        monkeypatch.chdir(tmp_path)
        assert message(Path(name)) == f"{name}: no such file; check the path"

    def test_folder(self, tmp_path, name):
        (tmp_path / name).mkdir()
        text = "is a folder; give a picture or a .npy, .csv or .txt file in it"
        assert message(tmp_path / name) == f"{tmp_path / name}: {text}"

    def test_not_a_regular_file(self, tmp_path, name):
        (tmp_path / name).symlink_to("/dev/null")
        text = "is not a regular file; save the map to a file first"
        assert message(tmp_path / name) == f"{tmp_path / name}: {text}"

    def test_empty(self, tmp_path, name):
        path = written(tmp_path, "", name)
        assert message(path) == f"{path}: the file is empty (0 bytes); save the map again"

    def test_no_permission(self, tmp_path, monkeypatch, name):
        path = written(tmp_path, "1", name)

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        text = "no permission to read this file; change its permissions or copy it"
        assert message(path) == f"{path}: {text}"

    def test_a_file_in_place_of_a_folder(self, tmp_path, name):
        path = written(tmp_path, "1", "file") / name
        assert message(path) == f"{path}: cannot be opened (Not a directory); check the path"

    def test_a_grid_larger_than_the_map(self, tmp_path, name):
        path = tmp_path / name
        if name == "map.png":
            Image.new("L", (3, 2), 255).save(path)
        elif name == "map.npy":
            np.save(path, np.ones((2, 3)))
        else:
            np.savetxt(path, np.ones((2, 3)), delimiter="," if name == "map.csv" else " ")
        for grid in ((3, 3), (1, 4)):
            got = f"--grid: got {grid[0]}x{grid[1]}; {path} has 2x3 tiles, fewer in height or width"
            rule = "averaging only goes down, so give a smaller grid"
            assert message(path, grid=grid) == f"{got}; {rule}"


class TestOptions:
    @pytest.mark.parametrize("option", ["min_cost", "max_cost"])
    @pytest.mark.parametrize("value", [0.0, -1.5, np.nan, np.inf])
    def test_costs_out_of_range(self, option, value):
        name = "--" + option.replace("_", "-")
        rule = "it must be a number > 0; the usual ones are 1 and 100"
        assert message(Path("no.png"), **{option: value}) == f"{name}: got {value:g}; {rule}"

    def test_costs_in_the_wrong_order(self):
        text = "--min-cost: got 5; it is above --max-cost 2; give the lower cost to white"
        assert message(Path("no.png"), min_cost=5.0, max_cost=2.0) == text

    @pytest.mark.parametrize("grid", [(0, 3), (3, -1), (4097, 4096)])
    def test_grid(self, grid):
        rule = "both numbers must be at least 1, and their product at most 16777216"
        assert message(Path("no.png"), grid=grid) == f"--grid: got {grid[0]}x{grid[1]}; {rule}; 16x16 is usual"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One for all examples of a property, which overwrite each other's file."""
    return tmp_path_factory.mktemp("examples")


@st.composite
def maps_and_grids(draw, walls=False):
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    values = st.floats(0.01, 1000)
    costs = draw(arrays(np.float64, (height, width), elements=st.one_of(values, st.just(WALL)) if walls else values))
    return costs, (draw(st.integers(1, height)), draw(st.integers(1, width)))


class TestGrid:
    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(case=maps_and_grids(walls=True), band=st.sampled_from([1, 7, 2**20]))
    def test_against_cutting_tiles_into_parts(self, folder, case, band):
        costs, grid = case
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tiles, "BAND_TILES", band)
            result = load(array_file(folder, costs), grid=grid)
        np.testing.assert_allclose(result, averaged(costs, grid), rtol=1e-12)

    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(case=maps_and_grids())
    def test_mass_is_conserved(self, folder, case):
        costs, grid = case
        result = load(array_file(folder, costs), grid=grid)
        np.testing.assert_allclose(np.mean(result), np.mean(costs), rtol=1e-12)

    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(tiles=st.tuples(*[st.integers(1, 6)] * 2), parts=st.tuples(*[st.integers(1, 6)] * 2), seed=st.integers(0, 99))
    def test_dividing_sizes_are_means_of_blocks(self, folder, tiles, parts, seed):
        costs = np.random.default_rng(seed).random((tiles[0] * parts[0], tiles[1] * parts[1])) + 0.5
        expected = costs.reshape(tiles[0], parts[0], tiles[1], parts[1]).mean(axis=(1, 3))
        result = load(array_file(folder, costs), grid=tiles)
        np.testing.assert_allclose(result, expected, rtol=1e-13)
        np.testing.assert_allclose(np.mean(result), np.mean(costs), rtol=1e-13)

    @pytest.mark.slow
    @settings(max_examples=100, deadline=None)
    @given(
        height=st.integers(1, 60),
        width=st.integers(1, 60),
        cost=st.sampled_from([1.0, 100.0, 0.1, 1 / 3, 1e-300, 1e308]),
        data=st.data(),
    )
    def test_a_constant_map_stays_constant(self, folder, height, width, cost, data):
        grid = (data.draw(st.integers(1, height)), data.draw(st.integers(1, width)))
        result = load(array_file(folder, np.full((height, width), cost)), grid=grid)
        np.testing.assert_allclose(result, np.full(grid, cost), rtol=1e-13)

    def test_by_hand(self, tmp_path):
        # Three columns over two tiles: each gets one whole column and half of the middle one.
        path = array_file(tmp_path, np.array([[1.0, 2.0, 6.0]]))
        np.testing.assert_allclose(load(path, grid=(1, 2)), [[4 / 3, 14 / 3]], rtol=1e-15)

    def test_half_wall_is_passable_and_more_is_not(self, tmp_path):
        costs = np.array([[2.0, WALL, WALL, 4.0, WALL, WALL], [WALL, 4.0, 5.0, WALL, WALL, 9.0]])
        np.testing.assert_array_equal(load(array_file(tmp_path, costs), grid=(1, 3)), [[3, 4.5, WALL]])

    def test_the_size_of_the_map_changes_nothing(self, tmp_path):
        costs = built_in_map()
        costs[3, 4] = WALL
        np.testing.assert_array_equal(load(array_file(tmp_path, costs), grid=(16, 16)), costs)

    def test_costs_are_averaged_and_walls_counted_in_pictures(self, tmp_path):
        costs = np.array([[1, 100, 1, WALL], [100, 100, WALL, WALL]])
        path = saved(tmp_path, picture_of(costs))
        np.testing.assert_array_equal(load(path, grid=(1, 2)), [[301 / 4, WALL]])


class TestRoundTrip:
    def test_one_cost_only(self, tmp_path):
        path = saved(tmp_path, picture_of([[3.0, 3.0]], 3, 3))
        np.testing.assert_array_equal(load(path, min_cost=3, max_cost=3), [[3, 3]])

    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(
        bounds=st.tuples(st.floats(0.01, 1e4), st.floats(0.01, 1e4)).map(sorted),
        shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
        seed=st.integers(0, 2**32 - 1),
        name=st.sampled_from(["map.png", "map.tif", "map.webp"]),
    )
    def test_to_half_a_grey_level(self, folder, bounds, shape, seed, name):
        low, high = bounds
        generator = np.random.default_rng(seed)
        costs = np.clip(low + (high - low) * generator.random(shape), low, high)
        costs[generator.random(shape) < 0.2] = WALL
        options = {"lossless": True, "exact": True} if name == "map.webp" else {}
        picture = picture_of(costs, low, high)
        path = saved(folder, picture, name, **options)
        result = load(path, min_cost=low, max_cost=high)
        np.testing.assert_allclose(result, costs, rtol=1e-12, atol=(high - low) / 255 / 2 * (1 + 1e-9))
        np.testing.assert_array_equal(np.asarray(picture_of(result, low, high)), np.asarray(picture))
