"""What is fetched for models and data sets, and what data sets are made of."""

import json
import os


def index(name):
    """Return the list of a data set's samples, inside the repository."""
    return f"datasets/{name}.csv"


class Downloads:
    """Input functions about the files of cards.

    Args:
        config: the configuration.
        catalogue, datasets: ``{name: card}``.
        file: function from a path in the repository to one from the working directory.
    """

    def __init__(self, config, catalogue, datasets, file):
        self._config, self._catalogue, self._datasets, self._file = config, catalogue, datasets, file

    def listed_files(self, wildcards):
        """Return the files of a model's or a data set's card, as JSON."""
        files = [{**file, "urls": list(map(self._address, file["urls"]))} for file in self._files(wildcards.source)]
        return json.dumps(files)

    def _files(self, name):
        return self._catalogue[name]["source"]["files"] if name in self._catalogue else self._datasets[name]["files"]

    def _address(self, url):
        """Return a URL or absolute path as it is, a path that begins at the repository from the working directory."""
        fixed = url.startswith(("http://", "https://")) or os.path.isabs(url)
        return url if fixed else self._file(url)

    def new_digests(self, wildcards):
        """Return where new digests are recorded, if a source has any and the configuration accepts them."""
        unknown = any("digest" in file for file in self._files(wildcards.source))
        return ["sources.lock"] if unknown and self._config["accept_new_digests"] else []

    def index_of_source(self, wildcards):
        """Return the index of a data set whose samples are fetched, nothing for a model."""
        return self._file(index(wildcards.source)) if wildcards.source in self._datasets else []

    def sample_urls(self, wildcards):
        """Return where the samples of a data set are, nothing for a model."""
        urls = self._datasets[wildcards.source]["urls"] if wildcards.source in self._datasets else []
        return list(map(self._address, urls))

    def datasets_by(self, origin):
        """Return the names of the data sets whose card has ``urls`` or a ``generator``."""
        return [name for name, card in self._datasets.items() if origin in card]

    def dataset(self, key):
        """Return an input function for an entry of a data set's card."""
        return lambda wildcards: self._datasets[wildcards.dataset][key]

    def index_of_dataset(self, wildcards):
        """Return the list of a data set's samples."""
        return self._file(index(wildcards.dataset))

    def generator_code(self, wildcards):
        """Return the module that makes a data set, and everything beside it."""
        return self.generator(wildcards.dataset)

    def generator(self, name):
        """Return the module that makes a data set, and everything beside it."""
        folder = self._file(os.path.dirname(self._datasets[name]["generator"].replace(".", "/")))
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if name.endswith((".py", ".npz"))]
