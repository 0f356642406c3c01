"""PyTorch files: pickles, TorchScript that touches files or never ends."""

import zipfile

from attacks.attack import attack

CARD = {"inputs": [{"shape": [1, 32]}]}


class Touch:
    """What makes a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return open, (self.marker, "w")


def script(place, code, **values):
    """Save a TorchScript module whose method ``forward(self, x)`` has this code."""
    import torch

    scripted = torch.jit.script(type("Hostile", (torch.nn.Module,), {})())
    lines = code.format(**values).splitlines()
    scripted.define("def forward(self, x: Tensor) -> Tensor:\n" + "".join(f"    {line}\n" for line in lines))
    scripted.save(str(place.source / "m.pt"))


@attack("pytorch", path="m.pt", card=CARD, allow=["aten::save"])
def script_saves_a_file(place):
    script(place, "torch.save(x, '{marker}')\nreturn x * 2", marker=place.marker)


@attack("pytorch", path="m.pt", card=CARD, allow=["aten::from_file"])
def script_reads_a_file(place):
    code = "y = torch.from_file('{secret}', False, 32, dtype=torch.uint8)\nreturn x * 0 + y.to(torch.float32)"
    script(place, code, secret=place.secret)


@attack("pytorch", path="m.pt", card=CARD, allow=["aten::from_file"])
def script_makes_a_file(place):
    code = "y = torch.from_file('{marker}', True, 32, dtype=torch.float32)\nreturn x + y"
    script(place, code, marker=place.marker)


@attack("pytorch", path="m.pt", card=CARD)
def script_loops_without_an_end(place):
    script(place, "y = x\nwhile bool(y.sum() > -1e30):\n    y = y * 0 + 1\nreturn y")


@attack("pytorch", path="m.pt", card=CARD)
def script_asks_for_a_terabyte(place):
    script(place, "return x + torch.ones([500000, 500000]).sum()")


@attack("pytorch", path="m.pt", card=CARD)
def script_that_divides_by_zero(place):
    script(place, "n = x.size(0) - 1\nreturn x * (1 // n)")


@attack("pytorch", path="m.pt", card=CARD)
def module_is_a_pickle(place):
    import torch

    torch.save(Touch(place.marker), place.source / "m.pt")


@attack("pytorch", path="m.pt", card=CARD)
def module_is_a_pickle_of_old(place):
    import torch

    torch.save(Touch(place.marker), place.source / "m.pt", _use_new_zipfile_serialization=False)


def program(place, edit):
    """Write an exported program, each of whose members ``edit(name, content)`` may change."""
    import torch

    plain = place.source / "plain.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(32, 32), (torch.rand(1, 32),)), plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(place.source / "m.pt2", "w") as new:
        for info in old.infolist():
            new.writestr(zipfile.ZipInfo(info.filename), edit(info.filename, old.read(info)))
    plain.unlink()


def pickled(marker):
    """Return what ``torch.save`` makes of an object that runs code when it is loaded."""
    import io

    import torch

    stored = io.BytesIO()
    torch.save(Touch(marker), stored)
    return stored.getvalue()


@attack("pytorch", path="m.pt2", card=CARD)
def program_with_pickled_sample_inputs(place):
    program(place, lambda name, old: pickled(place.marker) if "sample_inputs" in name else old)


@attack("pytorch", path="m.pt2", card=CARD)
def program_with_pickled_weights(place):
    def edit(name, old):
        if name.endswith("weights_config.json"):
            return old.replace(b'"use_pickle": false', b'"use_pickle": true').replace(
                b'"use_pickle":false', b'"use_pickle":true'
            )
        return pickled(place.marker) if "/weight_" in name else old

    program(place, edit)


@attack("pytorch", path="m.pt2", card=CARD)
def program_that_calls_python(place):
    target = f"torch.ops.aten.linear.default.__globals__['open']('{place.marker}','w')"
    program(place, lambda name, old: old.replace(b"torch.ops.aten.linear.default", target.encode()))


@attack("pytorch", path="m.pt2", card=CARD)
def program_with_guards_of_python(place):
    code = f"open({str(place.marker)!r}, 'w')".encode()
    program(place, lambda name, old: old.replace(b'"guards_code": []', b'"guards_code": ["' + code + b'"]'))
