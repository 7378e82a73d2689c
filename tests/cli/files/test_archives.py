"""Archives: what is damaged, compressed or of other arrays is refused before it takes memory."""

import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from imle_cli.files.archives import ArchiveError, DamagedArchiveError, array_shapes, read_arrays, read_state

KINDS = {"a": "f4", "b": "i8"}
FILE = Path("x.npz")


def read(fit=bool):
    return read_arrays(FILE, KINDS, fit)


def save(**changes):
    np.savez(FILE, **({"a": np.ones((2, 3), "f4"), "b": np.arange(4)} | changes))


def npy(shape, kind="<f4", data=b""):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


class TestArrays:
    def test_whole(self):
        save(a=np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3)))
        a, b = read()
        np.testing.assert_array_equal(a, np.arange(6).reshape(2, 3))
        assert (a.dtype, b.tolist()) == (np.dtype("f4"), [0, 1, 2, 3])
        assert array_shapes(FILE, KINDS) == [(2, 3), (4,)]

    def test_shapes_are_compared_before_anything_is_read(self, monkeypatch):
        save()
        monkeypatch.setattr(np.lib.format, "read_array", None)
        with pytest.raises(ArchiveError, match=r"^has arrays that do not fit each other$"):
            read(lambda shapes: shapes != [(2, 3), (4,)])

    @pytest.mark.slow
    def test_a_bomb_takes_no_memory(self):
        np.savez_compressed(FILE, a=np.zeros((40, 2**20), "f4"), b=np.arange(4))
        tracemalloc.start()
        with pytest.raises(ArchiveError, match=r"^is compressed, as no file of imle is$"):
            read()
        assert tracemalloc.get_traced_memory()[1] < 2**20
        tracemalloc.stop()

    @pytest.mark.parametrize(
        "content",
        [
            npy((10**9, 10**9)),
            npy((3,), data=bytes(8)),
            npy((3,), "|O", bytes(12)),
            npy((3,), "<f8", bytes(24)),
            npy("(" * 100),
            b"\x93NUMPY\x09\x00",
            b"",
        ],
        ids=["huge", "short", "objects", "another type", "nested", "version", "empty"],
    )
    def test_a_header_that_lies(self, content):
        with zipfile.ZipFile(FILE, "w") as archive:
            archive.writestr("a.npy", content)
            archive.writestr("b.npy", npy((1,), "<i8", bytes(8)))
        with pytest.raises(DamagedArchiveError, match=r"^cannot be read$"):
            read()

    def test_every_cut_and_every_changed_byte(self):
        save()
        content = FILE.read_bytes()
        random = np.random.default_rng(0)
        for cut in range(0, len(content), 7):
            FILE.write_bytes(content[:cut])
            with pytest.raises(DamagedArchiveError):
                read()
        for place in random.choice(len(content), 100, replace=False):
            changed = bytearray(content)
            changed[place] ^= 1 << int(random.integers(8))
            FILE.write_bytes(changed)
            try:
                a, b = read()
            except ArchiveError:
                continue
            np.testing.assert_array_equal(a, np.ones((2, 3)))
            assert b.tolist() == [0, 1, 2, 3]

    def test_what_is_no_file(self):
        with pytest.raises(FileNotFoundError):
            read()
        FILE.mkdir()
        with pytest.raises(DamagedArchiveError):
            read()

    @pytest.mark.skipif(os.name != "posix", reason="named pipes are POSIX")
    def test_a_pipe_never_ends(self):
        os.mkfifo(FILE)
        with pytest.raises(DamagedArchiveError):
            read()


class TestState:
    def write(self, state, compression=zipfile.ZIP_STORED):
        file = io.BytesIO()
        torch.save(state, file)
        with zipfile.ZipFile(file) as archive, zipfile.ZipFile("x.pt", "w", compression) as copy:
            for name in archive.namelist():
                copy.writestr(name, archive.read(name))

    @pytest.mark.slow
    def test_whole(self):
        self.write({"step": 3, "weights": torch.ones(2)})
        state = read_state(Path("x.pt"), {"step": int})
        assert (state["step"], state["weights"].tolist()) == (3, [1, 1])

    @pytest.mark.parametrize("state", [{"step": "3"}, {}, [1], torch.zeros(1)], ids=str)
    def test_something_else(self, state):
        self.write(state)
        with pytest.raises(ArchiveError, match=r"^lacks what a checkpoint has$"):
            read_state(Path("x.pt"), {"step": int})

    def test_a_bomb(self):
        self.write({"step": 3, "weights": torch.zeros(2**22)}, zipfile.ZIP_DEFLATED)
        assert Path("x.pt").stat().st_size < 10**5
        with pytest.raises(ArchiveError, match=r"^is compressed"):
            read_state(Path("x.pt"), {"step": int})

    @pytest.mark.parametrize(
        "tensor", [torch.ones(1).expand(10**6, 10**6), torch.ones(4, 4).to_sparse(), torch.ones(2, device="meta")], ids=repr
    )
    def test_a_tensor_that_claims_more_than_the_file_holds(self, tensor):
        self.write({"step": 3, "optimizer": {"state": [(tensor,)]}})
        with pytest.raises(ArchiveError, match=r"^has tensors that are larger than the file$"):
            read_state(Path("x.pt"), {"step": int})

    def test_a_view_of_a_whole_tensor(self):
        self.write({"step": 3, "weights": torch.arange(6.0).reshape(2, 3).T[1:]})
        assert read_state(Path("x.pt"), {"step": int})["weights"].tolist() == [[1, 4], [2, 5]]

    def test_no_code_is_run(self):
        self.write({"step": 3, "weights": print})
        with pytest.raises(DamagedArchiveError):
            read_state(Path("x.pt"), {"step": int})
