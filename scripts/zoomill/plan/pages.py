"""What pages are told of models."""

import json


class Pages:
    """Input functions about pages.

    Args:
        config: the configuration.
        catalogue: ``{model: card}``.
    """

    def __init__(self, config, catalogue):
        self._config, self._catalogue = config, catalogue

    def card(self, wildcards):
        """Return what a model's card says to pages, as JSON."""
        return json.dumps(self._card(wildcards.model), sort_keys=True)

    def card_with_metric(self, wildcards):
        """Return what a model's card says to pages and how it is measured, as JSON."""
        return json.dumps(self._with_metric(wildcards.model), sort_keys=True)

    def cards(self):
        """Return what the cards of all configured models say to pages, as JSON."""
        return json.dumps({model: self._with_metric(model) for model in self._config["models"]}, sort_keys=True)

    def report(self):
        """Return what the cards of all configured models say to the report, as JSON."""
        return json.dumps({model: self._whole(model) for model in self._config["models"]}, sort_keys=True)

    def _whole(self, model):
        card = self._catalogue[model]
        files = [{key: file.get(key) for key in ("name", "size", "sha256")} for file in card["source"]["files"]]
        evaluation = card.get("evaluation", {})
        more = {"licence": card["licence"], "homepage": card.get("homepage"), "dataset": evaluation.get("dataset")}
        return {**self._card(model), **more, "kind": card["source"]["kind"], "files": files, "c_name": card["c_name"]}

    def _with_metric(self, model):
        return {**self._card(model), "metric": self._catalogue[model].get("evaluation", {}).get("metric", {})}

    def _card(self, model):
        card = self._catalogue[model]
        metric = card.get("evaluation", {}).get("metric", {})
        return {key: card[key] for key in ("title", "task", "training_set", "preprocess")} | {
            "decode": metric.get("decode", {}),
            "output": metric.get("output"),
        }
