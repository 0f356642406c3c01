"""A detector whose file gets other options is the detector that was built with them, picture by picture.

And one that is scored on what its network gave before has the figures of the file that was run whole.
"""

import json
import sys
import zipfile

import pytest
from conftest import REPOSITORY

from zoomill import files
from zoomill.inputs import samples
from zoomill.tflite import metadata
from zoomill.yaml_file import load_yaml

MODEL = "ssd_mobilenet_v1_shapes"


@pytest.fixture(scope="module")
def scored(starter_run, environment_python, command, tmp_path_factory):
    """Return a function that scores a graph's float32 file by hand; evidence, and a line for each picture."""
    folder = tmp_path_factory.mktemp("scored")
    card, data = (load_yaml(REPOSITORY / f"{place}.yaml") for place in (f"models/{MODEL}", "datasets/shapes"))
    chosen = samples.choose(samples.read_index(REPOSITORY / "datasets/shapes.csv"), card["evaluation"]["samples"])
    (folder / "list.csv").write_text(samples.index_text(chosen), newline="")
    metric = {"name": "coco", "annotations": data["annotations"]}

    def score(graph, *flags):
        process = command(
            *(environment_python("evaluate"), "evaluate_tflite", "--variant", "float32"),
            *(
                "--artifact",
                f"results/{MODEL}/{graph}.float32.tflite",
                "--contract",
                f"build/{MODEL}/{graph}/contract.json",
            ),
            *("--samples", folder / "list.csv", "--folder", "sources/shapes", "--form", json.dumps(data["form"])),
            *("--metric", json.dumps(metric), "--anchors", f"build/{MODEL}/detect_cut/anchors.npy", *flags),
            *("--output", folder / "metric.json", "--output-samples", folder / "samples.jsonl"),
            cwd=starter_run.folder,
        )
        assert process.returncode == 0, process.stderr
        return files.read_json(folder / "metric.json"), (folder / "samples.jsonl").read_text().splitlines()

    return score


def test_a_fast_file_with_regular_settings_is_the_regular_file_but_for_its_metadata(starter_run, command, tmp_path):
    fast, regular = (starter_run.file(f"results/{MODEL}/detect_{kind}.float32.tflite") for kind in ("fast", "regular"))
    process = command(sys.executable, "retune_postprocess", fast, "--nms", "regular", "-o", tmp_path / "a.tflite")
    assert process.returncode == 0, process.stderr
    made, wanted, before = (
        metadata.stripped(path.read_bytes(), path) for path in (tmp_path / "a.tflite", regular, fast)
    )
    assert made == wanted != before


def test_every_graph_is_scored_from_one_threshold_and_settings_change_the_scored_file(scored):
    regular, lines = scored("detect_regular")
    fast, other = scored("detect_fast", "--postprocess", '{"use_regular_nms": true}')
    assert len(lines) == 200 and lines == other
    assert fast["postprocess"] == {"use_regular_nms": True} and "postprocess" not in regular
    cut, _ = scored("detect_cut")
    assert cut["values"]["map"] == pytest.approx(regular["values"]["map"], abs=1e-4)
    threshold = pytest.approx(0.3)
    for one in (regular, fast, cut):
        assert one["nms_score_threshold"] == {"figure": threshold, "model": threshold}


def test_figures_on_kept_heads_are_those_of_the_whole_file(scored, tmp_path):
    heads = tmp_path / "heads.zip"
    assert scored("detect_cut", "--output-heads", heads) == scored("detect_cut")
    with zipfile.ZipFile(heads) as archive:
        assert len(archive.namelist()) == 2 * 200 + 1
    for graph in ("detect_regular", "detect_fast"):
        assert scored(graph, "--heads", heads) == scored(graph)
    heads.write_bytes(heads.read_bytes()[:-1])
    with pytest.raises(AssertionError, match="heads.zip: was changed after evaluate_tflite made it"):
        scored("detect_fast", "--heads", heads)
