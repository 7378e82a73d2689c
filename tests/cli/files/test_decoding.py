"""Texts in every encoding that programs of tables write."""

import pytest

from imle_cli.files.decoding import decode

TEXT = "größe;1\n2;3\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_unicode(encoding, end):
    assert decode(TEXT.replace("\n", end).encode(encoding)) == (TEXT, False)


def test_a_mark_of_utf_16_and_its_other_order():
    assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be")) == (TEXT, False)


def test_western_texts_are_a_guess():
    assert decode(TEXT.encode("cp1252")) == (TEXT, True)
    assert decode("10 €".encode("cp1252")) == ("10 €", True)
    assert decode(b"a\x81\xff") == ("a\x81ÿ", True)  # no Windows-1252


def test_the_end_of_a_file_of_dos():
    assert decode(b"1,2\r\n\x1a") == ("1,2\n", False)


@pytest.mark.parametrize("content", [b"1,2\0", b"\0\0\0\0", bytes(range(256)), b"\xff\xfea"])
def test_what_is_no_text(content):
    with pytest.raises(ValueError, match="is no text"):
        decode(content)
