"""Damaged pictures: 20 encodings of one picture, each whole and in 14 kinds of damage, 300 files.

    VENV/bin/python bench/extract/damaged_pillow.py FOLDER
    npm run build && node bench/extract/fixtures.mjs --python VENV/bin/python --list FOLDER

Needs Pillow and numpy. What Pillow refuses and permafrost takes would be a picture of which half is made up.
"""

import io
import random
import sys
from pathlib import Path

import numpy as np
from PIL import Image


def encoded(image, kind, **options):
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def encodings():
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:180, 0:240]
    levels = np.stack([(x * 1.1) % 256, (y * 1.4) % 256, ((x + y) * 0.7) % 256], -1) + rng.integers(-20, 20, (180, 240, 3))
    picture = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    grey16 = Image.fromarray((levels[..., 0].clip(0, 255) * 40).astype(np.uint16))
    palette = picture.quantize(64)
    return {
        "baseline.jpg": encoded(picture, "JPEG", quality=90),
        "progressive.jpg": encoded(picture, "JPEG", progressive=True),
        "cmyk.jpg": encoded(picture.convert("CMYK"), "JPEG"),
        "rgb.png": encoded(picture, "PNG"),
        "palette.png": encoded(palette, "PNG"),
        "lossy.webp": encoded(picture, "WEBP", quality=80),
        "lossless.webp": encoded(picture, "WEBP", lossless=True),
        "palette.gif": encoded(palette, "GIF"),
        "colours.avif": encoded(picture, "AVIF"),
        "raw.tif": encoded(picture, "TIFF"),
        **{
            f"{name}.tif": encoded(picture, "TIFF", compression=compression)
            for name, compression in {
                "lzw": "tiff_lzw",
                "deflate": "tiff_adobe_deflate",
                "packbits": "packbits",
                "jpeg": "jpeg",
                "lzma": "lzma",
                "zstd": "zstd",
            }.items()
        },
        "group4.tif": encoded(picture.convert("1"), "TIFF", compression="group4"),
        "ycbcr.tif": encoded(picture.convert("YCbCr"), "TIFF", compression="tiff_lzw"),
        "cmyk.tif": encoded(picture.convert("CMYK"), "TIFF"),
        "grey16.tif": encoded(grey16, "TIFF"),
    }


def flipped(data, start, count, seed):
    rng = random.Random(seed)
    out = bytearray(data)
    for _ in range(count):
        out[min(len(out) - 1, start + rng.randrange(40))] ^= 1 + rng.randrange(255)
    return bytes(out)


def damages(data):
    length = len(data)
    middle, run = length // 2, min(2000, length // 2)
    for percent in (10, 30, 50, 90, 99):
        yield f"cut-at-{percent}", data[: length * percent // 100]
    yield "without-last-8", data[:-8]
    yield "without-last-1", data[:-1]
    yield "zeros", data[:middle] + bytes(run) + data[middle + run :]
    yield "ones", data[:middle] + b"\xff" * run + data[middle + run :]
    for seed, percent in enumerate((30, 60, 90), 1):
        yield f"flipped-at-{percent}", flipped(data, length * percent // 100, 20, seed)
    yield "gap", data[:middle] + data[middle + 100 :]
    yield "flipped-head", flipped(data, 20, 3, 4)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in encodings().items():
        (folder / f"whole-{name}").write_bytes(data)
        for damage, bytes_ in damages(data):
            (folder / f"{damage}-{name}").write_bytes(bytes_)
