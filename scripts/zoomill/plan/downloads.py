"""What is fetched for models and data sets, and what data sets are made of."""

import functools
import json
import os

from zoomill.errors import UserError
from zoomill.fetch import local_files
from zoomill.fetch.expected_file import is_url


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
        self._digest = functools.cache(local_files.digest)

    def listed_files(self, wildcards):
        """Return the files of a model's or a data set's card, as JSON, with the digests of those of this machine."""
        return json.dumps(self.entries(wildcards.source))

    def entries(self, name):
        """Return the files of a card; of this machine's, whose digest it does not give, those that are there now.

        What cannot be read stays as the card says it: the job then tells why.
        """
        found = []
        for file in self.listed(name):
            entry = {**file, "urls": list(map(self._address, file["urls"]))}
            try:
                found += local_files.found(entry, self._digest) if local_files.is_own(entry) else [entry]
            except UserError:
                found.append(entry)
        return found

    def listed(self, name):
        """Return the files of a model's or a data set's card, as they stand there."""
        return self._catalogue[name]["source"]["files"] if name in self._catalogue else self._datasets[name]["files"]

    def _address(self, url):
        """Return a URL or absolute path as it is, a path that begins at the repository from the working directory."""
        return url if is_url(url) or os.path.isabs(url) else self._file(url)

    def new_digests(self, wildcards):
        """Return where new digests are recorded, if a source has any and the configuration accepts them."""
        unknown = any("digest" in file and not local_files.is_own(file) for file in self.listed(wildcards.source))
        return ["sources.lock"] if unknown and self._config["accept_new_digests"] else []

    def local_digests(self, wildcards):
        """Return where it is recorded what was taken of this machine's files, if the card gives no digest of some."""
        return ["sources.lock"] if any(map(local_files.is_own, self.listed(wildcards.source))) else []

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
