"""Arrays of NumPy: what is read, and what is refused before it takes memory."""

import gzip
import io
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from imle_cli.files import arrays
from imle_cli.files.arrays import open_array
from imle_cli.files.sources import SourceError
from refusals import refused


def opened(path, judge=lambda *_: None):
    return open_array(Path(path), judge, "map")


def refusal(path):
    return refused(path, opened, path)


def header(text, version=(1, 0)):
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text.encode()


def described(descr="'<f8'", shape="(2, 2)", **options):
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n", **options)


class TestRead:
    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("dtype", ["bool", "u1", ">i4", "f2", ">f8", "i8"])
    def test_plain_compressed_and_in_archives(self, dtype, order):
        array = np.asarray(np.arange(6).reshape(2, 3) % 5, dtype=dtype, order=order)
        np.save("a.npy", array)
        np.savez("a.npz", costs=array)
        np.savez_compressed("b.npz", array)
        Path("a.npy.gz").write_bytes(gzip.compress(Path("a.npy").read_bytes()))
        for name in ("a.npy", "a.npz", "b.npz", "a.npy.gz"):
            read = opened(name)
            assert read.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(read, array)

    def test_version_2_and_an_array_of_nothing(self):
        Path("a.npy").write_bytes(described(version=(2, 0)) + np.arange(4.0).tobytes())
        np.testing.assert_array_equal(opened("a.npy"), [[0, 1], [2, 3]])
        np.save("a.npy", np.ones((0, 3)))
        assert opened("a.npy").shape == (0, 3)

    def test_it_is_judged_by_its_header(self):
        Path("a.npy").write_bytes(described(shape="(10**3, 7)".replace("10**3", "1000")))
        seen = []

        def judge(dtype, shape):
            seen.append((dtype, shape))
            raise SourceError("a.npy", "no")

        with pytest.raises(SourceError, match=r"a\.npy: no"):
            opened("a.npy", judge)
        assert seen == [(np.float64, (1000, 7))]


class TestRefused:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"text", "cannot be read as an array ("),
            (b"\x93NUMPY\x01", "cannot be read as an array ("),
            (pickle.dumps([1]), "cannot be read as an array ("),
            (described(shape="(2, -2)"), "claims a shape below 0; save it with numpy.save again"),
            (described(shape="'x'"), "cannot be read as an array ("),
            (
                described(shape="(9999999999999, 9999999999)"),
                "is cut off: it holds 0 bytes of numbers and needs 799999999",
            ),
            (
                described(descr="'|O'"),
                "holds Python objects, which are not read since that may run code; save it with numpy.save",
            ),
            (described(descr="[('a', '|O')]"), "holds Python objects"),
            (
                described(version=(3, 0)),
                "is an array of version 3.0, whose fields have names; save it with numpy.save as numbers",
            ),
            (described() + bytes(31), "is cut off: it holds 31 bytes of numbers and needs 32; copy or save it again"),
            (header("(" * 9000), "cannot be read as an array ("),
            (header("{" * 900 + "\n"), "cannot be read as an array ("),
            (header("x" * 12_000), "has a header of 12000 bytes, that of numbers is below 10000"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "has a header of 4294967295 bytes"),
            (header("\x00" * 5000 + "\n"), "cannot be read as an array ("),
        ],
    )
    def test_content(self, content, message):
        Path("a.npy").write_bytes(content)
        assert refusal("a.npy").startswith(message)
        Path("a.npy.gz").write_bytes(gzip.compress(content))
        assert refusal("a.npy.gz").startswith((message[:20], "holds 799999999"))

    def test_objects_are_not_unpickled(self):
        class Bomb:
            def __reduce__(self):
                return pytest.fail, ("unpickled",)

        np.save("a.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
        np.savez("a.npz", a=np.array([Bomb()], dtype=object))
        assert refusal("a.npy").startswith("holds Python objects")
        assert refusal("a.npz").startswith("holds Python objects")

    def test_archives(self):
        np.savez("a.npz", costs=np.ones(2), gold=np.ones(2))
        assert refusal("a.npz") == "holds 2 arrays ('costs', 'gold'); save the one map with numpy.save"
        np.savez("a.npz", **{f"name{number:020}": np.ones(1) for number in range(50)})
        assert refusal("a.npz").startswith("holds 50 arrays ('name")
        np.savez("a.npz")
        assert refusal("a.npz") == "is an archive without arrays; save the one map with numpy.save"

    @pytest.mark.parametrize("left", [10, 60, -30])
    def test_damaged_archives(self, left):
        np.savez_compressed("a.npz", np.random.default_rng(0).random(100))
        content = Path("a.npz").read_bytes()
        Path("a.npz").write_bytes(content[:left])
        assert refusal("a.npz").startswith("cannot be read as an array (")
        Path("a.npz").write_bytes(content[:90] + bytes(100) + content[190:])
        assert "a.npz" not in refusal("a.npz")

    def test_what_would_take_too_much_memory_once_decompressed(self, monkeypatch):
        monkeypatch.setattr(arrays, "MAX_BYTES", 79)
        stream = io.BytesIO()
        np.save(stream, np.zeros(10))
        Path("a.npy.gz").write_bytes(gzip.compress(stream.getvalue()))
        assert refusal("a.npy.gz") == "holds 80 bytes, more than 79; save it with numpy.save, not compressed"
