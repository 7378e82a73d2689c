"""Output files: refused before the work, never half written."""

import csv
import os
import re
from pathlib import Path

import numpy as np
import pytest

from imle_cli.files.outputs import OutputError, Outputs, check_output, leftovers, replacing, sync_folder, write_table


def expect_refusal(message, path, kinds=(".png", ".pdf"), inputs=()):
    with pytest.raises(OutputError, match=f"^{re.escape(message)}$"):
        check_output("--out", Path(path), kinds, [Path(name) for name in inputs])


class TestCheck:
    def test_another_ending(self):
        expect_refusal("--out: a.jpg ends in .jpg; it must end in .png or .pdf", "a.jpg")
        expect_refusal("--out: a has no extension; it must end in .png or .pdf", "a")

    def test_a_folder(self):
        Path("a.png").mkdir()
        expect_refusal("--out: a.png is a folder; give the name of a file in it", "a.png")
        expect_refusal("--out: . is a folder; give the name of a file in it", ".")

    def test_a_missing_folder(self):
        expect_refusal("--out: the folder none does not exist; make it first", "none/a.png")

    def test_a_file_in_place_of_the_folder(self):
        Path("b").touch()
        expect_refusal("--out: the folder b does not exist; make it first", "b/a.png")

    def test_a_folder_that_cannot_be_written_to(self, monkeypatch):
        monkeypatch.setattr(os, "access", lambda *_: False)
        expect_refusal("--out: the folder . cannot be written to; choose another", "a.png")

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="for root every folder can be written to")
    def test_a_read_only_folder(self):
        Path("closed").mkdir(mode=0o500)
        expect_refusal("--out: the folder closed cannot be written to; choose another", "closed/a.png")

    def test_the_input_under_any_name(self):
        Path("map.png").write_bytes(b"\x89PNG")
        Path("same.png").symlink_to("map.png")
        for name in ("map.png", "./map.png", "same.png"):
            expect_refusal(f"--out: {Path(name)} is the input; choose another name", name, inputs=["map.png"])

    def test_what_is_no_file(self):
        if hasattr(os, "mkfifo"):
            os.mkfifo("pipe.png")
            expect_refusal("--out: pipe.png is no ordinary file; choose another name", "pipe.png")

    @pytest.mark.parametrize(
        ("ending", "content"), [("png", b"text"), ("pdf", b"\x89PNG"), ("png", b"\x93NUMPY"), ("svg", b"%PDF")]
    )
    def test_a_file_of_another_kind(self, ending, content):
        Path(f"a.{ending}").write_bytes(content)
        message = f"--out: a.{ending} exists and is no {ending.upper()} file; choose another name or remove it"
        expect_refusal(message, f"a.{ending}", (".png", ".pdf", ".svg"))

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.png", b"\x89PNG..."),
            ("A.PNG", b"\x89PNG..."),
            ("a.pdf", b"%PDF-1.4"),
            ("a.svg", b"<?xml version"),
            ("a.npy", b"\x93NUMPY"),
            ("empty.png", b""),
        ],
    )
    def test_its_own_kind_and_empty_files_may_be_replaced(self, name, content):
        Path(name).write_bytes(content)
        check_output("--out", Path(name), (".png", ".pdf", ".svg", ".npy"))
        assert Path(name).read_bytes() == content

    def test_a_new_file(self):
        check_output("--out", Path("new.png"), (".png",), [Path("missing.png")])


class TestReplacing:
    @pytest.mark.parametrize("name", ["a.png", "地図 [red].png", "x" * 240 + ".png"])
    def test_the_file_appears_when_the_block_ends_well(self, name):
        Path(name).write_bytes(b"old")
        with replacing(Path(name)) as file:
            file.write(b"new")
            assert Path(name).read_bytes() == b"old"
        assert Path(name).read_bytes() == b"new"
        assert [path.name for path in Path().iterdir()] == [name]

    @pytest.mark.parametrize(
        "error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1), OSError(28, "No space left on device")]
    )
    def test_nothing_is_left_after_an_error_and_the_old_file_stays(self, error):
        Path("a.png").write_bytes(b"old")

        def fail():
            with replacing(Path("a.png")) as file:
                file.write(b"half")
                raise error

        with pytest.raises(type(error)):
            fail()
        assert [path.name for path in Path().iterdir()] == ["a.png"]
        assert Path("a.png").read_bytes() == b"old"

    def test_an_error_of_the_disk_names_the_final_file(self):
        with pytest.raises(OSError, match=r"No space left on device: 'a\.png'") as caught, replacing(Path("a.png")):
            raise OSError(28, "No space left on device")
        assert (caught.value.errno, caught.value.filename) == (28, "a.png")

    def test_an_error_about_another_file_keeps_its_name(self):
        with pytest.raises(OSError, match=r"b\.png") as caught, replacing(Path("a.png")):
            raise FileNotFoundError(2, "No such file", "b.png")
        assert caught.value.filename == "b.png"

    def test_a_folder_that_vanished(self):
        with pytest.raises(FileNotFoundError) as caught, replacing(Path("gone/a.png")):
            pass
        assert caught.value.filename == str(Path("gone/a.png"))


class TestDurable:
    def test_what_is_replaced_is_kept(self):
        for content in (b"one", b"two", b"three"):
            with replacing(Path("a.pt"), durable=True, kept=Path("b.pt")) as file:
                file.write(content)
        sync_folder(Path())
        assert (Path("a.pt").read_bytes(), Path("b.pt").read_bytes()) == (b"three", b"two")

    def test_the_content_reaches_the_disk_before_the_name_does(self, monkeypatch):
        done, fsync, replace = [], os.fsync, Path.replace
        monkeypatch.setattr(os, "fsync", lambda number: (done.append(os.fstat(number).st_size), fsync(number)))
        monkeypatch.setattr(Path, "replace", lambda path, target: (done.append(target.name), replace(path, target)))
        with replacing(Path("a.pt"), durable=True) as file:
            file.write(b"four")
        assert done == [4, "a.pt"]

    def test_leftovers_have_names_that_were_asked_for(self):
        for name in (
            ".a.pt.0123abcd.part",
            ".b.pt.0123abcd.part",
            ".a.pt.part",
            "a.pt.0123abcd.part",
            ".a.pt.0123abcz.part",
        ):
            Path(name).touch()
        assert leftovers(Path(), ["a.pt"]) == [Path(".a.pt.0123abcd.part")]
        long = "x" * 200
        Path(f".{long[:100]}.0123abcd.part").touch()
        assert leftovers(Path(), [long]) == [Path(f".{long[:100]}.0123abcd.part")]


class TestOutputs:
    def test_both_files(self):
        outputs = Outputs(Path("a.SVG"), Path("b.npy"), ())
        assert outputs.files == ["a.SVG", "b.npy"]
        outputs.write(lambda kind: f"<?xml {kind}".encode(), np.arange(3))
        assert Path("a.SVG").read_bytes() == b"<?xml svg"
        np.testing.assert_array_equal(np.load("b.npy"), np.arange(3))

    def test_a_table(self):
        outputs = Outputs(Path("a.png"), Path("b.csv"), ())
        columns = {"item": ["a,b", "\udcff"], "score": [1.5, -2.0], "chosen": [0, 1]}
        for _ in range(2):
            outputs.write(lambda _: b"\x89PNG", np.arange(2), lambda: columns)
            assert Path("b.csv").read_bytes() == b'item,score,chosen\n"a,b",1.5,0\n\\udcff,-2.0,1\n'
            check_output("--save", Path("b.csv"), [".csv"])

    def test_names_that_a_spreadsheet_would_take_for_formulas_are_quoted(self):
        names = ["=1+2", "+a", "-b", "@c", "\t=d", "\tg", "\rh", "-3", "+1e5", "e=f", ""]
        write_table(Path("b.csv"), {"item": names, "score": [-1.5] * len(names)})
        with Path("b.csv").open(newline="") as file:
            rows = list(csv.reader(file))[1:]
        assert [row[0] for row in rows] == ["'=1+2", "'+a", "'-b", "'@c", "'\t=d", "'\tg", "'\rh", "-3", "+1e5", "e=f", ""]
        assert {row[1] for row in rows} == {"-1.5"}

    def test_a_table_of_somebody_else_is_not_overwritten(self):
        for header in ("source,target,weight\n", "name,chosen\n", "item,score,chosen one\n"):
            Path("b.csv").write_text(header)
            with pytest.raises(OutputError, match=r"^--save: b\.csv exists and is no CSV file of imle; choose another name"):
                Outputs(Path("a.png"), Path("b.csv"), ())

    def test_a_picture_alone(self):
        outputs = Outputs(Path("a.png"), None, ())
        outputs.write(lambda _: b"\x89PNG", np.arange(3))
        assert outputs.files == [path.name for path in Path().iterdir()] == ["a.png"]

    def test_each_is_checked_when_they_are_made(self):
        with pytest.raises(OutputError, match=r"^--out: a\.npy ends in \.npy"):
            Outputs(Path("a.npy"), None, ())
        with pytest.raises(OutputError, match=r"^--save: a\.png ends in \.png"):
            Outputs(Path("a.png"), Path("a.png"), ())


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
class TestLinks:
    @pytest.mark.parametrize("there", [True, False])
    def test_one_is_followed(self, there):
        Path("folder").mkdir()
        if there:
            Path("folder/real.png").write_bytes(b"\x89PNG old")
        Path("link.png").symlink_to("folder/real.png")
        check_output("--out", Path("link.png"), [".png"])
        with replacing(Path("link.png")) as file:
            file.write(b"\x89PNG new")
        assert Path("link.png").is_symlink()
        assert Path("folder/real.png").read_bytes() == b"\x89PNG new"
        assert [path.name for path in Path("folder").iterdir()] == ["real.png"]

    def test_one_into_no_folder_or_to_itself(self):
        Path("link.png").symlink_to("folder/real.png")
        with pytest.raises(OutputError, match=r"folder does not exist; make it first$"):
            check_output("--out", Path("link.png"), [".png"])
        Path("circle.png").symlink_to("circle.png")
        with pytest.raises(OutputError, match=r"^--out: circle\.png is a link that leads to itself; choose another name or"):
            check_output("--out", Path("circle.png"), [".png"])
