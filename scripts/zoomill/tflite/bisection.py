"""Which operators of a quantised file must stay in float: the smallest set, found by trying."""

import contextlib
import io
import os

import numpy as np

from zoomill import supervisor
from zoomill.proof import metric_loss
from zoomill.tflite import artifact, quantiser, runtime
from zoomill.tflite.inner_tensors import InnerTensors


def smallest(ranked, good):
    """Return the smallest subset found that is good, and from which no single item can be taken.

    The first items are taken in ever larger numbers until they are good, then the number is bisected, then items are
    taken out one by one, the last first, until none can be spared. All items together count as good.

    Args:
        ranked: items, the most suspicious first.
        good: function from a list of items to a bool.

    Returns:
        A list in the order of ``ranked``.
    """
    bad, size = -1, 0
    while size < len(ranked) and not good(ranked[:size]):
        bad, size = size, max(1, 2 * size)
    size = min(size, len(ranked))
    while size - bad > 1:
        middle = (bad + size) // 2
        bad, size = (bad, middle) if good(ranked[:middle]) else (middle, size)
    chosen, before = list(ranked[:size]), None
    while chosen != before:
        before = list(chosen)
        for item in reversed(before):
            rest = [other for other in chosen if other != item]
            if good(rest):
                chosen = rest
    return chosen


class Workshop:
    """Makes int8 files of a float file in which some operators stay in float, each known by its first output.

    Args:
        exact: path of the float32 file.
        ranges: ``{tensor: [smallest, largest]}``, its calibration.
        contract: contract of its graph.
        variant: :class:`zoomill.tflite.artifact.Variant` of the files.
        folder: for files that are made and forgotten.

    Attributes:
        operators: ``{operator: its kind}`` of those that compute floats, in the order they run.
    """

    def __init__(self, exact, ranges, contract, variant, folder):
        interior = InnerTensors(exact)
        self._exact, self._ranges, self._contract, self._variant = exact, ranges, contract, variant
        self._path = os.path.join(folder, "candidate.tflite")
        made = [operator for operator in interior.operators if operator.outputs[0] in interior.tensors]
        self.operators = {operator.outputs[0]: operator.kind for operator in made}
        ends = {entry["tensor"] for entry in contract["outputs"]}
        self._followers = {
            operator.outputs[0]: [
                other.outputs[0] for other in made if ends & set(operator.outputs) & set(other.inputs)
            ]
            for operator in made
        }

    def whole(self, in_float):
        """Return operators together with those that must then be in float too.

        They are those that read an output of the model which one of the operators makes: ai-edge-quantizer would make
        the output an integer one for them.
        """
        result = list(in_float)
        for operator in result:
            result += [other for other in self._followers[operator] if other not in result]
        return result

    def make(self, in_float):
        """Return the path of a file with some operators in float; the next call replaces it."""
        with contextlib.redirect_stdout(io.StringIO()):  # five lines of statistics for each file
            model = quantiser.quantise(self._exact, "int8", self._ranges, self.whole(in_float))
        artifact.deliver(model, self._contract, self._variant, self._path)
        return self._path

    def rank(self, feeds):
        """Return ``{operator: noise}``, the noisiest first.

        An operator's noise is that of the outputs, against the float file's, when it alone is quantised: of each output
        the sum of squared errors by the sum of squared values, added up over the outputs. Unlike the error of its
        tensor in the int8 file, it is not hidden behind the error of operators before. Three digits are kept, on which
        different CPUs agree, so that they rank alike.

        Args:
            feeds: list of ``{input tensor: array}``.
        """
        exact = self._outputs(self._exact, feeds)
        noise = {}
        for operator in self.operators:
            found = self._outputs(self.make([other for other in self.operators if other != operator]), feeds)
            noise[operator] = float(f"{sum(_noise(exact[name], found[name]) for name in exact):.3g}")
        return dict(sorted(noise.items(), key=lambda item: -item[1]))

    def _outputs(self, path, feeds):
        file = runtime.Artifact(path)
        supervisor.step()
        runs = [file(self._contract, feed) for feed in feeds]
        return {name: np.stack([run[name] for run in runs]) for name in runs[0]}


def _noise(exact, found):
    signal = np.square(exact.astype(np.float64)).sum()
    return np.square(exact.astype(np.float64) - found).sum() / (signal or 1.0)


class Search:
    """Looks for the fewest operators to leave in float so that a metric loses no more than it may.

    Args:
        workshop: :class:`Workshop`.
        metric: see :mod:`zoomill.evaluation.metrics`.
        score: function from a file to the metric's rows of the samples that decide.
        drop: largest loss allowed.

    Attributes:
        steps: what was tried, in order: ``in_float``, ``bytes``, and ``value`` and ``loss`` of the metric's figure.
    """

    def __init__(self, workshop, metric, score, drop):
        self._workshop, self._metric, self._score, self._drop = workshop, metric, score, drop
        self._known = {}
        self.steps = []

    def run(self, exact, ranking):
        """Return the operators to leave in float.

        Args:
            exact: path of the float32 file.
            ranking: operators, the noisiest first.
        """
        reference = self._metric.values(self._score(exact))

        def good(in_float):
            key = frozenset(self._workshop.whole(in_float))
            if key not in self._known:
                self._known[key] = self._loss(in_float, reference) <= self._drop
            return self._known[key]

        return self._workshop.whole(smallest(ranking, good))

    def _loss(self, in_float, reference):
        path = self._workshop.make(in_float)
        values = self._metric.values(self._score(path))
        value = values[self._metric.figure]
        lost = metric_loss.worse_by(reference[self._metric.figure], value, self._metric.more_is_better)
        whole = self._workshop.whole(in_float)
        self.steps.append({"in_float": whole, "bytes": os.path.getsize(path), "value": value, "loss": lost})
        return lost
