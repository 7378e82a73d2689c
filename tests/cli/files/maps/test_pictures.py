"""Pictures that are opened, and what is no brightness although it looks like a picture."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from imle_cli.files.maps.pictures import FORMATS
from imle_cli.files.maps.terrain import load
from map_files import refusal, write

REMEDY = "climbing costs, not height: make costs of them, 1 + slope for instance, and save these as .npy"
SIGNED = f"is a TIFF of signed numbers, measurements such as heights, not brightness; {REMEDY}"
PLACED = f"is a GeoTIFF of one band, measurements such as heights, not brightness; {REMEDY}"


def tiff(array, **tags):
    """A little-endian TIFF of one band in one strip, by hand."""
    kinds = {"u": 1, "i": 2, "f": 3}
    height, width = array.shape
    entries = {256: width, 257: height, 258: 8 * array.itemsize, 259: 1, 262: 1, 273: 0, 277: 1, 278: height}
    entries |= {279: array.nbytes, 339: kinds[array.dtype.kind]} | {int(name[1:]): value for name, value in tags.items()}
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    packed = b"".join(struct.pack("<HHII", tag, 4, 1, entries[tag]) for tag in sorted(entries))
    return (
        b"II*\0"
        + struct.pack("<IH", 8, len(entries))
        + packed
        + bytes(4)
        + array.astype(array.dtype.newbyteorder("<")).tobytes()
    )


class TestHeights:
    @pytest.mark.parametrize("kind", ["int16", "int32", "int8"])
    def test_signed_numbers_are_no_brightness(self, kind):
        heights = np.array([[100, 101], [117, 90]], dtype=kind)
        assert refusal(write(tiff(heights), "map.tif")) == SIGNED
        assert refusal(write(tiff(-heights), "map.tif")) == SIGNED

    def test_32_bits_over_the_whole_range_are_grey(self):
        np.testing.assert_array_equal(load(write(tiff(np.array([[0, 65535]], dtype=np.int32)), "map.tif")), [[100, 1]])

    @pytest.mark.parametrize("tag", ["t33550", "t33922", "t34735", "t42113"])
    @pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
    def test_one_band_that_is_placed_on_earth(self, kind, tag):
        assert refusal(write(tiff(np.array([[0, 1], [1, 1]], dtype=kind), **{tag: 1}), "map.tif")) == PLACED

    def test_colours_that_are_placed_on_earth_are_a_picture(self):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[33550] = (30.0, 30.0, 0.0)
        info.tagtype[33550] = 12
        Image.new("RGB", (3, 2), (255, 255, 255)).save("map.tif", tiffinfo=info)
        np.testing.assert_array_equal(load(Path("map.tif")), np.ones((2, 3)))

    def test_heights_in_floating_point(self):
        rule = "a float picture holds luminance in 0..1, so save costs as .npy instead"
        content = tiff(np.array([[0.5, 1544.5]], dtype=np.float32))
        assert refusal(write(content, "map.tif")) == f"has a pixel of 1544.5 at row 0, column 1; {rule}"

    @pytest.mark.parametrize("name", ["map.png", "map.tif"])
    def test_a_note_tells_of_16_bits_that_hardly_differ(self, said, name):
        Image.fromarray(np.array([[1501, 1598]], dtype=np.uint16)).save(name)
        np.testing.assert_allclose(load(Path(name)), 100 - 99 * np.array([[1501, 1598]]) / 65535)
        text = "its grey is from 1501 to 1598 of 0 to 65535, so that costs hardly differ; stretch it, or save costs as .npy"
        assert said == [f"{name}: {text}"]

    def test_a_note_tells_of_labels_and_of_masks_of_0_and_1(self, said):
        Image.fromarray(np.array([[0, 1, 1]], dtype=np.uint8)).save("mask.png")
        np.testing.assert_allclose(load(Path("mask.png")), [[100, 100 - 99 / 255, 100 - 99 / 255]])
        Image.fromarray(np.array([[0, 255, 255]], dtype=np.uint8)).save("black.png")
        load(Path("black.png"))
        text = "its grey is from 0 to 1 of 0 to 255, so that costs hardly differ; stretch it, or save costs as .npy"
        assert said == [f"mask.png: {text}"]

    @pytest.mark.parametrize("levels", [[0, 65535], [20000, 40000], [7, 7]])
    def test_no_note_where_they_do(self, said, levels):
        Image.fromarray(np.array([levels], dtype=np.uint16)).save("map.png")
        load(Path("map.png"))
        assert said == []

    def test_a_note_tells_that_of_several_pictures_the_first_is_read(self, said):
        first, second = (Image.fromarray(np.array([row], dtype=np.uint8)) for row in ([0, 255], [255, 0]))
        first.save("film.gif", save_all=True, append_images=[second])
        np.testing.assert_array_equal(load(Path("film.gif")), [[100, 1]])
        assert said == ["film.gif: has several pictures; the first of them is the map"]


class TestFormats:
    @pytest.mark.parametrize(
        "name", ["map.png", "map.bmp", "map.gif", "map.tif", "map.webp", "map.pgm", "map.ico", "map.tga"]
    )
    def test_opened(self, name):
        Image.new("L", (16, 16), 255).save(name)
        np.testing.assert_array_equal(load(Path(name)), np.ones((16, 16)))
        compressed = write(gzip.compress(Path(name).read_bytes()), f"{name}.gz")
        np.testing.assert_array_equal(load(compressed), np.ones((16, 16)))

    def test_postscript_starts_no_program(self, monkeypatch):
        monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))
        assert "EPS" not in FORMATS
        content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
        for name in ("map.png", "map", "map.tif"):
            assert refusal(write(content, name)) == "is a drawing, not pixels, whatever its name says; export it as .png"

    @pytest.mark.parametrize("kind", ["SGI", "PSD", "SPIDER", "XBM", "FITS", "DDS"])
    def test_others_are_not(self, kind):
        content = {"SGI": b"\x01\xda\x01\x01\x00\x02\x00\x04\x00\x04\x00\x01" + bytes(600), "PSD": b"8BPS\0\1" + bytes(60)}
        content |= {"SPIDER": bytes(1024), "XBM": b"#define a_width 8\n#define a_height 1\nstatic char a[] = {0x00};"}
        content |= {"FITS": b"SIMPLE  =                    T" + b" " * 2900, "DDS": b"DDS \x7c\0\0\0" + bytes(120)}
        remedy = "is not a picture of a known kind; give a PNG, or costs as .npy, .csv or .txt"
        layers = "is a picture in layers or of a camera, whatever its name says; export it as .png"
        assert refusal(write(content[kind], "map.png")) == (layers if kind == "PSD" else remedy)

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (b'<?xml version="1.0"?><svg/>', "XML, a drawing or a graph"),
            (b"<svg></svg>", "a drawing, not pixels"),
            (b"%PDF-1.7", "a drawing, not pixels"),
            (b"PK\x03\x04" + bytes(50), "a ZIP archive or a spreadsheet"),
            (b"\x89HDF\r\n\x1a\n", "a file of several arrays"),
            (b"\x80\x04\x95", "a pickle, which may run code when it is read"),
            (gzip.compress(b"x", mtime=0), "compressed by gzip"),
            (b"\x93NUMPY\x01\x00", "an array of NumPy"),
        ],
    )
    def test_known_content_under_another_name(self, content, what):
        assert refusal(write(content, "map.png")).startswith(f"is {what}, whatever its name says; ")
