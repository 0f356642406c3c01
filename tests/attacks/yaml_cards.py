"""Cards: YAML that never ends or is no card, and names that are no names."""

from attacks.attack import attack

CARD = """\
title: A card
task: image-classification
training_set: none
licence: Apache-2.0
source:
  kind: onnx
  path: m.onnx
  files:
    - name: m.onnx
      urls: [m.onnx]
      sha256: {digest}
inputs: []
outputs: []
"""
GOOD = CARD.format(digest="a" * 64)


@attack("card", file="hostile.yaml")
def bomb_of_aliases(place):
    lists = ["&a0 [x,x,x,x,x,x,x,x,x,x]"]
    lists += [f"&a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (place.source / "hostile.yaml").write_text(GOOD.replace("A card", f"[{', '.join(lists)}]"))


@attack("card", file="hostile.yaml")
def nested_100000_deep(place):
    (place.source / "hostile.yaml").write_text("title: " + "[" * 100_000 + "]" * 100_000)


@attack("card", file="hostile.yaml")
def key_that_is_a_number(place):
    (place.source / "hostile.yaml").write_text(GOOD + "1: x\n")


@attack("card", file="hostile.yaml")
def key_that_is_null(place):
    (place.source / "hostile.yaml").write_text(GOOD + "~: x\n")


@attack("card", file="hostile.yaml")
def key_that_is_a_list(place):
    (place.source / "hostile.yaml").write_text(GOOD + "? [a, b]\n: x\n")


@attack("card", file="hostile.yaml")
def number_of_5000_digits(place):
    (place.source / "hostile.yaml").write_text(GOOD + "label_offset: " + "9" * 5000 + "\n")


@attack("card", file="hostile.yaml")
def key_given_twice(place):
    (place.source / "hostile.yaml").write_text(GOOD + "title: Another\n")


@attack("card", file="hostile.yaml")
def object_of_python(place):
    text = GOOD.replace("A card", f"!!python/object/apply:os.mkdir ['{place.marker}']")
    (place.source / "hostile.yaml").write_text(text)


@attack("card", file="hostile.yaml")
def alias_of_itself(place):
    (place.source / "hostile.yaml").write_text(GOOD + "labels: &a [*a]\n")


@attack("card", file=".cache.yaml")
def name_of_the_cache(place):
    (place.source / ".cache.yaml").write_text(GOOD)


@attack("card", file="-x.yaml")
def name_of_a_flag(place):
    (place.source / "-x.yaml").write_text(GOOD)


@attack("card", file="a b.yaml")
def name_with_a_space(place):
    (place.source / "a b.yaml").write_text(GOOD)


@attack("card", file="(.yaml")
def name_of_a_bracket(place):
    (place.source / "(.yaml").write_text(GOOD)
