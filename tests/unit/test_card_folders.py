"""Folders of cards: what is found in them, and which of it a run takes."""

from pathlib import Path

import pytest
import yaml
from refusals import refusal
from small_cards import SMALLEST, changed

from zoomill.errors import UserError
from zoomill.plan import cards, names, schemas

_, CARD, DATASET = schemas.load(Path(__file__).resolve().parents[2] / "rules/schemas").values()


@pytest.fixture
def two_folders(tmp_path):
    """Return a function that loads cards of a repository and of a folder beside it, where a configuration stands."""
    text = yaml.safe_dump(changed("source/files/0/urls", ["own.pb", "../up.pb", "/abs.pb", "https://example.org/a"]))
    for folder in ("repository/models", "mine"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine/config.yaml").write_text("cards: [.]\n")
    (tmp_path / "repository/models/inner.yaml").write_text(text)
    (tmp_path / "mine/outer.yaml").write_text(text)

    def load():
        mine = str(tmp_path / "mine")
        return cards.load_catalogue(str(tmp_path / "repository/models"), CARD, [mine], [f"{mine}/../mine/config.yaml"])

    load.folder = tmp_path
    return load


def test_paths_of_a_card_outside_begin_at_its_own_folder(two_folders):
    found = two_folders()
    urls = {model: card["source"]["files"][0]["urls"] for model, card in found.items()}
    assert urls == {
        "inner": ["own.pb", "../up.pb", "/abs.pb", "https://example.org/a"],
        "outer": ["../mine/own.pb", "../up.pb", "/abs.pb", "https://example.org/a"],
    }
    assert [card["file"] for card in found.values()] == ["models/inner.yaml", f"{two_folders.folder}/mine/outer.yaml"]


def test_two_cards_of_one_name_and_a_broken_one_outside_stop_only_themselves(two_folders):
    mine = two_folders.folder / "mine"
    (mine / "inner.yaml").write_text("title: 1\n")
    (mine / "wrong.yaml").write_text("titel: x\n")
    found, broken = two_folders().read()
    assert list(found) == ["outer"]
    assert str(broken["inner"]) == f"models/inner.yaml and {mine}/inner.yaml: two cards of one name; rename one"
    assert str(broken["wrong"]).startswith(f"{mine}/wrong.yaml: ")


def test_a_folder_of_cards_that_is_not_there_is_refused(tmp_path):
    message = refusal(cards.load_catalogue, tmp_path, CARD, ["nowhere"])
    assert message == "config.yaml: cards: there is no folder nowhere"


@pytest.mark.parametrize(
    "wanted, found",
    [
        (["b_one"], ["b_one"]),
        (["b_*", "a"], ["b_one", "b_two", "a"]),
        (["[ab]*", "a"], ["a", "b_one", "b_two"]),
        (["all"], ["a", "b_one", "b_two"]),
    ],
)
def test_models_are_chosen_by_name_pattern_or_all(wanted, found):
    assert names.select(wanted, ["a", "b_one", "b_two"], "config.yaml: models", "model") == found


@pytest.mark.parametrize("wanted", ["digits_onx*", "digits_onx"])
def test_what_stands_for_no_model_is_refused_with_the_nearest(wanted):
    message = refusal(names.select, [wanted], ["digits_onnx", "yolo"], "config.yaml: models", "model")
    assert message == f"config.yaml: models: there is no model {wanted}; did you mean digits_onnx?"


def test_a_broken_data_set_takes_the_models_with_it_that_use_it(tmp_path):
    used = {**SMALLEST, "calibration": {"dataset": "shapes", "samples": "all"}}
    missing = {**SMALLEST, "calibration": {"dataset": "circles", "samples": "all"}}
    for name, card in {"free": SMALLEST, "missing": missing, "used": used}.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(card))
    shapes = {"shapes": UserError("datasets/shapes.yaml: unknown key x")}
    found, broken = cards.load_catalogue(
        tmp_path, CARD, check=lambda card: cards.check_datasets(card, {"circle": {}}, shapes)
    ).read()
    assert list(found) == ["free"] and broken["used"] is shapes["shapes"]
    assert str(broken["missing"]) == (
        "models/missing.yaml: calibration: there is no data set circles; did you mean circle?"
    )


def test_a_data_set_with_a_models_name_is_refused(tmp_path):
    (tmp_path / "twin.yaml").write_text("")
    message = refusal(cards.load_datasets, tmp_path, DATASET, models=["twin"])
    assert message == "datasets/twin.yaml: a model has this name too; rename one"
