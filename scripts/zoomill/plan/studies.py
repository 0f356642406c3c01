"""What takes a closer look at single artifacts, where the configuration names them: ledgers, sweeps of NMS, tensors."""

from zoomill.errors import UserError
from zoomill.plan import artifact_name, targets
from zoomill.plan.names import require

# Keys of config.yaml, with what of an artifact is made, keys of artifact_name.ENDS: a document and its drawing.
KEYS = {
    "ledgers": ("ledger json", "ledger svg"),
    "nms_sweeps": ("nms", "heat_map"),
    "tensor_errors": ("tensors", "plot"),
}
DOCUMENTS = tuple(document for document, _ in KEYS.values())


def check(config, catalogue, datasets, broken):
    """Raise a UserError for an artifact whose name is none, or of which there is no such study in this run.

    Args:
        config: the configuration.
        catalogue, datasets: ``{name: card}``.
        broken: ``{name: UserError}`` of data sets that cannot be read.
    """
    if config["evaluate"] == "until_clear" and _of_run(config, "ledgers"):
        raise UserError("config.yaml: ledgers: need all samples; leave them out, or say `evaluate: true`")
    for key, (what, _) in KEYS.items():
        for written in config[key]:
            require(written.partition("/")[0], catalogue, f"config.yaml: {key}: {written}", "model")
            target = _name(written).file(what)
            try:
                targets.check(target, config, catalogue, datasets, broken)
            except UserError as error:
                raise UserError(f"config.yaml: {key}: {error}") from error


def paths(config, what):
    """Return the documents (``what`` 0) or the drawings (1) of all studies of the models of the run.

    Args:
        config: the configuration.
        what: place in the values of :data:`KEYS`.
    """
    return [name.file(ends[what]) for key, ends in KEYS.items() for name in _of_run(config, key)]


def _of_run(config, key):
    """Return the artifacts that a key names, of the models of the run."""
    return [name for name in map(_name, config[key]) if name.model in config["models"]]


def _name(written):
    """Return the artifact of a name as the schema wants it, a .tflite file where it does not end in .tfjs."""
    return artifact_name.parse(f"results/{written}{'' if written.endswith('.tfjs') else '.tflite'}")[0]
