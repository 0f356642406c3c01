"""Our intervals and SciPy's, which has no weights and would search for the partners of boxes in each draw."""

import json
import subprocess

import environments
import pytest

COMPARED = """
import json
import numpy as np
from scipy.stats import bootstrap
from zoomill.evaluation import metrics, resampling

setting = metrics.Setting({"inputs": [], "outputs": [{"name": "y"}], "labels": [], "label_offset": 0}, None, "")
metric, errors = metrics.metric(setting, "landmarks"), np.random.RandomState(7).exponential(size=40) ** 2
ours = resampling.interval(metric, [{"error": error} for error in errors])
theirs = bootstrap((errors,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0))
plain = bootstrap((errors,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0))
print(json.dumps([ours, theirs.confidence_interval, plain.confidence_interval]))
"""


def test_of_skewed_errors_the_interval_is_that_of_scipy_and_not_the_percentiles(environment_python):
    command = [environment_python("evaluate"), "-c", COMPARED]
    folder = environments.REPOSITORY / "scripts"
    process = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=True)
    ours, theirs, plain = json.loads(process.stdout)
    width = theirs[1] - theirs[0]
    assert ours == pytest.approx(theirs, abs=0.08 * width)
    assert abs(ours[1] - plain[1]) > 0.12 * width
