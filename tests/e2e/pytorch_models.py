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


def main(folder):
    """Write all models."""
    torch.manual_seed(0)
    example = torch.rand(2, 3, 8, 8), torch.rand(2, 4)
    batch = {0: torch.export.Dim("batch")}
    net, noisy = Net().eval(), nn.Sequential(nn.Flatten(), nn.Dropout(0.5)).train()
    torch.export.save(torch.export.export(net, example, dynamic_shapes=(batch, batch)), os.path.join(folder, "net.pt2"))
    torch.jit.script(net).save(os.path.join(folder, "net.pt"))
    torch.export.save(torch.export.export(noisy, (torch.rand(1, 3, 8, 8),)), os.path.join(folder, "noisy.pt2"))
    torch.save(net.state_dict(), os.path.join(folder, "state.pt"))
    torch.save(net, os.path.join(folder, "module.pt"))
    torch.save(net, os.path.join(folder, "old.pt"), _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main(sys.argv[1])
