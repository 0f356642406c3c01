"""How far outputs are from golden ones, without any limit."""

from zoomill.proof import parity

_NONE = {"sqnr": 0, "share": 1e9, "decisions": 0}


def of_runs(runs, contract, golden):
    """Return ``{output: figures}`` of runs on all golden inputs."""
    return parity.of_outputs(list(runs), contract, dict(golden), _NONE).figures


def of_artifact(artifact, contract, golden):
    """Return ``{output: figures}`` of an artifact that is called like :class:`zoomill.tflite.runtime.Artifact`."""
    return of_runs((artifact(contract, feed) for feed in parity.feeds(contract, golden)), contract, golden)
