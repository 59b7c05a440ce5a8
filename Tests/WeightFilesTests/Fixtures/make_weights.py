#!/usr/bin/env python3
"""Makes the files beside it: python make_weights.py (torch 2.15). What they hold is told by WeightsFixtureTests.swift."""
import argparse, collections, pathlib, torch

base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 8
state = collections.OrderedDict()
state["plain"] = base.clone()
state["transposed"] = base.clone().transpose(0, 2)
state["view"] = base[1, 1:, ::2]
state["expanded"] = torch.tensor([1.5, -2.0]).reshape(2, 1).expand(2, 3)
state["parameter"] = torch.nn.Parameter(torch.tensor([0.25, -0.5]))
state["half"] = torch.tensor([1.0, -2.5, 2.0**-24], dtype=torch.float16)
state["bfloat"] = torch.tensor([1.0, 3.140625], dtype=torch.bfloat16)
state["double"] = torch.tensor([1.5, -2.0], dtype=torch.float64)
state["count"] = torch.tensor(7)
state["empty"] = torch.zeros(0, 4)
torch.save(state, "state.pth")
torch.save(state, "state-old.pth", _use_new_zipfile_serialization=False)

net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2))
with torch.no_grad():
    net[0].weight.copy_(torch.arange(18).reshape(2, 1, 3, 3) / 4)
optimizer = torch.optim.AdamW(net.parameters(), lr=0.1)
net(torch.ones(2, 1, 4, 4)).sum().backward()
optimizer.step()
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
checkpoint = {
    "model": {"module." + k: v for k, v in net.state_dict().items()},
    "model_ema": {k: v + 1 for k, v in net.state_dict().items()},
    "optimizer": optimizer.state_dict(), "lr_scheduler": scheduler.state_dict(), "epoch": 7, "best_acc1": 61.5,
    "args": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("/data"), betas=(0.9, 0.999)),
    "arch": "tiny", "done": {1, 2}, "rng": torch.zeros(3, dtype=torch.uint8),
}
torch.save(checkpoint, "checkpoint.pth")
torch.save(checkpoint, "checkpoint-old.pth", _use_new_zipfile_serialization=False)
torch.save(net, "module.pth")
