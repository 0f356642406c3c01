"""Small PyTorch models for the tests, written by the Python of envs/torch.yaml: ``pytorch_models.py FOLDER``."""

import os
import sys

import torch
from torch import nn


class Net(nn.Module):
    """From pictures ``[n, 3, 8, 8]`` and numbers ``[n, 4]`` to a feature map and a list of two."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.dense = nn.Linear(4, 4)

    def forward(self, picture, numbers):
        features = torch.relu(self.convolution(picture))
        mean = features.mean((2, 3))
        return features, [mean, mean * torch.tanh(self.dense(numbers))]


class Keyed(nn.Module):
    """From a picture whose edges are multiples of four to a dict, one key of which is the input's."""

    def forward(self, picture):
        blocks = nn.functional.pixel_unshuffle(picture, 4)
        return {"picture": blocks * 2, "blocks": blocks, "totals": [blocks.sum((2, 3)), blocks.amax((2, 3))]}


class Branching(nn.Module):
    """Two branches; the picture says which."""

    def forward(self, picture):
        return picture * 2 if bool(picture.mean() > 0) else torch.relu(picture)


class Looping(nn.Module):
    """As many steps as the picture says."""

    def forward(self, picture):
        while bool(picture.sum() < 10.0):
            picture = picture * 2 + 1
        return picture


def main(folder):
    """Write all models."""
    torch.manual_seed(0)
    example = torch.rand(2, 3, 8, 8), torch.rand(2, 4)
    batch = {0: torch.export.Dim("batch")}
    net, noisy = Net().eval(), nn.Sequential(nn.Flatten(), nn.Dropout(0.5)).train()
    torch.export.save(torch.export.export(net, example, dynamic_shapes=(batch, batch)), os.path.join(folder, "net.pt2"))
    torch.jit.script(net).save(os.path.join(folder, "net.pt"))
    edges = ({2: 4 * torch.export.Dim("rows"), 3: 4 * torch.export.Dim("columns", max=64)},)
    keyed = torch.export.export(Keyed(), (torch.rand(1, 3, 8, 12),), dynamic_shapes=edges)
    torch.export.save(keyed, os.path.join(folder, "keyed.pt2"))
    for name, model in {"branching": Branching(), "looping": Looping()}.items():
        torch.jit.script(model).save(os.path.join(folder, f"{name}.pt"))
    torch.export.save(torch.export.export(noisy, (torch.rand(1, 3, 8, 8),)), os.path.join(folder, "noisy.pt2"))
    torch.save(net.state_dict(), os.path.join(folder, "state.pt"))
    torch.save(net, os.path.join(folder, "module.pt"))
    torch.save(net, os.path.join(folder, "old.pt"), _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main(sys.argv[1])
