"""Records of who made a file, and what those who read it do with them."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zoomill import files, folders, made
from zoomill.errors import UserError


@pytest.fixture(autouse=True)
def tree(tmp_path, monkeypatch):
    """A download, a source made of it, a graph made of the source, an artifact made of the graph."""
    monkeypatch.chdir(tmp_path)
    Path("sources/.cache").mkdir(parents=True)
    Path("sources/.cache/download").write_bytes(b"packed")
    make("fetch_source", ["sources/.cache/download"], "sources/m", {"model.h5": b"weights", "golden/0.png": b"picture"})
    make("export_keras", ["sources/m/model.h5", "sources/m/golden/0.png"], "build/m/main/graph.pb", b"graph")
    make("convert_tflite", ["build/m/main/graph.pb"], "results/m/main.float32.tflite", b"artifact")


def make(command, read, path, content):
    """Write a file, or a folder of files, as a process of its own does after checking what it reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_read", {})
        patch.setattr(sys, "argv", [f"scripts/{command}.py"])
        for name in read:
            made.checked(name)
        if isinstance(content, bytes):
            files.write_bytes(path, content)
            return
        with folders.written(path) as folder:
            for name, data in content.items():
                Path(folder, name).parent.mkdir(exist_ok=True)
                Path(folder, name).write_bytes(data)


def flip(path):
    """Flip one bit of a file whose times stay as they were."""
    path, times = Path(path), os.stat(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def refusal(path):
    """Return what is said of a path that is not as it was made."""
    with pytest.raises(UserError) as caught:
        made.checked(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def wrong(path="results/m/main.float32.tflite"):
    """Return the lines about a file and all that it was made of."""
    return list(made.Lineage("sources/.cache").wrong(path).values())


def test_a_record_says_who_made_a_file_of_what():
    record = files.read_json("results/m/.made/main.float32.tflite.json")
    assert record["by"] == "convert_tflite" and record["sha256"] == files.digest("results/m/main.float32.tflite")
    assert record["read"] == {"../../build/m/main/graph.pb": files.digest("build/m/main/graph.pb")}
    assert record["cpu"] == made.cpu()


def test_a_record_of_a_folder_lists_its_files_and_a_file_inside_is_read_as_the_folder():
    record = files.read_json("sources/.made/m.json")
    assert record["files"] == {name: files.digest(f"sources/m/{name}") for name in ("golden/0.png", "model.h5")}
    assert record["sha256"] == folders.digest("sources/m")
    assert files.read_json("build/m/main/.made/graph.pb.json")["read"] == {"../../../sources/m": record["sha256"]}


def test_what_is_as_it_was_made_is_accepted_and_given_back():
    for path in ("sources/m/model.h5", "sources/m", "build/m/main/graph.pb", "results/m/main.float32.tflite"):
        assert made.checked(path) == path
    assert wrong() == []


def test_a_moved_folder_stays_valid(tmp_path, monkeypatch):
    shutil.move(tmp_path, f"{tmp_path}.moved")
    monkeypatch.chdir(f"{tmp_path}.moved")
    made.checked("results/m/main.float32.tflite")
    assert wrong() == []


def test_a_flipped_bit_in_a_file_is_refused_by_name_with_what_to_do():
    flip("build/m/main/graph.pb")
    assert refusal("build/m/main/graph.pb") == (
        "build/m/main/graph.pb: was changed after export_keras made it; "
        "restore it by `snakemake -j1 --force build/m/main/graph.pb`"
    )


@pytest.mark.parametrize("read", ["sources/m", "sources/m/golden/0.png", "sources/m/no_such_prefix"])
def test_a_flipped_bit_anywhere_in_a_folder_is_refused_whichever_of_its_files_is_read(read):
    flip("sources/m/model.h5")
    assert refusal(read) == (
        "sources/m/model.h5: was changed after fetch_source made it; restore it by `snakemake -j1 --force sources/m`"
    )


def test_a_file_more_or_less_in_a_folder_is_refused():
    Path("sources/m/extra").touch()
    assert refusal("sources/m/model.h5").startswith("sources/m/extra: was changed after fetch_source")
    Path("sources/m/model.h5").unlink()
    assert refusal("sources/m").startswith("sources/m/extra: was changed, as were 1 more files, after fetch_source")


def test_a_file_that_is_gone_is_refused():
    Path("build/m/main/graph.pb").unlink()
    assert refusal("build/m/main/graph.pb").startswith("build/m/main/graph.pb: was removed after export_keras made it")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sha256": "0"}', "\xff"])
def test_a_damaged_record_is_refused(text):
    Path("build/m/main/.made/graph.pb.json").write_bytes(text.encode("latin-1"))
    assert refusal("build/m/main/graph.pb").startswith("build/m/main/.made/graph.pb.json: is damaged, so nobody knows")


def test_a_strangers_file_is_accepted_and_noted():
    Path("own.h5").write_bytes(b"own")
    make("export_keras", ["own.h5", "no/such/file"], "out/graph.pb", b"graph")
    assert files.read_json("out/.made/graph.pb.json")["read"] == {"../own.h5": files.digest("own.h5")}


def test_a_refusal_goes_through_the_parser_of_a_command_as_one_line(command):
    flip("build/m/main/graph.pb")
    flags = ["--graph", "build/m/main/graph.pb", "--contract", "c.json", "--output", "out.tflite"]
    process = command(sys.executable, "convert_openvino", *flags)
    assert process.returncode == 1 and process.stderr.startswith("error: build/m/main/graph.pb: was changed after")
    assert len(process.stderr.splitlines()) == 1


def test_what_a_process_wrote_itself_is_read_anew():
    made.checked("build/m/main/graph.pb")
    files.write_bytes("build/m/main/graph.pb", b"other")
    made.checked("build/m/main/graph.pb")
    files.write_bytes("out", b"")
    assert files.read_json(".made/out.json")["read"]["build/m/main/graph.pb"] == files.digest("build/m/main/graph.pb")


KILLED = """
import os, signal, sys
from zoomill import files, folders
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
os.replace = (lambda old, new, then=os.replace: kill() if new == sys.argv[1] else then(old, new))
os.rename = (lambda old, new, then=os.rename: kill() if new == sys.argv[1] else then(old, new))
if os.path.isdir(sys.argv[1]):
    with folders.written(sys.argv[1]) as folder:
        open(folder + "/model.h5", "wb").write(b"other")
files.write_bytes(sys.argv[1], b"other")
"""


@pytest.mark.parametrize("path", ["build/m/main/graph.pb", "sources/m"])
def test_a_process_that_is_killed_before_the_last_step_leaves_nothing_that_is_believed(path):
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(files.__file__))}
    process = subprocess.run([sys.executable, "-c", KILLED, path], env=environment)
    assert process.returncode == -signal.SIGKILL
    assert f"restore it by `snakemake -j1 --force {path}`" in refusal(path)


def test_a_data_set_that_was_read_in_part_stands_behind_what_was_made_of_it():
    make("generate_dataset", [], "sources/digits", {"0.npy": b"zero", "1.npy": b"one"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "_read", {})
        made.part_of("sources/digits")
        files.write_bytes("results/m/main.calibration.json", b"{}")
    assert wrong("results/m/main.calibration.json") == []
    flip("sources/digits/1.npy")
    (line,) = wrong("results/m/main.calibration.json")
    assert line.startswith("sources/digits/1.npy: was changed after generate_dataset made it; restore it by ")


def test_a_member_of_a_data_set_is_checked_alone():
    flip("sources/m/model.h5")
    made.check_member("sources/m", "golden/0.png")
    flip("sources/m/golden/0.png")
    with pytest.raises(UserError, match="sources/m/golden/0.png: was changed .* --force sources/m`"):
        made.check_member("sources/m", "golden/0.png")


@pytest.mark.parametrize(
    "path, restored",
    [
        ("results/m/main.float32.tflite", "results/m/main.float32.tflite"),
        ("build/m/main/graph.pb", "build/m/main/graph.pb"),
        ("sources/m/model.h5", "sources/m"),
        ("sources/.cache/download", "sources/m"),
    ],
)
def test_a_flipped_bit_anywhere_behind_an_artifact_is_named(path, restored):
    flip(path)
    (line,) = wrong()
    assert line.startswith(f"{path}: was changed after ")
    assert line.endswith(f"; restore it by `snakemake -j1 --force {restored}`")


def test_an_artifact_of_another_graph_than_stands_there_is_named():
    make("export_keras", ["sources/m"], "build/m/main/graph.pb", b"another graph")
    (line,) = wrong()
    assert line.startswith("results/m/main.float32.tflite: was made from another build/m/main/graph.pb; restore it by")


def test_a_graph_without_a_record_is_named():
    Path("build/m/main/.made/graph.pb.json").unlink()
    (line,) = wrong()
    assert line.startswith("build/m/main/graph.pb: has no record of who made it; restore it by")


def test_an_emptied_cache_is_nothing_wrong():
    shutil.rmtree("sources/.cache")
    lineage = made.Lineage("sources/.cache")
    assert lineage.wrong("results/m/main.float32.tflite") == {}
    assert list(lineage.downloads) == ["sources/.cache/download"]


def test_a_strangers_file_has_the_parts_beside_it_and_a_folder_nothing_more(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.json").write_text("{}")
    made.checked(str(tmp_path / "model"))
    assert str(tmp_path) not in made.places()[0]
    made.checked(str(tmp_path / "model/model.json"))
    assert made.places()[0].count(str(tmp_path / "model")) == 2
