"""Environments are built two at a time."""

import threading
from types import SimpleNamespace

import pytest
from snakemake import cli  # noqa: F401, without which its modules do not find each other
from snakemake.dag import DAG

from zoomill.plan import environments


class Environment:
    """One whose building waits for another's."""

    both = threading.Barrier(2, timeout=10)

    def __init__(self, external=False):
        self.is_externally_managed, self.created = external, []

    def create(self, dryrun=False):
        """Meet the other one, the first time; later, it is there."""
        if not (dryrun or self.created):
            self.both.wait()
        self.created.append(dryrun)


@pytest.fixture
def build(monkeypatch):
    """Return a function that has the environments of a run built."""
    monkeypatch.setattr(DAG, "create_conda_envs", DAG.create_conda_envs)
    environments.build_at_once(DAG)

    def run(*wanted, dryrun=False, touch=False):
        workflow = SimpleNamespace(dryrun=dryrun, touch=touch)
        DAG.create_conda_envs(SimpleNamespace(workflow=workflow, conda_envs=dict(enumerate(wanted))))

    return run


def test_two_are_built_at_once_and_snakemake_finds_them(build):
    wanted = [Environment(), Environment(), Environment(external=True)]
    build(*wanted)
    assert [one.created for one in wanted] == [[False, False], [False, False], []]


def test_what_fails_is_not_tried_again(build, monkeypatch):
    broken, tries = Environment(), []
    monkeypatch.setattr(broken, "create", lambda dryrun=False: tries.append(dryrun) or int("broken"))
    with pytest.raises(ValueError, match="broken"):
        build(broken)
    assert tries == [False]


@pytest.mark.parametrize("kind, created", [({"dryrun": True}, [True]), ({"touch": True}, [])])
def test_nothing_is_built_for_a_run_that_makes_nothing(build, kind, created):
    environment = Environment()
    build(environment, **kind)
    assert environment.created == created
