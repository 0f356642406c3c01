"""Reading class names from files."""

import pytest

from zoomill import label_files
from zoomill.errors import UserError

LABEL_MAP = """# a map
item { id: 3  name: 'dog' }
item {
  name: "/m/01g317"
  id: 1
  display_name: "per\\"son {"
  keypoints { id: 7 label: "nose" }
}
"""


@pytest.mark.parametrize(
    "name, data, labels",
    [
        ("coco.names", b"ant\nbig bee\n", ["ant", "big bee"]),
        ("labels.txt", b"\xef\xbb\xbfant\r\nbee\r\n\r\n", ["ant", "bee"]),
        ("labels.txt", b"ant\rbee", ["ant", "bee"]),
        ("labels.txt", b"0 ant\n1 bee", ["ant", "bee"]),
        ("labels.txt", b"1 ant\n2 bee", ["1 ant", "2 bee"]),
        ("labels.txt", "größe\n".encode(), ["größe"]),
        ("map.pbtxt", LABEL_MAP.encode(), ['per"son {', "???", "dog"]),
        ("map.PBTXT", b"\xef\xbb\xbfitem {\r\n  id: 0\r\n name: 'none'}\r\nitem {id:1 name:'ant'}", ["ant"]),
        ("labels.json", b'["ant", "bee"]', ["ant", "bee"]),
        ("labels.json", b'{"1": "bee", "0": ["n01", "ant"]}', ["ant", "bee"]),
    ],
)
def test_a_file_of_any_form_and_line_ends_gives_its_labels(name, data, labels):
    assert label_files.parse(data, name) == labels


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.names", b""),
        ("a.txt", b"\xff\xfe\x00"),
        ("a.txt", b"ant\x1b[31m"),
        ("a.txt", b"a" * ((1 << 20) + 1)),
        ("a.txt", b"a\n" * 100_001),
        ("a.pbtxt", b"item { id: 1 }"),
        ("a.pbtxt", b"item { id: 2000000000 name: 'a' }"),
        ("a.pbtxt", b"item { id: x name: 'a' }"),
        ("a.pbtxt", b"}}} id: 1"),
        ("a.json", b'{"0": "a", "2": "b"}'),
        ("a.json", b"[" * 100_000),
        ("a.json", b'["a", 1]'),
    ],
)
def test_what_holds_no_labels_is_refused_in_one_line_with_its_name(name, data):
    with pytest.raises(UserError, match=rf"^{name}: holds no labels that can be read: ") as caught:
        label_files.parse(data, name)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_card_may_name_a_file_of_its_source_in_place_of_a_list(tmp_path):
    (tmp_path / "a.txt").write_text("background\nant\nbee")
    assert label_files.of_card({"labels": ["x"], "label_offset": 2}, tmp_path) == {"labels": ["x"], "label_offset": 2}
    assert label_files.of_card({"labels": "a.txt", "label_offset": 0}, tmp_path) == {
        "labels": ["ant", "bee"],
        "label_offset": -1,
    }
    assert label_files.of_card({"labels": "a.txt", "label_offset": 5}, tmp_path)["label_offset"] == 5
    with pytest.raises(UserError, match=r"b\.txt: cannot be read: No such file.*; `labels` names a file of the source"):
        label_files.of_card({"labels": "b.txt", "label_offset": 0}, tmp_path)
