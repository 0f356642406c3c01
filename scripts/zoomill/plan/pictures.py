"""What rules are given about pictures of what artifacts find."""


class Pictures:
    """Input functions about the pictures of a model.

    Args:
        config: the configuration.
        wanted: :class:`zoomill.plan.wanted.Wanted`.
        golden_inputs: :class:`zoomill.plan.golden_inputs.GoldenInputs`.
    """

    def __init__(self, config, wanted, golden_inputs):
        self._config, self._wanted, self._golden_inputs = config, wanted, golden_inputs

    def folders(self):
        """Return the folders of the configured models whose golden inputs are samples of what they know."""
        if not self._config["pictures"]:
            return []
        models = dict.fromkeys(name.model for name in self._wanted.artifacts("tflite"))
        return [f"results/{model}/pictures" for model in models if self._golden_inputs.are_samples(model)]

    def artifacts(self, wildcards):
        """Return the configured .tflite files of a model."""
        return self._wanted.paths("tflite", models=[wildcards.model])

    def contracts(self, wildcards):
        """Return the contracts of their graphs."""
        names = self._wanted.artifacts("tflite", models=[wildcards.model])
        return list(dict.fromkeys(name.build("contract.json") for name in names))

    def golden(self, wildcards):
        """Return the golden inputs and outputs of a model, nothing where its inputs are drawn."""
        names = self._wanted.artifacts("tflite", models=[wildcards.model])
        return sorted({name.golden for name in names if self._golden_inputs.are_samples(name.model)})
