"""Which jobs a target needs; nothing is run and no environment is built."""

import json
import os
import re

import pytest
from conftest import REPOSITORY, Workflow
from plans import commands, planned

from zoomill.yaml_file import load_yaml

STARTER = "ssd_mobilenet_v1_shapes"
OTHER = "ssd_mobilenet_v1_traffic_signs"
STARTERS = load_yaml(REPOSITORY / "starter/config.yaml")["models"]
RAW_HEADS = {"fetch_source": 1, "export_tf1_detection": 1}
FLOAT = {**RAW_HEADS, "convert_tflite": 1}


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    """The folder and the plan of a run without arguments, where no environment is built yet."""
    folder = tmp_path_factory.mktemp("plan")
    workflow = Workflow(folder / "run")
    return workflow, workflow.run("-n", "-p", "--conda-prefix", folder / "envs")


def environments(plan):
    """Return the environments that a run would build."""
    return set(re.findall(r"/(\w+)\.yaml will be created", plan.stdout))


def test_without_arguments_the_starter_goes_from_its_download_to_the_report(default):
    assert planned(default[1]) == {
        **FLOAT,
        "write_contract": 2,
        "add_postprocess": 2,
        "generate_dataset": 1,
        "list_samples": 1,
        "calibrate": 1,
        "quantise_tflite": 3,
        "graft_postprocess": 2 * 4,
        "run_toco": 3,
        "finish_toco": 3,
        "validate_tflite": 3 * 5,
        "write_labels": 1,
        "write_checksums": 1,
        "write_provenance": 1,
        "summarise": 1,
        "draw_pictures": 1,
        "inspect_model": 1,
        "write_report": 1,
    }


def test_pictures_are_drawn_of_models_whose_golden_inputs_show_something_unless_nobody_wants_them(workflow):
    jobs = planned(workflow.run("-n", config=[f"models=[{STARTER},{OTHER}]", "tflite=[float32]", "pictures=False"]))
    assert "draw_pictures" not in jobs and jobs["write_report"] == 1
    jobs = planned(workflow.run("-n", config=[f"models=[{STARTER},{OTHER}]", "tflite=[float32]"]))
    assert jobs["draw_pictures"] == 1


def test_the_registry_of_models_comes_with_the_code_that_it_names(workflow):
    assert planned(workflow.run("-n", "results/models.json", config=["tfjs=[float32]"]))["write_decoders"] == 1


def test_tensorflow_is_started_twice_however_many_artifacts_there_are(default):
    jobs = planned(default[1])
    assert jobs["export_tf1_detection"] == jobs["convert_tflite"] == 1


def test_a_plan_makes_nothing(default):
    assert os.listdir(default[0].folder) == [".snakemake"]


def test_a_plan_is_the_same_in_another_folder(default, tmp_path):
    def independent(workflow, plan):
        repository = os.path.relpath(REPOSITORY, workflow.folder)
        return [command.replace(repository, "REPOSITORY") for command in commands(plan)]

    workflow = Workflow(tmp_path / "further/down")
    assert independent(workflow, workflow.run("-n", "-p")) == independent(*default) != []


def test_mirrors_change_no_job(default):
    mirrors = ['mirrors=["/srv/models", "https://mirror.example.org/models"]']
    mirrored = default[0].run("-n", "-p", config=mirrors)
    assert commands(mirrored) == commands(default[1])
    assert len(commands(mirrored)) == sum(planned(mirrored).values())


@pytest.mark.parametrize(
    "target, jobs",
    [
        (f"build/{STARTER}/detect_fast/graph.pb", {**RAW_HEADS, "write_contract": 1, "add_postprocess": 1}),
        (f"results/{STARTER}/detect_cut.dynamic.tflite", {**FLOAT, "quantise_tflite": 1}),
        (
            f"results/{STARTER}/detect_fast.float16.tflite.json",
            # The float32 file of the graph too, which it is compared with.
            {**FLOAT, "quantise_tflite": 1, "write_contract": 1, "graft_postprocess": 2, "validate_tflite": 1},
        ),
        (
            f"results/{STARTER}/detect_regular.toco_float32.tflite",
            {**RAW_HEADS, "write_contract": 1, "add_postprocess": 1, "run_toco": 1, "finish_toco": 1},
        ),
        (f"results/{OTHER}/detect_cut.float32.tflite", FLOAT),
    ],
    ids=lambda value: value.rpartition("/")[2] if isinstance(value, str) else None,
)
def test_one_file_is_made_by_the_jobs_on_its_way_and_no_other(workflow, target, jobs):
    """Also that of a model which config.yaml does not name."""
    assert planned(workflow.run(target, "-n")) == jobs


def test_an_ir_is_made_when_it_is_asked_for_and_of_raw_heads_only(workflow, tmp_path):
    environment = ("--conda-prefix", tmp_path / "envs")
    plan = workflow.run("-n", *environment, config=["tflite=[float32]", "openvino=[float32]"])
    assert planned(plan)["convert_openvino"] == planned(plan)["validate_openvino"] == 1
    assert "openvino" in environments(plan) and f"results/{STARTER}/detect_cut.float32.openvino\n" in plan.stdout
    target = f"results/{OTHER}/detect_cut.float32.openvino.json"
    assert planned(workflow.run(target, "-n")) == {**RAW_HEADS, "convert_openvino": 1, "validate_openvino": 1}


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """The plan of two models."""
    run = Workflow(tmp_path_factory.mktemp("several") / "run")
    return run.run("-n", config=[f"models=[{OTHER},{STARTER}]", "tflite=[float32]"])


def test_the_tflite_files_of_the_first_model_come_before_all_else(several):
    jobs = re.findall(r"^ *rule (\w+):\n((?: +\w+: .*\n)+)", several.stdout, re.MULTILINE)
    first = [(name, OTHER in text) for name, text in jobs if " priority: highest\n" in text]
    made = ("fetch_source", "export_tf1_detection", "convert_tflite")
    made += (*2 * ("write_contract", "graft_postprocess"), *3 * ("validate_tflite",))
    assert sorted(first) == sorted((name, True) for name in made)


def test_several_models_share_the_reports_only(several):
    assert planned(several) == {
        "fetch_source": 2,
        "export_tf1_detection": 2,
        "write_contract": 4,
        "convert_tflite": 2,
        "graft_postprocess": 4,
        "validate_tflite": 6,
        "write_provenance": 2,
        "write_labels": 1,  # the other card has none
        "write_checksums": 1,
        "summarise": 1,
        "draw_pictures": 1,
        "inspect_model": 2,
        "write_report": 1,
    }


@pytest.mark.parametrize("models", [[STARTER], STARTERS], ids=["default", "all starters"])
def test_what_verify_needs_is_what_the_lock_lists_of_the_configured_models(workflow, models):
    jobs = planned(workflow.run("verify", "-n", config=[f"models={json.dumps(models)}"]))
    locked = [name for name in json.loads((REPOSITORY / "artifacts.lock").read_text()) if name.split("/")[0] in models]
    assert jobs["verify"] == 1 and jobs["validate_tflite"] == len(locked) > 0
    assert "summarise" not in jobs and "lock_artifacts" not in jobs


def test_the_lock_is_of_the_starters_and_config_yaml_names_the_first_of_them():
    locked = {name.split("/")[0] for name in json.loads((REPOSITORY / "artifacts.lock").read_text())}
    assert locked == set(STARTERS) and load_yaml(REPOSITORY / "config.yaml")["models"] == STARTERS[:1] == [STARTER]


def test_the_configuration_chooses_the_environment_of_toco(default, workflow, tmp_path):
    assert environments(default[1]) == {"base", "litert", "pages", "tf2", "toco"}
    target = f"build/{STARTER}/detect_cut/toco_float32.tflite"
    plan = workflow.run(target, "-n", "--conda-prefix", tmp_path / "envs", config=["toco=tf1"])
    assert environments(plan) == {"base", "tf2", "tf1"}


def test_only_the_environments_of_the_wanted_jobs_are_made(workflow, tmp_path):
    env = {**os.environ, "SNAKEMAKE_CONDA_PREFIX": str(tmp_path / "environments")}
    config = ['models=["digits_resnet8"]']
    process = workflow.run("-n", "results/digits_resnet8/main.float32.tflite", config=config, env=env)
    assert sorted(re.findall(r"^Conda environment \S*/(\w+)\.yaml will be created", process.stdout, re.MULTILINE)) == [
        "base",
        "tf2",
    ]
