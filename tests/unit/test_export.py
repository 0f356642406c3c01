"""What exporters of single graphs share."""

import argparse
import json

from zoomill import export


def test_samples_are_given_to_the_integers_themselves(monkeypatch):
    given = []
    monkeypatch.setattr(export, "predict", lambda args, promises, run, batched: given.append(run))
    args = argparse.Namespace(model="m", card=json.dumps({"inputs": [], "outputs": []}), samples="samples.csv")
    export.export(args, None, [], [], "floats", rounded="integers")
    export.export(args, None, [], [], "floats")
    assert given == ["integers", "floats"]
