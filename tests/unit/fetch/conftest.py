"""A folder and a real server on the loopback interface, good and bad, for each test."""

import pytest
from http_server import Server

from zoomill.fetch import download


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(download, "BACKOFF", 0)
    monkeypatch.delenv("ZOOMILL_MIRRORS", raising=False)


@pytest.fixture
def server():
    with Server() as running:
        yield running
