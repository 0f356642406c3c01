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
