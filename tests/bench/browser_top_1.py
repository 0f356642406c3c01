"""Top-1 of a classifier's TensorFlow.js variants in headless Chromium, on the evaluation samples of its card.

    .venv/bin/python tests/bench/browser_top_1.py --mirror FOLDER --work FOLDER [--model MODEL] [--backends wasm webgl]

builds what is missing in the work folder and prints a Markdown table: variant, bytes, share of float32's, and top-1 on
each backend. The inputs are made by the environment `evaluate`, the page is driven by the environment `web`.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "scripts"), str(REPOSITORY / "tests")]

import environments  # noqa: E402

from zoomill import files, folders, tables  # noqa: E402
from zoomill.inputs import sample_inputs, samples  # noqa: E402
from zoomill.tfjs import browser, tfjs_runtime  # noqa: E402

VARIANTS = ("float32", "float16", "uint16", "uint8", "planned")
# Pictures in one request to the page.
PART = 16


def main():
    """Build, run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", default="mobilenet_v1_025_224")
    parser.add_argument("--backends", nargs="+", default=["wasm"], help="webgl takes minutes without a graphics card")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    snakemake = [Path(sys.executable).with_name("snakemake"), "-j2", "--snakefile", REPOSITORY / "Snakefile"]
    snakemake += ["--directory", args.work, "--configfile", REPOSITORY / "config.yaml"]
    snakemake += ["--workflow-profile", REPOSITORY / "profiles/default"]
    snakemake += ["--config", f'mirrors=["{args.mirror.resolve()}"]', f"tfjs=[{','.join(VARIANTS)}]"]
    targets = [f"results/{args.model}/main.{variant}.tfjs" for variant in VARIANTS]
    # The page's figures need the packages, the samples and a card's evaluation, which these targets bring.
    targets += [f"results/{args.model}/main.float32.tfjs.metric.json", f"results/{args.model}/browser.json"]
    subprocess.run([*snakemake, "--", *targets], cwd=args.work, stdout=sys.stderr, check=True)
    with tempfile.TemporaryDirectory() as folder:
        for stage in ("inputs", "outputs"):
            python = environments.python_of({"inputs": "evaluate", "outputs": "web"}[stage])
            subprocess.run(
                [python, __file__, stage, args.work, args.model, Path(folder, "inputs.npz"), *args.backends], check=True
            )


def inputs(work, model, path, *_):
    """Write the inputs of all samples and their classes."""
    from zoomill.yaml_file import load_yaml

    card = load_yaml(REPOSITORY / f"models/{model}.yaml")
    dataset = card["evaluation"]["dataset"]
    chosen = sample_inputs.Samples(
        work / f"build/{model}/evaluation.csv",
        work / "sources" / dataset,
        load_yaml(REPOSITORY / f"datasets/{dataset}.yaml")["form"],
        card.get("preprocess", {}),
    )
    contract = files.read_json(work / f"build/{model}/main/contract.json")
    (promise,) = contract["inputs"]
    values = np.stack([value for _, _, own in chosen.inputs(promise) for value in own])
    classes = np.array([int(sample.label) for sample in samples.read_index(chosen.path)])
    np.savez(path, values=values, classes=classes)


def outputs(work, model, path, *backends):
    """Run every variant on every backend and print the table."""
    contract = files.read_json(work / f"build/{model}/main/contract.json")
    (promise,), (output,) = contract["inputs"], contract["outputs"]
    with np.load(path) as stored:
        values, classes = stored["values"], stored["classes"]
    results = work / f"results/{model}"
    rows = [("variant", "bytes", "of float32", *(f"top-1, {backend}" for backend in backends))]
    whole = folders.size(results / "main.float32.tfjs")
    with browser.start({"javascript": work / "build/javascript", "artifacts": results}) as chromium:
        for variant in VARIANTS:
            folder = results / f"main.{variant}.tfjs"
            shares = [
                np.mean(best(chromium, folder, contract, promise, output, values, backend) == classes)
                for backend in backends
            ]
            size = folders.size(folder)
            rows.append((variant, f"{size:,}", f"{size / whole:.1%}", *(f"{share:.3f}" for share in shares)))
    print(tables.markdown(rows))


def best(chromium, folder, contract, promise, output, values, backend):
    """Return the number of the largest output for each input."""
    names, found = tfjs_runtime.signature_tensors(folder, contract, "outputs"), []
    for start in range(0, len(values), PART):
        golden = {promise["tensor"]: values[start : start + PART]}
        request = tfjs_runtime.request(folder, contract, golden) | {"folder": f"/artifacts/{folder.name}/"}
        measured = chromium.call("proveTfjs", {**request, "backend": backend, "runs": 1})
        found += [run[output["name"]].argmax() for run in tfjs_runtime.with_arrays(measured, names)["outputs"]]
    return np.array(found)


if __name__ == "__main__":
    if sys.argv[1] in ("inputs", "outputs"):
        {"inputs": inputs, "outputs": outputs}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
    else:
        main()
