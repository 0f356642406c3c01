"""How often intervals hold the truth, and how often files that are alike are told apart, where the truth is known.

Run from the repository, in the environment `evaluate`: python tests/bench/coverage.py

Without `--run`, samples are drawn from distributions. With it, the rows that a finished run has of a file, of two for
comparisons, are the truth, and samples are drawn from them:

    python tests/bench/coverage.py --run FOLDER --dataset mlperf_tiny_ic01 \\
        mlperf_tiny_ic01_resnet/main.float32 mlperf_tiny_ic01_resnet/main.int8

With `--category` and `--shown` a category is made as rare as is said. Prints a Markdown table. Of 500 trials, a share
of 0.95 has a standard error of 0.01.
"""

import argparse
import json
import math
import statistics
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from zoomill.evaluation import metrics, resampling, sequential  # noqa: E402 (after its path)

CONTRACT = {"inputs": [{"tensor": "x", "value_range": [0, 1]}], "outputs": [{"name": "y"}], "labels": []}
SETTING = metrics.Setting({**CONTRACT, "label_offset": 0}, None, "")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--run", type=Path, help="folder of a finished run")
    parser.add_argument("--dataset", help="of the evaluation, as its folder in sources/ is called")
    parser.add_argument("--samples", type=int, help="in each trial; as many as the file has without")
    parser.add_argument("--figure", help="of the metric, instead of the card's")
    parser.add_argument("--category", type=int, help="COCO's number of the only category that counts")
    parser.add_argument("--shown", type=int, nargs="*", default=[], help="by how many samples it is shown, on average")
    parser.add_argument("names", nargs="*", help="MODEL/GRAPH.VARIANT, one or two")
    args = parser.parse_args()
    print("| what | trials | of them |\n| --- | ---: | --- |")
    for what, share in of_run(args) if args.run else of_distributions(args.trials):
        print(f"| {what} | {args.trials} | {share} |", flush=True)


def of_distributions(trials):
    """Yield a line for each figure of samples that are drawn from a distribution."""
    top_k, auc, psnr = (metrics.metric(SETTING, name) for name in ("top_k", "auc", "psnr"))
    normal = statistics.NormalDist()
    for share, count in ((0.8, 150), (0.855, 200), (0.98, 360)):
        yield f"share of {share}, {count} samples, summed over all outcomes", exactly(top_k, share, count)
    for apart in (1.2, 2.0):
        truth = normal.cdf(apart / 2**0.5)
        yield (
            f"AUC of {truth:.2f}, 30 normal files and 30 others",
            covers(auc, lambda random, apart=apart: scores(random, 30, apart), truth, trials),
        )
    yield (
        "PSNR of 100 pictures",
        covers(
            psnr, lambda random: [{"mse": float(10**-each)} for each in 2 + random.standard_normal(100) / 4], 20, trials
        ),
    )
    for count in (5, 10, 20, 30, 50):
        yield f"PSNR lost by {count} pictures, half a dB", lost(psnr, count, trials)
    yield (
        "alike, 150 samples, told apart",
        alarms(trials, lambda first, second: resampling.compare(top_k, first, second)),
    )
    yield "alike, 150 samples, told apart at one of five looks", alarms(trials, lambda *files: stopped(top_k, *files))
    yield (
        "5 of 100 lost as allowed, 300 samples, and called clear",
        share_of(trials, lambda random: stopped(top_k, *losing(random, 300, 0.05), allowed=0.05)),
    )


def of_run(args):
    """Yield a line for each figure of samples that are drawn from the rows of a run's files."""
    metric, *files = loaded(args)
    strata, count = np.unique(metric.strata(files[0]), return_inverse=True)[1], args.samples or len(files[0])
    whole = metric.weighed(files[0])(np.ones((1, len(files[0])), np.int64))[0]
    what = f"{args.names[0]}, {metric.figure} {whole:.4f}, {count} of its samples"

    def places(random):
        parts = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
        return np.concatenate([random.choice(part, round(len(part) * count / len(strata))) for part in parts])

    def draw(random):
        return [files[0][place] for place in places(random)]

    if args.shown:
        yield from of_rare(metric, files[0], what, count, args)
        return
    yield what, covers(metric, draw, whole, args.trials)
    if "detections" in files[0][0] and not args.category:
        yield f"{what}, for the categories that they show", covers(metric, draw, seen(metric, files[0]), args.trials)
    if len(files) == 2:

        def alike(random):
            chosen = [(place, int(random.randint(2))) for place in places(random)]
            return ([files[side ^ one][place] for place, side in chosen] for one in (0, 1))

        yield (
            f"{args.names[0]} and {args.names[1]} exchanged at random, told apart",
            share_of(
                args.trials, lambda random: resampling.compare(metric, *alike(random)).verdict != "not told apart"
            ),
        )


def of_rare(metric, rows, what, count, args):
    """Yield a line for each number of samples by which a category is shown, where it is rarer than in the rows."""
    pictures = {box["image_id"] for box in metric._truth["annotations"] if box["category_id"] == args.category}
    shows = np.array([row["picture"] in pictures for row in rows])
    parts = [np.flatnonzero(shows), np.flatnonzero(~shows)]
    for shown in args.shown:
        weights = np.where(shows, shown * len(parts[1]), (count - shown) * len(parts[0]))
        truth = metric.weighed(rows)(weights[None])[0]

        def draw(random, shown=shown):
            of_it = max(random.binomial(count, shown / count), 1)
            sizes = zip(parts, (of_it, count - of_it), strict=True)
            return [rows[place] for part, size in sizes for place in random.choice(part, size)]

        yield f"{what}, category {args.category} shown by {shown}", covers(metric, draw, truth, args.trials)


def seen(metric, rows):
    """Return a function from drawn rows to the figure of all rows for the categories of the drawn ones' boxes."""
    known, whole, ones = metric._categories, {}, np.ones((1, len(rows)), np.int64)
    for category in set(known.values()):
        metric._categories, metric._found = {category: category}, {}
        own = [{**row, "detections": [one for one in row["detections"] if one[0] == category]} for row in rows]
        whole[category] = metric.weighed(own)(ones)[0]
    metric._categories, metric._found = known, {}
    shown = {}
    for annotation in metric._truth["annotations"]:
        if annotation["category_id"] in whole and not annotation["iscrowd"]:
            shown.setdefault(annotation["image_id"], set()).add(annotation["category_id"])

    def truth(drawn):
        return np.mean([whole[category] for category in set().union(*(shown.get(row["picture"], ()) for row in drawn))])

    return truth


def loaded(args):
    """Return the metric of a run's files, and the rows of each."""
    folder, files = args.run, [args.run / "results" / name for name in args.names]
    model, graph = files[0].parent.name, files[0].name.partition(".")[0]
    contract = json.loads((folder / f"build/{model}/{graph}/contract.json").read_text())
    options = json.loads(Path(f"{files[0]}.metric.json").read_text())["metric"]
    options |= {"figure": args.figure} if args.figure else {}
    metric = metrics.metric(metrics.Setting(contract, None, str(folder / "sources" / args.dataset)), **options)
    if args.category:
        metric._categories = {args.category: args.category}
    rows = [[json.loads(line) for line in Path(f"{file}.samples.jsonl").read_text().splitlines()] for file in files]
    if args.category:
        for row in (each for file in rows for each in file):
            row["detections"] = [one for one in row["detections"] if one[0] == args.category]
    return metric, *rows


def covers(metric, draw, truth, trials):
    """Return how often the interval holds the truth, a number or a function of rows, or lies above and below it."""
    random = np.random.RandomState(1)
    drawn = [draw(random) for _ in range(trials)]
    ends = np.array([resampling.interval(metric, rows) for rows in drawn])
    truths = np.array([truth(rows) if callable(truth) else truth for rows in drawn])
    above, below = (ends[:, 0] > truths).mean(), (ends[:, 1] < truths).mean()
    return f"{1 - above - below:.3f} hold the truth, {above:.3f} lie above, {below:.3f} below"


def exactly(metric, share, count):
    """Return how often the interval of a share holds it: there are only as many outcomes as samples."""
    total = 0.0
    for of_them in range(count + 1):
        likely = math.comb(count, of_them) * share**of_them * (1 - share) ** (count - of_them)
        if likely > 1e-6:
            low, high = resampling.interval(metric, right(np.arange(count) < of_them))
            total += likely * (low <= share <= high)
    return f"{total:.3f} hold the truth"


def share_of(trials, happens):
    """Return how often something happens, of a function of a generator."""
    random = np.random.RandomState(1)
    return f"{np.mean([happens(random) for _ in range(trials)]):.3f}"


def alarms(trials, compare):
    """Return how often two files are told apart that are right on 8 of 10 samples, mostly the same ones."""

    def happens(random):
        shared, of_one = random.rand(150) < 0.8, random.rand(150) < 0.3
        files = (right(np.where(of_one, random.rand(150) < 0.8, shared)) for _ in range(2))
        found = compare(*files)
        return getattr(found, "verdict", found) not in (False, "not told apart")

    return share_of(trials, happens)


def lost(psnr, count, trials):
    """Return how often the interval of a difference holds it, of pictures that each lose another part."""

    def draw(random):
        loss = random.exponential(0.5, count)
        return [[{"mse": float(10 ** -(2 - part / 10))} for part in parts] for parts in (np.zeros(count), loss)]

    random = np.random.RandomState(1)
    ends = [resampling.compare(psnr, *draw(random)).interval for _ in range(trials)]
    above, below = (np.mean([side(*end) for end in ends]) for side in (lambda a, b: a > -0.5, lambda a, b: b < -0.5))
    return f"{1 - above - below:.3f} hold the truth, {above:.3f} lie above, {below:.3f} below"


def stopped(metric, first, second, allowed=None):
    """Tell whether scoring until it is clear ends with a gain or a loss, or finds a loss to be allowed."""
    found = sequential.score(metric, first, lambda places: [second[place] for place in places], allowed)
    others = [first[place] for place in found.places]
    last = resampling.compare(metric, others, found.rows, sequential.LEVEL)
    if allowed is None:
        return last.verdict != "not told apart"
    return sequential.clear(last, allowed, len(others)) == sequential.WITHIN


def losing(random, count, share):
    """Return rows of a file, and of one that loses a share of all samples more than it gains, which is a hundredth."""
    first, moved = random.rand(count) < 0.85, random.rand(count)
    second = np.where(first, moved >= (share + 0.01) / 0.85, moved < 0.01 / 0.15)
    return right(first), right(second)


def right(flags):
    """Return rows of samples that are right or not."""
    return [{"rank": int(not flag)} for flag in flags]


def scores(random, count, apart):
    """Return rows of normal files and as many others."""
    return [
        {"machine": "", "label": label, "score": float(each + apart * label)}
        for label in (0, 1)
        for each in random.standard_normal(count)
    ]


if __name__ == "__main__":
    main()
