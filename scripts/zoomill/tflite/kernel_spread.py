"""What one file answers with several sets of kernels, compared with LiteRT's reference kernels."""

from zoomill.proof.spread import Spread
from zoomill.tflite.runtime import Artifact

# What each is called, and its set of kernels and threads; reference kernels, which all are compared with, know one.
SETS = {
    "builtin": ("builtin", 1),
    "builtin, 2 threads": ("builtin", 2),
    "xnnpack": ("xnnpack", 1),
    "xnnpack, 2 threads": ("xnnpack", 2),
    "micro": ("micro", 1),
}


def compare(data, contract, feeds, others):
    """Run a file on the same inputs with LiteRT's reference kernels and with others.

    Args:
        data: bytes of the file.
        contract: contract of its graph.
        feeds: iterable of ``{input tensor: array}``.
        others: ``{what the set is called: (name of zoomill.tflite.runtime.KERNELS, threads)}``.

    Returns:
        ``{what the set is called: Spread}``; none has an input where there are no feeds.

    Raises:
        RuntimeError, ValueError: when one of the sets refuses the file.
    """
    reference = Artifact(data, "reference", contract)
    runs = {name: Artifact(data, kernels, contract, threads) for name, (kernels, threads) in others.items()}
    spreads = {name: Spread(contract, reference.steps(contract)) for name in runs}
    for feed in feeds:
        expected = reference(contract, feed)
        for name, run in runs.items():
            spreads[name].add(expected, run(contract, feed))
    return spreads
