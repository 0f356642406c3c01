"""Each stage of a run meets a fault of the machine, says so in one line, and goes on when it is started again."""

import shutil

import pytest
from conftest import Workflow, missing
from faults import stages

from zoomill import folders

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run."""
    run = Workflow(tmp_path_factory.mktemp("whole") / "run")
    run.run(*stages.STAGES.values(), config=stages.CONFIG)
    return run


def goes_on(run, finished, target):
    """Assert that the run can be completed, with the bytes of the finished one."""
    run.run(target, config=stages.CONFIG)
    assert folders.digest(run.file(target)) == folders.digest(finished.file(target))


def test_a_full_disk_is_told_with_the_file(finished, tmp_path):
    run = Workflow(tmp_path / "run")
    try:
        with stages.small_disks(finished, run) as on_full_disk:
            for name in ("generate_dataset", "fetch_source", "export_keras", "quantise_tflite"):
                target = stages.STAGES[name]
                process = on_full_disk(target)
                assert stages.problems(process) is None, process.stdout
                assert "No space left on device" in stages.errors(process)[0]
                goes_on(run, finished, target)
    except PermissionError as error:
        missing(str(error))


def test_too_little_memory_is_told_with_the_setting(finished, tmp_path):
    run = Workflow(shutil.copytree(finished.folder, tmp_path / "run", symlinks=True))
    target = stages.STAGES["convert_tflite"]
    process = stages.again(run, target, "memory_limit=100")
    assert stages.problems(process) is None, process.stdout
    assert "stopped at the memory limit of 100 MB" in stages.errors(process)[0]
    goes_on(run, finished, target)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_job_is_told_and_made_again(seed, finished, tmp_path):
    run = Workflow(shutil.copytree(finished.folder, tmp_path / "run", symlinks=True))
    target = stages.STAGES["convert_tflite"]
    victim, process = stages.kill_one(run, target, seed)
    assert victim == "everything" or stages.problems(process) is None, process.stdout
    goes_on(run, finished, target)
