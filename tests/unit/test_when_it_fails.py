"""The page of messages, against the texts of the code."""

import ast
import re

import pytest
from conftest import REPOSITORY

PAGE = REPOSITORY / "docs/when-it-fails.md"
CELL = re.compile(r"(?<!\\)\|")
# What stands for a value: in the page, and in old formats of strings.
VALUE, OLD = "…", re.compile(r"%[sdr]|\{[a-z0-9]*\}")


def rows():
    """Return the cells of every row of the page's tables, without headings."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in CELL.split(line)[1:-1]] for line in lines]


def texts():
    """Yield every text of the code, with VALUE where a value is put in."""
    paths = [*REPOSITORY.glob("scripts/**/*.py"), REPOSITORY / "zoomill"]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield OLD.sub(VALUE, node.value)


def said(message, known):
    """Tell whether a text of the code can be read as the message; VALUE in it stands for anything."""
    pattern = re.compile(".*?".join(map(re.escape, message.split(VALUE))), re.DOTALL)
    return any(map(pattern.search, known))


@pytest.fixture(scope="module")
def known():
    """All texts of the code."""
    return sorted(set(texts()))


@pytest.mark.parametrize("message", [row[0].strip("`") for row in rows()])
def test_a_message_of_the_page_is_one_of_the_code(message, known):
    assert len(message.replace(VALUE, "")) > 12
    assert said(message, known)


def test_every_message_has_a_cause_and_what_to_do():
    assert len(rows()) > 20
    assert all(len(row) == 3 and all(row) for row in rows())


def test_a_message_that_nobody_says_would_be_found(known):
    assert not said("… is a message that no command of this project has", known)
