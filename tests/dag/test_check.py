"""What `./zoomill check` asks about."""

import dataclasses
import hashlib

import pytest
from conftest import REPOSITORY
from refusals import refusal

from zoomill.plan import cards, check, gates, house
from zoomill.yaml_file import load_yaml


@pytest.fixture(scope="module")
def rooms():
    """Configuration and cards of the repository."""
    return house.read(str(REPOSITORY))


def named(what, rooms, path=None):
    """Return the names of the artifacts that are asked about."""
    return list(map(str, check.artifacts(what, str(path or REPOSITORY / what), rooms)))


def test_a_file_of_a_build_is_the_artifact_that_it_is(rooms):
    path = "results/digits_resnet8/main.int8.tflite"
    assert named(path, rooms) == [path]


def test_of_a_model_its_configured_files_are_asked_about(rooms):
    found = named("digits_autoencoder", rooms)
    assert "results/digits_autoencoder/main.int8.tflite" in found and not [name for name in found if "given" in name]


def test_of_a_source_that_is_such_a_file_it_is_asked_about_as_it_is_too(rooms):
    found = named("mlperf_tiny_*_int8", rooms)
    assert "results/mlperf_tiny_kws01_dscnn_int8/source.given.tflite" in found
    assert "results/mlperf_tiny_kws01_dscnn_int8/main.float32.tflite" in found


def test_a_file_with_the_bytes_of_a_card_has_what_the_card_says(rooms, tmp_path):
    path = tmp_path / "mine.tflite"
    path.write_bytes(b"TFL3")
    (tmp_path / "other.yaml").write_text("task: other\nsource: {files: [{urls: [https://example.org/a]}]}\n")
    known = {"sha256": hashlib.sha256(b"TFL3").hexdigest(), "urls": []}
    catalogue = cards.Catalogue({"other": ""}, lambda _: {"file": "other.yaml", "source": {"files": [known]}})
    own = dataclasses.replace(rooms, root=str(tmp_path), catalogue=catalogue)
    assert named("mine.tflite", own, path) == ["results/mine/source.given.tflite"]
    written = load_yaml(tmp_path / check.CARDS / "mine.yaml")
    assert written == {"task": "other", "source": {"files": [{"urls": [str(path)]}]}}


def test_two_files_of_one_name_have_cards_of_their_own_which_stay(rooms, tmp_path):
    known = [{"sha256": hashlib.sha256(data).hexdigest(), "urls": []} for data in (b"1", b"2")]
    found = {f"card_{place}": {"file": f"{place}.yaml", "source": {"files": [one]}} for place, one in enumerate(known)}
    own = dataclasses.replace(rooms, root=str(tmp_path), catalogue=cards.Catalogue(dict.fromkeys(found), found.get))
    for place, data in enumerate((b"1", b"2")):
        (tmp_path / f"{place}.yaml").write_text("source: {files: [{urls: [https://example.org/a]}]}\n")
        (tmp_path / f"{place}").mkdir()
        (tmp_path / f"{place}/mine.tflite").write_bytes(data)
    paths = [tmp_path / f"{place}/mine.tflite" for place in (0, 1, 0)]
    models = [check.artifacts("mine.tflite", str(path), own)[0].model for path in paths]
    assert models == ["mine", "mine_2", "mine"]


@pytest.mark.parametrize(
    "what, message",
    [
        ("digits_resnet", "check: there is no model or file digits_resnet; did you mean digits_resnet8"),
        ("yolo_*x", "check: there is no model or file yolo_*x"),
        ("README.md", f"{REPOSITORY}/README.md: is no .tflite file; ./zoomill build makes one of it"),
    ],
)
def test_what_there_is_not_is_told(rooms, what, message):
    assert refusal(named, what, rooms).startswith(message)


def test_a_model_without_such_files_is_told(rooms):
    bare = dataclasses.replace(rooms, config={**rooms.config, "tflite": []})
    message = "digits_resnet8: config.yaml asks for no .tflite file of it"
    assert refusal(named, "digits_resnet8", bare) == message


def test_all_gates_are_asked_or_those_that_are_named(rooms):
    names = check.artifacts("digits_resnet8", str(REPOSITORY / "digits_resnet8"), rooms)[:1]
    path = "results/digits_resnet8/main.float32"
    assert check.evidence(names, []) == [f"{path}.{gate}.json" for gate in gates.NAMES]
    assert check.evidence(names, ["tasks"]) == [f"{path}.tasks.json"]
    assert refusal(check.evidence, names, ["task"]) == "check: there is no gate task; did you mean tasks?"
