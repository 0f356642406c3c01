"""What the configuration asks for, by the names of files."""

import json
import shutil

from zoomill.plan import studies, targets, variants
from zoomill.plan.artifact_name import ArtifactName


class Wanted:
    """The files of a configuration.

    Args:
        config: the configuration.
        catalogue: ``{model: card}``.
    """

    def __init__(self, config, catalogue):
        self._config, self._catalogue = config, catalogue

    def artifacts(self, *formats, models=None):
        """Return the :class:`ArtifactName` of everything of some formats, or all, and of some models, or all."""
        return [
            name
            for model in (self._config["models"] if models is None else models)
            for form in (formats or variants.FORMATS)
            for name in self._possible(model, form, self._config[form])
        ]

    def paths(self, *formats, models=None):
        """Return the paths of :meth:`artifacts`."""
        return list(map(str, self.artifacts(*formats, models=models)))

    def _possible(self, model, form, chosen):
        """Return those of some variants of a format that can be had of a model and are delivered of it."""
        card = self._catalogue[model]
        names = [
            ArtifactName(model, graph, variant, form) for graph in (*card["graphs"], "inference") for variant in chosen
        ]
        delivered = targets.delivered(card) if form == "tflite" else chosen
        return [name for name in names if name.variant in delivered and not targets.why_not(card, name)]

    def evidence(self, *formats):
        """Return the evidence of artifacts."""
        return [name.file("evidence") for name in self.artifacts(*formats)]

    def metrics(self, form):
        """Return the metric evidence of the artifacts of a format that are evaluated."""
        evaluated = [name for name in self.artifacts(form) if "evaluation" in self._catalogue[name.model]]
        return [name.file("metric") for name in evaluated if self._config["evaluate"]]

    def micro_metrics(self):
        """Return the metric evidence of TFLite Micro, of the artifacts that are delivered as C arrays and evaluated."""
        evaluated = [name for name in self._c_arrays() if "evaluation" in self._catalogue[name.model]]
        return [name.file("micro_metric") for name in evaluated if self._config["evaluate"]]

    def gates(self):
        """Return the evidence of the gates that the configuration names."""
        return [name.file(gate) for name in self.artifacts("tflite") for gate in self._config["deploy"]]

    def looked(self):
        """Return the documents of closer looks at artifacts."""
        return studies.paths(self._config, 0)

    def drawings(self):
        """Return their drawings."""
        return studies.paths(self._config, 1)

    def drops(self):
        """Return the losses of metrics that cards allow, ``{model: {variant: loss}}``, as JSON."""
        return json.dumps({model: self._catalogue[model]["drop"] for model in self._config["models"]}, sort_keys=True)

    def delivered(self):
        """Return all that stands in SHA256SUMS."""
        layers = [model for model in self._config["models"] if self._catalogue[model]["tfjs"]["layers"]]
        return [
            *self.paths(),
            *(name.file(end) for name in self._c_arrays() for end in ("source", "header")),
            *(path for name in self.artifacts("tflite") for path in self._compiled(name, "compiled")),
            *(path for name in self._c_arrays() for path in self._compiled(name, "source", "header")),
            *self._labels(),
            *(str(ArtifactName(model, "layers", "float32", "tfjs")) for model in layers if self._config["tfjs"]),
        ]

    def _c_arrays(self):
        chosen = self._config["c_arrays"]
        return [name for model in self._config["models"] for name in self._possible(model, "tflite", chosen)]

    def _compiled(self, name, *kinds):
        """Return what Vela makes of an artifact for the configured accelerators, nothing where it is not asked.

        Args:
            name: :class:`ArtifactName`.
            kinds: keys of :data:`zoomill.plan.accelerators.KINDS`.
        """
        if "vela" not in self._config["deploy"] or not variants.row("tflite", name.variant).integers:
            return []
        return [name.file(f"{accelerator} {kind}") for accelerator in self._config["accelerators"] for kind in kinds]

    def _labels(self):
        labelled = [name.model for name in self.artifacts("tflite") if self._catalogue[name.model]["labels"]]
        return [f"results/{model}/labels.txt" for model in dict.fromkeys(labelled)]

    def graphs(self):
        """Return ``(model, graph)`` of all graphs that are delivered as TensorFlow.js models."""
        return list(dict.fromkeys((name.model, name.graph) for name in self.artifacts("tfjs")))

    def contracts(self, *formats):
        """Return the contracts of the graphs of artifacts."""
        return list(dict.fromkeys(name.build("contract.json") for name in self.artifacts(*formats)))

    def pages(self):
        """Return all that pages need besides TensorFlow.js models, nothing where none are wanted."""
        if not self._config["tfjs"]:
            return []
        names = ("decode.js", "decode.py", "tfjs.md")
        own = [f"results/{model}/{name}" for model in self._config["models"] for name in names]
        maps = [f"results/{model}/{graph}.map.json" for model, graph in self.graphs()]
        return ["results/models.json", "results/tfjs.md", *own, *maps]

    def in_browser(self):
        """Tell whether artifacts are run in Chromium too."""
        wanted = self._config["browser"] == "auto" and shutil.which("chromium") or self._config["browser"] is True
        return bool(wanted and self._config["tfjs"])

    def browser(self):
        """Return the evidence of Chromium, nothing where it is not run."""
        return [f"results/{model}/browser.json" for model in self._config["models"] if self.in_browser()]

    def run_in_browser(self, model):
        """Return the artifacts of a model that a browser runs: TensorFlow.js models and TFLite files of their graphs.

        All files are left out where the gate of LiteRT.js runs them.
        """
        models = self.artifacts("tfjs", models=[model])
        return models if "litertjs" in self._config["deploy"] else models + self._beside(models)

    def decoders(self):
        """Return what feeds and reads TensorFlow.js models on pages."""
        return [f"results/{model}/decode.js" for model in dict.fromkeys(model for model, _ in self.graphs())]

    def tflite_in_browser(self):
        """Return the TFLite files that pages are told of."""
        return list(map(str, self._beside(self.artifacts("tfjs"))))

    def _beside(self, names):
        """Return the TFLite files of the graphs of TensorFlow.js models.

        Those whose inputs and outputs are integers are left out: LiteRT.js knows no int8.
        """
        graphs = {(name.model, name.graph) for name in names}
        files = self.artifacts("tflite", models=list(dict.fromkeys(name.model for name in names)))
        floats = [name for name in files if variants.row("tflite", name.variant).ends == "float32"]
        return [name for name in floats if (name.model, name.graph) in graphs]
