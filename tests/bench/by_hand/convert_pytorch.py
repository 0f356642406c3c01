"""Make a .tflite of an exported program, whose input of NCHW is to be NHWC: PROGRAM FILE."""

import sys

import litert_torch
import torch

source, path = sys.argv[1:]
program = torch.export.load(source)
(example,), _ = program.example_inputs
module = litert_torch.to_channel_last_io(program.module(), args=[0])
litert_torch.convert(module, (example.permute(0, 2, 3, 1),)).export(path)
