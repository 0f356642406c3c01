"""The kinds of source whose export is one job. PyTorch and TF1 detectors, which need more, have rules of their own."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Kind:
    """What the job needs that exports a source of a kind, or runs it on samples.

    Attributes:
        environment: of envs/, in which the command ``export_<kind>`` runs.
        mem_mb: megabytes.
        priority: of its jobs; those in another environment than most come first.
        javascript: whether it runs TensorFlow.js in Node.
    """

    environment: str = "tf2"
    mem_mb: int = 2000
    priority: int = 0
    javascript: bool = False


KINDS = {
    "darknet": Kind(),
    "frozen_graph": Kind(),
    "keras": Kind(),
    "onnx": Kind("onnx", 3000, priority=1),
    "saved_model": Kind(),
    "tf1_checkpoint": Kind(),
    "tfjs": Kind(mem_mb=3000, javascript=True),
    "tflite": Kind("onnx", 3000, priority=1),
}
