"""The table of gates: what a .tflite file is asked about where it will run, on a machine that has none of it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Gate:
    """A row.

    Attributes:
        name: as `deploy` in config.yaml says it, and the end of the evidence, ``<graph>.<variant>.<name>.json``.
        title: of its column in the summary.
        run_by: what the file is run by.
        tells: what a pass says.
        leaves_open: what a pass does not say.
    """

    name: str
    title: str
    run_by: str
    tells: str
    leaves_open: str


TABLE = (
    Gate(
        "micro",
        "TFLite Micro",
        "TFLite Micro 0.dev20261023182759",
        "is run, and gives what LiteRT's reference kernels give; says the memory that it takes",
        "the vendor's own kernels, CMSIS-NN say, and the smaller pointers of 32 bits",
    ),
    Gate(
        "kernels",
        "kernels",
        "each set of LiteRT's kernels, on 1 and 2 threads, and TFLite Micro",
        "all of them run; says how far their answers lie apart, which is no failure",
        "kernels of other processors",
    ),
    Gate(
        "gpu",
        "GPU",
        "LiteRT 2.3.0's WebGPU accelerator, on the processor by SwiftShader",
        "how many operators the GPU takes, that it gives LiteRT's answers on the evaluation samples, and that no sum "
        "or value leaves float16",
        "a physical GPU, which was not tried; it may compute in float16, SwiftShader does in float32",
    ),
    Gate(
        "litertjs",
        "LiteRT.js",
        "LiteRT.js 2.5.3 in Chromium, on wasm and on WebGPU by SwiftShader",
        "loads, runs, frees what it takes, and gives LiteRT's answers on the evaluation samples",
        "other browsers, a physical GPU; int8 inputs and outputs, which it cannot have",
    ),
    Gate(
        "tasks",
        "MediaPipe",
        "MediaPipe Tasks 1.2.3",
        "opens by its metadata, and gives the boxes, names and scores that LiteRT gives",
        "the phone's own delegates",
    ),
    Gate(
        "vela",
        "Ethos-U",
        "Arm's compiler Vela 5.2.0",
        "compiles for the accelerators; cycles, memory, and what stays on the CPU, by Vela's own estimate",
        "what it answers there: nothing is run; the operators on the CPU and a board's own clock and memory",
    ),
    Gate(
        "latency",
        "milliseconds",
        "LiteRT on this machine, alone",
        "it runs; times of its start, first and later runs on one thread and two",
        "any other machine; compare times of one machine only",
    ),
)
NAMES = tuple(gate.name for gate in TABLE)
# What a source that is a .tflite file is called among artifacts: graph and variant.
SOURCE, GIVEN = "source", "given"
# Whose limits a file has that nobody here has made.
MEASURED_AS = {GIVEN: "int8"}
