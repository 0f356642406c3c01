"""Reading .cfg files."""

import pytest

from zoomill.errors import UserError
from zoomill.inspect import darknet_cfg


def read(tmp_path, text):
    """Write and read a .cfg file."""
    path = tmp_path / "model.cfg"
    path.write_text(text)
    return darknet_cfg.read(path)


def refusal(tmp_path, text):
    """Return the message with which a .cfg file is refused."""
    with pytest.raises(UserError) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def section(tmp_path, text):
    """Return the one layer of a .cfg file."""
    _, (found,) = read(tmp_path, f"[net]\n[layer]\n{text}\n")
    return found


def test_comments_blank_lines_and_all_blanks_count_nowhere(tmp_path):
    net, (layer,) = read(
        tmp_path, "# first\n\n [net] \r\n w i d t h = 3 2\n; an old comment\n[yolo]\n mask\t= 0, 1 ,2  # these three\n"
    )
    assert net.options == {"width": "32"}
    assert (layer.kind, layer.line, layer.options) == ("yolo", 6, {"mask": "0,1,2"})


def test_of_a_repeated_key_the_first_counts(tmp_path):
    assert section(tmp_path, "size=3\nsize=5").integer("size") == 3


def test_a_repeated_section_is_another_layer(tmp_path):
    _, layers = read(tmp_path, "[net]\n[dropout]\n[dropout]\n")
    assert [layer.line for layer in layers] == [2, 3]


def test_unknown_options_are_left_alone(tmp_path):
    assert section(tmp_path, "jitter=.3\nnever_heard_of=1").options["never_heard_of"] == "1"


def test_a_byte_order_mark_and_foreign_letters_in_comments_do_no_harm(tmp_path):
    (tmp_path / "model.cfg").write_bytes(b"\xef\xbb\xbf[net]\n# caf\xe9\nwidth=8\n")
    net, _ = darknet_cfg.read(tmp_path / "model.cfg")
    assert net.integer("width") == 8


@pytest.mark.parametrize("text", ["", "# nothing\n", "[convolutional]\nfilters=1\n[net]\nwidth=8\n"])
def test_a_file_that_does_not_begin_with_net_is_refused(tmp_path, text):
    assert "does not begin with a [net] section" in refusal(tmp_path, text)


@pytest.mark.parametrize("text, line", [("width=8\n[net]\n", 1), ("[net]\nwidth 8\n", 2)])
def test_a_line_that_is_no_option_of_a_section_is_refused_with_its_number(tmp_path, text, line):
    assert f"model.cfg: line {line}: " in refusal(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"model\.cfg: cannot be read: No such file"):
        darknet_cfg.read(tmp_path / "model.cfg")


def test_numbers_and_lists_are_read(tmp_path):
    found = section(tmp_path, "a=-3\nb=.5\nc=1,-2,\nd=1.5,2")
    assert found.integer("a", least=-3) == -3 and found.real("b", 1) == 0.5
    assert found.integers("c") == [1, -2] and found.reals("d") == [1.5, 2.0]
    assert found.integer("missing", 7) == 7 and found.integers("missing", [1]) == [1]


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda found: found.integer("text"), "text=abc is not made of integers"),
        (lambda found: found.integer("negative"), "negative=-1 is not one integer from 0 on"),
        (lambda found: found.integer("list"), "list=1,2 is not one integer from 0 on"),
        (lambda found: found.integer("missing", 0, least=1), "missing=0 is not one integer from 1 on"),
        (lambda found: found.integer("missing"), "needs missing="),
        (lambda found: found.real("list", 1), "list=1,2 is not one number"),
        (lambda found: found.reals("text"), "text=abc is not made of numbers"),
        (lambda found: found.expect(negative=0), "negative=-1 is not supported, only negative=0"),
    ],
)
def test_a_wrong_value_is_refused_with_its_section_and_line(tmp_path, ask, message):
    found = section(tmp_path, "text=abc\nnegative=-1\nlist=1,2")
    with pytest.raises(UserError) as caught:
        ask(found)
    assert str(caught.value) == f"{tmp_path}/model.cfg: line 2: [layer] {message}"


@pytest.mark.parametrize("value", ["1" + "0" * 20, "1e20", "9" * 5000, "-" + "9" * 20])
def test_a_number_that_no_network_has_is_refused(tmp_path, value):
    found = section(tmp_path, f"width={value}")
    with pytest.raises(UserError, match=r"line 2: \[layer\] width=-?[\de]{4,60} is not made of integers$"):
        found.integer("width")


@pytest.mark.parametrize("value", ["nan", "inf", "1e999"])
def test_a_number_that_is_none_is_refused(tmp_path, value):
    with pytest.raises(UserError, match=f"scale={value} is not made of numbers"):
        section(tmp_path, f"scale={value}").real("scale", 1)


def test_more_layers_than_any_network_has_are_refused(tmp_path):
    assert "has 10001 sections" in refusal(tmp_path, "[net]\n" + "[dropout]\n" * 10_000)
