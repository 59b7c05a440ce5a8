"""Times torchvision's ImageFolder behind a DataLoader, with the changes that Skipline's loader makes by default, and
prints the same JSON line as the `loader` benchmark.

    python torchvision_loader.py DATA --size 224 --batch 64 --workers 2 --epochs 3
"""

import argparse
import json
import multiprocessing
import os
import time

from torch.utils.data import DataLoader
from torchvision import datasets, transforms


def cpu_seconds():
    """CPU time of this process and of its workers, which are still running, so far."""
    times = os.times()
    total = times.user + times.system
    for worker in multiprocessing.active_children():
        with open(f"/proc/{worker.pid}/stat") as stat:
            # After the name in parentheses, the 12th and 13th field are user and system time, in ticks.
            fields = stat.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


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
    wall_start = cpu_start = 0.0
    for epoch in range(options.epochs + 1):
        if epoch == 1:
            images = 0
            wall_start, cpu_start = time.monotonic(), cpu_seconds()
        for batch, _ in loader:
            images += batch.shape[0]
    wall = time.monotonic() - wall_start
    cpu = cpu_seconds() - cpu_start
    print(
        json.dumps(
            {
                "loader": "torchvision",
                "size": size,
                "images": images,
                "workers": options.workers,
                "img_per_s": images / wall,
                "img_per_cpu_s": images / cpu,
            }
        )
    )


if __name__ == "__main__":
    main()
