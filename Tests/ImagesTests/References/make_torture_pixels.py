"""Writes torture-pixels.tsv: what Pillow makes of each image of a folder with a manifest.tsv.

    python make_torture_pixels.py FOLDER > torture-pixels.tsv

A line an image that Pillow decodes without an error: the file, width, height, the Adler-32 of all RGB bytes, and, for
all but PNG, the means of red, green and blue in each cell of an 8x8 grid, row by row, as hexadecimal bytes.
The orientation of EXIF data is applied, that of XMP is not; of gray with 16 bits the high byte is taken. Made with
Pillow 13.0 (libjpeg-turbo 3.2, libwebp 1.6, zlib 1.2.13). No image is contained in the result.
"""

import csv
import sys
import warnings
import zlib

import numpy
from PIL import Image

TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(path):
    image = Image.open(path)
    image.load()
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        orientation = exif.get(0x0112)
    except Exception:
        orientation = None
    if image.mode.startswith("I"):
        gray = (numpy.asarray(image).astype(numpy.uint32) >> 8).astype(numpy.uint8)
        image = Image.fromarray(gray, "L")
    image = image.convert("RGB")
    return image.transpose(TRANSPOSE[orientation]) if orientation in TRANSPOSE else image


def grid(pixels):
    height, width, _ = pixels.shape
    cells = b""
    for row in range(8):
        # A cell of a small image may have no pixel of its own: it takes the one where it begins.
        top = row * height // 8
        bottom = max(top + 1, (row + 1) * height // 8)
        for column in range(8):
            left = column * width // 8
            right = max(left + 1, (column + 1) * width // 8)
            means = pixels[top:bottom, left:right].reshape(-1, 3).mean(axis=0, dtype=numpy.float64)
            cells += b"".join(bytes([int(mean + 0.5)]) for mean in means)
    return cells.hex()


def main(folder):
    warnings.simplefilter("ignore")
    # The largest of the images has 144 million pixels.
    Image.MAX_IMAGE_PIXELS = 100_000_000
    with open(f"{folder}/manifest.tsv", encoding="utf-8") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    for row in rows:
        if row["expected"] == "error" or row["file"].startswith("bombs/"):
            continue
        image = decode(f"{folder}/{row['file']}")
        pixels = numpy.asarray(image)
        checksum = zlib.adler32(pixels.tobytes())
        means = "-" if row["format_mode_or_error"].startswith("PNG") else grid(pixels)
        print(row["file"], image.width, image.height, f"{checksum:08x}", means, sep="\t")


main(sys.argv[1])
