"""Which reports a run removes, and what it says could not be made."""

from zoomill.run import reports


def test_a_report_tells_of_its_inputs_and_of_what_they_are_evidence_of():
    assert reports.told_of(["a.tflite.json", "b.tflite"]) == {"a.tflite.json", "a.tflite", "b.tflite"}
