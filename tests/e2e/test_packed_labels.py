"""Labels that a .tflite source has packed in."""

import pytest
from conftest import source_flags
from small_models import with_metadata

from zoomill import files

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("own, labels", [([], ["ant", "bee", "cat"]), (["x", "y", "z"], ["x", "y", "z"])])
def test_packed_labels_count_where_the_card_has_none_and_lost_metadata_is_said(
    command, environment_python, tmp_path, own, labels
):
    (tmp_path / "m.tflite").write_bytes(with_metadata({"labels.txt": "ant\r\nbee\r\ncat\r\n"}))
    flags = source_flags("tested", tmp_path / "m.tflite", {"labels": own})
    process = command(environment_python("onnx"), "export_tflite", *flags, "--output-dir", tmp_path / "graph")
    assert process.returncode == 0, process.stderr
    contract = files.read_json(tmp_path / "graph/contract.json")
    assert contract["labels"] == labels
    assert contract["notes"][-1] == "the source's TFLite metadata is not carried over"
    assert ("labels.txt" in contract["notes"][0]) == (not own)
