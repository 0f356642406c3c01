"""A card or configuration that cannot be read is one line, and stops only what needs it."""

import os
import shutil
import subprocess

import pytest
from conftest import as_plan
from plans import errors, planned

STARTER = "digits_resnet8"
BOMB = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BROKEN = {
    "an alias bomb": ("broken", BOMB, "models/broken.yaml: its aliases repeat more than 50,000 characters, line 6"),
    "an integer as a key": ("broken", "1: 2\n", "models/broken.yaml: the key 1 is no text; put it in quotes, line 1"),
    "a key twice": ("broken", "a: 1\na: 2\n", "models/broken.yaml: the key a stands there twice, line 2"),
    "deep lists": ("broken", "[" * 9999, "models/broken.yaml: has more than 32 levels, line 1"),
    "the name of the cache": (".cache", None, "models/.cache.yaml: the file's name is the model's: "),
    "the name of a folder": ("javascript", None, "models/javascript.yaml: javascript is the name of a folder in "),
    "a capital": ("A", None, "models/A.yaml: the file's name is the model's: "),
    "a parenthesis": ("(", None, "models/(.yaml: the file's name is the model's: "),
    "an escape sequence": ("a\x1b[2J", None, "models/a\\x1b[2J.yaml: the file's name is the model's: "),
}


@pytest.fixture
def clone(repository_copy):
    """A copy of the repository with three cards, and a function that makes a dry run in it."""
    kept = (STARTER, "digits_onnx", "shapes_landmarks")
    for path in (repository_copy / "models").glob("*.yaml"):
        if path.stem not in kept:
            path.unlink()

    def run(*arguments, config=f'models=["{STARTER}"]'):
        command, env = as_plan(["snakemake", "-n", *arguments, "--config", config, "tfjs=[]"])
        return subprocess.run(
            command,
            cwd=repository_copy,
            env=env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
        )

    run.folder = repository_copy
    return run


def card(folder):
    return (folder / f"models/{STARTER}.yaml").read_text().replace("c_name:", "# c_name:")


@pytest.mark.parametrize(("name", "text", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_card_is_told_in_one_line_and_stops_only_what_needs_it(clone, name, text, message):
    (clone.folder / f"models/{name}.yaml").write_text(card(clone.folder) if text is None else text)
    run = clone("catalogue")
    assert planned(run) == {"catalogue": 1}
    (line,) = [line for line in run.stdout.splitlines() if "left out" in line]
    assert line.startswith(f"left out: {message}") and "\x1b" not in run.stdout
    if name == "broken":
        unasked = clone(f"sources/{STARTER}")
        assert planned(unasked) == {"fetch_source": 1} and "left out" not in unasked.stdout
        targets = [["sources/broken"], ["results/broken/main.int8.tflite"]]
        for wanted in [*(clone(*target) for target in targets), clone(config="models=[broken]")]:
            (error,) = errors(wanted)
            assert error == f"error: {message}"


def test_a_broken_data_set_stops_only_the_models_that_use_it(clone):
    (clone.folder / "datasets/digits.yaml").write_text("title: 1\ntitle: 2\n")
    message = "datasets/digits.yaml: the key title stands there twice, line 2"
    run = clone("sources/shapes_landmarks", config='models=["shapes_landmarks"]')
    assert planned(run) == {"fetch_source": 1}
    assert [line for line in run.stdout.splitlines() if "left out" in line] == [f"left out: {message}"]
    for wanted in (clone(), clone("sources/digits")):
        (error,) = errors(wanted)
        assert error == f"error: {message}"


def test_a_strangers_card_does_not_take_a_name_in_c_away(clone):
    shutil.copy(clone.folder / f"models/{STARTER}.yaml", clone.folder / "models/aaa.yaml")
    assert "write_checksums" in planned(clone())
    (error,) = errors(clone(config=f'models=["aaa","{STARTER}"]'))
    assert error.startswith(f"error: models/{STARTER}.yaml: c_name: ") and error.endswith("models/aaa.yaml; change one")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "its aliases repeat more than 50,000 characters, line 6"),
        ("models: [a]\nmodels: [b]\n", "the key models stands there twice, line 2"),
        ("models: [a]\n1: [b]\n", "the key 1 is no text; put it in quotes, line 2"),
        ("models: !!python/name:os.system\n", "the tag tag:yaml.org,2002:python/name:os.system is not allowed"),
        (
            "__use_yte__: true\ntime_limit: ?open('marker', 'w').write('1')\n",
            "__use_yte__ is not allowed: a template runs",
        ),
    ],
    ids=["bomb", "key twice", "integer key", "tag", "template"],
)
def test_a_broken_configuration_is_told_before_snakemake_reads_it(clone, text, message):
    (clone.folder / "config.yaml").write_text(text)
    (error,) = errors(clone())
    assert error.startswith(f"error: config.yaml: {message}")
    assert not os.path.exists(clone.folder / "marker")
