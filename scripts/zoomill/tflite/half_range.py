"""Where float16, in which GPUs of phones compute, is too small for what a file sums up: 65,504 is its largest number.

https://github.com/google-ai-edge/LiteRT/issues/9249: a SUM beyond it gives NaN.
"""

import numpy as np

from zoomill.tflite import tflite_file

LARGEST = 65504.0


class Sums:
    """Follows what the reductions of a file sum up, and the largest values of all activations, over inputs.

    Args:
        model: ``ModelT`` of :mod:`zoomill.tflite.tflite_file`.
    """

    def __init__(self, model):
        self._graph = model.subgraphs[0]
        self._operators = [
            (tflite_file.operator_title(model, place), operator, self._sizes(model, operator))
            for place, operator in enumerate(self._graph.operators, 1)
        ]
        self._largest = {}

    def add(self, interpreter):
        """Look at all activations of a run.

        Args:
            interpreter: of LiteRT, which keeps all tensors and has just run the file.
        """
        for name, operator, sizes in self._operators:
            for index in map(int, operator.outputs):
                if self._is_real(index):
                    values = self._real(interpreter, index)
                    self._note(name, "values go to", np.abs(values).max(initial=0))
            if sizes is not None and self._is_real(int(operator.inputs[0])):
                found = _largest_sum(self._real(interpreter, int(operator.inputs[0])), *sizes)
                self._note(name, "sums go to", found)

    def overflows(self):
        """Return a phrase for every operator that leaves the range of float16; its sums say more than its values."""
        beyond = {name: (what, found) for (name, what), found in self._largest.items() if not found <= LARGEST}
        return [
            f"{name}: its {what} {found:,.0f}, and a GPU that computes in float16 has no number beyond {LARGEST:,.0f}"
            for name, (what, found) in beyond.items()
        ]

    def largest(self):
        """Return the largest sum of any reduction, 0 without."""
        return max((found for (_, what), found in self._largest.items() if what == "sums go to"), default=0.0)

    def _sizes(self, model, operator):
        """Return the axes along which an operator sums and the window in which it does, None of one that does not."""
        kind = tflite_file.operator_name(model, operator)
        if kind in ("SUM", "MEAN"):
            axes = tflite_file.constant(model, self._graph.tensors[int(operator.inputs[1])])
            return tuple(int(axis) for axis in np.ravel(axes)), None
        if kind == "AVERAGE_POOL_2D":
            return (1, 2), (operator.builtinOptions.filterHeight, operator.builtinOptions.filterWidth)
        return None

    def _is_real(self, index):
        tensor = self._graph.tensors[index]
        return tensor.type == tflite_file.schema.TensorType.FLOAT32 or tflite_file.is_quantised(tensor)

    def _real(self, interpreter, index):
        return tflite_file.real(self._graph.tensors[index], interpreter.get_tensor(index))

    def _note(self, name, what, found):
        found = np.inf if np.isnan(found) else float(found)
        self._largest[name, what] = max(self._largest.get((name, what), 0.0), found)


def _largest_sum(values, axes, window):
    """Return the largest sum on the way, in whatever order is added: that of one sign.

    Args:
        values: float64 array.
        axes: that are summed along.
        window: height and width of a window that moves over them, None for all.
    """
    signs = np.maximum(values, 0), np.maximum(-values, 0)
    if window is None:
        return max(sign.sum(axis=axes).max(initial=0) for sign in signs)
    parts = min(window[0], values.shape[1]) * min(window[1], values.shape[2])
    whole = parts == values.shape[1] * values.shape[2]
    return max((sign.sum(axis=axes) if whole else parts * sign).max(initial=0) for sign in signs)
