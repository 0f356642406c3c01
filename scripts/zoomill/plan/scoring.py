"""What rules are given about how much is scored, by the configuration."""

import json


class Scoring:
    """Input functions about samples that may be left out, and settings that are tried.

    Args:
        config: the configuration.
        catalogue: ``{model: card}``.
    """

    def __init__(self, config, catalogue):
        self._config, self._catalogue = config, catalogue

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
