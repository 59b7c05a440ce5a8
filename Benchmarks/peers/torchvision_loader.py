"""Times torchvision's ImageFolder behind a DataLoader, with the changes that Skipline's loader makes by default, and
prints the same JSON line as the `loader` benchmark.

    python torchvision_loader.py DATA --size 224 --batch 64 --workers 2 --epochs 3
"""

import argparse
import json
import os
import time

import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def cpu_seconds():
    """CPU time of this process and of its children that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--crop", choices=["resized", "pad"], default="resized")
    options = parser.parse_args()

    size = options.size
    if options.crop == "resized":
        crop = [transforms.RandomResizedCrop(size, scale=(0.35, 1.0), antialias=True)]
    else:
        crop = [transforms.Resize((size, size), antialias=True), transforms.RandomCrop(size, padding=size // 8)]
    dataset = datasets.ImageFolder(
        options.data,
        transforms.Compose(
            crop
            + [
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        ),
    )
    # The workers live on from epoch to epoch, which is the faster way: starting them is not timed.
    loader = DataLoader(
        dataset, batch_size=options.batch, shuffle=True, num_workers=options.workers, persistent_workers=True
    )

    images = 0
    wall_start = 0.0
    for epoch in range(options.epochs + 1):
        if epoch == 1:
            images = 0
            wall_start = time.monotonic()
        for batch, _ in loader:
            images += batch.shape[0]
    wall = time.monotonic() - wall_start

    # Children count once they have ended, so the CPU time is that of all epochs, the start included.
    del loader
    cpu = cpu_seconds()
    print(
        json.dumps(
            {
                "loader": "torchvision",
                "size": size,
                "images": images,
                "workers": options.workers,
                "img_per_s": images / wall,
                "cpu_s_with_start": cpu,
            }
        )
    )


if __name__ == "__main__":
    main()
