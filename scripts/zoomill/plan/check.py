"""What `zoomill check WHAT…` names: the evidence of gates."""

import os

import yaml

from zoomill import files
from zoomill.errors import UserError
from zoomill.plan import artifact_name, build, gates, new_card
from zoomill.plan.artifact_name import ArtifactName
from zoomill.plan.names import require, select
from zoomill.plan.wanted import Wanted
from zoomill.yaml_file import load_yaml

# Where the cards of files are kept that no card names, inside of the repository.
CARDS = "build/check"


def artifacts(what, path, house):
    """Return the :class:`zoomill.plan.artifact_name.ArtifactName` of what is asked about.

    Args:
        what: a path in results/; a model or a pattern of models, for its configured .tflite files, and its source where
            that is one; or a .tflite file, which gets a card in :data:`CARDS` where no card names it.
        path: ``what`` as a path from anywhere.
        house: :class:`zoomill.plan.house.House`.

    Raises:
        UserError: when there is no such thing, or it is no .tflite file.
    """
    name, part = artifact_name.parse(os.path.relpath(path, house.root)) or (None, None)
    if part == "artifact" and name.model in house.catalogue:
        return [name]
    if os.path.isfile(path):
        return [_given(build.known(path, house) or _with_card(path, house))]
    known = house.catalogue
    found, broken = known.read(select([what], known, "check", "model or file"))
    if what in broken:
        raise broken[what]
    names = Wanted(house.config, known).artifacts("tflite", models=found)
    names += [_given(model) for model, card in found.items() if card["source"]["kind"] == "tflite"]
    if not names:
        raise UserError(f"{what}: config.yaml asks for no .tflite file of it")
    return names


def evidence(names, chosen):
    """Return the paths of the evidence of some gates, all without, about artifacts.

    Raises:
        UserError: for a gate that there is not.
    """
    for gate in chosen:
        require(gate, gates.NAMES, "check", "gate")
    return [name.file(gate) for name in names for gate in chosen or gates.NAMES]


def _given(model):
    return ArtifactName(model, gates.SOURCE, gates.GIVEN, "tflite")


def _with_card(path, house):
    """Return the model of a card that is written for a file."""
    if not path.endswith(".tflite"):
        raise UserError(f"{path}: is no .tflite file; ./zoomill build makes one of it")
    folder = os.path.join(house.root, CARDS)
    model = new_card.name_of(path, {*house.catalogue, *house.datasets, *house.broken, *_of_others(path, folder)})
    if card := _of_same_bytes(path, house):
        text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True)
        files.write_bytes(os.path.join(folder, f"{model}.yaml"), text.encode(), recorded=False)
    else:
        new_card.write(path, model, True, house.root, house.schema["card"], folder)
    return model


def _of_others(path, folder):
    """Return the models of cards that were written for other files."""
    cards = {name.removesuffix(".yaml"): load_yaml(os.path.join(folder, name)) for name in _names(folder)}
    places = {model: card["source"]["files"][0]["urls"][0] for model, card in cards.items()}
    return [model for model, place in places.items() if os.path.normpath(os.path.join(folder, place)) != path]


def _names(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def _of_same_bytes(path, house):
    """Return the catalogue's card of a file with this content, which then knows its samples, or None."""
    digest = files.digest(path)
    for card in house.catalogue.read()[0].values():
        if [file.get("sha256") for file in card["source"]["files"]] == [digest]:
            found = load_yaml(os.path.join(house.root, card["file"]))
            found["source"]["files"][0]["urls"] = [path]
            return found
    return None
