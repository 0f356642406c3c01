"""The documentation holds: its commands run, its links lead somewhere, its picture is the rule graph."""

import re
import subprocess

import pytest
import yaml
from conftest import REPOSITORY, Workflow

from zoomill.plan import schemas

PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "envs/README.md")]
PAGES += sorted((REPOSITORY / "docs").glob("*.md"))
BLOCK = re.compile(r"(<!-- not run by the tests: [^>]+ -->\n)?```sh\n(.*?)```", re.DOTALL)
# The suite cannot run itself, and CI calls both before anything else.
BY_CI = {"make test", "make lint"}


def commands():
    """Return every shell command of the documentation that is not marked as not run, README's first."""
    found = []
    for page in PAGES:
        for marked, block in BLOCK.findall(page.read_text()):
            if not marked:
                found += [line for line in block.splitlines() if line and line not in BY_CI]
    return list(dict.fromkeys(found))


def test_a_newcomer_can_run_every_command_in_a_fresh_clone(tmp_path):
    clone = tmp_path / "zoomill"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)
    for line in commands():
        process = subprocess.run(["bash", "-c", line], cwd=clone, text=True, capture_output=True)
        assert process.returncode == 0, f"{line}\n{process.stdout}\n{process.stderr}"
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=clone, text=True, capture_output=True, check=True)
    assert changed.stdout == "", "a documented command changes the repository"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_card_in_the_readme_is_valid():
    (text,) = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    schema = schemas.load(REPOSITORY / "rules/schemas")["card"]
    assert schemas.check(yaml.safe_load(text), schema, "README.md")


def test_the_picture_in_the_readme_is_the_rule_graph(tmp_path):
    run = Workflow(tmp_path)
    command = run.command("--rulegraph", "mermaid-js")
    process = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=True)
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", process.stdout))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", process.stdout)}
    (picture,) = re.findall(r"```mermaid\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    drawn = set()
    for line in picture.splitlines()[1:]:
        chain = line.strip().split(" --> ")
        drawn.update(zip(chain, chain[1:], strict=False))
    assert drawn == reduced(edges)


def reduced(edges):
    """Return the edges of a directed acyclic graph that no longer path replaces."""
    after = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)

    def reachable(start):
        return {end for middle in after.get(start, ()) for end in {middle, *reachable(middle)}}

    return {(a, b) for a, b in edges if not any(b in reachable(c) for c in after[a] if c != b)}
