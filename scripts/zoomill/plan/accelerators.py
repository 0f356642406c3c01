"""The table of Arm Ethos-U accelerators that Vela compiles for."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """A row.

    Attributes:
        name: as `accelerators` in config.yaml and Vela say it: family and multiplications in each cycle.
        system: Vela's name of the clock and the memories around it, ``Arm/vela.ini``; its default for the family.
        memory: Vela's name of how these are used; its default likewise.
    """

    name: str
    system: str
    memory: str

    @property
    def end(self):
        """The end of files made for it, between that of the variant and ``.tflite``."""
        return ".vela" if self.name == USUAL else f".vela-{self.name.removeprefix('ethos-')}"


USUAL = "ethos-u55-128"
_FAMILIES = {
    "ethos-u55": ("Ethos_U55_High_End_Embedded", "Shared_Sram", (32, 64, 128, 256)),
    "ethos-u65": ("Ethos_U65_Client_Server", "Dedicated_Sram_384KB", (256, 512)),
    "ethos-u85": ("Ethos_U85_SYS_DRAM_Mid", "Dedicated_Sram_384KB", (128, 256, 512, 1024, 2048)),
}
TABLE = tuple(
    Accelerator(f"{family}-{size}", system, memory)
    for family, (system, memory, sizes) in _FAMILIES.items()
    for size in sizes
)
NAMES = tuple(row.name for row in TABLE)
# What is made for an accelerator, by the end of the file's name after that of the row.
KINDS = {"compiled": ".tflite", "source": ".cc", "header": ".h"}


def files():
    """Return ``{what: end of the file's name}`` of all that is made, where ``what`` begins with the row's name."""
    return {f"{row.name} {kind}": row.end + end for row in TABLE for kind, end in KINDS.items()}


def as_json(name):
    """Return a row as Vela's options, a JSON object."""
    return json.dumps(dataclasses.asdict(row(name)), sort_keys=True)


def row(name):
    """Return the row of an accelerator."""
    return TABLE[NAMES.index(name)]


def by_end(end):
    """Return the row whose files have an end."""
    return next(row for row in TABLE if row.end == end)
