"""Configuration and cards of the repository, checked."""

import dataclasses
import os

from zoomill.plan import cards, schemas
from zoomill.yaml_file import load_yaml


@dataclasses.dataclass(frozen=True)
class House:
    """What there is.

    Attributes:
        root: folder of the repository.
        schema: ``{"config", "card", "dataset": JSON Schema}``.
        config: config.yaml with its defaults.
        catalogue, datasets: ``{name: card}``.
        broken: ``{name: UserError}`` of cards that cannot be read.
    """

    root: str
    schema: dict
    config: dict
    catalogue: dict
    datasets: dict
    broken: dict


def read(root, config=None):
    """Return the :class:`House` in a folder.

    Args:
        root: the folder.
        config: the configuration of a run, which gets its defaults; config.yaml without.

    Raises:
        UserError: when the configuration is wrong; a broken card only matters to whoever names it.
    """
    schema, broken = schemas.load(os.path.join(root, "rules/schemas")), {}
    config = load_yaml(os.path.join(root, "config.yaml"), "config.yaml") if config is None else config
    schemas.check(config, schema["config"], "config.yaml")
    catalogue = cards.load_catalogue(os.path.join(root, "models"), schema["card"], broken)
    datasets = cards.load_datasets(os.path.join(root, "datasets"), schema["dataset"], broken)
    cards.check_datasets(catalogue, datasets, broken)
    return House(root, schema, config, catalogue, datasets, broken)
