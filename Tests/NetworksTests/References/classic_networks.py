"""The networks from before residual learning, and the wide residual ones for small images, for the reference scripts.

torchvision's are torchvision's own; `NAME@D` is one with a D-th of its channels, which makes tests fast, and without
dropout. LeNet-5 and wide residual networks, which torchvision lacks, are here.
"""

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

TORCHVISION = ("alexnet", "vgg", "squeezenet", "googlenet")


def narrow(model, divisor, classes):
    """Divides every channel count but the image's and the classifier's."""

    def part(count, keep):
        if count == keep:
            return count
        assert count % divisor == 0, count
        return count // divisor

    for path, module in list(model.named_modules()):
        if isinstance(module, nn.Conv2d):
            new = nn.Conv2d(
                part(module.in_channels, 3), part(module.out_channels, classes), module.kernel_size, module.stride,
                module.padding, bias=module.bias is not None)
        elif isinstance(module, nn.Linear):
            new = nn.Linear(part(module.in_features, None), part(module.out_features, classes))
        elif isinstance(module, nn.BatchNorm2d):
            new = nn.BatchNorm2d(part(module.num_features, None), eps=module.eps)
        else:
            continue
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, new)
    return model


class Subsampling(nn.Module):
    """The sum of 2x2 pixels, with a factor and a bias a channel."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.full((channels,), 0.25)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return 4 * F.avg_pool2d(x, 2) * self.weight[:, None, None] + self.bias[:, None, None]


def luma(x):
    return (0.299 * x[:, 0] + 0.587 * x[:, 1] + 0.114 * x[:, 2]).unsqueeze(1)


def squash(x):
    return 1.7159 * torch.tanh(2 / 3 * x)


class LeNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(luma(x))), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class ClassicLeNet(nn.Module):
    """LeCun et al. 1998, section II.B, with a dense layer for the output."""

    # Table I, a column for each map of C3.
    TABLE = ["012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245",
             "0235", "012345"]

    def __init__(self, classes):
        super().__init__()
        self.c1, self.s2, self.c3, self.s4 = nn.Conv2d(1, 6, 5), Subsampling(6), nn.Conv2d(6, 16, 5), Subsampling(16)
        self.c5, self.f6, self.output = nn.Conv2d(16, 120, 5), nn.Linear(120, 84), nn.Linear(84, classes)
        mask = torch.tensor([[float(str(c) in row) for c in range(6)] for row in self.TABLE])
        self.register_buffer("mask", mask[:, :, None, None], persistent=False)

    def forward(self, x):
        x = squash(self.s2(squash(self.c1(luma(x)))))
        x = squash(self.s4(squash(F.conv2d(x, self.c3.weight * self.mask, self.c3.bias))))
        return self.output(squash(self.f6(squash(self.c5(x)).flatten(1))))


class WideBlock(nn.Module):
    """Zagoruyko and Komodakis 2016, figure 1d without dropout."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        changes = cin != cout or stride != 1
        self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False)) if changes else None

    def forward(self, x):
        h = F.relu(self.bn1(x))
        return (x if self.downsample is None else self.downsample(h)) + self.conv2(F.relu(self.bn2(self.conv1(h))))


class WideResNet(nn.Module):
    def __init__(self, depth, k, classes):
        super().__init__()
        self.conv1, cin = nn.Conv2d(3, 16, 3, 1, 1, bias=False), 16
        for stage, width in enumerate((16 * k, 32 * k, 64 * k)):
            blocks = []
            for index in range((depth - 4) // 6):
                blocks.append(WideBlock(cin, width, 2 if stage > 0 and index == 0 else 1))
                cin = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.norm, self.fc = nn.BatchNorm2d(cin), nn.Linear(cin, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(F.relu(self.norm(x)).mean((2, 3)))


def build_classic(net, classes):
    """A network by name: alexnet, vgg16_bn@8, googlenet, googlenet-aux, lenet5-classic, wrn-28-10 and the like; None
    for others."""
    if net == "lenet5":
        return LeNet(classes)
    if net == "lenet5-classic":
        return ClassicLeNet(classes)
    if net.startswith("wrn-"):
        return WideResNet(*map(int, net.split("-")[1:]), classes)
    if not net.startswith(TORCHVISION):
        return None
    name, _, divisor = net.partition("@")
    name, _, auxiliary = name.partition("-")
    options = {"aux_logits": bool(auxiliary), "init_weights": False} if name == "googlenet" else {}
    with torch.device("meta" if divisor else "cpu"):
        model = getattr(torchvision.models, name)(num_classes=classes, **options)
    if divisor:
        model = narrow(model, int(divisor), classes)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
    return model
