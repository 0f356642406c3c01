"""Options asked for arrive in every file; the original exporter drops some of them without a word."""

import json

import pytest
from rows import flag

import graft_postprocess
from faithful.models import OVERRIDE, export_command, export_originally, postprocess_commands, run_warm
from faithful.processes import HERE, run
from zoomill.tflite import tflite_file

pytestmark = pytest.mark.slow

ASKED = {"use_regular_nms": True, "detections_per_class": 7, "max_detections": 33}
MAXIMA = """
model { ssd { post_processing { batch_non_max_suppression {
  max_detections_per_class: 7 max_total_detections: 33
} } } }
"""


@pytest.fixture(scope="session")
def by_flags(shapes, environment_python, original_python):
    """The starter model with options asked for by flags: as read back from our graph and from the original's."""
    ours = shapes.folder / "ours/detect_asked"
    run_warm(environment_python("tf2"), postprocess_commands(shapes.folder / "ours/detect_cut", ours, ASKED))
    original = shapes.graph("original", "detect_asked")
    flags = [f"--{name}={str(value).lower()}" for name, value in ASKED.items()]
    export_originally(original_python("tf1"), [[*shapes.original_flags(original.parent), *flags]])
    return read_options(environment_python("tf2"), ours / "graph.pb", original)


@pytest.fixture(scope="session")
def by_override(shapes, environment_python, original_python):
    """The same, asked for by an override of pipeline.config."""
    cut, ours, original = (shapes.folder / path for path in ("override/cut", "override/ours", "override/original"))
    run_warm(
        environment_python("tf2"),
        [export_command(shapes.source, shapes.images, cut, OVERRIDE + MAXIMA), *postprocess_commands(cut, ours, {})],
    )
    flags = [*shapes.original_flags(original, OVERRIDE + MAXIMA), "--use_regular_nms=true"]
    export_originally(original_python("tf1"), [flags])
    return read_options(environment_python("tf2"), ours / "graph.pb", original / "tflite_graph.pb")


def read_options(python, *graphs):
    return json.loads(run(python, HERE / "read_options.py", *graphs))


def asked(options):
    return {name: options[name] for name in ASKED}


def test_flags_arrive_in_the_graph(by_flags):
    ours, _ = by_flags
    assert asked(ours) == ASKED


@pytest.mark.usefixtures("by_flags")
@pytest.mark.parametrize("release", ["1.13.1", "2.17.1"])
def test_flags_arrive_in_the_file_of_toco(shapes, toco, release):
    files = toco(release, shapes, "ours", "detect_asked")
    for path in (files.raw, files.artifact):
        assert asked(vars(tflite_file.postprocess_options(tflite_file.read(path)))) == ASKED


@pytest.mark.usefixtures("by_flags")
def test_flags_arrive_in_the_grafted_file(shapes, tmp_path):
    cut, anchors = shapes.converted("ours", "detect_cut"), shapes.folder / "ours/detect_cut/anchors.npy"
    output = tmp_path / "grafted.tflite"
    flags = ["--cut", cut, "--anchors", anchors, "--contract", shapes.contract_path("detect_asked")]
    graft_postprocess.main([*map(str, flags), "--variant", flag("float32"), "--output", str(output)])
    assert asked(vars(tflite_file.postprocess_options(tflite_file.read(output)))) == ASKED


def test_original_exporter_drops_the_flag_for_detections_per_class(by_flags):
    ours, original = by_flags
    assert original == {**ours, "detections_per_class": 100}


def test_override_of_the_maxima_arrives_in_the_graph(by_override):
    ours, _ = by_override
    assert asked(ours) == ASKED


def test_original_exporter_drops_the_override_of_the_maxima(by_override):
    ours, original = by_override
    assert original == {**ours, "detections_per_class": 100, "max_detections": 10}
