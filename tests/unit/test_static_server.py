"""The web server that Chromium's page comes from."""

import http.client
import urllib.parse

import pytest

from zoomill.tfjs import static_server


@pytest.fixture
def get(tmp_path):
    """Return a function that asks for a path as it stands, with nothing made of its dots."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open/model.json").write_text("{}")
    (tmp_path / "open/module.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "open/link").symlink_to(tmp_path / "secret")
    (tmp_path / "web").mkdir()
    for folder in ("web", "open"):
        (tmp_path / folder / "page.html").write_text("<script>one</script><script src=x></script><style>two</style>")
    with static_server.serve({"models": tmp_path / "open", "web": tmp_path / "web"}) as address:
        own = urllib.parse.urlsplit(address).netloc

        def run(path, method="GET", hosts=(own,)):
            connection = http.client.HTTPConnection(own, timeout=10)
            connection.putrequest(method, path, skip_host=True)
            for host in hosts:
                connection.putheader("Host", host.replace("PORT", own.split(":")[1]))
            connection.endheaders()
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


@pytest.mark.parametrize("hosts", [["localhost:PORT"], ["127.0.0.1:PORT"]])
def test_its_own_names_are_answered(get, hosts):
    assert get("/models/model.json", hosts=hosts)[0].status == 200


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["example.org"],
        ["example.org:PORT"],
        ["localhost"],
        ["127.0.0.1:1"],
        ["127.0.0.1:PORT", "example.org"],
        ["127.0.0.1:PORT.example.org"],
    ],
)
def test_another_name_that_leads_here_is_refused(get, hosts):
    """A page of elsewhere whose name is made to lead here would else read the files as its own."""
    answer, content = get("/models/model.json", hosts=hosts)
    assert answer.status == 421 and content != b"{}"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_reading_is_answered(get, method):
    assert get("/models/model.json", method)[0].status == 501


@pytest.mark.parametrize("path", ["/models/model.json", "/gone"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_every_answer_says_what_a_page_may_do(get, path, method):
    answer, _ = get(path, method)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe-inline" not in policy and "unsafe-eval'" in policy
    assert "'unsafe-eval'" not in policy and "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_what_stands_in_a_page_may_run_in_ours_alone(get):
    policies = [get(f"/{folder}/page.html")[0].headers["Content-Security-Policy"] for folder in ("web", "models")]
    assert policies[0].count("'sha256-") == 2 and "sha256" not in policies[1]


@pytest.mark.parametrize("path", ["/" + "x" * 70_000, "//" * 1000, "/web/%00", "/web/%00page.html", "/%ff%fe"])
def test_an_address_that_cannot_be_is_an_error(get, path):
    assert get(path)[0].status in (404, 414)
