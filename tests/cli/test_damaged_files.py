"""Every reader of maps, tables and arrays under damaged files: costs, or one line that names the file; nothing else."""

import gzip
import random
import re
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imle_cli.datasets import DataSetError, read_maps
from imle_cli.scores import read_items, read_pairs
from imle_cli.sources import SourceError, read_table
from imle_cli.terrain import load

TABLE = 'sep=;\n# a comment\nTitle\n"name";"score";"y"\n"a, b";1,5;2.5\nc;1.234,5;inf\nd;-3e5;1 234\n'
GRID = "ncols 3\nnrows 2\nxllcorner 0\ncellsize 1\nNODATA_value -9999\n1 2.5 -9999\n4 5 6\n"
MAZE = "type octile\nheight 2\nwidth 4\nmap\n..@@\nSWT.\n"
NUMBERS = "1,2.5,inf\n4,5e2,6\n7,8,9\n"
PIECES = [
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "1e999",
    "9" * 400,
    "1_5",
    ",",
    ";",
    "\t",
    "|",
    '"',
    "'",
    "\n",
    "\r",
    "\0",
    "\ufeff",
    "é",
    "#",
]
PIECES += [
    "sep=;",
    "ncols",
    "1.234,5",
    "1,234",
    "x" * 3000,
    "\x1b[31m",
    "(" * 200,
    "\u2028",
    "-",
    "%",
    "ncols 99999\n",
    "height 0",
]


def array_bytes(**options):
    np.save("made.npy", np.arange(1.0, 7.0).reshape(2, 3), **options)
    return Path("made.npy").read_bytes()


def archive_bytes():
    np.savez_compressed("made.npz", np.arange(1.0, 7.0).reshape(2, 3))
    return Path("made.npz").read_bytes()


def picture_bytes(name):
    Image.fromarray(np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4)).save(name)
    return Path(name).read_bytes()


def mutated_text(text, generator):
    """The text with a few of its pieces replaced, doubled, swapped or taken out."""
    parts = (
        list(text)
        if generator.random() < 0.3
        else [piece for line in text.splitlines(True) for piece in (line[:3], line[3:])]
    )
    for _ in range(generator.randint(1, 4)):
        place, other = generator.randrange(len(parts)), generator.randrange(len(parts))
        action = generator.randrange(4)
        if action == 0:
            parts[place] = generator.choice(PIECES)
        elif action == 1:
            parts.insert(place, generator.choice(PIECES))
        elif action == 2:
            parts[place], parts[other] = parts[other], parts[place]
        else:
            parts[place] *= generator.choice([0, 2, 50])
    encoding = generator.choice(["utf-8"] * 6 + ["utf-16", "cp1252"])
    return "".join(parts).encode(encoding, "replace")


def mutated_bytes(content, generator):
    """The content with bytes changed, cut off, put in or doubled."""
    data = bytearray(content)
    for _ in range(generator.randint(1, 5)):
        place = generator.randrange(len(data) + 1)
        action = generator.randrange(4)
        if action == 0 and place < len(data):
            data[place] = generator.choice([0, 1, 127, 255, generator.randrange(256)])
        elif action == 1:
            del data[place : place + generator.randint(1, 40)]
        elif action == 2:
            data[place:place] = generator.randbytes(generator.randint(1, 8))
        elif action == 3 and place < len(data) - 8:
            data[place : place + 4] = generator.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
    return bytes(data) or b"x"


def expect_an_answer(path, read):
    """What ``read`` gives, or an error of ours, in one line of at most 300 letters that names the file; soon."""
    began, found, message = time.perf_counter(), None, None
    try:
        found = read(path)
    except SourceError as error:
        message = str(error)
    assert time.perf_counter() - began < 5
    if message is not None:
        assert str(path) in message
        assert len(message) <= 300
        assert len(message.splitlines()) == 1
    return found


TEXTS = [("m.csv", NUMBERS, load), ("m.txt", NUMBERS.replace(",", " "), load), ("m.asc", GRID, load), ("m.map", MAZE, load)]
TEXTS += [("t.csv", TABLE, read_table), ("i.tsv", TABLE, read_items), ("p.dat", TABLE, read_pairs)]


@pytest.mark.parametrize(("name", "text", "read"), TEXTS)
def test_texts(name, text, read):
    generator, answers = random.Random(20), 0
    for _ in range(200):
        Path(name).write_bytes(mutated_text(text, generator))
        found = expect_an_answer(Path(name), read)
        answers += found is not None
        if read is load and found is not None:
            assert found.ndim == 2
            assert (found > 0).all()
    assert 0 < answers < 200


@pytest.mark.parametrize("name", ["m.npy", "m.npz", "m.png", "m.tif", "m.gif", "m.pgm", "m.npy.gz", "m.png.gz"])
def test_arrays_and_pictures(name):
    plain = name.removesuffix(".gz")
    content = {"m.npy": array_bytes, "m.npz": archive_bytes}.get(plain, lambda: picture_bytes(plain))()
    generator, path = random.Random(21), Path(name)
    for number in range(200):
        data = mutated_bytes(content, generator)
        packing = gzip.compress(data) if number % 2 else mutated_bytes(gzip.compress(content, mtime=0), generator)
        path.write_bytes(data if name == plain else packing)
        found = expect_an_answer(path, load)
        assert found is None or (found > 0).all()


def test_data_sets():
    generator = random.Random(22)
    arrays = {"maps": np.zeros((2, 16, 16, 3), np.uint8), "vertex_weights": np.ones((2, 2, 2), np.float16)}
    arrays["shortest_paths"] = np.ones((2, 2, 2), np.uint8)
    for kind, array in arrays.items():
        np.save(f"train_{kind}.npy", array)
    for kind in arrays:
        path = Path(f"train_{kind}.npy")
        content = path.read_bytes()
        for _ in range(70):
            path.write_bytes(mutated_bytes(content, generator))
            message = "train: "
            try:
                read_maps(Path(), "train")
            except DataSetError as error:
                message = str(error)
            assert re.match(r"train[_a-z]*(\.npy)?: ", message)  # this file, or one that does not fit it
            assert len(message) <= 300
        path.write_bytes(content)
