"""What rules are given about where files are to run."""

from zoomill.plan import accelerators


class Deploy:
    """Input functions about kernels, times and accelerators.

    Args:
        config: the configuration.
    """

    def __init__(self, config):
        self._config = config

    def kernels_flags(self, wildcards):
        """Return the flag that says whose kernels run what is scored, nothing for the usual ones."""
        return ["--kernels", "micro"] if wildcards.kernels else []

    def alone(self, workflow):
        """Return a function for the threads of a job that times what it runs: all, so that no job runs beside it.

        Args:
            workflow: Snakemake's.
        """
        return lambda wildcards: workflow.cores

    def alone_where_timed(self, workflow):
        """Return such a function for a job that times what it runs only where times are wanted."""
        return lambda wildcards: workflow.cores if self._timing else 1

    def timed(self, wildcards):
        """Return the flag by which JavaScript is timed, nothing where times are not wanted."""
        return ["--timed"] if self._timing else []

    def runs(self, wildcards):
        """Return how often JavaScript runs a model: to see that no tensor stays behind, and for a median."""
        return 11 if self._timing else 5

    @property
    def _timing(self):
        return "latency" in self._config["deploy"]

    def accelerator(self, wildcards):
        """Return the accelerator that a file is compiled for, as JSON."""
        return accelerators.as_json(accelerators.by_end(wildcards.compiled).name)

    def accelerators(self, wildcards):
        """Return those that the configuration names, each as JSON."""
        return [accelerators.as_json(name) for name in self._config["accelerators"]]
