"""Serving the test bed: to this machine alone, the page, its packages and a folder of results, and nothing else."""

import contextlib
import http.client
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import urllib.parse

import pytest
from conftest import REPOSITORY, copy_repository
from refusals import refusal

from zoomill.pages import test_bed as bed
from zoomill.plan import javascript

REGISTRY = '{"newer": {"classify": [{"variants": {"float32": {"modelPath": "small/main.float32.tfjs"}}}]}}'


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the repository in which the packages are there, though empty."""
    folder = tmp_path_factory.mktemp("serving") / "clone"
    copy_repository(folder)
    for name in javascript.BROWSER:
        path = folder / javascript.FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return folder


@pytest.fixture
def results(tmp_path):
    """A folder of results that was copied to where nothing else is."""
    folder = tmp_path / "copied"
    (folder / "small").mkdir(parents=True)
    (folder / "models.json").write_text(REGISTRY)
    (folder / "small/decode.js").write_text("export const outputs = [];")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "away").symlink_to(tmp_path)
    return folder


@pytest.fixture
def served(clone, results):
    """Return a function that runs the verb and yields the process and its address until the block ends."""

    @contextlib.contextmanager
    def run(*flags):
        command = [sys.executable, clone / "zoomill", "page", results, *map(str, flags)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, **pipes) as process:
            try:
                yield process, process.stdout.readline()
            finally:
                process.kill()

    return run


def test_models_that_no_registry_names_are_told(results):
    assert bed.unlisted(results) == []
    own = [f"own{number}/main.float32.tfjs" for number in range(5)]
    for name in (*(f"small/{name}.tfjs" for name in ("main.float32", "main.uint8", "layers.float32")), *own):
        (results / name).mkdir(parents=True)
    (line,) = bed.unlisted(results)
    assert line.startswith(f"not in models.json: {', '.join(own[:4])} and 2 more; drop their folders on the page, ")
    (results / "models.json").write_text('{"newer": []}')
    assert refusal(bed.unlisted, results).startswith(f"{results}/models.json: is no registry of models; ")


def get(address, path, host=None):
    """Return status, headers and content for a path as it stands."""
    own = urllib.parse.urlsplit(address).netloc
    connection = http.client.HTTPConnection(own, timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host or own)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_a_line_with_the_address_and_a_page_with_threads_until_it_is_interrupted(served):
    with served("--port", 0) as (process, line):
        (address,) = re.fullmatch(r"the test bed is at (http://127\.0\.0\.1:\d+/web/index\.html); .*\n", line).groups()
        status, headers, content = get(address, "/web/index.html")
        assert status == 200 and content == (REPOSITORY / "web/index.html").read_bytes()
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin" and headers["Cache-Control"] == "no-cache"
        assert get(address, "/results/models.json")[2] == REGISTRY.encode()
        _, headers, _ = get(address, "/results/small/decode.js")
        assert headers["Content-Type"] == "text/javascript"
        assert get(address, f"/javascript/{javascript.BROWSER[0]}")[0] == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0 and process.stdout.read() == process.stderr.read() == ""


def test_no_other_file_and_no_other_name_is_answered(clone, results):
    with bed.served(str(clone), str(results), 0) as address:
        for path in ("/", "/results/", "/results/link", "/results/away/secret", "/results/%2e%2e/secret", "/zoomill"):
            assert get(address, path)[0] == 404, path
        for path in ("/results/..%2fsecret", "/web/../zoomill", "/web/%2e%2e/config.yaml", "/build/javascript/node"):
            assert get(address, path)[0] == 404, path
        assert get(address, "/results/models.json", "rebound.example.org")[0] == 421
        assert get(address, "/results/models.json", f"localhost:{address.split(':')[2][:-15]}")[0] == 200


def test_a_page_that_is_closed_while_it_loads_says_nothing(clone, results, capfd):
    (results / "large").write_bytes(bytes(1 << 24))
    with bed.served(str(clone), str(results), 0) as address:
        own = urllib.parse.urlsplit(address)
        with socket.create_connection((own.hostname, own.port)) as connection:
            # Closed at once, not after what is under way.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(f"GET /results/large HTTP/1.0\r\nHost: {own.netloc}\r\n\r\n".encode())
            connection.recv(1000)
        assert get(address, "/results/models.json")[0] == 200
    assert capfd.readouterr().err == ""


def test_its_own_port_is_taken_where_it_is_free_and_else_another_one(clone, results, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(bed, "PORT", port)
        with bed.served(str(clone), str(results)) as address:
            assert f":{port}/" not in address and get(address, "/results/models.json")[0] == 200
    with bed.served(str(clone), str(results)) as address:
        assert f":{port}/" in address


@pytest.mark.parametrize("port, reason", [(None, "Address already in use"), (70000, "a port is a number from 0 to")])
def test_a_port_that_cannot_be_had_is_one_line(served, port, reason):
    with socket.create_server(("127.0.0.1", 0)) as taken, served("--port", port or taken.getsockname()[1]) as found:
        process, line = found
        (said,) = process.stderr.read().splitlines()
        assert process.wait() == 1 and line == ""
        assert said.startswith("error: --port ") and reason in said


def test_results_without_models_and_a_missing_folder_are_refused(tmp_path):
    assert refusal(bed.check, str(tmp_path)).startswith(f"{tmp_path}: holds no models.json; ")
    assert refusal(bed.check, f"{tmp_path}/gone").startswith(f"{tmp_path}/gone: there is no such folder; ")


def test_what_is_missing_of_the_packages_is_a_target_of_the_workflow(clone, tmp_path):
    shutil.copytree(clone / javascript.FOLDER, tmp_path / javascript.FOLDER)
    assert bed.missing(tmp_path) == []
    (tmp_path / javascript.FOLDER / javascript.BROWSER[-1]).unlink()
    assert bed.missing(tmp_path) == [f"{javascript.FOLDER}/{javascript.BROWSER[-1]}"]
