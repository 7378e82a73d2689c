"""Standard input as a file: its kind is told from its content."""

import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from imle_cli.files import standard_input
from imle_cli.files.sources import SourceError, ending, read_bytes
from imle_cli.files.standard_input import actual, kind_of
from imle_cli.options.standard_streams import STANDARD_INPUT, read_from


def saved(save, *arguments, **settings):
    stream = io.BytesIO()
    save(stream, *arguments, **settings)
    return stream.getvalue()


@pytest.fixture
def piped(monkeypatch):
    """A function that puts bytes on standard input."""

    def pipe(content, is_terminal=False):
        stream = SimpleNamespace(buffer=io.BytesIO(content), closed=False, isatty=lambda: is_terminal)
        monkeypatch.setattr(sys, "stdin", stream)

    return pipe


CONTENTS = {
    ".npy": saved(np.save, np.ones((2, 2))),
    ".npz": saved(np.savez, costs=np.ones((2, 2))),
    ".graphml": b'<?xml version="1.0"?>\n<!-- a <b> -->\n<graphml xmlns="x"><graph/></graphml>',
    ".gexf": b'\xef\xbb\xbf<?xml version="1.0"?><gexf version="1.3"/>',
    ".json": b'\n{"nodes": []}',
    ".gml": b'# by hand\nCreator "me"\nVersion 1\ngraph\n[\n',
    ".net": b"*Vertices 3\n",
    ".mtx": b"%%MatrixMarket matrix coordinate real general\n",
    ".gr": b"c by hand\nc\np sp 3 4\n",
    ".ppm": b"P3\n1 1\n255\n0 0 0\n",
    ".asc": b"NCOLS 3\nNROWS 2\n",
    ".map": b"type octile\nheight 1\nwidth 2\nmap\n..\n",
}
TEXTS = [
    b"1,2\n3,4\n",
    b"item,score\na,1\n",
    b"# FromNodeId ToNodeId\n0\t1\n",
    b"c d 1\nd e 2\n",
    b"p q 1\n",
    b"",
    b"type,x\n1,2\n",
]
TEXTS += ["größe,wert\n".encode("utf-16"), "ä".encode() * 2**16, "größe\n".encode("latin-1")]


@pytest.mark.parametrize("kind", CONTENTS)
def test_kinds(kind):
    assert kind_of(CONTENTS[kind]) == kind


@pytest.mark.parametrize("content", TEXTS, ids=range(len(TEXTS)))
def test_any_other_text_may_be_a_table(content):
    assert kind_of(content) == ".txt"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_other_bytes_may_be_a_picture(form):
    assert kind_of(saved(Image.new("L", (9, 9), 100).save, format=form)) == ".png"


class TestActual:
    def test_another_path_is_itself(self):
        assert actual(Path("stdin")) == Path("stdin")
        assert read_from(Path("stdin")) is not STANDARD_INPUT
        assert read_from(Path("a.csv")) == Path("a.csv")
        assert read_from(None) is None

    def test_it_is_read_once_and_again_when_another_stream_is_there(self, piped):
        assert read_from(Path("-")) is STANDARD_INPUT
        for content in (b"1,2\n", CONTENTS[".npy"]):
            piped(content)
            assert [read_bytes(STANDARD_INPUT, "a file", "map") for _ in range(2)] == [content] * 2
        assert ending(STANDARD_INPUT) == ".npy"

    def test_what_is_compressed_is_unpacked(self, piped):
        piped(gzip.compress(CONTENTS[".gml"]))
        assert (ending(STANDARD_INPUT), read_bytes(STANDARD_INPUT, "a file", "graph")) == (".gml", CONTENTS[".gml"])


class TestRefusals:
    def refusal(self):
        with pytest.raises(SourceError) as caught:
            read_bytes(STANDARD_INPUT, "a file", "map")
        return str(caught.value)

    def test_a_terminal_would_be_waited_for(self, piped):
        piped(b"", is_terminal=True)
        assert self.refusal() == "-: standard input is the keyboard; pipe a file into it, such as < map.png"

    def test_closed(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", None)
        assert self.refusal() == "-: standard input is closed; pipe a file into it"

    def test_empty(self, piped):
        piped(b"")
        assert self.refusal() == "stdin: the file is empty (0 bytes); save the map again"

    def test_damaged(self, piped):
        piped(gzip.compress(b"x" * 99)[:-9])
        assert self.refusal().startswith("-: standard input cannot be decompressed (")

    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_too_much(self, piped, monkeypatch, pack):
        monkeypatch.setattr(standard_input, "_MOST", 99)
        piped(pack(b"x" * 100))
        assert self.refusal() == "-: standard input holds more than 99 bytes; give less, or a file"
