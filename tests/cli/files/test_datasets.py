"""Data sets in files: written and read again, in pieces, in other types, and refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import torch

from imle_cli.files.datasets import SPLITS, non_optimal, read_maps, splits_in, write_maps
from imle_cli.files.sources import SourceError
from imle_core.perception import ImageMaps, terrain_maps

NAMES = {"images": "train_maps.npy", "costs": "train_vertex_weights.npy", "paths": "train_shortest_paths.npy"}


@pytest.fixture(scope="module")
def maps():
    return terrain_maps(4, 3, seed=0)


@pytest.fixture
def folder(tmp_path, maps):
    """A data set of one split, in a folder that is named in another script."""
    path = tmp_path / "地図"
    path.mkdir()
    write_maps(path, "train", maps)
    return path


def same(first, second):
    return all(torch.equal(getattr(first, name), getattr(second, name)) for name in NAMES)


def change(folder, what, edit):
    """Replaces an array by ``edit`` of it."""
    path = folder / NAMES[what]
    np.save(path, edit(np.load(path)))


def expect_refusal(folder, message, split="train"):
    with pytest.raises(SourceError) as caught:
        read_maps(folder, split)
    assert str(caught.value) == message


class TestRoundTrip:
    def test_what_was_written_is_read(self, folder, maps):
        assert same(read_maps(folder, "train"), maps)
        arrays = {path.name: np.load(path) for path in folder.iterdir()}
        assert {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} == {
            "train_maps.npy": ((4, 24, 24, 3), "uint8"),
            "train_vertex_weights.npy": ((4, 3, 3), "float32"),
            "train_shortest_paths.npy": ((4, 3, 3), "uint8"),
        }

    def test_splits(self, folder, maps):
        assert splits_in(folder) == ["train"]
        write_maps(folder, "test", maps)
        (folder / "val_maps_part0.npy").touch()
        (folder / "other_maps.npy").touch()
        assert splits_in(folder) == list(SPLITS)

    def test_an_interrupted_writer_leaves_half_a_set(self, folder, maps, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(np, "save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_maps(folder, "train", maps)
        expect_refusal(
            folder,
            f"{folder}: half a data set: train_maps.npy is missing beside train_vertex_weights.npy; "
            "copy or make all three again",
        )


class TestPublishedForm:
    def test_pieces_are_joined_in_the_order_of_their_numbers(self, folder, maps):
        for number in range(4):
            np.save(folder / f"train_maps_part{number}.npy", maps.images[number : number + 1].numpy())
        (folder / "train_maps.npy").unlink()
        for number, rows in enumerate((slice(3), slice(3, 4))):
            np.save(folder / f"train_vertex_weights_part{number}.npy", maps.costs[rows].numpy())
        (folder / "train_vertex_weights.npy").unlink()
        assert same(read_maps(folder, "train"), maps)

    def test_a_whole_file_goes_before_its_pieces(self, folder, maps):
        (folder / "train_maps_part1.npy").touch()
        assert same(read_maps(folder, "train"), maps)

    def test_half_precision_costs_have_one_decimal(self, folder, maps):
        change(folder, "costs", lambda costs: costs.astype(np.float16))
        assert np.load(folder / NAMES["costs"])[0, 0, 0] != np.float32(maps.costs[0, 0, 0])
        read = read_maps(folder, "train")
        assert torch.equal(read.costs, maps.costs)
        assert non_optimal(read) == 0

    def test_other_costs_are_kept(self, folder):
        change(folder, "costs", lambda costs: costs.astype(np.float64) + 0.0625)
        assert torch.equal(read_maps(folder, "train").costs, torch.from_numpy(np.load(folder / NAMES["costs"])).float())

    @pytest.mark.parametrize("kind", [bool, np.int64, np.float16])
    def test_paths_of_any_type(self, folder, maps, kind):
        change(folder, "paths", lambda paths: paths.astype(kind))
        assert same(read_maps(folder, "train"), maps)

    def test_maps_that_are_not_square(self, tmp_path):
        costs = torch.ones(2, 2, 5)
        wide = ImageMaps(torch.zeros(2, 16, 40, 3, dtype=torch.uint8), costs, torch.ones_like(costs))
        write_maps(tmp_path, "val", wide)
        assert read_maps(tmp_path, "val").size == (2, 5)


class TestNonOptimal:
    def test_dearer_paths_and_masks_that_are_no_paths_count(self, maps):
        paths = maps.paths.clone()
        assert non_optimal(ImageMaps(maps.images, maps.costs, paths)) == 0
        paths[0] = 1
        paths[2] = 0
        assert non_optimal(ImageMaps(maps.images, maps.costs, paths)) == 2

    def test_they_are_read(self, folder):
        change(folder, "paths", np.ones_like)
        assert non_optimal(read_maps(folder, "train")) == 4


class TestMissing:
    def test_no_folder(self):
        expect_refusal(Path("nowhere"), "nowhere: no such folder; give the folder of a data set's .npy files")

    def test_a_file(self, folder):
        path = folder / "train_maps.npy"
        expect_refusal(path, f"{path}: is a file; give the folder of a data set's .npy files")

    def test_no_data_set(self, tmp_path):
        message = "holds no data set; there must be files such as train_maps.npy; make them with: imle data terrain"
        expect_refusal(tmp_path, f"{tmp_path}: {message}")

    def test_no_such_split(self, folder, maps):
        write_maps(folder, "val", maps)
        message = "has no test split; there is train and val; add test_maps.npy etc."
        expect_refusal(folder, f"{folder}: {message}", "test")

    @pytest.mark.parametrize(
        ("gone", "text"),
        [
            (["costs"], "train_vertex_weights.npy is missing beside train_maps.npy"),
            (["costs", "paths"], "train_vertex_weights.npy and train_shortest_paths.npy are missing beside train_maps.npy"),
        ],
    )
    def test_half_a_data_set(self, folder, gone, text):
        for what in gone:
            (folder / NAMES[what]).unlink()
        expect_refusal(folder, f"{folder}: half a data set: {text}; copy or make all three again")

    def test_a_missing_piece(self, folder):
        (folder / "train_maps.npy").rename(folder / "train_maps_part1.npy")
        message = "train_maps_part0.npy is missing beside train_maps_part1.npy; pieces count from 0; copy all of them"
        expect_refusal(folder, f"{folder}: {message}")


@pytest.mark.parametrize(
    ("what", "edit", "message"),
    [
        ("images", lambda a: a.astype(np.float32), "holds float32; images are uint8 from 0 to 255; scale and convert them"),
        (
            "images",
            lambda a: np.moveaxis(a, 3, 1),
            "has shape (4, 3, 24, 24), channels first; move them last with numpy.moveaxis(array, 1, 3)",
        ),
        (
            "images",
            lambda a: a[:, :20],
            "has shape (4, 20, 24, 3); images are (N, 8H, 8W, 3), 8 pixels a tile; cut or scale them so",
        ),
        (
            "images",
            lambda a: a[..., 0],
            "has shape (4, 24, 24); images are (N, 8H, 8W, 3), 8 pixels a tile; cut or scale them so",
        ),
        (
            "images",
            lambda a: a[:0],
            "has shape (0, 24, 24, 3); images are (N, 8H, 8W, 3), 8 pixels a tile; cut or scale them so",
        ),
        ("costs", lambda a: a[0], "has shape (3, 3); it must be (N, H, W), a number a tile; save it so"),
        ("costs", lambda a: a.astype(str), "holds values of type <U32; they must be real numbers; save them as such"),
        (
            "costs",
            lambda a: a[:3],
            "has 3 maps, but train_maps.npy has 4; all files of a split must be of the same maps; copy them again",
        ),
        (
            "costs",
            lambda a: a[:, :2],
            "has 2 x 3 tiles a map, but train_maps.npy has 3 x 3; all files of a split must be of the same maps; "
            "copy them again",
        ),
        (
            "paths",
            lambda a: a[:, :, :1],
            "has 3 x 1 tiles a map, but train_maps.npy has 3 x 3; all files of a split must be of the same maps; "
            "copy them again",
        ),
        (
            "costs",
            lambda a: np.where(np.arange(3) == 1, -a, a),
            "12 costs are not positive and finite (first: {first} at map 0, row 0, column 1); a path needs costs > 0; "
            "correct them",
        ),
        (
            "costs",
            lambda a: np.where(np.arange(36).reshape(4, 3, 3) == 35, np.nan, a),
            "1 cost is not positive and finite (first: nan at map 3, row 2, column 2); a path needs costs > 0; correct them",
        ),
        (
            "costs",
            lambda a: np.full(a.shape, 1e300),
            "36 costs are not positive and finite (first: 1e+300 at map 0, row 0, column 0); a path needs costs > 0; "
            "correct them",
        ),
        (
            "costs",
            lambda a: np.full(a.shape, 0.04, np.float16),
            "36 costs are not positive and finite (first: 0.0400085 at map 0, row 0, column 0); a path needs costs > 0; "
            "correct them",
        ),
        (
            "paths",
            lambda a: np.where(np.arange(3) == 2, 255, a),
            "12 values are neither 0 nor 1 (first: 255 at map 0, row 0, column 2); "
            "a path is 1 on its tiles and 0 elsewhere; correct them",
        ),
    ],
)
def test_arrays_that_do_not_do(folder, maps, what, edit, message):
    change(folder, what, edit)
    expect_refusal(folder, f"{folder / NAMES[what]}: " + message.format(first=f"{-float(maps.costs[0, 0, 1]):g}"))


class TestBrokenFiles:
    def test_empty(self, folder):
        path = folder / "train_maps.npy"
        path.write_bytes(b"")
        expect_refusal(folder, f"{path}: the file is empty (0 bytes); save the array again")

    @pytest.mark.parametrize(
        ("left", "message"),
        [
            (
                5,
                "cannot be read as an array (EOF: reading magic string, expected 8 bytes got 5); {again}",
            ),
            (60, "cannot be read as an array (its header is damaged); {again}"),
            (1000, "is cut off: it holds 872 bytes of numbers and needs 6912; copy or save it again"),
        ],
    )
    def test_cut_short(self, folder, left, message):
        path = folder / "train_maps.npy"
        path.write_bytes(path.read_bytes()[:left])
        with pytest.raises(SourceError) as caught:
            read_maps(folder, "train")
        again = "copy it or save it with numpy.save again"
        assert str(caught.value) == f"{path}: {message.format(again=again)}"

    def test_python_objects_are_not_run(self, folder):
        path = folder / "train_maps.npy"
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
        with pytest.raises(SourceError, match="holds Python objects, which are not read since that may run code"):
            read_maps(folder, "train")

    def test_an_archive(self, folder):
        path = folder / "train_maps.npy"
        with path.open("wb") as file:
            np.savez(file, a=np.ones(3), b=np.ones(3))
        expect_refusal(folder, f"{path}: holds 2 arrays ('a', 'b'); save the one array with numpy.save")
