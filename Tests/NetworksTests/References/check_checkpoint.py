#!/usr/bin/env python3
"""Loads one of Skipline's checkpoints into PyTorch, or writes a checkpoint with PyTorch for Skipline to load.

    pip install torch torchvision
    python check_checkpoint.py FILE NET [--size 64]            # read FILE
    python check_checkpoint.py --save FILE NET [--classes 10]  # write FILE

NET is a network of torchvision (resnet50, vgg19_bn ...), of timm (seresnet18 ...), or of make_references.py (cifar8-B ...). Reading is strict:
a missing, superfluous or misshapen tensor is an error and the exit status is 1; tensors that are not the network's,
such as an optimizer's state, are left out with `--ignore PREFIX`. `num_batches_tracked` may be absent. Writing
takes the weights of the formula in reference_tools.py. Both print, as one line of JSON, the network's logits in
evaluation mode for the input [2, 3, size, size] of the stream "input", computed in single precision.
"""

import argparse
import json
import sys

import torch

from reference_tools import build, fill, inputs, read_safetensors, write_safetensors

# Of residual networks, VGG and AlexNet, SqueezeNet, LeNet-5.
CLASSIFIERS = ("fc.weight", "classifier.6.weight", "classifier.1.weight", "fc3.weight", "output.weight")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("net")
    parser.add_argument("--save", action="store_true", help="write the file instead of reading it")
    parser.add_argument("--classes", type=int, default=10, help="classes of a network to write")
    parser.add_argument("--size", type=int, default=64, help="side of the input, pixels")
    parser.add_argument("--ignore", action="append", default=[], metavar="PREFIX", help="leave these tensors out")
    options = parser.parse_args()
    torch.set_num_threads(1)

    if options.save:
        model = fill(build(options.net, options.classes)).float()
        write_safetensors(options.file, model.state_dict(), {"format": "pt"})
    else:
        tensors, _ = read_safetensors(options.file)
        tensors = {k: v for k, v in tensors.items() if not k.startswith(tuple(options.ignore))}
        classifier = next((k for k in CLASSIFIERS if k in tensors), None)
        if classifier is None:
            sys.exit(f"{options.file}: none of {', '.join(CLASSIFIERS)}, so this is no {options.net}")
        model = build(options.net, tensors[classifier].shape[0])
        try:
            model.load_state_dict(tensors, strict=True)
        except RuntimeError as error:
            sys.exit(f"{options.file}: {error}")
    with torch.no_grad():
        logits = model.eval()(inputs((2, 3, options.size, options.size)).float())
    print(json.dumps({"file": options.file, "net": options.net, "logits": logits.tolist()}))


if __name__ == "__main__":
    main()
