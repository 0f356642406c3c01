"""What is true of every rule."""

import re

import pytest
from conftest import REPOSITORY

from zoomill.plan import schemas, variants

RULE = re.compile(r"^rule (\w+):\n((?:    .*\n|\n)+)", re.MULTILINE)
RULES = {
    name: body for path in sorted((REPOSITORY / "rules").glob("*.smk")) for name, body in RULE.findall(path.read_text())
}
LOCAL = {
    name
    for path in (REPOSITORY / "rules").glob("*.smk")
    for block in re.findall(r"^localrules:\n((?:    \w+,\n)+)", path.read_text(), re.MULTILINE)
    for name in re.findall(r"\w+", block)
}
SCRIPTS = {path.stem for path in (REPOSITORY / "scripts").glob("*.py")}
# `snakemake verify` reads better than the name of its command.
RENAMED = {"verify": "verify_artifacts"}
# They copy bytes about and start no converter and no interpreter worth measuring.
NOT_MEASURED = {"add_postprocess", "finish_toco"}

KINDS = schemas.load(REPOSITORY / "rules/schemas")["card"]["$defs"]["any_source"]["properties"]["kind"]["enum"]

each_rule = pytest.mark.parametrize("rule", sorted(RULES))


def directives(rule):
    return re.findall(r"^    (\w+):", RULES[rule], re.MULTILINE)


def shell(rule):
    return RULES[rule].partition('r"""\n')[2].partition('"""')[0]


def test_the_rules_are_found():
    assert len(RULES) >= 15 and "validate_tflite" in RULES and "summarise" in LOCAL <= set(RULES)


@each_rule
def test_a_rule_has_a_log_of_its_own_and_an_environment_that_exists(rule):
    assert f'"logs/{rule}' in RULES[rule].partition("    log:\n")[2].splitlines()[0]
    (environment,) = re.findall(r'    conda:\n +f?"\.\./envs/(.*)\.yaml"', RULES[rule])
    names = ["toco", "tf1"] if environment == "{config['toco']}" else [environment]
    assert all((REPOSITORY / f"envs/{name}.yaml").is_file() for name in names)


@each_rule
def test_a_rule_that_computes_is_measured_and_travels_with_its_model(rule):
    computes = rule not in LOCAL
    assert ("benchmark" in directives(rule)) == (computes and rule not in NOT_MEASURED)
    assert ('    group:\n        "model"\n' in RULES[rule]) == computes


@each_rule
def test_a_rule_runs_the_command_of_its_name_in_a_shell_and_depends_on_its_code(rule):
    assert "shell" in directives(rule) and not {"run", "script", "notebook", "wrapper"} & set(directives(rule))
    command = RENAMED.get(rule, rule)
    assert command in SCRIPTS
    assert RULES[rule].startswith(f'    input:\n        code=plan.code("{command}"),\n')
    assert shell(rule).split()[:2] == ["python", "{input.code[0]:q}"]


def test_every_command_has_a_rule():
    assert {RENAMED.get(rule, rule) for rule in RULES} == SCRIPTS


@each_rule
def test_everything_that_is_put_into_a_command_line_is_quoted(rule):
    unquoted = re.findall(r"\{[^{}]*(?<!:q)\}", shell(rule))
    assert unquoted == []
    assert shell(rule).rstrip().replace("> {log", ">{log").endswith(">{log:q}")


@pytest.mark.parametrize("path", sorted((REPOSITORY / "rules").glob("*.smk")), ids=lambda path: path.stem)
def test_a_rule_file_opens_with_what_it_requires_and_yields(path):
    docstring = path.read_text().split('"""')[1]
    assert path.read_text().startswith('"""')
    if path.stem not in ("common", "config"):
        assert re.search(r"^Requires: .+\n(?:.+\n)*?Yields: ", docstring, re.MULTILINE)


def test_models_and_variants_of_a_path_are_limited_to_those_there_are():
    common = (REPOSITORY / "rules/common.smk").read_text()
    block = common.partition("wildcard_constraints:\n")[2]
    assert "model=pattern(plan.catalogue)" in block and 'variant=pattern(variants.names(format="tflite"))' in block


def test_no_variant_and_no_kind_of_source_stands_in_a_rule_or_schema():
    lists = re.compile("|".join(map(re.escape, {*variants.names(), *KINDS})))
    for path in sorted((REPOSITORY / "rules").glob("*.smk")):
        patterns = re.findall(r"""(?:graph|variant|model)=r?["']([^"'/]*)["']""", path.read_text())
        assert [found for found in patterns if lists.search(found)] == [], path.name
    for path in sorted((REPOSITORY / "rules/schemas").glob("*.yaml")):
        enums = re.findall(r"(?:enum|required): \[(.*)\]", path.read_text())
        assert [found for found in enums if len(lists.findall(found)) > 3] == [], path.name
