"""What an attack is: a function that makes hostile files, and what would show that it succeeded."""

import dataclasses
import secrets
import string
from pathlib import Path

# The environment whose Python opens a source of each kind, and makes attacks on it.
ENVIRONMENTS = {
    "tf1_detection": "tf2",
    **dict.fromkeys(("keras", "saved_model", "frozen_graph", "tf1_checkpoint", "darknet", "tfjs"), "tf2"),
    **dict.fromkeys(("onnx", "tflite"), "onnx"),
    "pytorch": "torch",
    **dict.fromkeys(("card", "archive", "server"), "base"),
}
ATTACKS = {}


@dataclasses.dataclass(frozen=True)
class Place:
    """The folder of one attack.

    The job may read ``source`` and write into its output and temporary folder. ``outside`` is none of its business:
    a file that appears there, or its secret anywhere else, is an escape.
    """

    folder: Path

    @property
    def source(self):
        return self.folder / "source"

    @property
    def outside(self):
        return self.folder / "outside"

    @property
    def marker(self):
        """Path of a file that the attack makes if it can."""
        return self.outside / "marker"

    @property
    def secret(self):
        """Path of a file of 32 letters."""
        return self.outside / "secret"

    @property
    def listed(self):
        """Name of a file beside it, 32 letters, which only listing the folder tells."""
        (name,) = (path.name for path in self.outside.iterdir() if len(path.name) == 32)
        return name

    def prepare(self):
        """Make the folders and the secrets."""
        self.source.mkdir(parents=True)
        self.outside.mkdir()
        content, name = ("".join(secrets.choice(string.ascii_lowercase) for _ in range(32)) for _ in range(2))
        self.secret.write_text(content)
        (self.outside / name).touch()


@dataclasses.dataclass(frozen=True)
class Attack:
    """A hostile source.

    Attributes:
        kind: of source, or ``card``, ``archive``, ``server``.
        name: what it does.
        make: function that writes into a :class:`Place`.
        flags: settings of the card that its exporter needs: see :func:`attacks.exporters.flags`.
        allow: what a card would have to allow, for runs with the checks switched off.
    """

    kind: str
    name: str
    make: object
    flags: dict
    allow: tuple

    @property
    def environment(self):
        return ENVIRONMENTS[self.kind]


def attack(kind, allow=(), **flags):
    """Register a function as an attack; its name is the attack's."""

    def register(make):
        name = make.__name__.replace("_", " ")
        assert (kind, name) not in ATTACKS
        ATTACKS[kind, name] = Attack(kind, name, make, flags, tuple(allow))
        return make

    return register
