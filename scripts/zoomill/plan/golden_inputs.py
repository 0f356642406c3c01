"""What rules are given about the inputs that golden outputs are made of."""


class GoldenInputs:
    """Input functions about golden inputs.

    Args:
        catalogue, datasets: ``{name: card}``.
        purposes: :class:`zoomill.plan.samples.Samples` that they may be chosen from, the first that a card has.
    """

    def __init__(self, catalogue, datasets, *purposes):
        self._catalogue, self._datasets, self._purposes = catalogue, datasets, purposes

    def _chosen(self, model):
        """Return the samples that give a model's golden inputs, None where pictures do or they are drawn."""
        card = self._catalogue[model]
        found = [chosen for chosen in self._purposes if chosen.of(model)]
        if not found or card["golden"]:
            return None
        reader = self._datasets[found[0].of(model)["dataset"]]["form"]["reader"]
        return found[0] if len(card["inputs"]) < 2 or reader == "npz" else None

    def are_samples(self, model):
        """Tell whether a model's golden inputs are pictures or samples of what it knows, and not drawn."""
        return bool(self._catalogue[model]["golden"] or self._chosen(model))

    def samples(self, wildcards):
        """Return the list of the samples that golden inputs are chosen from and their folder, nothing without."""
        chosen = self._chosen(wildcards.model)
        return [chosen.list(wildcards), chosen.folder(wildcards)] if chosen else []

    def settings(self, wildcards):
        """Return what :meth:`flags` has of the card, see :meth:`zoomill.plan.samples.Samples.settings`."""
        chosen = self._chosen(wildcards.model)
        return chosen.settings(wildcards) if chosen else self._catalogue[wildcards.model]["golden"]

    def flags(self, wildcards, input):
        """Return the flags that say where golden inputs come from."""
        if not (chosen := self._chosen(wildcards.model)):
            pictures = self._catalogue[wildcards.model]["golden"]
            return ["--golden-images", *(f"sources/{wildcards.model}/{name}" for name in pictures)]
        sample_list, folder = input.golden
        return [
            *("--golden-samples", sample_list, "--golden-folder", folder),
            *("--golden-form", chosen.form(wildcards), "--golden-preprocess", chosen.preprocess(wildcards)),
        ]
