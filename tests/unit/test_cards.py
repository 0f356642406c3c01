"""Cards of models: what is accepted, and how a mistake is said."""

import re
from pathlib import Path

import pytest
import yaml
from refusals import refusal
from small_cards import FILE, SMALLEST, changed

from zoomill.errors import UserError
from zoomill.plan import cards, schemas, targets
from zoomill.plan.artifact_name import ArtifactName
from zoomill.yaml_file import load_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
_, CARD, DATASET = schemas.load(REPOSITORY / "rules/schemas").values()


@pytest.fixture
def catalogue(tmp_path):
    """Return a function that writes cards, as objects or as text, and reads the first."""

    def load(**written):
        for name, card in written.items():
            text = card if isinstance(card, str) else yaml.safe_dump(card)
            (tmp_path / f"{name}.yaml").write_text(text)
        found = cards.load_catalogue(str(tmp_path), CARD)
        found[next(iter(written))]
        return found

    return load


def why_not(card, graph, variant):
    """Return why a TFLite file cannot be had."""
    return targets.why_not(card, ArtifactName("small", graph, variant, "tflite"))


def test_what_a_card_leaves_out_has_its_defaults(catalogue):
    card = catalogue(small=SMALLEST)["small"]
    assert sorted(card["graphs"]) == ["detect_cut", "detect_fast", "detect_regular"]
    assert (card["labels"], card["golden"], card["pipeline_override"], card["postprocess"]) == ([], [], "", {})
    assert cards.postprocess_options(card, "detect_regular") == {"use_regular_nms": True}
    assert cards.postprocess_options(card, "detect_fast") == {"use_regular_nms": False}


def test_graphs_of_a_card_come_besides_the_usual_ones_or_change_them(catalogue):
    own = {"detect_two": {"max_detections": 2}, "detect_fast": {"max_classes_per_detection": 3}}
    card = catalogue(small=changed("graphs", own))["small"]
    assert sorted(card["graphs"]) == ["detect_cut", "detect_fast", "detect_regular", "detect_two"]
    assert card["graphs"]["detect_fast"] == {"use_regular_nms": False, "max_classes_per_detection": 3}


def test_a_usual_graph_that_is_false_is_left_out(catalogue):
    card = catalogue(small=changed("graphs", {"detect_fast": False}))["small"]
    assert sorted(card["graphs"]) == ["detect_cut", "detect_regular"]


@pytest.mark.parametrize(
    "source", [{"kind": "openvino", "path": "model.xml"}, {"kind": "onnx", "path": "m.xml"}], ids=lambda s: s["kind"]
)
def test_an_ir_as_a_source_is_refused_with_the_reason(catalogue, source):
    message = refusal(catalogue, small=changed("source", {**source, "files": [FILE]}))
    assert message.startswith("models/small.yaml: source: an OpenVINO IR is no source: its operators have no ")


def test_a_graphs_own_options_beat_those_of_the_card(catalogue):
    card = changed("postprocess", {"max_detections": 7, "nms_iou_threshold": 0.5})
    card["graphs"] = {"detect_one": {"max_detections": 1, "add_postprocessing_op": True}}
    card = catalogue(small=card)["small"]
    assert {**card["postprocess"], **cards.postprocess_options(card, "detect_one")} == {
        "max_detections": 1,
        "nms_iou_threshold": 0.5,
    }


def test_options_that_only_the_op_has_are_refused_for_another_detector(catalogue):
    onnx = {"kind": "onnx", "path": "m.onnx", "files": [FILE]}
    card = changed("source", onnx)
    card["postprocess"] = {"nms_score_threshold": 0.4}
    assert catalogue(small=card)["small"]["postprocess"] == {"nms_score_threshold": 0.4}
    card["postprocess"]["use_regular_nms"] = True
    message = refusal(catalogue, small=card)
    assert "postprocess.use_regular_nms: only sources of kind tf1_detection have it" in message
    for place in ("postprocess/best_class", "graphs/detect_fast/best_class"):
        assert "postprocess.best_class: no source" in refusal(catalogue, small=changed(place, True))


def test_a_model_is_called_in_c_as_its_card_says_or_as_itself(catalogue):
    loaded = catalogue(small=SMALLEST, other=changed("c_name", "ssd_traffic_signs"))
    assert {model: card["c_name"] for model, card in loaded.items()} == {"small": "small", "other": "ssd_traffic_signs"}


def test_two_models_with_one_name_in_c_are_refused(catalogue):
    loaded = catalogue(first=SMALLEST, second=changed("c_name", "first"))
    cards.check_c_names(loaded, ["second"])
    message = refusal(cards.check_c_names, loaded, ["second", "first"])
    assert message == "models/second.yaml: c_name: first is that of models/first.yaml; change one"


def test_uint8_by_toco_needs_ranges(catalogue):
    reason = why_not(catalogue(small=SMALLEST)["small"], "detect_regular", "toco_uint8")
    assert "`toco: fake_quant`" in reason and "`toco: default_ranges`" in reason
    for ranges in ({"fake_quant": True}, {"default_ranges": [-6, 6]}):
        card = catalogue(small=changed("toco", ranges))["small"]
        assert why_not(card, "detect_regular", "toco_uint8") is None


def test_a_graph_with_fake_quant_nodes_is_not_quantised_after_its_training(catalogue):
    card = catalogue(small={**changed("toco", {"fake_quant": True}), "calibration": "random"})["small"]
    assert set(targets.delivered(card)) >= {"float32", "toco_float32", "toco_uint8"}
    for variant in ("float32", "toco_float32", "toco_uint8"):
        assert why_not(card, "detect_cut", variant) is None
    for variant in ("float16", "dynamic", "int8", "int8_io", "uint8_io", "int16x8"):
        assert "take toco_uint8 or tf_int8" in why_not(card, "detect_cut", variant)


def test_int8_mixed_needs_calibration_evaluation_and_an_allowed_drop(catalogue):
    wanted = {
        "calibration": "random",
        "evaluation": {"dataset": "shapes", "samples": "all", "metric": {"name": "coco"}},
        "drop": {"int8": 0.01},
    }
    for count, missing in enumerate(["`calibration`", "`evaluation`", "`drop: {int8: …}`"]):
        card = catalogue(small={**SMALLEST, **dict(list(wanted.items())[:count])})["small"]
        assert missing in why_not(card, "detect_cut", "int8_mixed")
    card = catalogue(small={**SMALLEST, **wanted})["small"]
    assert why_not(card, "detect_cut", "int8_mixed") is None
    assert "int8_mixed" not in targets.delivered(card)


def test_cards_are_sorted_and_other_files_are_no_cards(catalogue, tmp_path):
    (tmp_path / "README.md").write_text("no card")
    assert list(catalogue(b=SMALLEST, a=SMALLEST)) == ["a", "b"]


@pytest.mark.parametrize(
    "path, value, words",
    [
        ("titel", "x", ["unknown key titel", "did you mean title"]),
        ("postprocess/max_detection", 3, ["postprocess: unknown key max_detection", "max_detections"]),
        ("graphs/detect_fast/use_regular_mns", True, ["graphs.detect_fast", "did you mean use_regular_nms"]),
        ("source/chekpoint", "x", ["source: unknown key chekpoint"]),
        ("source/files/0/sha265", "0" * 64, ["source.files[0]: unknown key sha265", "sha256"]),
        ("source/files/0/unpack/stripp", 1, ["source.files[0].unpack: unknown key stripp", "strip"]),
        ("qqq", "x", ["unknown key qqq", "there are: title, task"]),
        ("toco", {"fake_quant": True, "default_ranges": [0, 6]}, ["toco: "]),
        ("toco/fake_quant", False, ["toco.fake_quant: True was expected"]),
        ("toco/default_ranges", [0], ["toco.default_ranges: [0] is too short"]),
        ("toco/default_ranges", [6, 0], ["toco.default_ranges[0]: 6 is greater than the maximum of 0"]),
        ("c_name", "9 lives", ["c_name: '9 lives' does not match"]),
        ("title", 7, ["title: 7 is not of type 'string'"]),
        ("labels", 3, ["labels: 3 is not of type 'array', 'string'"]),
        ("labels", "../names.txt", ["labels: '../names.txt' is not a path inside of its folder"]),
        ("task", "segmentation", ["task: ", "object-detection"]),
        ("graphs/detect_fast/max_detections", 0, ["graphs.detect_fast.max_detections: 0", "minimum"]),
        ("graphs/detect_fast/max_detections", True, ["max_detections: True is not of type 'integer'"]),
        ("graphs/detect_fast/add_postprocessing_op", False, ["add_postprocessing_op"]),
        ("graphs/detect_cut/max_detections", 5, ["graphs.detect_cut: unknown key max_detections"]),
        ("postprocess/nms_score_threshold", 1.5, ["postprocess.nms_score_threshold: 1.5", "maximum"]),
        ("source/files", [], ["source.files: "]),
        ("graphs", None, ["graphs: None is not of type 'object'"]),
    ],
)
def test_a_mistake_in_a_card_is_said_with_its_file_and_key(catalogue, path, value, words):
    message = refusal(catalogue, small=changed(path, value))
    assert message.startswith("models/small.yaml: ")
    assert [word for word in words if word not in message] == [], message


def test_a_missing_key_is_named(catalogue):
    card = {key: value for key, value in SMALLEST.items() if key != "licence"}
    assert refusal(catalogue, small=card) == "models/small.yaml: 'licence' is a required property"


def test_a_misspelt_graph_is_named_and_no_other(catalogue):
    card = changed("graphs", {"detect_fast": {"use_regular_nms": False}, "fast": {}})
    message = refusal(catalogue, small=card)
    assert "graphs: unknown key fast" in message and "detect_fast" not in message.partition("fast")[0]


def test_a_file_without_a_digest_is_told_what_it_may_have(catalogue):
    message = refusal(catalogue, small=changed("source/files/0", {"name": "a", "urls": ["https://example.org/a"]}))
    assert "source.files[0]" in message and "sha256" in message and "digest: null" in message


@pytest.mark.parametrize("extra", [{"sha256": "0" * 64}, {"md5": "0" * 32, "size": 1}, {"digest": None}])
def test_a_file_has_one_kind_of_digest(catalogue, extra):
    assert catalogue(small=changed("source/files/0", {"name": "a", "urls": ["b"], **extra}))
    both = {"name": "a", "urls": ["b"], "sha512": "0" * 128, **extra}
    assert "source.files[0]" in refusal(catalogue, small=changed("source/files/0", both))


def test_a_file_of_this_machine_needs_no_digest(catalogue):
    assert catalogue(small=changed("source/files/0", {"name": ".", "urls": ["../export", "/home/me/model.*"]}))


@pytest.mark.parametrize("key", ["nms_iou_threshold", "y_scale"])
def test_values_that_the_op_refuses_at_run_time_are_refused_here(catalogue, key):
    assert f"postprocess.{key}" in refusal(catalogue, small=changed(f"postprocess/{key}", 0))


def test_several_classes_are_refused_where_a_graph_has_regular_nms(catalogue):
    message = refusal(catalogue, small=changed("postprocess", {"max_classes_per_detection": 2}))
    assert "max_classes_per_detection is for fast NMS only, which detect_cut has not" in message
    assert "use_regular_nms: false" in message
    assert catalogue(small=changed("graphs/detect_fast", {"max_classes_per_detection": 2}))
    assert "detect_own has not" in refusal(catalogue, small=changed("graphs/detect_own/max_classes_per_detection", 2))


@pytest.mark.parametrize(
    "text, place",
    [("title: [a\ntask: b\n", "line 2"), ("title: a: b\n", "line 1, column 9"), ("a: 1\n\tb: 2\n", "line 2, column 1")],
)
def test_a_yaml_mistake_is_said_with_its_line(catalogue, text, place):
    assert refusal(catalogue, small=text).startswith(f"models/small.yaml: is no valid YAML in {place}")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text\n"])
def test_a_card_that_is_no_table_is_refused(catalogue, text):
    assert "is not of type 'object'" in refusal(catalogue, small=text)


@pytest.mark.parametrize("data", [b"title: \xff\xfe\n", b"title: \x00\n"], ids=["no UTF-8", "control character"])
def test_bytes_that_are_no_text_are_refused_in_one_line(tmp_path, data):
    (tmp_path / "small.yaml").write_bytes(data)
    assert "small.yaml" in refusal(load_yaml, tmp_path / "small.yaml")


@pytest.mark.parametrize(
    "name",
    [".cache", "A", "a b", "-x", "(", ".x", "9a", "_a", "é", "a.b", "a\nb", "a\x1b", "", "a" * 101, "javascript"],
)
def test_a_file_whose_name_cannot_be_a_models_is_refused(tmp_path, name):
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(SMALLEST))
    message = str(pytest.raises(UserError, cards.load_catalogue(tmp_path, CARD).__getitem__, name).value)
    words = "is the name of a folder" if name == "javascript" else "up to 100 small letters, digits and underscores"
    assert message.startswith(f"models/{name}.yaml: ") and words in message
    message = str(pytest.raises(UserError, cards.load_datasets, tmp_path, DATASET).value)
    assert message.startswith(f"datasets/{name}.yaml: ") and words in message


@pytest.mark.parametrize("name", ["a", "ssd_mobilenet_v1_shapes", "a" * 100])
def test_small_letters_digits_and_underscores_are_a_name(catalogue, name):
    assert list(catalogue(**{name: SMALLEST})) == [name]


def test_a_broken_card_is_left_out_with_its_error_and_the_others_are_loaded(catalogue, tmp_path):
    (tmp_path / "-x.yaml").write_text("")
    found, broken = catalogue(first=SMALLEST, second="a: 1\na: 2\n", third=changed("titel", "x")).read()
    assert list(found) == ["first"]
    assert list(broken) == ["-x", "second", "third"]
    assert str(broken["second"]) == "models/second.yaml: the key a stands there twice, line 2"
    assert str(broken["third"]).startswith("models/third.yaml: unknown key titel")


def test_a_card_is_read_when_it_is_asked_for_and_once(catalogue, monkeypatch):
    read = []
    monkeypatch.setattr(cards, "load_yaml", lambda path, name: read.append(name) or load_yaml(path, name))
    found = catalogue(first=SMALLEST, second="titel: x\n")
    assert "second" in found and "third" not in found and list(found) == ["first", "second"]
    assert found["first"] is found["first"] and found.get("third") is None and read == ["models/first.yaml"]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "..", "a/..", "~/x", "-x", "a\\b", "{a}", "a\n", ""]
)
@pytest.mark.parametrize("key", ["source/path", "source/files/0/name", "golden"])
def test_a_path_of_a_card_stays_inside_of_its_folder(catalogue, key, path):
    card = changed("source", {"kind": "onnx", "path": "m.onnx", "files": [dict(FILE)]})
    *keys, last = (int(part) if part.isdecimal() else part for part in key.split("/"))
    place = card
    for part in keys:
        place = place[part]
    place[last] = [path] if key == "golden" else path
    message = refusal(catalogue, small=card)
    assert message.endswith(f"{path!r} is not {CARD['$defs']['inside']['title']}")


def test_all_options_of_a_source_that_are_paths_stay_inside_of_its_folder():
    paths = {
        (kind.removeprefix("source_"), key)
        for kind, rule in CARD["$defs"].items()
        for key, option in rule.get("properties", {}).items()
        if option.get("$ref") == "#/$defs/inside"
    }
    assert paths >= {
        ("tf1_detection", "frozen_graph"),
        *(("tf1_checkpoint", key) for key in ("graph", "checkpoint")),
        *(("darknet", key) for key in ("config", "weights")),
        *((kind, "path") for kind in ("frozen_graph", "saved_model", "keras", "onnx", "pytorch", "tflite", "tfjs")),
        ("file", "name"),
    }
    assert DATASET["properties"]["annotations"]["$ref"] == "#/$defs/inside"


@pytest.mark.parametrize("path", [".", "a", "a/b.c", "model.ckpt-1", "a..b/..c", "modèle 1.h5", "saved_model/"])
def test_a_path_inside_of_its_folder_is_taken(catalogue, path):
    assert catalogue(small=changed("source", {"kind": "saved_model", "path": path, "files": [FILE]}))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b", "gs://a/b", "-x", "", "a\nb", "data+x://a"])
def test_a_url_of_another_scheme_is_refused(catalogue, url):
    message = refusal(catalogue, small=changed("source/files/0/urls", [url]))
    assert message.endswith(f"{url!r} is not an http or https URL, or a path")


@pytest.mark.parametrize(
    "url", ["http://a/b", "https://a/b?c=http://d", "../shared/m.onnx", "/data/m.onnx", "a b", "C:x"]
)
def test_a_users_own_card_may_name_a_file_of_the_machine(catalogue, url):
    assert catalogue(small=changed("source/files/0/urls", [url]))


@pytest.mark.parametrize(("key", "value"), [("tags", ["--output=x"]), ("signature", "-x"), ("tags", ["a\nb"])])
def test_a_name_is_no_flag_of_a_command(catalogue, key, value):
    source = {"kind": "saved_model", "path": ".", "files": [FILE], key: value}
    assert refusal(catalogue, small=changed("source", source)).endswith(
        "is not a name in one line that does not begin with a dash"
    )


def test_a_pattern_of_a_schema_ends_where_the_text_does():
    folder = REPOSITORY / "rules/schemas"
    ends = [
        line for path in folder.glob("*.yaml") for line in path.read_text().splitlines() if re.search(r"\$[\"']", line)
    ]
    assert [line for line in ends if "pattern" in line or '"^' in line] == []
    assert refusal(schemas.check, changed("c_name", "a\n"), CARD, "card").startswith("card: c_name: ")


def test_a_choice_that_is_none_is_told_the_choices(catalogue):
    message = refusal(catalogue, small=changed("calibration", "rnadom"))
    assert message == "models/small.yaml: calibration: needs exactly one of these: random; dataset with samples"


def test_what_is_quoted_of_a_card_is_bounded(catalogue):
    assert len(refusal(catalogue, small=changed("title", ["x" * 100_000]))) < 500
    assert len(refusal(catalogue, small=changed("x" * 100_000, 1))) < 1000


def test_a_long_list_of_tables_is_looked_through_in_linear_time(catalogue):
    assert "tflite" in refusal(catalogue, small=changed("tflite", [{str(number): 1} for number in range(30_000)]))
