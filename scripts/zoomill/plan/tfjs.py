"""What rules about TensorFlow.js and browsers are given."""

import json
import shutil

from zoomill.plan import javascript, variants


class Tfjs:
    """Input functions about TensorFlow.js models.

    Args:
        catalogue: ``{model: card}``.
        wanted: :class:`zoomill.plan.wanted.Wanted`.
        limits: function from a model and a variant to its limits.
        file: function from a path in the repository to one from the working directory.
    """

    def __init__(self, catalogue, wanted, limits, file):
        self._catalogue, self._wanted, self._limits, self._file = catalogue, wanted, limits, file

    def node(self):
        """Return all that runs TensorFlow.js models in Node."""
        return self._javascript(javascript.NODE_SCRIPTS, (javascript.PROGRAM, *javascript.NODE))

    def browser(self):
        """Return all that runs TensorFlow.js models and TFLite files in a browser."""
        return self._javascript(javascript.BROWSER_SCRIPTS, javascript.BROWSER)

    def chromium(self):
        """Return the program Chromium, that of the machine if it has one."""
        return shutil.which("chromium") and "chromium" or f"{javascript.CHROMIUM}/chromium"

    def chromium_folder(self):
        """Return the folder of Chromium, nothing where the machine has its own."""
        return [] if shutil.which("chromium") else javascript.CHROMIUM

    def _javascript(self, scripts, packages):
        return [
            *(self._file(f"web/{name}") for name in scripts),
            *(f"{javascript.FOLDER}/{name}" for name in packages),
        ]

    def options(self, wildcards):
        """Return how a model's graphs are converted to TensorFlow.js, as JSON."""
        keys = ("shard_bytes", "strip_debug_ops", "skip_op_check", "control_flow_v2")
        return json.dumps({key: self._catalogue[wildcards.model]["tfjs"][key] for key in keys}, sort_keys=True)

    def patterns(self, wildcards):
        """Return which weights a TensorFlow.js variant quantises, as JSON."""
        patterns = self._catalogue[wildcards.model]["tfjs"]["quantise"].get(wildcards.variant, ["*"])
        return json.dumps({wildcards.variant: patterns})

    def memory(self, wildcards, input):
        """Return the megabytes that a conversion to TensorFlow.js takes, 16 times the graph's (measured)."""
        return 500 + 16 * int(input.size_mb)

    def float_model(self, wildcards):
        """Return the float32 model that a TensorFlow.js variant is derived from, nothing for itself."""
        derived = variants.row("tfjs", wildcards.variant).made_from == "float32"
        return "results/{model}/{graph}.float32.tfjs" if derived else []

    def artifacts(self, wildcards):
        """Return the TensorFlow.js models of one model that the configuration asks for."""
        return self._wanted.paths("tfjs", models=[wildcards.model])

    def browser_inputs(self, wildcards):
        """Return what :meth:`browser_entries` names."""
        names = self._wanted.run_in_browser(wildcards.model)
        return [path for name in names for path in (str(name), name.build("contract.json"), name.golden)]

    def browser_entries(self, wildcards):
        """Return what is run in a browser, as JSON: artifact, contract, golden and limits of each."""
        entries = [
            {
                "artifact": str(name),
                "contract": name.build("contract.json"),
                "golden": name.golden,
                "limits": self._limits(name.model, name.variant),
            }
            for name in self._wanted.run_in_browser(wildcards.model)
        ]
        return json.dumps(entries, sort_keys=True)
