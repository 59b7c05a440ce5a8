"""Times one training step (forward, backward, SGD) or one inference of a network in PyTorch, on random images that are
already in memory, and prints the same JSON line as the `training-step` benchmark. One memory layout a process, so that
the peak memory is that layout's own.

    python pytorch_step.py --net resnet50 --size 224 --batch 16 --steps 3 --threads 1 --layout channels_last
"""

import torch
from torch import nn
from torch.nn import functional
from torchvision import models

import timing


class ShortcutA(nn.Module):
    """The parameter-free shortcut of He et al. 2015, section 3.3: every second pixel, new channels zero."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        missing = outputs - inputs
        self.stride = stride
        # functional.pad counts from the last dimension: width, height, then the channels.
        self.zeros = (0, 0, 0, 0, missing // 2, missing - missing // 2)

    def forward(self, images):
        return functional.pad(images[:, :, :: self.stride, :: self.stride], self.zeros)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else ShortcutA(inputs, outputs, stride)

    def forward(self, images):
        body = self.relu(self.bn1(self.conv1(images)))
        body = self.bn2(self.conv2(body))
        # Not in place: that is some 5 % slower here, and the peer is to be at its best.
        return self.relu(body + self.shortcut(images))


def cifar_network(depth, classes):
    """6n + 2 layers for small images, section 4.2."""
    if depth % 6 != 2:
        raise SystemExit(f"cifar{depth}: the depth has to be 6n + 2")
    layers = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    channels = 16
    for width in (16, 32, 64):
        for block in range((depth - 2) // 6):
            stride = 2 if block == 0 and width > 16 else 1
            layers.append(BasicBlock(channels, width, stride))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def build(name, classes):
    if name.startswith("cifar"):
        return cifar_network(int(name.removeprefix("cifar")), classes)
    return getattr(models, name)(num_classes=classes)


class Step:
    """A step ready to be done again and again."""

    def __init__(self, options):
        torch.manual_seed(0)
        self.infer = options.infer
        self.bfloat16 = options.precision == "bfloat16"
        layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
        self.network = build(options.net, options.classes).to(memory_format=layout)
        self.network.train(not self.infer)
        images = torch.randn(options.batch, 3, options.size, options.size)
        self.images = images.contiguous(memory_format=layout)
        self.labels = torch.randint(options.classes, (options.batch,))
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def __call__(self):
        cast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bfloat16)
        if self.infer:
            with torch.inference_mode(), cast:
                self.network(self.images)
            return
        self.optimizer.zero_grad(set_to_none=True)
        with cast:
            logits = self.network(self.images)
        functional.cross_entropy(logits.float(), self.labels).backward()
        self.optimizer.step()


def main():
    parser = timing.parser()
    parser.add_argument("--layout", choices=["contiguous", "channels_last"], default="channels_last")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    timing.time_steps(
        Step(options),
        options,
        engine="PyTorch " + torch.__version__.split("+")[0],
        mode="infer" if options.infer else "train",
        layout=options.layout,
    )


if __name__ == "__main__":
    main()
