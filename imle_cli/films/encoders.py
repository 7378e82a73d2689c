"""Animations, streamed: frames of palette colours to GIF, WebP, APNG or MP4, each frame in memory for a moment only."""

import struct
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image

Pixels = NDArray[np.uint8]
Frames: TypeAlias = Iterator[tuple[Pixels, int]]  # pictures (h, w) of one size, each with its duration in milliseconds

TRANSPARENT = 255
"""A colour that pictures leave alone."""

_MP4_RATE = 25


class AnimationError(ValueError):
    """An animation that cannot be written; the message is one line."""


def check_encoder(kind: str) -> None:
    """Refuses a kind of animation that cannot be written here.

    Raises:
        AnimationError: no encoder is installed.
    """
    if kind == "mp4" and find_spec("imageio_ffmpeg") is None:
        raise AnimationError(
            "--format: mp4 needs an encoder that is not installed; pip install 'imle[mp4]', or take --format gif"
        )


def write(file: BinaryIO, kind: str, frames: Frames, palette: Pixels) -> None:
    """Writes an animation that loops for ever.

    Equal frames in a row become one that lasts as long as all of them.

    Args:
        file: where to write.
        kind: "gif", "webp", "apng" or "mp4".
        frames: at least one.
        palette: colours, ``(256, 3)``; the last is not used.

    Raises:
        AnimationError: no encoder is installed.
    """
    check_encoder(kind)
    writers: dict[str, Callable[[BinaryIO, Frames, Pixels], None]] = {
        "gif": _write_gif,
        "webp": _write_webp,
        "apng": _write_apng,
        "mp4": _write_mp4,
    }
    writers[kind](file, _merged(frames), palette)


def _merged(frames: Frames) -> Frames:
    shown, lasting = next(frames)
    for pixels, duration in frames:
        if np.array_equal(pixels, shown):
            lasting += duration
        else:
            yield shown, lasting
            shown, lasting = pixels, duration
    yield shown, lasting


def _write_gif(file: BinaryIO, frames: Frames, palette: Pixels) -> None:
    """GIF89a with one palette for all frames; of each frame only the rectangle that changed, and there only what changed.

    Durations are hundredths of a second; what rounding leaves is carried to the next frame.
    """
    before: Pixels | None = None
    carried = 0.0
    for pixels, duration in frames:
        if before is None:
            height, width = pixels.shape
            file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette.tobytes())
            file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
            rectangle, left, top, flags = pixels, 0, 0, 0x04
        else:
            changed = pixels != before
            rows, columns = (_extent(changed.any(axis=axis)) for axis in (1, 0))
            rectangle = np.where(changed[rows, columns], pixels[rows, columns], TRANSPARENT)
            left, top, flags = columns.start, rows.start, 0x05
        carried += duration / 10
        hundredths = max(1, min(round(carried), 65535))
        carried -= hundredths
        file.write(b"!\xf9\x04" + struct.pack("<BHBB", flags, hundredths, TRANSPARENT, 0))
        for block in GifImagePlugin.getdata(Image.fromarray(rectangle, "P"), (left, top)):
            file.write(block)
        before = pixels
    file.write(b";")


def _extent(changed: NDArray[np.bool_]) -> slice:
    positions = np.flatnonzero(changed)
    return slice(int(positions[0]), int(positions[-1]) + 1)


def _write_apng(file: BinaryIO, frames: Frames, palette: Pixels) -> None:
    """PNG with an animation control chunk, whose count of frames is filled in at the end."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    number, count, position = 0, 0, 0
    for pixels, duration in frames:
        height, width = pixels.shape
        if not count:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)))
            position = file.tell()
            file.write(chunk(b"acTL", bytes(8)) + chunk(b"PLTE", palette.tobytes()))
        shares = 1000 if duration < 65536 else 10  # of a second; counted in 16 bits
        lasting = min(round(duration * shares / 1000), 65535)
        control = struct.pack(">IIIIIHHBB", number, width, height, 0, 0, lasting, shares, 0, 0)
        data = zlib.compress(np.pad(pixels, ((0, 0), (1, 0))).tobytes(), 6)
        number += 1
        file.write(chunk(b"fcTL", control))
        if count:
            data, number = struct.pack(">I", number) + data, number + 1
        file.write(chunk(b"fdAT" if count else b"IDAT", data))
        count += 1
    file.write(chunk(b"IEND", b""))
    file.seek(position)
    file.write(chunk(b"acTL", struct.pack(">II", count, 0)))


def _write_webp(file: BinaryIO, frames: Frames, palette: Pixels) -> None:
    """Lossless WebP: each frame is encoded by itself and wrapped, its size and place even as the format wants them."""
    before: Pixels | None = None
    for pixels, duration in frames:
        height, width = pixels.shape
        if before is None:
            canvas = _three_bytes(width - 1) + _three_bytes(height - 1)
            file.write(b"RIFF" + bytes(4) + b"WEBP" + _riff(b"VP8X", b"\x02\0\0\0" + canvas))
            file.write(_riff(b"ANIM", bytes(6)))
            top, left, bottom, right = 0, 0, height, width
        else:
            changed = pixels != before
            rows, columns = (_extent(changed.any(axis=axis)) for axis in (1, 0))
            top, left, bottom, right = rows.start & ~1, columns.start & ~1, rows.stop, columns.stop
        encoded = BytesIO()
        Image.fromarray(palette[pixels[top:bottom, left:right]]).save(encoded, "WEBP", lossless=True, method=0, quality=0)
        corner, size = _three_bytes(left // 2) + _three_bytes(top // 2), _three_bytes(right - left - 1)
        header = corner + size + _three_bytes(bottom - top - 1) + _three_bytes(duration) + b"\x02"  # do not blend
        file.write(_riff(b"ANMF", header + encoded.getvalue()[12:]))
        before = pixels
    length = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", length - 8))


def _three_bytes(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def _riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _write_mp4(file: BinaryIO, frames: Frames, palette: Pixels) -> None:
    """H.264 at 25 pictures a second by imageio's ffmpeg, which wants even sides and a file name of its own."""
    from imageio.v2 import get_writer

    settings = {"codec": "libx264", "quality": None, "macro_block_size": 2, "ffmpeg_log_level": "error"}
    parameters = ["-crf", "14", "-preset", "fast"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = get_writer(path, format="FFMPEG", mode="I", fps=_MP4_RATE, output_params=parameters, **settings)
        with writer:
            ended, made = 0, 0
            for pixels, duration in frames:
                picture = palette[np.pad(pixels, [(0, side % 2) for side in pixels.shape], mode="edge")]
                ended += duration
                for _ in range(made, max(made + 1, round(_MP4_RATE * ended / 1000))):
                    writer.append_data(picture)
                    made += 1
        with path.open("rb") as film:
            copyfileobj(film, file)
