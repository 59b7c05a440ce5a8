"""What the reference scripts share: numbers that Swift can compute too, the file format, and the networks.

Numbers. Weights, inputs and labels are not stored: they follow from names. The stream of a name is SplitMix64
(Steele, Lea and Flood 2014) whose state begins as the FNV-1a-64 hash of the name's UTF-8 bytes. In Swift it is
`RandomGenerator(seed: hash)`, and u below is its `uniform()`: (next() >> 40) * 2^-24. Element i of a tensor, in
row-major order of PyTorch's layout ([out, in, height, width] for weights, [N, C, H, W] for inputs), is the i-th
number of the stream. Each formula is evaluated in double precision and rounded once to Float32.

    tensor                               stream            value
    convolution and linear weight        parameter's name  (2u - 1) * 0.7 * sqrt(6 / fan_in)
    batch norm or subsampling weight     parameter's name  0.5 + u
    batch norm bias                      parameter's name  (u - 0.5) * 0.4
    convolution and linear bias          parameter's name  (u - 0.5) * 0.2
    running_mean                         buffer's name     (u - 0.5) * 0.2
    running_var                          buffer's name     0.5 + u
    input                                "input"           (2u - 1) * 1.7
    labels                               "labels"          next() mod classes
    probe of a parameter                 "probe:" + name   2u - 1

fan_in is in * height * width of a convolution's kernel, the number of inputs of a linear layer.

Files are in the safetensors format: eight bytes of header length (little-endian), a JSON header, the data.
"""

import json
import math
import struct

import numpy as np
import torch
import torchvision
from classic_networks import Subsampling, build_classic
from torch import nn
from torch.nn import functional as F

# Numbers


def stream(name, count):
    """The first `count` numbers of the stream of `name`, as uint64."""
    state = 0xCBF29CE484222325
    for byte in name.encode("utf-8"):
        state = (state ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint64)
        z = np.uint64(state) + steps * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name, shape):
    """Doubles in 0 ..< 1 from the stream of `name`."""
    values = (stream(name, math.prod(shape)) >> np.uint64(40)).astype(np.float64) * 2.0**-24
    return torch.from_numpy(values).reshape(shape)


def rounded(values):
    """The nearest Float32 of each, held as a double."""
    return values.to(torch.float32).to(torch.float64)


def inputs(shape, name="input"):
    return rounded((2 * uniform(name, shape) - 1) * 1.7)


def labels(count, classes, name="labels"):
    return torch.from_numpy((stream(name, count) % np.uint64(classes)).astype(np.int64))


def probe(name, shape):
    return 2 * uniform("probe:" + name, shape) - 1


def fill(model):
    """Gives a network the weights of the formula, in double precision."""
    model.double()
    for path, module in model.named_modules():
        norm = isinstance(module, nn.BatchNorm2d)
        if not norm and not isinstance(module, (nn.Conv2d, nn.Linear, Subsampling)):
            continue
        tensors = list(module.named_parameters(recurse=False)) + list(module.named_buffers(recurse=False))
        for short, tensor in tensors:
            if short == "num_batches_tracked":
                continue
            u = uniform(f"{path}.{short}", tuple(tensor.shape))
            if norm:
                value = {
                    "weight": 0.5 + u, "running_var": 0.5 + u,
                    "bias": (u - 0.5) * 0.4, "running_mean": (u - 0.5) * 0.2,
                }[short]
            elif short == "weight" and isinstance(module, Subsampling):
                value = 0.5 + u
            elif short == "weight":
                value = (2 * u - 1) * 0.7 * math.sqrt(6 / math.prod(tensor.shape[1:]))
            else:
                value = (u - 0.5) * 0.2
            tensor.data.copy_(rounded(value))
    return model


# Files


def write_safetensors(path, tensors, metadata):
    """Writes tensors, in their own order: integers as I64, everything else as F32."""
    header, chunks, end = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        whole = tensor.dtype == torch.int64
        data = tensor.detach().numpy().astype("<i8" if whole else "<f4").tobytes()
        header[name] = {
            "dtype": "I64" if whole else "F32", "shape": list(tensor.shape), "data_offsets": [end, end + len(data)],
        }
        chunks.append(data)
        end += len(data)
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def read_safetensors(path):
    """Returns the tensors (F32 and I64 only) and the metadata."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        kind = {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]
        values = np.frombuffer(data[begin:end], dtype=kind).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors, metadata


# Networks. Those of torchvision are torchvision's own; the CIFAR family of He et al. 2015, section 4.2, is here.


class ZeroPadding(nn.Module):
    """Shortcut option A: every second row and column; half of the new channels before, half after, all zero."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.stride, self.extra = stride, cout - cin

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, self.extra // 2, self.extra - self.extra // 2))


class Block(nn.Module):
    """He et al. 2015: convolution, batch norm, ReLU, convolution, batch norm, addition, ReLU."""

    def __init__(self, cin, cout, stride, shortcut):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        if cin == cout and stride == 1:
            self.downsample = nn.Identity()
        elif shortcut == "A":
            self.downsample = ZeroPadding(cin, cout, stride)
        else:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class PreactivationBlock(nn.Module):
    """He et al. 2016: batch norm, ReLU, convolution, twice, then the addition and nothing after it.

    Where the shape changes, the shortcut is a 1x1 convolution of relu(bn1(x)), without batch norm.
    """

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        changes = cin != cout or stride != 1
        self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False)) if changes else None

    def forward(self, x):
        activated = F.relu(self.bn1(x))
        shortcut = x if self.downsample is None else self.downsample(activated)
        return shortcut + self.conv2(F.relu(self.bn2(self.conv1(activated))))


class CifarResNet(nn.Module):
    """Depth 6n + 2: a 3x3 stem, three stages of n blocks with 16, 32 and 64 channels, pool, linear.

    `variant` is A or B (the shortcut) or v2. In v2 the stem is the bare convolution, and the last block is
    followed by a batch norm called `norm` and a ReLU.
    """

    def __init__(self, depth, classes, variant):
        super().__init__()
        self.v2 = variant == "v2"
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        if not self.v2:
            self.bn1 = nn.BatchNorm2d(16)
        cin = 16
        for stage, cout in enumerate((16, 32, 64), start=1):
            blocks = []
            for index in range((depth - 2) // 6):
                stride = 2 if stage > 1 and index == 0 else 1
                block = PreactivationBlock(cin, cout, stride) if self.v2 else Block(cin, cout, stride, variant)
                blocks.append(block)
                cin = cout
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        if self.v2:
            self.norm = nn.BatchNorm2d(64)
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = self.conv1(x)
        if not self.v2:
            x = F.relu(self.bn1(x))
        x = self.layer3(self.layer2(self.layer1(x)))
        if self.v2:
            x = F.relu(self.norm(x))
        return self.fc(x.mean((2, 3)))


class ArticleBlock(nn.Module):
    """A bottleneck in pre-activation order whose shortcut is the input, subsampled and padded with zeros."""

    def __init__(self, cin, inner, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, inner, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(inner), nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn3, self.conv3 = nn.BatchNorm2d(inner), nn.Conv2d(inner, 4 * inner, 1, bias=False)
        self.shortcut = ZeroPadding(cin, 4 * inner, stride)

    def forward(self, x):
        y = self.conv1(F.relu(self.bn1(x)))
        y = self.conv2(F.relu(self.bn2(y)))
        return self.shortcut(x) + self.conv3(F.relu(self.bn3(y)))


class ArticleResNet(nn.Module):
    """A bare 7x7 convolution and a pool, stages that stride in their last block but for the last stage, a batch norm
    called `norm` and a ReLU, pool, linear; without the head's dropout."""

    def __init__(self, blocks, classes):
        super().__init__()
        self.conv1, cin = nn.Conv2d(3, 64, 7, 2, 3, bias=False), 64
        for stage, count in enumerate(blocks):
            layer = []
            for index in range(count):
                stride = 2 if index == count - 1 and stage < len(blocks) - 1 else 1
                layer.append(ArticleBlock(cin, 64 << stage, stride))
                cin = 4 * (64 << stage)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.norm, self.fc = nn.BatchNorm2d(cin), nn.Linear(cin, classes)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.relu(self.norm(x)).mean((2, 3)))


class Unit(nn.Module):
    """Convolution, pool where there is one, batch norm, ReLU."""

    def __init__(self, cin, cout, pool=False):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(cin, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.pool = nn.MaxPool2d(2) if pool else nn.Identity()

    def forward(self, x):
        return F.relu(self.bn(self.pool(self.conv(x))))


class Residual(nn.Module):
    """x + unit(unit(x)), without anything after the addition."""

    def __init__(self, channels):
        super().__init__()
        self.res1, self.res2 = Unit(channels, channels), Unit(channels, channels)

    def forward(self, x):
        return x + self.res2(self.res1(x))


class ResNet9(nn.Module):
    """Page 2018, "How to train your ResNet". With `whitened`, the first layer is a 2x2 convolution that does not learn
    (arXiv:2404.00498, section 3.1), and a ReLU."""

    def __init__(self, classes, whitened=False):
        super().__init__()
        if whitened:
            self.whiten = nn.Conv2d(3, 24, 2, bias=False)
            self.whiten.weight.requires_grad_(False)
            self.prep, first = nn.Identity(), 24
        else:
            self.prep, first = Unit(3, 64), 64
        self.whitened = whitened
        self.layer1, self.layer2, self.layer3 = Unit(first, 128, True), Unit(128, 256, True), Unit(256, 512, True)
        self.layer1.residual, self.layer3.residual = Residual(128), Residual(512)
        self.linear = nn.Linear(512, classes)

    def forward(self, x):
        x = F.relu(self.whiten(x)) if self.whitened else self.prep(x)
        x = self.layer1.residual(self.layer1(x))
        x = self.layer3.residual(self.layer3(self.layer2(x)))
        return 0.125 * self.linear(x.amax((2, 3)))


def build(net, classes=10):
    """A network by name: cifar8-A, cifar14-v2 and the like, resnet9, resnet9-whitened, article50, basic-B, bottleneck-B and the like, or one of
    torchvision's or timm's."""
    classic = build_classic(net, classes)
    if classic is not None:
        return classic
    if net.startswith("cifar"):
        depth, variant = net[len("cifar") :].split("-")
        return CifarResNet(int(depth), classes, variant)
    if net.startswith("resnet9"):
        return ResNet9(classes, whitened=net.endswith("whitened"))
    if net.startswith("article"):
        blocks = {"article": [2, 1, 2, 1], "article50": [3, 4, 6, 3], "article101": [3, 4, 23, 3], "article152": [3, 8, 36, 3]}
        return ArticleResNet(blocks[net], classes)
    models = torchvision.models
    if net == "basic-B":
        return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=classes)
    if net == "bottleneck-B":
        return models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=classes)
    if net == "wide":
        return models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=classes, width_per_group=128)
    if net == "resnext":
        return models.ResNet(
            models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=classes, groups=32, width_per_group=4)
    if hasattr(models, net):
        return getattr(models, net)(num_classes=classes)
    import timm
    from timm.models.resnet import BasicBlock, Bottleneck, ResNet

    kind, _, form = net.partition("-")
    block = {"basic": BasicBlock, "bottleneck": Bottleneck}.get(kind)
    if block is None:
        return timm.create_model(net, num_classes=classes)
    options = {
        "D": {"stem_width": 32, "stem_type": "deep", "avg_down": True}, "SE": {"block_args": {"attn_layer": "se"}},
    }[form]
    return ResNet(block, [1, 1, 1, 1], num_classes=classes, **options)
