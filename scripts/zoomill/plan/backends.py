"""What the rule that compares backends is given."""

# The end of what belongs to a file of a format and tells how it is run.
_EVIDENCE = {"tflite": ("kernels", "gpu", "litertjs"), "tfjs": ("spread",)}


class Backends:
    """Input functions about the files of a graph that the configuration names.

    Args:
        wanted: :class:`zoomill.plan.wanted.Wanted`.
    """

    def __init__(self, wanted):
        self._wanted = wanted

    def names(self, model, graph, *formats):
        """Return the :class:`zoomill.plan.artifact_name.ArtifactName` of the files, of some formats or all."""
        found = self._wanted.artifacts(*(formats or _EVIDENCE), models=[model])
        return [name for name in found if name.graph == graph]

    def evidence(self, wildcards):
        """Return the evidence of how each is run."""
        found = self.names(wildcards.model, wildcards.graph)
        return [name.file(end) for name in found for end in _EVIDENCE[name.format]]

    def artifacts(self, wildcards):
        """Return the TFLite files."""
        return list(map(str, self.names(wildcards.model, wildcards.graph, "tflite")))
