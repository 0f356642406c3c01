"""What of PyTorch's files is loaded, and what is refused because it would run code."""

import json
import zipfile

import pytest
from conftest import REPOSITORY

from zoomill.errors import UserError
from zoomill.inspect import pytorch_archive

PROGRAM, SCRIPT = (REPOSITORY / f"starter/digits_pytorch/digits.{end}" for end in ("pt2", "pt"))


def harmless(path):
    """Return the members of what PyTorch gets to load."""
    with zipfile.ZipFile(pytorch_archive.Archive(path).harmless()) as archive:
        return {name.removeprefix("archive/"): archive.read(name) for name in archive.namelist()}


def refusal(path):
    """Return why a file is refused."""
    with pytest.raises(UserError) as caught:
        harmless(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and "\n" not in message
    return message


@pytest.fixture
def changed(tmp_path):
    """Return a function that copies an archive with another content of one member."""

    def copy(path, member, change):
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / path.name, "w") as target:
            for name in source.namelist():
                content = source.read(name)
                target.writestr(name, change(content) if name.partition("/")[2] == member else content)
        return tmp_path / path.name

    return copy


@pytest.fixture
def edited(changed):
    """Return a function that copies the program after ``edit`` has changed the JSON of a member in place."""

    def copy(edit, member=pytorch_archive.MODEL):
        def change(content):
            document = json.loads(content)
            edit(document)
            return json.dumps(document).encode()

        return changed(PROGRAM, member, change)

    return copy


def graph(document):
    return document["graph_module"]["graph"]


def test_kinds_are_told_by_their_members():
    assert pytorch_archive.Archive(PROGRAM).kind == "pytorch_program"
    assert pytorch_archive.Archive(SCRIPT).kind == "torchscript"


def test_a_program_loses_everything_that_is_pickled_or_compiled(edited):
    def decorate(document):
        document["guards_code"] = ["__import__('os').system('true')"]
        graph(document)["nodes"][0]["metadata"]["stack_trace"] = "a\nb"

    before, after = harmless(PROGRAM), harmless(edited(decorate))
    assert after == before
    assert after[pytorch_archive.SAMPLE_INPUTS] == b""
    assert [name for name in after if name.endswith((".pt", ".so", ".pkl"))] == [pytorch_archive.SAMPLE_INPUTS]


@pytest.mark.parametrize(
    "edit, words",
    [
        (lambda d: graph(d)["nodes"][0].update(target="torch.ops.aten.from_file.default"), "calls torch.ops.aten.from"),
        (lambda d: graph(d)["nodes"][0].update(target="torch.os.system"), "calls 'torch.os.system'"),
        (lambda d: graph(d)["nodes"][0].update(target="#other:thing"), "calls '#other:thing'"),
        (lambda d: graph(d)["nodes"][0].update(name="x=exit()"), "has the name 'x=exit()'"),
        (lambda d: graph(d)["tensor_values"].update({"a\rb": {}}), r"has the name 'a\rb'"),
        (lambda d: graph(d)["sym_int_values"].update(s={"as_expr": {"expr_str": "exit()"}}), "has a size 'exit()'"),
        (
            lambda d: d["graph_module"]["module_call_graph"][0]["signature"].update(
                in_spec='[1, {"type": "os.system", "context": "null", "children_spec": []}]'
            ),
            "takes or returns a os.system, which PyTorch would import",
        ),
        (
            lambda d: d["graph_module"]["module_call_graph"][0]["signature"].update(
                out_spec='[1, {"type": "builtins.dict", "context": "[{\\"__enum__\\": true}]", "children_spec": []}]'
            ),
            "has an interface with keys",
        ),
    ],
)
def test_what_would_run_code_is_refused(edited, edit, words):
    assert words in refusal(edited(edit))


@pytest.mark.parametrize("change", [{"use_pickle": True}, {"path_name": "../../secret"}, {"path_name": "opaque_0"}])
def test_weights_that_are_no_plain_numbers_are_refused(edited, change):
    path = edited(lambda d: next(iter(d["config"].values())).update(change), pytorch_archive.WEIGHTS_CONFIG)
    assert "as a pickled Python object; refused" in refusal(path)


def test_sizes_that_torch_writes_are_kept(edited):
    size = "Add(Mul(Integer(2), Symbol('s7', positive=True, integer=True)), Integer(-1))"
    values = {"sum": {"as_expr": {"expr_str": size, "hint": {"as_int": 3}}}}
    assert size.encode() in harmless(edited(lambda d: graph(d)["sym_int_values"].update(values)))[pytorch_archive.MODEL]


@pytest.mark.parametrize("call", ["torch.save(x, 'f')", "ops.aten.from_file('f', True, 9)"])
def test_torchscript_that_touches_files_is_refused(changed, call):
    path = changed(SCRIPT, "code/__torch__.py", lambda code: code + call.encode())
    assert "touches files; refused" in refusal(path)


def test_torchscript_loses_its_debug_information(tmp_path):
    members = {**harmless(SCRIPT), "code/__torch__.py.debug_pkl": b"x"}
    path = tmp_path / "debug.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"debug/{name}", content)
    assert harmless(path) == harmless(SCRIPT)


@pytest.mark.parametrize(
    "members, words",
    [
        (["data.pkl", "data/0", "version"], "holds pickled Python objects, which are not loaded; save "),
        (["serialized_exported_program.json", "version"], "is an exported program of PyTorch 2.7 or older"),
        (["readme.txt"], "is a zip file, but neither an exported program nor TorchScript"),
    ],
)
def test_other_archives_are_refused_with_what_to_do(tmp_path, members, words):
    path = tmp_path / "other.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in members:
            archive.writestr(f"other/{name}", b"")
    assert words in refusal(path)


@pytest.mark.parametrize(
    "content, words",
    [
        (PROGRAM.read_bytes()[:-50], "is truncated"),
        (b"\x80\x02\x8a\nl\xfc", "holds pickled Python objects"),
        (b"", "is truncated"),
    ],
    ids=["truncated", "old pickle", "empty"],
)
def test_what_is_no_archive_is_refused(tmp_path, content, words):
    path = tmp_path / "model.pt2"
    path.write_bytes(content)
    assert words in refusal(path)


def test_a_truncated_program_is_not_taken_for_the_archive_inside_it(tmp_path):
    inner, outer = tmp_path / "inner.pt", tmp_path / "outer.pt2"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("inner/data.pkl", b"")
    with zipfile.ZipFile(outer, "w") as archive:
        archive.write(inner, "outer/data/sample_inputs/model.pt")
        end = archive.start_dir
    outer.write_bytes(outer.read_bytes()[: end + 20])
    assert "is truncated" in refusal(outer)


@pytest.mark.parametrize("place", [0.2, 0.4, 0.6])
def test_a_changed_byte_is_found(tmp_path, place):
    data = bytearray(PROGRAM.read_bytes())
    data[int(place * len(data))] ^= 0xFF
    path = tmp_path / "model.pt2"
    path.write_bytes(data)
    assert "is damaged" in refusal(path)
