"""The web server that Chromium's page comes from."""

import http.client
import urllib.parse

import pytest

from zoomill import static_server


@pytest.fixture
def get(tmp_path):
    """Return a function that asks for a path as it stands, with nothing made of its dots."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open/model.json").write_text("{}")
    (tmp_path / "open/module.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "open/link").symlink_to(tmp_path / "secret")
    with static_server.serve({"models": tmp_path / "open"}) as address:
        host = urllib.parse.urlsplit(address).netloc

        def run(path):
            connection = http.client.HTTPConnection(host, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer, answer.read()

        yield run


def test_a_file_is_handed_out_with_what_threads_in_webassembly_need(get):
    answer, content = get("/models/module.wasm")
    assert answer.status == 200 and content == b"\0asm" and answer.headers["Content-Type"] == "application/wasm"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"


@pytest.mark.parametrize(
    "path",
    ["/", "/models", "/models/", "/models/../secret", "/models/%2e%2e/secret", "/models/link", "/secret", "/etc/passwd"]
    + ["/models//etc/passwd", "models", "/other/model.json"],
)
def test_nothing_else_is_handed_out_and_no_folder_is_listed(get, path):
    answer, content = get(path)
    assert answer.status == 404 and b"secret" not in content and b"model.json" not in content
