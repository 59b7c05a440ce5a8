"""Writes torture-pixels.tsv: what Pillow makes of each image of a folder with a manifest.tsv.

    python make_torture_pixels.py FOLDER > torture-pixels.tsv

A line an image that Pillow decodes without an error: the file, width, height, the Adler-32 of all RGB bytes, and, for
all but PNG, the means of red, green and blue in each cell of an 8x8 grid, row by row, as hexadecimal bytes.
The orientation is applied as `ImageOps.exif_transpose` does, where it raises no error; what is transparent is laid on
white with `alpha_composite`; of gray with 16 bits the high byte is taken. Made with
Pillow 13.0 (libjpeg-turbo 3.2, libwebp 1.6, zlib 1.2.13). No image is contained in the result.
"""

import csv
import sys
import warnings
import zlib

import numpy
from PIL import Image, ImageOps


def decode(path):
    image = Image.open(path)
    image.load()
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:
        pass
    if image.mode.startswith("I"):
        samples = numpy.asarray(image).astype(numpy.uint32)
        gray = (samples >> 8).astype(numpy.uint8)
        # Pillow knows no transparent gray of 16 bits.
        gray[samples == image.info.get("transparency", -1)] = 255
        image = Image.fromarray(gray, "L")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("RGB")


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
