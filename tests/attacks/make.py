"""Make the hostile files of one environment: ``python -m attacks.make FOLDER ENVIRONMENT [NAME …]`` in it.

Makes FOLDER/<kind>/<name>/source and …/outside for each attack, or for those of these names, all in one process so that
a framework starts once.
"""

import importlib
import os
import sys
from pathlib import Path

from attacks.attack import ATTACKS, Place

MODULES = {
    "tf2": ("keras", "tensorflow", "tfjs", "darknet"),
    "onnx": ("onnx", "tflite"),
    "torch": ("pytorch",),
    "base": ("yaml_cards", "archives", "servers"),
}


def attacks_of(environment):
    """Return the attacks that an environment's Python makes."""
    for module in MODULES[environment]:
        importlib.import_module(f"attacks.{module}")
    return [one for one in ATTACKS.values() if one.environment == environment]


def all_attacks():
    """Return the attacks of all environments."""
    return [one for environment in MODULES for one in attacks_of(environment)]


def place_of(folder, attack):
    """Return the :class:`Place` of an attack."""
    return Place(Path(folder) / attack.kind / attack.name.replace(" ", "_"))


def make(folder, environment, names):
    """Write them; what an attack leaves behind while it is made is removed."""
    for attack in attacks_of(environment):
        if names and attack.name not in names:
            continue
        place = place_of(folder, attack)
        place.prepare()
        attack.make(place)
        for path in place.outside.iterdir():
            if path.name.startswith("marker"):
                path.unlink()


if __name__ == "__main__":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    make(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
