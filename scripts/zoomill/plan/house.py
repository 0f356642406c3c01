"""Configuration and cards of the repository, checked."""

import dataclasses
import functools
import operator
import os

from zoomill.errors import UserError
from zoomill.plan import cards, schemas
from zoomill.yaml_file import load_yaml


@dataclasses.dataclass(frozen=True)
class House:
    """What there is.

    Attributes:
        root: folder of the repository.
        schema: ``{"config", "card", "dataset": JSON Schema}``.
        config: the configuration with its defaults.
        catalogue: :class:`zoomill.plan.cards.Catalogue`.
        datasets: ``{name: card}``.
        broken: ``{name: UserError}`` of data sets that cannot be read.
    """

    root: str
    schema: dict
    config: dict
    catalogue: dict
    datasets: dict
    broken: dict


def read(root, configfiles=(), config=None, folder=None):
    """Return the :class:`House` in a folder.

    Args:
        root: the folder.
        configfiles: files of configuration, of which the last that says a key counts; without, its config.yaml.
        config: the merged configuration of a run, which gets its defaults; that of the files without.
        folder: where the paths of ``cards`` begin; without, at the file of configuration that says them.

    Raises:
        UserError: when the configuration is wrong; a broken card only matters to whoever names it.
    """
    schema, broken = schemas.load(os.path.join(root, "rules/schemas")), {}
    said = {path: _read(path, root) for path in configfiles or [os.path.join(root, "config.yaml")]}
    config = functools.reduce(operator.or_, said.values()) if config is None else config
    schemas.check(config, schema["config"], "config.yaml")
    schemas.fill(config["nms"], schema["config"]["properties"]["nms"]["properties"])
    folder = folder or next((os.path.dirname(path) for path in reversed(said) if "cards" in said[path]), root)
    config["cards"] = [os.path.normpath(os.path.join(folder, place)) for place in config["cards"]]
    catalogue = cards.load_catalogue(
        os.path.join(root, "models"),
        schema["card"],
        config["cards"],
        said,
        lambda card: cards.check_datasets(card, datasets, broken),
    )
    datasets = cards.load_datasets(os.path.join(root, "datasets"), schema["dataset"], broken, catalogue)
    return House(root, schema, config, catalogue, datasets, broken)


def _read(path, root):
    name = cards.address(path, root)
    found = load_yaml(path, name)
    if not isinstance(found, dict):
        raise UserError(f"{name}: is no table of keys and values")
    return found
