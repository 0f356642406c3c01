"""Jobs that are forks of warm processes: the same bytes and walls, true figures, and nothing that outlives the run."""

import csv
import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from attacks import exporters, judge, make
from conftest import REPOSITORY, Workflow

MODEL = "digits_resnet8"
CONFIG = [f'models=["{MODEL}"]']
ARTIFACTS = [f"results/{MODEL}/main.{variant}.tflite" for variant in ("float32", "int8")]
CLIENT = REPOSITORY / "envs/warm/client.py"
ATTACKS = {(attack.kind, attack.name): attack for attack in make.all_attacks()}
# Ways out of the sandbox: code of a layer, and files by the framework's own reading.
UNCHECKED = [("keras", "h5 with a lambda"), ("saved_model", "initialiser writes a file")]
# A job that says what it finds of TensorFlow, and changes it.
TENSORFLOW = """
import json, sys
imported = "tensorflow" in sys.modules
import tensorflow as tf

config = tf.config
flags = config.functions_run_eagerly(), config.get_soft_device_placement(), config.optimizer.get_jit()
print(json.dumps([imported, tf.executing_eagerly(), *flags, float(tf.random.uniform([]))]))
config.run_functions_eagerly(True)
config.set_soft_device_placement(not flags[1])
config.optimizer.set_jit(True)
tf.random.set_seed(1)
tf.compat.v1.disable_eager_execution()
"""

pytestmark = pytest.mark.slow


def of_run(folder):
    """Return the numbers of all processes that know the folder of warm processes of a run."""
    mark, found = f"{folder}/.snakemake/warm".encode(), []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            if mark in (path / "environ").read_bytes() and state != "Z":
                found.append(int(path.name))
        except OSError:  # it has ended
            continue
    return found


def jobs(folder):
    """Return the numbers of the forks that run in the place of a job's python."""
    names = [Path(f"/proc/{process}/comm") for process in of_run(folder)]
    words = [path.read_text().split() for path in names if path.exists()]
    return [int(found[1]) for found in words if found[0] == "warm" and len(found) == 2]


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.fixture(scope="module")
def warm_run(tmp_path_factory):
    """A run of two jobs of TensorFlow and two of LiteRT."""
    run = Workflow(tmp_path_factory.mktemp("warm"))
    run.run(*ARTIFACTS, config=CONFIG)
    return run


def test_warm_jobs_make_the_bytes_that_cold_ones_make(warm_run):
    warm = [warm_run.file(path).read_bytes() for path in ARTIFACTS]
    folder = warm_run.file(".snakemake/warm")
    assert len(list(folder.glob("*.log"))) == 2 and not (folder / "log").exists()
    warm_run.run("--force", *ARTIFACTS, config=[*CONFIG, "warm=False"])
    assert not folder.exists()
    assert warm == [warm_run.file(path).read_bytes() for path in ARTIFACTS]


def test_a_benchmark_measures_the_fork_and_not_its_client_only(warm_run):
    with open(warm_run.file(f"benchmarks/export_keras/{MODEL}.tsv")) as file:
        (figures,) = csv.DictReader(file, delimiter="\t")
    assert float(figures["max_rss"]) > 150  # MB; bash and the client have 20


def test_local_jobs_have_no_limit_of_starts_in_a_second(warm_run):
    said = warm_run.run("--verbose", "--force", ARTIFACTS[1], config=CONFIG)
    assert "Ready jobs: 1" in said.stdout and "Submitting maximum" not in said.stdout


def test_kill_9_of_a_run_leaves_no_process_after_5_seconds(warm_run):
    graph = f"build/{MODEL}/main/graph.pb"
    process = subprocess.Popen(
        warm_run.command("--force", graph, config=CONFIG), cwd=warm_run.folder, stdout=subprocess.DEVNULL
    )
    try:
        assert wait_for(lambda: jobs(warm_run.folder), 120)
    finally:
        process.kill()
        process.wait()
    assert wait_for(lambda: not of_run(warm_run.folder), 5), of_run(warm_run.folder)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, environment_python):
    """The folder of the attacks."""
    environment_python("tf2")
    folder = tmp_path_factory.mktemp("attacks")
    judge.make(folder, "tf2", [name for _, name in UNCHECKED])
    return folder


@pytest.mark.parametrize("key", UNCHECKED, ids=": ".join)
def test_the_sandbox_holds_a_forked_job(hostile, tmp_path, key):
    warm = tmp_path / "warm"
    surroundings = {"ZOOMILL_WARM": f"{os.getpid()}:{warm}"}
    through = ["-I", "-S", CLIENT]
    verdict, outcome = judge.export(hostile, ATTACKS[key], checked=False, through=through, **surroundings)
    assert verdict == "contained", outcome.log
    assert list(warm.glob("*.log")) and not (warm / "log").exists()


def test_flags_and_seeds_of_tensorflow_do_not_reach_the_next_job(environment_python, tmp_path):
    (tmp_path / "convert_tflite.py").write_text(TENSORFLOW)
    command = [environment_python("tf2"), "-I", "-S", CLIENT, "convert_tflite.py"]
    environment = {**os.environ, **exporters.FIXED, "ZOOMILL_WARM": f"{os.getpid()}:{tmp_path}/warm"}
    said = [
        json.loads(subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True).stdout)
        for _ in range(2)
    ]
    assert said[0][0] and said[0][:-1] == said[1][:-1]
    assert said[0][-1] != said[1][-1]
