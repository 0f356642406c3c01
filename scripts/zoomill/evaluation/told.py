"""What a comparison says, in words."""

_VERDICTS = {"gain": "a gain", "loss": "a loss", "not told apart": "not told apart"}


def told(figure, first, second, compared):
    """Return a sentence on how a file compares with another.

    Args:
        figure: name of the metric's figure.
        first, second: what the files are called.
        compared: :class:`zoomill.evaluation.resampling.Comparison`, or the same as a dictionary.
    """
    found = compared if isinstance(compared, dict) else compared._asdict()
    ends = found["interval"]
    within = f", between {ends[0]:+z.4f} and {ends[1]:+z.4f}" if ends else ""
    verdict = _VERDICTS[found["verdict"]]
    return f"{figure} of {second} against {first}: {found['difference']:+z.4f}{within}; p {found['p']:.3f}, {verdict}"
