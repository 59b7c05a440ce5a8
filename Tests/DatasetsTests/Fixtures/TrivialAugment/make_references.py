#!/usr/bin/env python3
"""Records what torchvision's operations of TrivialAugment Wide make of two small images.

Run by hand; the file it writes is committed, and the tests need no Python:

    pip install torch torchvision
    python make_references.py > torchvision.txt

Each line is an image, an operation, its magnitude, and the bytes of the result in base64, [H, W, 3]. Geometric
operations are bilinear, with black beyond the image.
"""

import base64

import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import _apply_op

SIGNED = ["ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness"]


def noise():
    """9x7: byte i is (37 i + 11 i i) mod 256."""
    values = [(37 * i + 11 * i * i) % 256 for i in range(7 * 9 * 3)]
    return torch.tensor(values, dtype=torch.uint8).reshape(7, 9, 3)


def ramp():
    """18x15, dark and smooth: 20 + 9 x + 2 y, 30 + 5 y + x, 200 - 3 x - 4 y."""
    pixels = [[[20 + 9 * x + 2 * y, 30 + 5 * y + x, 200 - 3 * x - 4 * y] for x in range(18)] for y in range(15)]
    return torch.tensor(pixels, dtype=torch.uint8)


def cases():
    for name in SIGNED:
        values = {"TranslateX": [3.2, -5.4], "TranslateY": [2.1, -4.0], "Rotate": [31.5, -117.0]}
        for magnitude in values.get(name, [0.462, -0.825]):
            yield name, magnitude
    yield from [("Identity", 0.0), ("AutoContrast", 0.0), ("Equalize", 0.0)]
    yield from [("Posterize", bits) for bits in (8, 5, 2)]
    yield from [("Solarize", threshold) for threshold in (255.0, 127.5, 0.0)]


for label, image in [("noise", noise()), ("ramp", ramp())]:
    for name, magnitude in cases():
        changed = _apply_op(image.permute(2, 0, 1), name, magnitude, InterpolationMode.BILINEAR, None)
        text = base64.b64encode(bytes(changed.permute(1, 2, 0).contiguous().flatten().tolist())).decode()
        print(label, name, magnitude, text)
