"""Decoding: turn the bytes of one image file into 8-bit RGB pixels, completely, or refuse them with a reason."""

from __future__ import annotations

import io

import numpy as np

# Pillow would import the last two when it first meets such a file, in several threads at once.
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from ..errors import UnreadableImageError
from .file_kinds import kind_of_file
from .limits import FIX, MAX_PIXELS, check_scans, check_segments, check_size, is_slide, lacks_scans, webp_size
from .pillow import check_pillow, silence_pillow
from .png import verify_png, without_description

_SPARE = 3
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"RIFF": "WEBP",
}
_WHITE_IS_ZERO = 0
_PHOTOMETRIC = 262


def decode(data: bytes, max_pixels: int = MAX_PIXELS, target_size: tuple[int, int] | None = None) -> np.ndarray:
    """Decode the bytes of one image file completely; see `decode_rgb` for the conversion.

    Parameters
    ----------
    data : bytes
        The whole file.
    max_pixels : int
        Larger images are refused.
    target_size : (int, int), optional
        Height and width to which the pixels will be scaled: see `decode_rgb`.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Red, green, blue; writable. Smaller than the image in the file where `target_size` allows it.

    Raises
    ------
    UnreadableImageError
        The bytes do not decode completely; ``what`` is the reason in words.
    """
    return np.array(decode_rgb(data, max_pixels, target_size))


def decode_rgb(data: bytes, max_pixels: int = MAX_PIXELS, target_size: tuple[int, int] | None = None) -> Image.Image:
    """Decode the bytes of one image file completely into a Pillow image of mode RGB.

    Parameters
    ----------
    data : bytes
        The whole file; its first bytes decide the format, not its extension.
    max_pixels : int
        Larger images are refused. Beyond Pillow's own ``PIL.Image.MAX_IMAGE_PIXELS``, raise that limit too. Refused as
        well, before they are decoded: sides of more than 65,535 pixels or of more than 1:200, JPEG files of more than
        100 scans, or of fewer where they are large.
    target_size : (int, int), optional
        Height and width to which the pixels will be scaled. A JPEG at least six times as large is decoded at a half, a
        quarter or an eighth of its size, three times `target_size` at least, in about half the time: scaled down from
        there, pixels differ by 0.1 to 0.3 grey levels on average (docs/decisions/012).

    Raises
    ------
    UnreadableImageError
        The bytes are not such an image, or damaged, truncated, too large, or of a kind without a unique conversion.
    ConfigurationError
        Other code in this process set Pillow to fill up truncated images.

    Notes
    -----
    How everything that is not 8-bit RGB is converted:

    - the EXIF (or XMP) orientation is applied; metadata that cannot be read hold none, and the pixels count;
    - grey, 1-bit and palette images become RGB; YCbCr is converted by Pillow;
    - transparency, as a channel, a palette entry or a key colour, is laid on white; a BMP whose alpha is 0 everywhere
      has none, as many programs write it;
    - CMYK becomes RGB by ``255 - min(255, ink + black)``; CMYK JPEG files hold inverted inks, as Adobe writes them;
    - of 16 bits the high byte is kept, in grey and in colour: nothing is clipped or stretched, and 8-bit data stored
      as ``257 * v`` or ``256 * v`` come back exactly. 12-bit TIFF is scaled by its own 12 bits. A 16-bit image whose
      values all lie below 4,096 is refused, because it would come out all but black (12-bit data in a 16-bit file);
    - colours are taken as sRGB: colour profiles and gamma entries are not applied;
    - of a JPEG with further images (MPO, from telephones) the main one is taken.

    Refused: floating-point, 32-bit and signed pixels, CIE Lab, several pages (TIFF), whole-slide images, animations
    (PNG, WebP) and images that are transparent everywhere.

    PNG checksums are verified. JPEG, BMP, WebP and most TIFF files carry none, so bytes altered in their middle can
    pass; bytes missing at the end cannot, not even where a JPEG was given a new end marker: its last blocks, or a scan
    of a progressive one, are missing.
    """
    check_pillow()
    silence_pillow()
    kind = format_of(data)
    if kind == "PNG":
        verify_png(data)
    if kind == "JPEG":
        check_segments(data)
    if kind == "WEBP" and (size := webp_size(data)):
        check_size(size, max_pixels)
    try:
        return _decode(kind, data, max_pixels, target_size)
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise about a dozen unrelated types on foreign bytes
        if kind == "PNG" and len(pixels := without_description(data)) < len(data):
            return decode_rgb(pixels, max_pixels, target_size)
        raise _refusal(kind, data, error, max_pixels) from error


def open_header(data: bytes) -> Image.Image:
    """Open the bytes of an image file without decoding them; of a PNG, without metadata that cannot be read."""
    silence_pillow()
    kind = format_of(data)
    try:
        return Image.open(io.BytesIO(data), formats=(kind,))
    except Exception:
        if kind != "PNG":
            raise
        return Image.open(io.BytesIO(without_description(data)), formats=(kind,))


def _decode(kind: str, data: bytes, max_pixels: int, target_size: tuple[int, int] | None) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=(kind,)) as image:
        _check_header(image, data, max_pixels)
        _reduce(image, target_size)
        raw_mode = _raw_mode(image)
        image.load()
        _check_end(image, data, target_size)
        _turn_upright(image)
        return _to_rgb(image, raw_mode)


def _refusal(kind: str, data: bytes, error: Exception, max_pixels: int) -> UnreadableImageError:
    if kind == "TIFF" and is_slide(data):
        return _slide()
    if isinstance(error, Image.DecompressionBombError):
        return UnreadableImageError(f"too large: more than {max_pixels:,} pixels", fix=FIX)
    if isinstance(error, UnidentifiedImageError):
        return UnreadableImageError(f"{kind} file whose header is damaged or of a kind that is not supported")
    return UnreadableImageError(f"{kind} file that does not decode completely: {error}")


def format_of(data: bytes) -> str:
    """Format of an image file by its first bytes, as Pillow names it.

    Raises
    ------
    UnreadableImageError
        It is none that can be read.
    """
    if not data:
        raise UnreadableImageError("empty file")
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature) and (kind != "WEBP" or data[8:12] == b"WEBP"):
            return kind
    other = kind_of_file(data)
    reason = f" but {other}" if other else ", by its first bytes"
    raise UnreadableImageError(f"not a JPEG, PNG, BMP, TIFF or WebP image{reason}")


def _check_header(image: Image.Image, data: bytes, max_pixels: int) -> None:
    several = image.format != "MPO" and getattr(image, "is_animated", False)
    if image.format == "TIFF" and (several or image.width * image.height > max_pixels) and is_slide(data):
        raise _slide()
    check_size(image.size, max_pixels)
    if image.format in {"JPEG", "MPO"}:
        check_scans(image, data)
    if several:
        raise UnreadableImageError(
            f"{image.format} file with several pages or frames",
            expected="one image per file",
            fix="save each page as a separate file.",
        )


def _slide() -> UnreadableImageError:
    return UnreadableImageError("whole-slide image, in tiles or several sizes (TIFF)", fix=FIX)


def _turn_upright(image: Image.Image) -> None:
    """Apply the orientation; metadata that cannot be read hold none."""
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception:  # of as many kinds as foreign bytes can raise
        return


def _raw_mode(image: Image.Image) -> str:
    """Return how the pixels lie in the file, such as RGB;16B; known only before they are loaded."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0].args if tiles else ""
    return arguments if isinstance(arguments, str) else str(arguments[0])


def _to_rgb(image: Image.Image, raw_mode: str) -> Image.Image:
    deep = image.format in {"PNG", "TIFF"} and ";16" in raw_mode
    if image.mode == "RGB" and not image.has_transparency_data:
        rgb = image
    elif image.mode.startswith("I;16"):
        rgb = Image.fromarray(_high_byte(image, raw_mode)).convert("RGB")
    elif image.has_transparency_data:
        rgb = _on_white(image.convert("RGBA"), image.format)
    elif image.mode in {"1", "L", "P", "CMYK", "YCbCr"}:
        rgb = image.convert("RGB")
    else:
        raise UnreadableImageError(
            f"pixels of mode {image.mode} have no unique conversion to 8-bit RGB",
            expected="8- or 16-bit grey, RGB, palette or CMYK",
            fix="export the image as 8-bit RGB.",
        )
    if deep and np.asarray(rgb).max() < 16:
        raise UnreadableImageError(
            "16-bit file that uses 12 bits at most and would become almost black",
            fix="scale its values to the full 16 bits, by the same factor for every image.",
        )
    return rgb


def _on_white(image: Image.Image, kind: str | None) -> Image.Image:
    if image.getchannel("A").getbbox():
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if kind == "BMP":
        return image.convert("RGB")
    raise UnreadableImageError("transparent everywhere: nothing to be seen", fix="save it without transparency.")


def _high_byte(image: Image.Image, raw_mode: str) -> np.ndarray:
    grey = np.asarray(image) >> (4 if raw_mode == "I;12" else 8)
    key = image.info.get("transparency")
    if image.format == "TIFF" and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # type: ignore[attr-defined]
        grey = 255 - grey
    if isinstance(key, int):
        grey = np.where(np.asarray(image) == key, 255, grey)
    return grey.astype(np.uint8)


def _reduce(image: Image.Image, target_size: tuple[int, int] | None) -> None:
    """Let libjpeg decode at a fraction of the size; whether the image will be rotated is not known yet."""
    if target_size and image.format == "JPEG":
        image.draft(None, (_SPARE * max(target_size),) * 2)


def _check_end(image: Image.Image, data: bytes, target_size: tuple[int, int] | None) -> None:
    """Refuse a JPEG whose last blocks, or last scans, are missing although it has an end marker.

    libjpeg fills missing blocks with mid grey. Where the last pixel is that, bytes put before the end marker tell: they
    become pixels if blocks are missing, and are skipped if none is.
    """
    if image.format not in {"JPEG", "MPO"}:
        return
    if image.info.get("progressive") and lacks_scans(image, data):
        raise UnreadableImageError("JPEG file that is truncated: its last scans are missing")
    if not 126 <= _last_grey(image) <= 130:
        return
    end = data.rfind(b"\xff\xd9")
    longer = io.BytesIO(data[:end] + b"\x55" * 64 + data[end:])
    with Image.open(longer, formats=("JPEG",)) as other:
        _reduce(other, target_size)
        if other.tobytes() != image.tobytes():
            raise UnreadableImageError("JPEG file that is truncated: its last blocks are missing")


def _last_grey(image: Image.Image) -> int:
    width, height = image.size
    last = image.crop((width - 1, height - 1, width, height))
    return (last.getchannel("K") if image.mode == "CMYK" else last.convert("L")).tobytes()[0]
