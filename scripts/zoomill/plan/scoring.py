"""What rules are given about scoring: what is scored, on which samples, by which metric, and how much of it."""

import json

from zoomill.plan import gates, targets
from zoomill.plan.artifact_name import ArtifactName


class Scoring:
    """Input functions about scoring.

    Args:
        config: the configuration.
        catalogue, datasets: ``{name: card}``.
        evaluation: :class:`zoomill.plan.samples.Samples`.
    """

    def __init__(self, config, catalogue, datasets, evaluation):
        self._config, self._catalogue, self._datasets, self._evaluation = config, catalogue, datasets, evaluation

    def predictions(self, wildcards, input):
        """Return the flag that names what a source made of the samples."""
        return ["--predictions", input.predictions]

    def artifact(self, wildcards, input):
        """Return the flags that say which artifact is scored, and what its network gave, where that was kept."""
        heads = ["--heads", input.heads] if input.get("heads") else []
        return ["--artifact", input.artifact, "--variant", wildcards.variant, *heads]

    def artifact_kept(self, wildcards, input, output):
        """Return such flags, and the one that keeps what the artifact gives."""
        return [*self.artifact(wildcards, input), "--output-heads", output.heads]

    def heads(self, wildcards):
        """Return what the network of a detector's file gave without the last operator, nothing where it runs itself."""
        cut = ArtifactName(wildcards.model, "detect_cut", wildcards.variant, "tflite")
        behind = wildcards.graph.startswith("detect_") and wildcards.graph != cut.graph
        alone = wildcards.kernels or self._config["evaluate"] == "until_clear"
        if not behind or alone or targets.why_not(self._catalogue[wildcards.model], cut):
            return []
        return f"build/{cut.model}/{cut.graph}/{cut.variant}.heads.zip"

    def against(self, form):
        """Return an input function for the scores of the float32 artifact of a graph, nothing for that one itself."""

        def get(wildcards):
            exact = ArtifactName(wildcards.model, wildcards.graph, "float32", form)
            alone = wildcards.variant in ("float32", gates.GIVEN)
            return [] if alone or targets.why_not(self._catalogue[wildcards.model], exact) else exact.file("samples")

        return get

    def _metric(self, model):
        """Return name and options of a model's metric, as JSON; the data set's card names boxes."""
        chosen = self._catalogue[model]["evaluation"]
        boxes = {"annotations": self._datasets[chosen["dataset"]].get("annotations")}
        metric = {**chosen["metric"], **(boxes if chosen["metric"]["name"] == "coco" else {})}
        return json.dumps(metric, sort_keys=True)

    def task(self, wildcards, input):
        """Return the flags for the samples and the metric of a model's evaluation."""
        return [*self._evaluation.flags(wildcards, input), "--metric", self._metric(wildcards.model)]

    def settings(self, wildcards):
        """Return what :meth:`task` has of the card, see :meth:`zoomill.plan.samples.Samples.settings`."""
        metric = [self._metric(wildcards.model)] if self._evaluation.of(wildcards.model) else []
        return [*self._evaluation.settings(wildcards), *metric]

    def gate_task(self, wildcards, input):
        """Return the flags for the samples and the metric of a model's evaluation, those of no samples without."""
        return (self.task if self._evaluation.of(wildcards.model) else self._evaluation.flags)(wildcards, input)

    def until_clear(self, wildcards):
        """Return the flag by which scoring stops once the comparison with float32 is clear, nothing in a full run."""
        if self._config["evaluate"] != "until_clear":
            return []
        drop = self._catalogue[wildcards.model]["drop"]
        allowed = {"drop": drop[wildcards.variant]} if wildcards.variant in drop else {}
        return ["--until-clear", json.dumps(allowed)]

    def nms_grid(self, wildcards):
        """Return the settings of NMS that are tried, as JSON."""
        return json.dumps(self._config["nms"], sort_keys=True)
