"""What a model's page tells of its source and of how it was made."""

from zoomill.pages import model_facts

PARAMETERS = {"float32": {"count": 1234, "bytes": 4936}, "int64": {"count": 2, "bytes": 16}}


def graph(**operators):
    return {"operators": operators, "parameters": PARAMETERS}


def test_a_source_is_its_operators_without_constants_and_its_parameters():
    found = model_facts.source({"graphs": [graph(Add=1, Conv=3, Const=9)], "checkpoint": None})
    assert found == ["4 operators of 2 kinds: Conv 3, Add 1. 1,236 parameters."]


def test_of_many_kinds_the_most_frequent_are_named():
    (told,) = model_facts.source({"graphs": [graph(**{f"op{n:02}": 20 - n for n in range(15)})], "checkpoint": None})
    assert "op11 9 and 3 more." in told and "op12" not in told


def test_a_checkpoint_is_told_of():
    checkpoint = {"variables": [{}, {}], "parameters": PARAMETERS}
    assert model_facts.source({"graphs": [], "checkpoint": checkpoint}) == [
        "Its checkpoint has 2 variables, 1,236 values."
    ]


def test_versions_stand_beside_the_environment_that_has_them():
    environments = {
        "tf2.yaml": {"packages": {"tensorflow-cpu": "2.21.0", "wrapt": "1"}},
        "toco.yaml": {"packages": {"tensorflow-cpu": "2.17.1"}},
        "base.yaml": {"packages": {"pip": ""}},
        "tf2.post-deploy.sh": {"sha256": "…"},
    }
    found = model_facts.provenance({"code": {"a": "1"}, "environments": environments, "cpu": {}})
    told = "tf2 (tensorflow-cpu 2.21.0), toco (tensorflow-cpu 2.17.1)"
    assert found == [f"Made by 1 files of zoomill, in the environments {told}."]
    assert model_facts.provenance(None) == []
