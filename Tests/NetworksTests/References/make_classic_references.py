#!/usr/bin/env python3
"""The values of make_references.py for the networks of classic_networks.py, and classic-names.txt with their names."""

import os

import torch

import make_references
from reference_tools import build, write_safetensors

NETS = {
    "alexnet@16": (2, 3, 96, 96),
    "vgg11@16": (2, 3, 40, 40),
    "vgg13_bn@16": (4, 3, 32, 32),
    "squeezenet1_0@8": (2, 3, 60, 60),
    "squeezenet1_1@8": (2, 3, 50, 50),
    "googlenet@8": (3, 3, 62, 62),
    "googlenet-aux@8": (3, 3, 62, 62),
    "wrn-10-2": (4, 3, 16, 16),
    "lenet5": (2, 3, 32, 32),
    "lenet5-classic": (2, 3, 32, 32),
}
NAMED = ["alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "squeezenet1_0", "squeezenet1_1",
         "googlenet", "wrn-16-8", "wrn-28-10"]


def main():
    torch.set_num_threads(1)
    for net, shape in NETS.items():
        out = make_references.reference(net, shape)
        metadata = {"net": net, "input": "x".join(map(str, shape)), "torch": torch.__version__}
        path = os.path.join(make_references.HERE, f"{net}.safetensors")
        write_safetensors(path, out, metadata)
        print(
            f"{net}: loss {out['loss']:.6f}, deviation of single precision {out['deviation-logits']:.1e} of "
            f"{out['logits-train'].abs().max():.3f} in logits, {out['deviation-gradients']:.1e} in gradients")
    with open(os.path.join(make_references.HERE, "classic-names.txt"), "w", encoding="utf-8") as file:
        for net in NAMED:
            with torch.device("meta"):
                state = build(net, 1000).state_dict()
            for name, tensor in state.items():
                file.write(f"{net} {name} {'x'.join(map(str, tensor.shape)) or 'scalar'}\n")


if __name__ == "__main__":
    main()
