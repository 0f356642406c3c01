"""Models that the original tools and zoomill both exported and converted, once for all tests."""

import functools
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import types
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, missing
from PIL import Image
from rows import flag

import finish_toco
from faithful.models import Model
from faithful.processes import HERE, SCRIPTS, run

STARTER = REPOSITORY / "starter/ssd_mobilenet_v1_shapes"


@pytest.fixture(scope="session")
def workshop():
    """A folder that is gone after the tests: their files take most of a gigabyte."""
    with tempfile.TemporaryDirectory(prefix="zoomill-faithful-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def original_python(workshop):
    """Return a function from ``tf1`` or ``tf115`` to its Python; Snakemake builds it where the workflow's own are."""
    prefix = os.environ.get("SNAKEMAKE_CONDA_PREFIX", "~/.cache/zoomill/envs")
    path = os.get_exec_path() if shutil.which("conda") else [str(REPOSITORY / "envs/uv/bin"), *os.get_exec_path()]
    environment = {**os.environ, "PATH": os.pathsep.join(path), "ZOOMILL_PYTHON": sys.executable}

    @functools.cache
    def python(name):
        command = [sys.executable, "-m", "snakemake", "--snakefile", HERE / "environments.smk", f"{name}.txt", "-c1"]
        command += ["--software-deployment-method", "conda", "--conda-prefix", Path(prefix).expanduser()]
        built = subprocess.run(command, cwd=workshop, env=environment, text=True, capture_output=True)
        if built.returncode:
            lines = built.stderr.splitlines()
            reason = next((line for line in lines if line.startswith("error: ")), lines[-1])
            missing(f"the environment {name} cannot be built: {reason}")
        return (workshop / f"{name}.txt").read_text().strip()

    return python


@pytest.fixture(scope="session")
def exported(workshop, original_python, environment_python):
    """Return a function that makes a :class:`Model` complete."""

    def export(name, source, images, original):
        model = Model(source, images, workshop / name)
        model.export_originally(original_python(original))
        model.export_and_convert(environment_python("tf2"))
        return model

    return export


@pytest.fixture(scope="session")
def shapes_source(workshop):
    """Folder with the starter SSD, a checkpoint of TensorFlow 1.15."""
    with tarfile.open(STARTER / f"{STARTER.name}.tar.gz") as archive:
        archive.extractall(workshop / "sources", filter="data")
    return workshop / "sources" / STARTER.name


@pytest.fixture(scope="session")
def shapes(shapes_source, exported):
    """The starter SSD; exported by TensorFlow 1.13.1."""
    return exported("shapes", shapes_source, sorted(STARTER.glob("golden/*.png")), "tf1")


@pytest.fixture(scope="session")
def fake_quantise(original_python):
    """Return a function that inserts fake-quant nodes, with the ranges that inputs give, into a checkpoint's graph."""

    def insert(source, target, feed, inputs):
        target.parent.mkdir(parents=True)
        np.save(target.parent / "inputs.npy", inputs)
        script, ranges = HERE / "fake_quant_checkpoint.py", target.parent / "inputs.npy"
        run(original_python("tf115"), script, source, target, feed, ranges)

    return insert


@pytest.fixture(scope="session")
def fake_quant_shapes(shapes_source, workshop, fake_quantise, exported):
    """The starter SSD with fake quantisation; exported by TensorFlow 1.15.5."""
    source, images = workshop / "sources/fake_quant_shapes", sorted(STARTER.glob("golden/*.png"))
    pixels = [np.asarray(Image.open(path).convert("RGB").resize((160, 160))) for path in images]
    fake_quantise(shapes_source / "model.ckpt", source / "model.ckpt", "image_tensor:0", np.stack(pixels))
    config = (shapes_source / "pipeline.config").read_text()
    (source / "pipeline.config").write_text(config + "graph_rewriter { quantization { delay: 0 } }")
    return exported("fake_quant_shapes", source, images, "tf115")


@pytest.fixture(scope="session")
def photographs(zoo):
    """Ten pictures of COCO."""
    return sorted(zoo.glob("evaldata_coco_tiny_val2017/val2017/*.jpg"))[:10]


@pytest.fixture(scope="session")
def traffic_signs(zoo, photographs, exported):
    """A genuine SSD-MobileNet v1 0.125 of 256 x 256; exported by TensorFlow 1.15.5, which also trained it."""
    return exported("traffic_signs", zoo / "ssd_mobilenet_v1_0.125_traffic_signs", photographs, "tf115")


@pytest.fixture(scope="session")
def coco(zoo, workshop, photographs, original_python, exported):
    """The 2018 SSD-MobileNet v1 of 300 x 300, genuine but for its weights; exported by TensorFlow 1.13.1."""
    genuine, source = zoo / "ssd_mobilenet_v1_coco_2018_01_28", workshop / "sources/coco"
    source.mkdir(parents=True)
    for name in ("model.ckpt.meta", "pipeline.config"):
        shutil.copy(genuine / name, source)
    run(original_python("tf1"), HERE / "random_checkpoint.py", genuine / "model.ckpt", source / "model.ckpt")
    return exported("coco", source, photographs[:2], "tf1")


@pytest.fixture(scope="session", params=["shapes", "traffic_signs", "coco"])
def model(request):
    """Each model in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def toco(original_python, environment_python):
    """Return a function that runs our command for TOCO on a graph of a model, for a variant.

    It gives the paths of TOCO's file (``raw``) and of the artifact made of it, and the figures of the log
    (``counts``).
    """
    pythons = {"1.13.1": lambda: original_python("tf1"), "2.17.1": lambda: environment_python("toco")}

    @functools.cache
    def convert(release, model, route, graph, variant="toco_float32"):
        path, contract = str(model.folder / route / graph / release / variant), model.contract_path(graph)
        files = types.SimpleNamespace(raw=f"{path}.raw.tflite", artifact=f"{path}.tflite", counts=f"{path}.json")
        flags = ["--graph", model.graph(route, graph), "--contract", contract]
        flags += ["--variant", variant]
        flags += ["--output", files.raw, "--output-log", f"{path}.log", "--output-counts", files.counts]
        run(pythons[release](), SCRIPTS / "run_toco.py", *flags)
        finish = ["--raw", files.raw, "--contract", str(contract), "--variant", flag(variant)]
        finish_toco.main([*finish, "--output", files.artifact])
        return files

    return convert
