"""Pictures become costs: which are opened, their luminance, and what is no brightness although it looks like a picture."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from imle_cli.files.endings import foreign
from imle_cli.files.maps.tiles import MAX_PIXELS, FloatArray, Shape, check_size, gather, tile_text
from imle_cli.files.sources import SourceError, is_packed, read_bytes
from imle_cli.files.standard_input import actual
from imle_cli.messages import UsageError, note

# The weights of ITU-R BT.601, in thousandths: sums of integers are exact, so grey RGB equals the same grey to the bit.
LUMA = np.array([299.0, 587.0, 114.0])
WHITE = {"1": 1.0, "L": 255.0, "LA": 255.0, "YCbCr": 255.0, "RGB": 255_000.0, "RGBA": 255_000.0, "F": 1.0}
WHITE |= dict.fromkeys(("I", "I;16", "I;16L", "I;16B", "I;16N"), 65_535.0)
PLAIN_MODE = {"P": "RGBA", "PA": "RGBA", "RGBa": "RGBA", "La": "LA", "RGBX": "RGB", "CMYK": "RGB", "HSV": "RGB"}
# No others are opened: some readers of Pillow start programs, or read what is no picture of pixels.
FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "PPM", "ICO", "TGA", "PCX", "JPEG2000", "AVIF")
_PLACED = (33550, 33922, 34264, 34735, 42113)  # tags of TIFF that place it on Earth, or name a value for no data


@contextmanager
def _pillow(path: Path) -> Iterator[None]:
    """Turns whatever Pillow's many readers raise into a `SourceError`, and its size limit into ours."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (SourceError, UsageError):
        raise
    except MemoryError as error:  # also of a codec that believes what a damaged file claims
        raise SourceError(path, "takes more memory than there is, or is damaged; shrink it, or save it again") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        got = f"claims more than {MAX_PIXELS} pixels"
        raise SourceError(path, f"{got}; that many cannot be read, so crop or shrink the picture") from error
    except UnidentifiedImageError as error:
        with actual(path).open("rb") as stream:
            if wrong := foreign(stream.read(64)):
                raise SourceError(path, wrong) from error
        raise SourceError(path, "is not a picture of a known kind; give a PNG, or costs as .npy, .csv or .txt") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise SourceError(path, f"cannot be read as a picture ({reason}); save it again, best as PNG") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def load_picture(path: Path, min_cost: float, max_cost: float, grid: Shape | None) -> FloatArray:
    """``cost = luminance * min_cost + (1 - luminance) * max_cost``, one tile a pixel, averaged over ``grid``.

    Args:
        path: the file.
        min_cost: cost of white.
        max_cost: cost of black.
        grid: ``(H, W)`` of the result, or None.

    Returns:
        Costs, ``(H, W)``; ``+inf`` where the picture is fully transparent.

    Raises:
        SourceError: no picture that is read, or one whose values are no brightness.
    """
    with _pillow(path), _opened(path) as stream, Image.open(stream, formats=_formats()) as image:
        check_size(path, (image.height, image.width), grid)
        _check_variant(image)
        if getattr(image, "is_animated", False):
            note(f"{path}: has several pictures; the first of them is the map")
        image.load()
        _check_brightness(path, image)
        ImageOps.exif_transpose(image, in_place=True)

        def rows(top: int, bottom: int) -> FloatArray:
            light, wall = _luminance(path, image.crop((0, top, image.width, bottom)), top)
            return np.where(wall, np.inf, np.clip(light * min_cost + (1 - light) * max_cost, min_cost, max_cost))

        return gather(path, rows, (image.height, image.width), grid)


def _opened(path: Path) -> IO[bytes]:
    # A stream, because Pillow maps a file that it opens by name, and then garbles a TIFF with an orientation tag.
    return io.BytesIO(read_bytes(path, "a picture", "map")) if is_packed(path) else actual(path).open("rb")


def _formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _check_brightness(path: Path, image: Image.Image) -> None:
    """Refuses one band of measurements, and tells of grey that hardly differs."""
    tags = getattr(image, "tag_v2", {})
    if image.mode not in ("1", "L", "F") and image.mode[0] != "I":
        return
    signed, bits = 2 in tags.get(339, ()), tags.get(258, ())
    grey = np.asarray(image) if image.mode == "L" or image.mode[0] == "I" else np.zeros(1)
    low, high, white = float(grey.min()), float(grey.max()), WHITE[image.mode]
    what = "a GeoTIFF of one band" if any(tag in tags for tag in _PLACED) else "a TIFF of signed numbers"
    if what.startswith("a GeoTIFF") or (signed and (bits != (32,) or high < 2**15)):
        remedy = "climbing costs, not height: make costs of them, 1 + slope for instance, and save these as .npy"
        raise SourceError(path, f"is {what}, measurements such as heights, not brightness; {remedy}")
    if 0 < high - low < white / 4:
        got = f"{path}: its grey is from {low:g} to {high:g} of 0 to {white:g}, so that costs hardly differ"
        note(f"{got}; stretch it, or save costs as .npy")


def _check_variant(image: ImageFile.ImageFile) -> None:
    """Refuses what Pillow would read wrongly: some TIFF greys, and a PNG's transparent colour where it scales the pixels."""
    tags = getattr(image, "tag_v2", {})
    photometric, bits = tags.get(262), tags.get(258)
    if image.mode[0] in "IF" and (photometric == 0 or bits == (12,)):
        raise ValueError("TIFF grey that is 12 bits deep, or has 0 for white")
    if "transparency" in image.info and image.tile and image.tile[0][3] in ("L;2", "L;4", "RGB;16B"):
        raise ValueError("PNG with a transparent colour of 2, 4 or 16 bits, where 8 bits or an alpha channel can be read")


def _luminance(path: Path, band: Image.Image, top: int) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Luminance in [0, 1] and where the picture is fully transparent, both of the band's shape."""
    if band.mode in PLAIN_MODE:
        band = band.convert(PLAIN_MODE[band.mode])
    if band.mode not in WHITE:
        raise ValueError(f"colour mode {band.mode}")
    pixels = np.asarray(band)
    if band.mode in ("RGB", "RGBA"):
        light = pixels[..., :3].astype(np.float64) @ LUMA
    else:
        # BT.601 defines the Y of YCbCr as this very luminance.
        light = (pixels if pixels.ndim == 2 else pixels[..., 0]).astype(np.float64)
    light /= WHITE[band.mode]
    _check_luminance(path, pixels, light, top)
    if band.mode in ("LA", "RGBA"):
        return light, pixels[..., -1] == 0
    key = band.info.get("transparency")
    if key is None or band.mode == "YCbCr":
        return light, np.zeros(light.shape, dtype=np.bool_)
    same = pixels == ((key > 0) if band.mode == "1" else key)
    return light, same if same.ndim == 2 else same.all(axis=-1)


def _check_luminance(path: Path, pixels: NDArray[np.generic], light: FloatArray, top: int) -> None:
    bad = np.argwhere(~((light >= 0) & (light <= 1)))
    if len(bad):
        rule = "a float picture holds luminance in 0..1" if pixels.dtype.kind == "f" else "grey must lie in 0..65535"
        first = tile_text(pixels.astype(np.float64), bad[0], top)
        raise SourceError(path, f"has a pixel of {first}; {rule}, so save costs as .npy instead")
