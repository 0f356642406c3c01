"""The samples that models' cards name for a purpose, calibration or evaluation."""

import json

from zoomill.plan import otherwise

PURPOSES = ("calibration", "evaluation")


class Samples:
    """Input functions about the samples for one purpose.

    Args:
        purpose: one of :data:`PURPOSES`.
        catalogue, datasets: ``{name: card}``.
    """

    def __init__(self, purpose, catalogue, datasets):
        self.purpose, self._catalogue, self._datasets = purpose, catalogue, datasets

    def of(self, model):
        """Return the data set and samples that a model's card names, None for random ones and without."""
        chosen = self._catalogue[model].get(self.purpose)
        return chosen if isinstance(chosen, dict) else None

    def list(self, wildcards):
        """Return the list of a model's samples, nothing without."""
        return f"build/{wildcards.model}/{self.purpose}.csv" if self.of(wildcards.model) else []

    def folder(self, wildcards):
        """Return the folder of a model's samples, nothing without."""
        chosen = self.of(wildcards.model)
        return f"sources/{chosen['dataset']}" if chosen else []

    def list_and_folder(self, wildcards):
        """Return both, of a model that has samples."""
        return [self.list(wildcards), self.folder(wildcards)]

    def fitted(self, wildcards):
        """Return the file of a model's pictures in the size of its input, nothing where samples are no pictures.

        The graph ``inference``, and a source as it is, take pictures by contracts of their own.
        """
        is_picture = self.of(wildcards.model) and json.loads(self.form(wildcards))["reader"] == "picture"
        is_usual = wildcards.get("graph") not in otherwise.OWN_PICTURES
        return f"build/{wildcards.model}/{self.purpose}.npy" if is_picture and is_usual else []

    def form(self, wildcards):
        """Return how a model's samples are read, as JSON."""
        chosen = self.of(wildcards.model)
        return json.dumps(self._datasets[chosen["dataset"]]["form"] if chosen else {}, sort_keys=True)

    def preprocess(self, wildcards):
        """Return how pictures are prepared for a model, as JSON."""
        return json.dumps(self._catalogue[wildcards.model]["preprocess"], sort_keys=True)

    def settings(self, wildcards):
        """Return how a model's samples are read and prepared, for Snakemake alone.

        It compares no param that is a function of a job's inputs, as :meth:`flags` is; so this one stands beside those.
        """
        return [self.form(wildcards), self.preprocess(wildcards)]

    def flags(self, wildcards, input):
        """Return the flags that name a job's samples, inputs ``samples``, ``folder`` and ``fitted``, and their form."""
        fitted = _paths(input.get("fitted", []))
        return [*self._flags(wildcards, "", input.samples, input.folder), *(["--fitted", *fitted] if fitted else [])]

    def flags_beside_others(self, wildcards, input):
        """Return such flags for a job of two lists, ``--<purpose>-samples`` …; input ``<purpose>`` has both."""
        return self._flags(wildcards, f"{self.purpose}-", *input[self.purpose])

    def _flags(self, wildcards, prefix, samples, folder):
        return [
            *(f"--{prefix}samples", *_paths(samples), f"--{prefix}folder", *_paths(folder)),
            *(f"--{prefix}form", self.form(wildcards), f"--{prefix}preprocess", self.preprocess(wildcards)),
        ]


def _paths(input):
    """Return a list of the paths of a named input, which Snakemake gives as a text where it is one."""
    return [input] if isinstance(input, str) else [*input]
