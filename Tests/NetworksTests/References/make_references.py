#!/usr/bin/env python3
"""Computes the values that the Swift networks are compared with, using PyTorch in double precision.

Run by hand when a network is added; the files it writes are committed, and the tests need no Python:

    pip install torch torchvision timm
    python make_references.py [NET...]

reference_tools.py says how weights, inputs and labels follow from names. Each <net>.safetensors holds, as F32,

    logits-train                 [N, classes]  in training mode: batch norm uses the batch's own statistics
    logits-eval                  [N, classes]  in evaluation mode, with the running statistics of the formula
    loss                         []            mean cross-entropy of logits-train
    running:<buffer>             [C]           running statistics after that one pass, for CIFAR nets (momentum 0.1)
    gradient-summary:<name>      [2]           of the loss by the parameter: L2 norm, dot product with its probe
    gradient:<name>              as parameter  the gradient itself, for CIFAR nets, below 5,000 elements
    deviation-logits             []            largest difference of logits-train when computed in single precision
    deviation-gradients          []            largest norm of such a difference of a gradient, relative to its norm

A Float32 network cannot be expected to come closer than a few times these deviations of PyTorch's own. They are
1e-7 to 1e-5 but for resnet50's, 2e-4 and 3e-2: a ReLU whose input lies within rounding of zero lets the gradient
through in one precision and not in the other, and among the many of a deep network there always are some. basic-B
and bottleneck-B have the same blocks at a depth where that does not happen: they are the sharp tests.

and cifar8-A, for the variants sgd and nesterov of five steps (learning rate 0.05, momentum 0.9, weight decay 5e-4
on every parameter; step k takes the streams "input<k>" and "labels<k>", counted from 0),

    <variant>:losses             [5]           the loss of each step, before its update
    <variant>:summary:<name>     [2]           norm and dot product with the probe of the parameter after the last
    <variant>:running:<buffer>   [C]           the running statistics after the last

The metadata hold the net's name, classes, the input's shape and PyTorch's version. torchvision-names.txt lists
what torchvision's and timm's networks call their parameters and buffers, as `net name shape`.
"""

import os
import sys

import torch
import torchvision
from torch.nn import functional as F

from reference_tools import build, fill, inputs, labels, probe, write_safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 10
NETS = {
    "cifar8-A": (4, 3, 16, 16),
    "cifar8-B": (4, 3, 16, 16),
    "cifar8-v2": (4, 3, 16, 16),
    "resnet9": (2, 3, 20, 20),
    "resnet9-whitened": (2, 3, 20, 20),
    "basic-B": (2, 3, 64, 64),
    "bottleneck-B": (2, 3, 64, 64),
    "article": (2, 3, 64, 64),
    "wide": (2, 3, 64, 64),
    "resnext": (2, 3, 64, 64),
    "basic-D": (2, 3, 64, 64),
    "bottleneck-D": (2, 3, 64, 64),
    "basic-SE": (2, 3, 64, 64),
    "bottleneck-SE": (2, 3, 64, 64),
    "resnet18": (2, 3, 64, 64),
    "resnet50": (2, 3, 64, 64),
}
NAMED = ["resnet9", "resnet9-whitened", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "vgg19", "vgg19_bn",
         "wide_resnet50_2", "resnext50_32x4d", "resnet18d", "resnet50d", "seresnet18", "seresnet50"]


def running(model):
    return {name: buffer for name, buffer in model.named_buffers() if not name.endswith("num_batches_tracked")}


def summary(name, tensor):
    return torch.stack([tensor.norm(), (tensor * probe(name, tuple(tensor.shape))).sum()])


def gradients(model, x, y):
    """Runs forward and backward in training mode; returns logits, loss and gradients by name. The losses of auxiliary
    heads are added with a weight, and are not in the loss that is returned."""
    model.train()
    outputs = model(x)
    logits, *heads = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = F.cross_entropy(logits, y)
    (loss + 0.3 * sum(F.cross_entropy(head, y) for head in heads)).backward()
    return logits, loss, {n: parameter.grad for n, parameter in model.named_parameters() if parameter.requires_grad}


def reference(net, shape):
    x, y = inputs(shape), labels(shape[0], CLASSES)
    model = fill(build(net, CLASSES))
    with torch.no_grad():
        out = {"logits-eval": model.eval()(x)}
    out["logits-train"], out["loss"], exact = gradients(model, x, y)
    for name, buffer in running(model).items():
        if net.startswith("cifar"):
            out[f"running:{name}"] = buffer
    for name, gradient in exact.items():
        out[f"gradient-summary:{name}"] = summary(name, gradient)
        if net.startswith("cifar") and gradient.numel() < 5000:
            out[f"gradient:{name}"] = gradient
    logits, _, single = gradients(fill(build(net, CLASSES)).float(), x.float(), y)
    out["deviation-logits"] = (logits.double() - out["logits-train"]).abs().max()
    out["deviation-gradients"] = max((single[name].double() - g).norm() / g.norm() for name, g in exact.items())
    return out


def training(net, shape, nesterov):
    model = fill(build(net, CLASSES)).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=5e-4, nesterov=nesterov)
    losses = []
    for step in range(5):
        optimizer.zero_grad()
        y = labels(shape[0], CLASSES, f"labels{step}")
        loss = F.cross_entropy(model(inputs(shape, f"input{step}")), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    out = {"losses": torch.stack(losses)}
    out.update({f"summary:{name}": summary(name, p.detach()) for name, p in model.named_parameters()})
    out.update({f"running:{name}": buffer for name, buffer in running(model).items()})
    return out


def write_names(path):
    with open(path, "w", encoding="utf-8") as file:
        for net in NAMED:
            with torch.device("meta"):
                state = build(net, 1000).state_dict()
            for name, tensor in state.items():
                file.write(f"{net} {name} {'x'.join(map(str, tensor.shape)) or 'scalar'}\n")


def main(nets):
    torch.set_num_threads(1)
    for net, shape in NETS.items():
        if nets and net not in nets:
            continue
        out = reference(net, shape)
        if net == "cifar8-A":
            for variant, nesterov in (("sgd", False), ("nesterov", True)):
                out.update({f"{variant}:{key}": value for key, value in training(net, shape, nesterov).items()})
        metadata = {
            "net": net, "classes": str(CLASSES), "input": "x".join(map(str, shape)),
            "torch": torch.__version__, "torchvision": torchvision.__version__,
        }
        path = os.path.join(HERE, f"{net}.safetensors")
        write_safetensors(path, out, metadata)
        print(
            f"{net}: loss {out['loss']:.6f}, largest logit {out['logits-train'].abs().max():.3f} in training and "
            f"{out['logits-eval'].abs().max():.3f} in evaluation, deviation of single precision "
            f"{out['deviation-logits']:.1e} in logits and {out['deviation-gradients']:.1e} in gradients, "
            f"{os.path.getsize(path)} bytes")
    write_names(os.path.join(HERE, "torchvision-names.txt"))


if __name__ == "__main__":
    main(sys.argv[1:])
