"""What is told about an OpenVINO IR, and what is refused."""

import pytest

from zoomill.errors import UserError
from zoomill.inspect import recognise

IR = """<?xml version="1.0"?>
<net name="small" version="11"><layers>
<layer id="0" name="image" type="Parameter" version="opset1"><data shape="1,4" element_type="f32" />
<output><port id="0" precision="FP32" names="image,x:0"><dim>1</dim><dim>4</dim></port></output></layer>
<layer id="1" name="weights" type="Const" version="opset1">
<data element_type="f32" shape="4, 3" offset="0" size="48" />
<output><port id="0" precision="FP32"><dim>4</dim><dim>3</dim></port></output></layer>
<layer id="2" name="scale" type="Const" version="opset1"><data element_type="i64" shape="" offset="48" size="8" />
<output><port id="0" precision="I64" /></output></layer>
<layer id="3" name="dense" type="MatMul" version="opset1"><input><port id="0" /><port id="1" /></input>
<output><port id="2" precision="FP32" names="dense:0"><dim>1</dim><dim>3</dim></port></output></layer>
<layer id="4" name="mine" type="Mine" version="extension"><input><port id="0" /></input>
<output><port id="1" precision="FP16" names="y"><dim>1</dim><dim>-1</dim></port></output></layer>
<layer id="5" name="end" type="Result" version="opset1"><input><port id="0" /></input></layer>
</layers><edges>
<edge from-layer="0" from-port="0" to-layer="3" to-port="0" />
<edge from-layer="1" from-port="0" to-layer="3" to-port="1" />
<edge from-layer="3" from-port="2" to-layer="4" to-port="0" />
<edge from-layer="4" from-port="1" to-layer="5" to-port="0" />
</edges><rt_info><info name="OpenVINO Runtime" value="2026.4.1" /></rt_info></net>
"""


@pytest.fixture
def ir(tmp_path):
    """Return a function that writes an IR and the bytes of its constants, and returns its folder."""

    def write(text=IR, size=56):
        (tmp_path / "model.xml").write_text(text)
        if size is not None:
            (tmp_path / "model.bin").write_bytes(bytes(size))
        return tmp_path

    return write


def test_interface_operators_constants_and_version_are_told(ir):
    found = recognise.inspect(ir())
    assert (found["kind"], found["producer"]) == ("openvino", {"ir": "11", "openvino": "2026.4.1"})
    (graph,) = found["graphs"]
    assert graph["signatures"] == [
        {
            "name": None,
            "inputs": [{"name": "image", "tensor": "image", "dtype": "float32", "shape": [1, 4]}],
            "outputs": [{"name": "y", "tensor": "end", "dtype": "float16", "shape": [1, -1]}],
        }
    ]
    assert graph["operators"] == {"MatMul": 1, "Mine": 1} and graph["custom_operators"] == {"Mine": 1}
    assert graph["parameters"] == {"float32": {"count": 12, "bytes": 48}, "int64": {"count": 1, "bytes": 8}}


def test_why_an_ir_is_no_source_is_told(ir):
    (note,) = recognise.inspect(ir())["notes"]
    assert "is no source" in note and "use the model that it was made from" in note


def test_missing_constants_are_told(ir):
    found = recognise.inspect(ir(size=None) / "model.xml")
    assert found["notes"][0] == "1 of 1 files with weights missing: model.bin"


@pytest.mark.parametrize(
    "text, size, message",
    [
        (IR, 55, "the constant scale lies outside model.bin"),
        (IR.replace('offset="0"', 'offset="-8"'), 56, "the constant weights lies outside model.bin"),
        (IR[:900], 56, "is truncated or damaged"),
        ("<annotation><object /></annotation>", 56, "is no OpenVINO IR"),
        (IR.replace("<net", '<!DOCTYPE net [<!ENTITY a "aa">]><net'), 56, "it declares a document type"),
        (IR.replace("4, 3", "4294967296, 4294967296"), 56, "it declares a tensor that no memory can hold"),
    ],
    ids=["short constants", "negative offset", "truncated", "other XML", "entities", "large"],
)
def test_what_is_no_sound_ir_is_refused_in_one_line(ir, text, size, message):
    with pytest.raises(UserError) as caught:
        recognise.inspect(ir(text, size))
    assert message in str(caught.value) and "\n" not in str(caught.value)
