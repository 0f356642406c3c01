"""Bad inputs through the real workflow, all in one run: one line for each that says what is wrong and what to do."""

import hashlib
import io
import re
import subprocess
import tarfile

import pytest
import yaml
from conftest import REPOSITORY, Workflow
from http_server import Answer, Server

STARTER = "ssd_mobilenet_v1_shapes"
ARCHIVE = REPOSITORY / f"starter/{STARTER}/{STARTER}.tar.gz"
CARD = yaml.safe_load((REPOSITORY / f"models/{STARTER}.yaml").read_text())
# Without samples, whose lists are right.
CARD = {key: value for key, value in CARD.items() if key not in ("calibration", "evaluation")}
MIB = 1 << 20
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
CHECKPOINT = ["model.ckpt.data-00000-of-00001", "model.ckpt.index", "model.ckpt.meta", "pipeline.config"]
VARIABLE = b"BoxPredictor_0/ClassPredictor/weights"

# What the line of each model says after `error: <model>: `.
FETCH = {
    "truncated_download": r"model\.tar\.gz: http://\S+ broke off after 100000 bytes .*; check the network connection",
    "wrong_digest": r"model\.tar\.gz: http://\S+ gave sha256 \w+, expected 0{64}; check the URL in \w+\.yaml",
    "html_page": r"model\.tar\.gz: http://\S+ answered with an HTML page instead of the file; check the URL",
    "escaping_archive": r"model\.tar\.gz: the path 'x/\.\./\.\./escaped' leads out of the folder; check the file",
    "escaping_link": r"model\.tar\.gz: holds a link 'x/link' that leads out of the folder; check the file",
}
EXPORT = {
    "lacking_variable": r"sources/lacking_variable/model\.ckpt: .* lacks the variable BoxPredictor_0/ClassPredictor/",
    "faster_rcnn": r"sources/faster_rcnn/pipeline\.config: describes a faster_rcnn model, but only SSD",
    "aspect_ratio": r"sources/aspect_ratio/pipeline\.config: has a keep_aspect_ratio_resizer, .*; use a fixed_shape_",
    "corrupt_picture": r"sources/corrupt_picture/golden/000020\.png: is no picture that can be read",
}
INTERRUPTED = "dropping_server"


def tar(**members):
    """Return a tar archive of ``name=content``, where bytes are a file's content and text is a link's target."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if info.size else None)
    return buffer.getvalue()


def member(name):
    """Return the content of a file in the starter's archive."""
    with tarfile.open(ARCHIVE) as archive:
        return archive.extractfile(f"{STARTER}/{name}").read()


class Catalogue:
    """Cards like the starter's, whose files come from a server on the loopback interface."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server

    def file(self, model, name, answer, data=None, **more):
        """Serve a file and return its entry in the card; ``data`` is what the digest is of, where it is not served."""
        self.server[f"{model}/{name}"] = answer
        data = data if data is not None else answer
        url = f"{self.server.url}/{model}/{name}"
        return {"name": name, "urls": [url], "sha256": hashlib.sha256(data).hexdigest(), **more}

    def archive(self, model, answer, data=None, **more):
        """Return the entry of an archive that is unpacked."""
        return self.file(model, "model.tar.gz", answer, data, unpack={"strip": 1}, **more)

    def without(self, model, name, data):
        """Return the entries of the starter's checkpoint with another file in place of one of its own."""
        return [self.file(model, each, data if each == name else member(each)) for each in CHECKPOINT]

    def add(self, model, *files, golden=()):
        """Write the card of a model."""
        card = {**CARD, "golden": list(golden), "source": {**CARD["source"], "files": list(files)}}
        (self.folder / f"{model}.yaml").write_text(yaml.safe_dump(card))


def add_all(catalogue):
    """Add a card for every bad input."""
    whole = ARCHIVE.read_bytes()
    never_whole = bytes(2 * MIB)  # all models share one cache, so each has an archive of its own
    cut_off = Answer(never_whole, drop_after=100_000, ranges=False)
    catalogue.add("truncated_download", catalogue.archive("truncated_download", cut_off, never_whole))
    catalogue.add("wrong_digest", {**catalogue.archive("wrong_digest", whole), "sha256": "0" * 64})
    catalogue.add("html_page", catalogue.archive("html_page", PAGE, never_whole))
    for model, data in {
        "escaping_archive": tar(**{"x/good": b"good", "x/../../escaped": b"bad"}),
        "escaping_link": tar(**{"x/good": b"good", "x/link": "../../escaped"}),
    }.items():
        catalogue.add(model, catalogue.archive(model, data))
    meta, config = member("model.ckpt.meta"), member("pipeline.config")
    edited = {
        "lacking_variable": ("model.ckpt.meta", meta.replace(VARIABLE, VARIABLE[:-1] + b"_")),
        "faster_rcnn": ("pipeline.config", b"model { faster_rcnn { num_classes: 3 } }\n"),
        "aspect_ratio": ("pipeline.config", config.replace(b"fixed_shape_resizer", b"keep_aspect_ratio_resizer")),
    }
    for model, (name, data) in edited.items():
        catalogue.add(model, *catalogue.without(model, name, data))
    picture = (ARCHIVE.parent / "golden/000020.png").read_bytes()
    broken = catalogue.file("corrupt_picture", "golden/000020.png", picture[: len(picture) // 2])
    catalogue.add("corrupt_picture", catalogue.archive("corrupt_picture", whole), broken, golden=[broken["name"]])
    plain = tar(**{f"x/{name}": member(name) for name in CHECKPOINT})
    catalogue.add(INTERRUPTED, catalogue.archive(INTERRUPTED, Answer(plain, drop_after=MIB), plain))


@pytest.fixture(scope="module")
def bad_run(tmp_path_factory):
    """One run of all bad inputs and a good one behind a bad server: the run, its process and the server."""
    copy = tmp_path_factory.mktemp("bad") / "clone"
    (copy / "models").mkdir(parents=True)
    for name in ("Snakefile", "config.yaml", "artifacts.lock", "envs", "rules", "scripts", "starter", "datasets"):
        (copy / name).symlink_to(REPOSITORY / name)
    (copy / f"models/{STARTER}.yaml").symlink_to(REPOSITORY / f"models/{STARTER}.yaml")
    run = Workflow(copy.parent / "run")
    with Server() as server:
        add_all(Catalogue(copy / "models", server))
        targets = [f"build/{model}/detect_cut/graph.pb" for model in (*FETCH, *EXPORT, INTERRUPTED)]
        command = run.command(*targets)
        command[command.index("--snakefile") + 1] = str(copy / "Snakefile")
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = subprocess.run(command, cwd=run.folder, text=True, **pipe)
        yield run, process, server


def error_lines(process):
    """Return the lines of all errors, in the order in which they come."""
    return [line for line in process.stdout.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize("model", [*FETCH, *EXPORT])
def test_a_bad_input_is_one_line_with_model_file_and_remedy(bad_run, model):
    _, process, _ = bad_run
    lines = {line for line in error_lines(process) if line.startswith(f"error: {model}: ")}
    assert len(lines) == 1, process.stdout
    assert re.match(f"error: {model}: {(FETCH | EXPORT)[model]}", lines.pop())


def test_the_run_fails_and_ends_with_the_errors_once_each(bad_run):
    _, process, _ = bad_run
    assert process.returncode != 0
    last = error_lines(process)[-len(FETCH | EXPORT) :]
    assert sorted(line.split(": ")[1] for line in last) == sorted(FETCH | EXPORT)
    assert "\n".join(last) in process.stdout


def test_no_bad_input_gives_a_traceback(bad_run):
    _, process, _ = bad_run
    assert "Traceback" not in process.stdout


@pytest.mark.parametrize("model", [*FETCH, *EXPORT])
def test_a_bad_input_leaves_nothing_that_looks_finished(bad_run, model):
    run, _, _ = bad_run
    for folder in ("build", "results"):
        assert not [path for path in run.file(f"{folder}/{model}").rglob("*") if path.is_file()]
    assert run.file(f"sources/{model}").exists() == (model in EXPORT)
    assert not run.file(f"sources/.{model}.tmp").exists()


def test_an_archive_writes_nothing_outside_its_folder(bad_run):
    run, _, _ = bad_run
    assert not list(run.folder.parent.rglob("escaped"))


def test_a_server_that_drops_at_every_megabyte_is_resumed_beside_the_failures(bad_run):
    run, _, server = bad_run
    ranges = [request.range for request in server.requests if request.path.startswith(f"/{INTERRUPTED}/")]
    assert ranges == [None, f"bytes={MIB}-", f"bytes={2 * MIB}-"]
    assert run.file(f"build/{INTERRUPTED}/detect_cut/graph.pb").exists()
