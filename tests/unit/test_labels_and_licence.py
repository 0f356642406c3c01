"""Labels and licences that lie beside a model."""

import pytest

from zoomill.plan import labels_and_licence


@pytest.mark.parametrize(
    "file, content, labels, offset",
    [
        ("labels.txt", "a\nb\nc", ["a", "b", "c"], 0),
        ("labelmap.txt", "???\na\nb", ["a", "b"], -1),
        ("labels.txt", "background\na\nb\nc", ["a", "b", "c"], 0),
        ("my_labels.txt", "0 a\n1 b c\n2 d", ["a", "b c", "d"], 0),
        ("classes.json", '["a", "b", "c"]', ["a", "b", "c"], 0),
        ("classes.json", '{"0": ["n1", "a"], "1": ["n2", "b"], "2": ["n3", "c"]}', ["a", "b", "c"], 0),
        ("labels.txt", "a\nb", None, 0),
        ("labels.json", '{"a": 1', None, 0),
        ("notes.txt", "a\nb\nc", None, 0),
    ],
)
def test_labels_beside_a_model_are_taken_if_their_number_fits(tmp_path, file, content, labels, offset):
    (tmp_path / file).write_text(content)
    assert labels_and_licence.labels(tmp_path, {3})[1:] == (labels, offset)


@pytest.mark.parametrize(
    "text, found",
    [
        ("                Apache License\n          Version 2.0, January 2004\n", "Apache-2.0"),
        ("Permission is hereby granted, free of charge, to any person obtaining a copy\nof this software", "MIT"),
        ("Redistribution and use in source and binary forms, with\n …\n Neither the name of X", "BSD-3-Clause"),
        ("Redistribution and use in source and binary forms, with", "BSD-2-Clause"),
        ("All rights reserved.", None),
    ],
)
def test_a_licence_is_told_from_its_text(tmp_path, text, found):
    assert labels_and_licence.licence(tmp_path) == (None, None)
    (tmp_path / "LICENSE.txt").write_text(text)
    assert labels_and_licence.licence(tmp_path) == ("LICENSE.txt", found)
