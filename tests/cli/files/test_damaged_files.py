"""Every reader of maps, tables, graphs, arrays under damaged files: what they hold, or one line that names the file."""

import gzip
import io
import json
import random
import re
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imle_cli.files.datasets import read_maps
from imle_cli.files.graphs.reading import read_graph
from imle_cli.files.maps.terrain import load
from imle_cli.files.scores import read_items, read_pairs
from imle_cli.files.sources import SourceError
from imle_cli.files.tables.reading import read_table
from imle_cli.options.inputs import MapOptions, MapSolverOptions
from imle_cli.problems.gold import read_gold, read_weights
from imle_cli.problems.map import read_map_problem
from overwriting import write_over

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
    "9" * 5000,
    "99999999",
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


VALUES = ["null", "true", "-1", "0", "1.5", '"a"', '"x"', "[]", "{}", "[1]", '["a", 1]', '{"id": "a"}', "NaN", "1e999", '""']
VALUES += ["9" * 5000, '"\\ud800"', '"\\n"', "[" * 200_000, '{"a":' * 5000]
MARKUP = [
    "<a>" * 3000,
    "<node/>",
    "<edge/>",
    "<graph>",
    "</graph>",
    'id="a"',
    '<!DOCTYPE a [<!ENTITY b "b">]>&b;',
    "&#10;",
    "&x;",
]
RECORDS = ["node [", "edge [", "]", "a [ " * 1000, "graph [", "label", '"', "isGroup 1", "id 1", "id id"]


def array_bytes():
    np.save("made.npy", np.arange(1.0, 7.0).reshape(2, 3))
    return Path("made.npy").read_bytes()


def archive_bytes():
    np.savez_compressed("made.npz", np.arange(1.0, 7.0).reshape(2, 3))
    return Path("made.npz").read_bytes()


def picture_bytes(name):
    Image.fromarray(np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4)).save(name)
    return Path(name).read_bytes()


def mutated_text(text, generator, pieces=PIECES):
    """The text with a few of its letters, words or lines replaced, doubled, swapped or taken out."""
    cut = generator.choice([r".", r'"[^"]*"|[-.\w]+|\s+|.', r'"[^"]*"|[-.\w]+|\s+|.', r"[^\n]{3}|[^\n]*\n?"])
    parts = re.findall(cut, text, re.DOTALL)
    for _ in range(generator.randint(1, 4)):
        place, other = generator.randrange(len(parts)), generator.randrange(len(parts))
        action = generator.randrange(4)
        if action == 0:
            parts[place] = generator.choice(pieces)
        elif action == 1:
            parts.insert(place, generator.choice(pieces))
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


def reached(content, ending, generator):
    """The content with its inside damaged and every check sum right again, or damaged anywhere."""
    if ending == ".png" and generator.random() < 0.7:
        return damaged_chunk(content, generator)
    if ending == ".npz" and generator.random() < 0.7:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("arr_0.npy", mutated_bytes(array_bytes(), generator))
        return file.getvalue()
    return mutated_bytes(content, generator)


def damaged_chunk(content, generator):
    """A PNG one of whose chunks is damaged, with the check sum that it then has."""
    chunks, at = [], 8
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    number = generator.randrange(len(chunks))
    kind, inside = chunks[number]
    if kind == b"IDAT":
        inside = zlib.compress(mutated_bytes(zlib.decompress(inside), generator))
    chunks[number] = kind, mutated_bytes(inside, generator) if kind != b"IDAT" else inside
    sums = [struct.pack(">I", zlib.crc32(kind + inside)) for kind, inside in chunks]
    written = zip(chunks, sums, strict=True)
    return content[:8] + b"".join(struct.pack(">I", len(inside)) + kind + inside + end for (kind, inside), end in written)


@pytest.fixture
def answer(bounded):
    """A function: what ``read`` gives, or None for an error of ours that is a line of 300 letters and names the file."""

    def answered(path, read):
        found = message = None
        with bounded():
            try:
                found = read(path)
            except SourceError as error:
                message = str(error)
        if message is not None:
            assert path.name in message
            assert len(message) <= 300
            assert len(message.splitlines()) == 1
        return found

    return answered


TEXTS = [("m.csv", NUMBERS, load), ("m.txt", NUMBERS.replace(",", " "), load), ("m.asc", GRID, load), ("m.map", MAZE, load)]
TEXTS += [("t.csv", TABLE, read_table), ("i.tsv", TABLE, read_items), ("p.dat", TABLE, read_pairs)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "read"), TEXTS, ids=[name for name, *_ in TEXTS])
def test_texts(name, text, read, answer):
    generator, answers = random.Random(20), 0
    for _ in range(200):
        write_over(Path(name), mutated_text(text, generator))
        found = answer(Path(name), read)
        answers += found is not None
        if read is load and found is not None:
            assert found.ndim == 2
            assert (found > 0).all()
    assert 0 < answers < 200


NODES = [{"id": "a", "x": 0, "y": 1}, {"id": "b", "label": "B"}, {"id": "c"}]
LINKS = [{"source": "a", "target": "b", "weight": 1.5}, {"source": "b", "target": "c", "weight": 2}]
ELEMENTS = {
    "nodes": [{"data": node, "position": {"x": 1, "y": 2}} for node in NODES],
    "edges": [{"data": link} for link in LINKS],
}
ADJACENCY = {"directed": True, "nodes": NODES, "adjacency": [[{"id": "b", "weight": 1}], [{"id": "c", "weight": 2}], []]}
GRAPHML = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><key id="w" for="edge" attr.name="weight" attr.type="double"/>
<key id="d" for="node" attr.name="x"><default>1</default></key>
<graph edgedefault="directed"><node id="a"><data key="d">0</data></node><node id="b"/><node id="c"/>
<edge source="a" target="b"><data key="w">1.5</data></edge><edge source="b" target="c" directed="false"><data key="w">2
</data></edge></graph></graphml>
"""
GEXF = """<?xml version="1.0"?>
<gexf version="1.2"><graph defaultedgetype="undirected"><attributes class="edge"><attribute id="0" title="cost"
type="float"/></attributes><nodes>
<node id="a" label="A"/><node id="b" label="B"/><node id="c"><position x="1" y="2"/></node></nodes>
<edges><edge id="0" source="a" target="b" weight="1.5"/><edge id="1" source="b" target="c" type="directed">
<attvalues><attvalue for="0" value="2"/></attvalues></edge></edges></graph></gexf>
"""
GML = """graph [ directed 1
node [ id 1 label "A" graphics [ x 0 y 1 ] ]
node [ id 2 label "B" ]
node [ id 3 label "C" ]
edge [ source 1 target 2 weight 1.5 ]
edge [ source 2 target 3 weight 2 ]
]
"""
PAJEK = '*Vertices 3\n1 "a" 0.1 0.2\n2 "b"\n3 "c"\n*Arcs\n1 2 1.5\n*Edges\n2 3 2\n*Arcslist\n1 3\n'
MATRIX = "%%MatrixMarket matrix coordinate real general\n% a comment\n3 3 3\n1 2 1.5\n2 3 2\n3 1 4\n"
DENSE = "%%MatrixMarket matrix array real general\n2 2\n0\n1\n2\n0\n"
GRAPHS = {
    "g.graphml": (GRAPHML, MARKUP),
    "g.gexf": (GEXF, MARKUP),
    "g.xml": (GRAPHML, MARKUP),
    "g.gml": (GML, RECORDS),
    "xml.gml": (GRAPHML, MARKUP),
    "g.net": (PAJEK, ["*Matrix", "*Vertices", "*Vertices 2000000", "*Partition", "*Arcs", "0 1 0\n"]),
    "g.paj": (PAJEK, ["*Network x", "*Edgeslist", "*Vector", "-2 1"]),
    "links.json": (json.dumps({"directed": False, "nodes": NODES, "links": LINKS}, indent=1), VALUES),
    "adjacent.json": (json.dumps(ADJACENCY), VALUES),
    "pairs.json": (json.dumps({"elements": [["a", "b", 1.5], ["b", "c", {"weight": 2}]]}), VALUES),
    "g.cyjs": (json.dumps({"elements": ELEMENTS}), VALUES),
    "g.mtx": (MATRIX, ["array", "complex", "pattern", "symmetric", "integer", "99999999 99999999 1"]),
    "dense.mtx": (DENSE, ["coordinate", "skew-symmetric", "hermitian", "90000 90000"]),
    "g.gr": ("c roads\np sp 3 2\na 1 2 1.5\na 2 3 2\n", ["p edge", "e 1 2\n", "a 1 3 1\n"]),
    "g.col": ("p edge 3 2\ne 1 2\ne 2 3\n", ["p sp", "a 1 2 3\n"]),
    "g.csv": ("source,target,weight,type\na,b,1.5,directed\nb,c,2,undirected\n", ["oneway", "u", "Type", "a,a,1\n"]),
    "g.edges": ("# directed\na b {'weight': 1.5}\nb c {'weight': 2}\n", ["{", "}", "{'weight': " * 300, "'\\d'", "1if 2"]),
    "g.ncol": ("a b 1.5\nb c 2\n", ["0 0 0\n"]),
    "g.gml.gz": (GML, RECORDS),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name, answer):
    (text, pieces), path = GRAPHS[name], Path(name)
    generator, answers = random.Random(23), 0
    for _ in range(200):
        data = mutated_text(text, generator, pieces if generator.random() < 0.6 else PIECES)
        write_over(path, gzip.compress(data) if path.suffix == ".gz" else data)
        found = answer(path, lambda path: read_graph(path, "none" if path.suffix == ".col" else "weight"))
        answers += found is not None
        assert found is None or len(found.weights) == len(found.graph.edges()) > 0
    assert 0 < answers < 200


ARRAYS = ["m.npy", "m.npz", "m.npy.gz", "m.png", "m.png.gz", "m.jpg", "m.bmp", "m.dib", "m.gif", "m.tif", "m.webp", "m.pgm"]
ARRAYS += ["m.ico", "m.tga", "m.pcx", "m.jp2", "m.avif"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_and_pictures(name, answer):
    plain = name.removesuffix(".gz")
    content = {"m.npy": array_bytes, "m.npz": archive_bytes}.get(plain, lambda: picture_bytes(plain))()
    generator, path = random.Random(21), Path(name)
    for number in range(200):
        data = reached(content, Path(plain).suffix, generator)
        packing = gzip.compress(data) if number % 2 else mutated_bytes(gzip.compress(content, mtime=0), generator)
        write_over(path, data if name == plain else packing)
        found = answer(path, load)
        assert found is None or (found > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "read"), [(f"m.{end}", read) for end in ("npy", "csv", "png") for read in (read_gold, read_weights)]
)
def test_gold_paths_and_weights(name, read, answer):
    problem = read_map_problem(MapOptions(), MapSolverOptions(), "cpu")
    gold, path, generator = problem.solve(), Path(name), random.Random(24)
    np.save("m.npy", gold)
    np.savetxt("m.csv", gold, "%d", ",")
    Image.fromarray(255 * gold.astype(np.uint8)).save("m.png")
    content = path.read_bytes()
    for _ in range(200):
        is_text = path.suffix == ".csv"
        data = mutated_text(content.decode(), generator) if is_text else reached(content, path.suffix, generator)
        write_over(path, data)
        found = answer(path, lambda path: read(path, problem))
        assert found is None or (found.shape == gold.shape and np.isfinite(found).all())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["maps", "vertex_weights", "shortest_paths"])
def test_data_sets(kind, answer):
    arrays = {"maps": np.zeros((2, 16, 16, 3), np.uint8), "vertex_weights": np.ones((2, 2, 2), np.float16)}
    arrays["shortest_paths"] = np.ones((2, 2, 2), np.uint8)
    for name, array in arrays.items():
        np.save(f"train_{name}.npy", array)
    path, generator = Path(f"train_{kind}.npy"), random.Random(22)
    content = path.read_bytes()
    for _ in range(200):
        write_over(path, mutated_bytes(content, generator))
        found = answer(path, lambda _: read_maps(Path(), "train"))
        assert found is None or (found.costs > 0).all()
