"""What is true of every rule."""

import collections
import inspect
import os
import re
import runpy
from pathlib import Path

import pytest
from conftest import REPOSITORY
from parsed import house, parsed

from zoomill.code_files import code_files
from zoomill.plan import cards, gates, schemas, variants
from zoomill.yaml_file import load_yaml

SCRIPTS = {path.stem for path in (REPOSITORY / "scripts").glob("*.py")}
# They copy bytes about and start no converter and no interpreter worth measuring.
NOT_MEASURED = {"write_contract", "add_postprocess", "finish_toco"}
# They hold all cores, which a group would have for each of its other jobs too.
ALONE = {"validate_latency"}
# The workflow grafts the op with the options that a graph has.
BY_HAND = {"retune_postprocess"}

KINDS = schemas.load(REPOSITORY / "rules/schemas")["card"]["$defs"]["any_source"]["properties"]["kind"]["enum"]


@pytest.fixture(scope="module")
def workflow_rules(tmp_path_factory):
    """All rules but those without a command, as Snakemake reads them."""
    cards = {path.stem: path.read_text() for path in (REPOSITORY / "models").glob("*.yaml")}
    with parsed(house(REPOSITORY, tmp_path_factory.mktemp("house") / "house", cards), {}) as found:
        yield [rule for rule in found.rules if not rule.norun]


def test_of_the_catalogue_only_the_cards_of_the_run_are_read(tmp_path, monkeypatch):
    read, texts = [], {path.stem: path.read_text() for path in (REPOSITORY / "models").glob("digits_*.yaml")}
    monkeypatch.setattr(cards, "load_yaml", lambda path, name: read.append(name) or load_yaml(path, name))
    with parsed(house(REPOSITORY, tmp_path / "house", texts), {"models": ["digits_onnx", "digits_s*"]}):
        pass
    chosen = ["digits_onnx", *sorted(model for model in texts if model.startswith("digits_s"))]
    assert [name for name in read if name.startswith("models/")] == [f"models/{model}.yaml" for model in chosen]


def test_large_processes_of_one_environment_follow_those_of_another(workflow_rules):
    heavy, found = runpy.run_path(REPOSITORY / "envs/warm/heavy.py"), collections.defaultdict(set)
    for rule in workflow_rules:
        if heavy["IMPORTS"].get(command_of(rule)) in heavy["LARGE"]:
            found[Path(rule.conda_env).stem].add(rule.priority)
    assert found == {"onnx": {1}, "torch": {1}, "tf2": {0}}


def test_what_a_card_says_by_a_function_of_inputs_stands_where_snakemake_compares_it(workflow_rules):
    """Of such params it compares nothing: another metric or preprocessing would make nothing again."""
    paths_alone = {"artifact", "predictions", "predictions_flags"}
    found = {}
    for rule in workflow_rules:
        functions = [
            value for value in rule.params if callable(value) and "input" in inspect.signature(value).parameters
        ]
        found[rule.name] = {function.__name__ for function in functions} - paths_alone
    names = {name for name, functions in found.items() if functions}
    assert {"calibrate", "evaluate_tflite", "export_keras", "fit_pictures"} <= names
    assert {rule.name for rule in workflow_rules if "settings" in dict(rule.params.items())} >= names


def command_of(rule):
    """Return the name of the command that a rule runs; it stands first among its inputs."""
    return Path(rule.input.code[0]).stem


def is_local(rule):
    return rule.name in rule.workflow._localrules


def test_the_rules_are_found(workflow_rules):
    names = {rule.name for rule in workflow_rules}
    assert {"validate_tflite", "summarise", "export_keras", "predict_tfjs", "predict_pytorch"} <= names


def test_a_rule_has_a_log_of_its_own_and_an_environment_that_exists(workflow_rules):
    for rule in workflow_rules:
        assert str(rule.log[0]).startswith(f"logs/{rule.name}"), rule.name
        assert (REPOSITORY / "rules" / str(rule.conda_env)).is_file(), rule.name


def test_a_rule_that_computes_is_measured_and_travels_with_its_model(workflow_rules):
    for rule in workflow_rules:
        computes = not is_local(rule)
        assert bool(rule.benchmark) == (computes and rule.name not in NOT_MEASURED), rule.name
        assert (rule._group == "model") == (computes and rule.name not in ALONE), rule.name


def test_a_rule_runs_a_command_in_a_shell_and_depends_on_its_code(workflow_rules):
    for rule in workflow_rules:
        assert rule.shellcmd.split()[:2] == ["python", "{input.code[0]:q}"], rule.name
        script, digests = rule.input.code
        assert script == f"scripts/{command_of(rule)}.py"
        listed = [line.split("  ")[1] for line in Path(digests).read_text().splitlines()]
        assert listed == [os.path.relpath(path, "scripts") for path in code_files(script)]


def test_a_rule_has_the_name_of_its_command_or_gives_its_exporter_samples(workflow_rules):
    for rule in workflow_rules:
        # The same command for another row of a ledger, or with one more output.
        own = re.sub("_(otherwise|in_browser|of_tfjs|heads)$", "", rule.name)
        named = {rule.name, own, re.sub("^predict_", "export_", rule.name)}
        assert command_of(rule) in named


def test_every_command_has_a_rule(workflow_rules):
    assert set(map(command_of, workflow_rules)) == SCRIPTS - BY_HAND


def test_everything_that_is_put_into_a_command_line_is_quoted(workflow_rules):
    for rule in workflow_rules:
        assert re.findall(r"\{[^{}]*(?<!:q)\}", rule.shellcmd) == [], rule.name
        assert rule.shellcmd.rstrip().replace("> {log", ">{log").endswith(">{log:q}"), rule.name


def test_every_kind_of_source_has_a_rule_that_runs_it_on_samples(workflow_rules):
    names = {f"predict_{kind}" for kind in KINDS}
    made = {rule.name: str(next(iter(rule.output), "")) for rule in workflow_rules}
    assert names == {name for name, output in made.items() if output.endswith("predictions.npz")}


@pytest.mark.parametrize("path", sorted((REPOSITORY / "rules").glob("*.smk")), ids=lambda path: path.stem)
def test_a_rule_file_opens_with_what_it_requires_and_yields(path):
    docstring = path.read_text().split('"""')[1]
    assert path.read_text().startswith('"""')
    if path.stem not in ("common", "config"):
        assert re.search(r"^Requires: .+\n(?:.+\n)*?Yields: ", docstring, re.MULTILINE)


def test_variants_of_a_path_are_limited_to_those_there_are_and_no_pattern_lists_the_models(workflow_rules):
    configured = set(load_yaml(REPOSITORY / "config.yaml")["models"])
    for rule in workflow_rules:
        patterns = {str(output): names(output) for output in rule.output}
        for output, found in patterns.items():
            if "variant" in found:
                assert set(found["variant"].split("|")) <= {*variants.names(), gates.GIVEN}, output
            assert not configured & set(re.findall(r"\w+", found.get("source", ""))), output
            # Of the rules for one kind of source, only models that jobs can be about.
            assert set(re.findall(r"[a-z]\w+", found.get("model", "").replace("z0", ""))) <= configured, output


def names(output):
    """Return ``{wildcard: pattern}`` of an output."""
    return dict(re.findall(r"\{(\w+), *((?:[^{}]|\{[\d,]+\})*)\}", str(output)))


def test_no_variant_and_no_kind_of_source_stands_in_a_rule_or_schema():
    lists = re.compile("|".join(map(re.escape, {*variants.names(), *KINDS})))
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        patterns = re.findall(r"""(?:graph|variant|model)=r?["']([^"'/]*)["']""", path.read_text())
        assert [found for found in patterns if lists.search(found)] == [], path.name
    for path in sorted((REPOSITORY / "rules/schemas").glob("*.yaml")):
        enums = re.findall(r"(?:enum|required): \[(.*)\]", path.read_text())
        assert [found for found in enums if len(lists.findall(found)) > 3] == [], path.name


# What a rule is made of besides its names, paths and flags.
FRAME = re.compile(
    r'group:|"model"|conda:|f?"\.\./envs/.*|params:|shell:|r?"""|output:|input:|log:|benchmark:|resources:|'
    r"wildcard_constraints:|mem_mb=\d+,|python \{input.code\[0\]:q\} \\|&>\{log:q\}"
)


def test_no_six_lines_of_rule_text_stand_twice():
    seen = collections.defaultdict(list)
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        stripped = [line.strip() for line in path.read_text().splitlines()]
        lines = [line for line in stripped if line and not FRAME.fullmatch(line)]
        for start in range(len(lines) - 5):
            seen["\n".join(lines[start : start + 6])].append(path.name)
    assert {text: names for text, names in seen.items() if len(names) > 1} == {}
