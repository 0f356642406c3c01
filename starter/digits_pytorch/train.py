"""Train a small network on handwritten digits with PyTorch, write it in three forms, and print its accuracy.

python -m starter.digits_pytorch.train --output-dir folder
"""

import argparse
import io
import os
import zipfile

import numpy as np
from starter.digits import data

SIZE = 16
SEED = 4
EPOCHS = 60
BATCH = 32
RATE = 1e-2


def inputs(images):
    """Return digits as the artifacts take them: float32 [n, 16, 16, 1], 0 to 1."""
    return data.pictures(images, SIZE).astype(np.float32) / 255


def channels_first(values):
    """Return inputs as PyTorch takes them: a tensor, float32 [n, 1, 16, 16]."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def score(predict):
    """Return the figures of the model's README.

    Args:
        predict: function from float32 [n, 16, 16, 1] to probabilities [n, 10].
    """
    return {"top-1": data.accuracy(predict, inputs)}


def build():
    """Return the untrained model: three convolutions, the mean of each feature, a dense layer."""
    import torch
    from torch import nn

    class Digits(nn.Module):
        def __init__(self):
            super().__init__()
            layers = []
            for entering, leaving in ((1, 8), (8, 16), (16, 20)):
                layers += [nn.Conv2d(entering, leaving, 3, padding=1), nn.BatchNorm2d(leaving), nn.ReLU()]
                layers += [nn.MaxPool2d(2)] if leaving < 20 else [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
            self.layers = nn.Sequential(*layers, nn.Linear(20, 10))

        def forward(self, picture):
            logits = self.layers(picture)
            return logits if self.training else torch.softmax(logits, 1)

    return Digits()


def train(model):
    """Train a model on the digits, each moved by up to a pixel in every epoch."""
    import torch

    images, labels = data.load()[0]
    pictures, labels = channels_first(inputs(images)), torch.from_numpy(labels)
    steps = EPOCHS * -(-len(labels) // BATCH)
    optimiser = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            moved = torch.roll(pictures[chosen], torch.randint(-1, 2, (2,)).tolist(), (2, 3))
            loss = torch.nn.functional.cross_entropy(model(moved), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()


def save(model, folder):
    """Write digits.pt2, digits.pt and digits.onnx, without the paths of this machine that PyTorch notes in them."""
    import torch

    example = (torch.zeros(1, 1, SIZE, SIZE),)
    program = torch.export.export(model, example)
    for node in program.graph.nodes:
        for key in ("stack_trace", "nn_module_stack"):
            node.meta.pop(key, None)
    for name, write in (
        ("digits.pt2", lambda file: torch.export.save(program, file)),
        ("digits.pt", lambda file: torch.jit.save(torch.jit.trace(model, example), file)),
    ):
        stored = io.BytesIO()
        write(stored)
        repack(stored, os.path.join(folder, name))
    exported = torch.onnx.export(
        program, example, dynamo=True, input_names=["picture"], output_names=["probabilities"], verbose=False
    )
    for node in exported.model.graph:
        node.metadata_props.clear()
    exported.save(os.path.join(folder, "digits.onnx"))


def repack(stored, path):
    """Write a zip file compressed, without the places in Python code that TorchScript's parts come from."""
    with zipfile.ZipFile(stored) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.infolist():
            if not member.filename.endswith(".debug_pkl"):
                entry = zipfile.ZipInfo(member.filename)
                target.writestr(entry, source.read(member), zipfile.ZIP_DEFLATED)


def main():
    """Train, save and score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output-dir", required=True, help="existing folder to write to")
    flags = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    model = build()
    train(model)
    model.eval()
    save(model, flags.output_dir)
    with torch.no_grad():
        print(score(lambda values: model(channels_first(values)).numpy()))


if __name__ == "__main__":
    main()
