"""Trains a network in PyTorch from a folder of class folders to an accuracy, by the same recipe as the `end-to-end`
section's run of Skipline, and prints a JSON line of what that took: decoding, training and an evaluation an epoch.

    python pytorch_train.py DATA --net cifar20 --size 32 --batch 128 --epochs 5 --threads 2

DATA has the folders train and test. Images are decoded and resized once and stay in memory as bytes; crops out of a
padded image and mirroring are made of a whole batch at a time, the fastest way there is without code of one's own.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import torch
from PIL import Image, ImageOps
from torch.nn import functional

import timing
from pytorch_step import build


def decoded(path, size):
    with Image.open(path) as image:
        image = ImageOps.exif_transpose(image).convert("RGB")
        return numpy.asarray(image.resize((size, size), Image.BILINEAR))


def load(folder, classes, size, threads):
    """[N, 3, size, size] bytes and N labels."""
    files = [
        (os.path.join(folder, name, file), label)
        for label, name in enumerate(classes)
        for file in sorted(os.listdir(os.path.join(folder, name)))
    ]
    with ThreadPoolExecutor(threads) as pool:
        images = list(pool.map(lambda entry: decoded(entry[0], size), files))
    return torch.from_numpy(numpy.stack(images)).permute(0, 3, 1, 2), torch.tensor([label for _, label in files])


class Preparation:
    """Bytes to normalized images, in training with random crops of a padded image and, if wanted, mirrored."""

    def __init__(self, images, flip):
        sample = images[: 10_000].float()
        self.mean = sample.mean((0, 2, 3)).view(1, 3, 1, 1)
        self.std = sample.std((0, 2, 3)).view(1, 3, 1, 1)
        self.flip = flip

    def __call__(self, images):
        return ((images.float() - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def changed(self, images):
        count, _, size, _ = images.shape
        edge = size // 8
        padded = functional.pad((images.float() - self.mean) / self.std, (edge,) * 4)
        places = torch.arange(size)
        rows = (torch.randint(2 * edge + 1, (count, 1)) + places)[:, :, None]
        columns = torch.randint(2 * edge + 1, (count, 1)) + places
        if self.flip:
            columns = torch.where(torch.rand(count, 1) < 0.5, columns.flip(1), columns)
        each = torch.arange(count)[:, None, None]
        cropped = padded.permute(0, 2, 3, 1)[each, rows, columns[:, None, :]]
        return cropped.permute(0, 3, 1, 2)


def main():
    parser = timing.parser()
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--decay", type=float, default=5e-4)
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    classes = sorted(entry.name for entry in os.scandir(os.path.join(options.data, "train")) if entry.is_dir())
    images, labels = load(os.path.join(options.data, "train"), classes, options.size, options.threads)
    test_images, test_labels = load(os.path.join(options.data, "test"), classes, options.size, options.threads)
    prepare = Preparation(images, options.flip)
    network = build(options.net, len(classes)).to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    optimizer = torch.optim.SGD(network.parameters(), options.rate, momentum=0.9, weight_decay=options.decay)
    steps = options.epochs * (len(images) // options.batch)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warm, 1.0, warm),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps - warm)),
        ],
        [warm],
    )
    accuracy = 0.0
    for _ in range(options.epochs):
        network.train()
        order = torch.randperm(len(images))
        for start in range(0, len(images) - options.batch + 1, options.batch):
            chosen = order[start : start + options.batch]
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(network(prepare.changed(images[chosen])), labels[chosen]).backward()
            optimizer.step()
            schedule.step()
        network.eval()
        right = 0
        with torch.inference_mode():
            for start in range(0, len(test_images), 256):
                logits = network(prepare(test_images[start : start + 256]))
                right += (logits.argmax(1) == test_labels[start : start + 256]).sum().item()
        accuracy = right / len(test_images)
    print(
        json.dumps(
            {
                "engine": "PyTorch " + torch.__version__.split("+")[0],
                "seconds": time.perf_counter() - wall,
                "cpu_seconds": time.process_time() - cpu,
                "accuracy": accuracy,
            }
        )
    )


if __name__ == "__main__":
    main()
