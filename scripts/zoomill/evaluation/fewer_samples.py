"""A task on some of its samples, where all would take too long or must not be seen."""

import dataclasses

from zoomill import files
from zoomill.inputs import samples


def drawn(task, count, path):
    """Return a :class:`zoomill.evaluation.harness.Task` on some of the samples of another, drawn with a fixed seed.

    Args:
        task: the other.
        count: how many samples.
        path: where their list is written.
    """
    chosen = samples.choose(samples.read_index(task.samples.path), {"count": count, "seed": 0})
    files.write_bytes(path, samples.index_text(chosen).encode())
    return dataclasses.replace(task, samples=dataclasses.replace(task.samples, path=path))
