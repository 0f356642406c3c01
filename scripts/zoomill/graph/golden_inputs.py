"""Golden inputs: what a source is run on, so that each of its outputs moves.

An output that is the same for all golden inputs proves nothing: a constant would pass. Inputs are therefore drawn with
structure (edges, levels, waves and noise of many scales, which fill the declared range), and of many drawn those are
taken whose outputs are farthest apart.
"""

import dataclasses

import numpy as np

from zoomill import made
from zoomill.errors import UserError
from zoomill.graph import outputs
from zoomill.inputs import readers, sample_inputs, samples
from zoomill.inputs.preprocess import Preprocess, read_picture

COUNT = 8
# How many are drawn at once to choose from, and how often again while an output stands still.
_POOL, _ROUNDS = 24, 3
# As many values of an output, evenly spread, tell how far apart two runs are.
_VALUES = 4096
# So many rows of an input that has more than one, in a fixed batch say, are drawn apart.
_ROWS = 64
# Where nothing is declared: floats are about normalised, integers are counted from 0.
_FLOATS, _INTEGERS = (-1.0, 1.0), (0, 9)


@dataclasses.dataclass(frozen=True)
class Given:
    """Where golden inputs come from; without any of these they are drawn.

    Attributes:
        images: paths of pinned pictures, all of which are taken.
        samples: :class:`zoomill.inputs.sample_inputs.Samples`, some of which are taken, or None.
    """

    images: list = ()
    samples: sample_inputs.Samples | None = None

    def read_samples(self):
        """Return arrays and names of samples evenly spread over the list; of several windows of one the middle one."""
        listed = samples.read_index(self.samples.path)
        chosen = listed[:: -(-len(listed) // _POOL)]
        read = [(readers.read(self.samples.folder, sample, self.samples.form), sample.name) for sample in chosen]
        return [(windows[len(windows) // 2], name) for windows, name in read]


def add_arguments(parser):
    """Add the flags of which :func:`of_flags` makes :class:`Given`."""
    parser.add_argument(
        "--golden-images", type=made.checked, nargs="*", default=[], help="pinned pictures, all of which are taken"
    )
    sample_inputs.add_arguments(parser, "where golden inputs are chosen from", prefix="golden-")


def of_flags(args):
    """Return the :class:`Given` of the flags of :func:`add_arguments`."""
    return Given(args.golden_images, sample_inputs.of_flags(args, "golden-"))


def choose(given, promises, run, activations=None):
    """Return the golden inputs of a graph.

    Args:
        given: :class:`Given`.
        promises: inputs of the contract.
        run: function from ``{input name: array}`` to ``{output name: array}``: the source, or a quicker graph of it.
        activations: ``{output name: activation}`` as in a contract.

    Returns:
        ``[{input name: array}, …]`` in the dtypes and shapes of the contract, batch included: one for each pinned
        picture; else the :data:`COUNT` samples, or drawn inputs, whose outputs are farthest apart. They are the same
        on every machine as long as outputs agree to two digits. Several inputs are given samples of npz files only.

    Raises:
        UserError: when pictures are given to several inputs, or cannot become the input.
    """
    if given.images:
        if len(promises) != 1:
            raise UserError(f"`golden` pictures are for one input, the source has {len(promises)}; leave them out")
        (promise,) = promises
        return [{promise["name"]: Preprocess.of(promise, {})(read_picture(path))} for path in given.images]
    activations, feeds, found = activations or {}, [], []
    sampled = given.samples and (len(promises) == 1 or given.samples.form["reader"] == "npz")
    for attempt in range(1 if sampled else _ROUNDS):
        new = _samples(given, promises) if sampled else _drawn(promises, attempt)
        feeds += new
        found += [run(feed) for feed in new]
        chosen = _far_apart(found, activations)
        stacked = {name: np.stack([found[row][name] for row in chosen]) for name in found[0]}
        if all(outputs.moves(values, activations.get(name)) for name, values in stacked.items()):
            break
    return [feeds[row] for row in sorted(chosen)]


def _samples(given, promises):
    feeds = (given.samples.feed(promises, *sample) for sample in given.read_samples())
    return [{promise["name"]: feed[promise["tensor"]] for promise in promises} for feed in feeds]


def _drawn(promises, attempt):
    return [draw(promises, seed, 10.0**attempt) for seed in range(attempt * _POOL, (attempt + 1) * _POOL)]


def draw(promises, seed, reach=1.0):
    """Return one drawn ``{input name: array}``.

    Args:
        promises: inputs of a contract.
        seed: of NumPy's RandomState, whose stream is frozen.
        reach: factor on the range of floats whose range nobody has declared.
    """
    return {
        promise["name"]: _draw(promise, np.random.RandomState(1000 * place + seed), seed, reach)
        for place, promise in enumerate(promises)
    }


def _draw(promise, random, seed, reach):
    dtype, shape = np.dtype(promise["dtype"]), promise["shape"]
    if dtype == np.dtype(bool):
        return random.rand(*shape) < 0.5
    if np.issubdtype(dtype, np.integer) and not promise.get("layout"):
        return _tokens(random, seed, promise.get("value_range") or _INTEGERS, shape).astype(dtype)
    limits = (
        (np.iinfo(dtype).min, np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else np.multiply(_FLOATS, reach)
    )
    low, high = promise.get("value_range") or limits
    count = min(_ROWS, (*shape, 1)[0])
    pattern = np.resize([_pattern(random, seed + row, shape[1:], promise.get("layout")) for row in range(count)], shape)
    if np.ndim(low):  # of each channel
        low, high = (np.reshape(end, (-1, 1, 1) if promise["layout"] == "NCHW" else -1) for end in (low, high))
    values = np.broadcast_to(low + pattern * (np.asarray(high) - low), shape)
    return (np.rint(values) if np.issubdtype(dtype, np.integer) else values).astype(dtype)


def _tokens(random, seed, limits, shape):
    """Return integers of a range: any, few, rising, or the lowest behind some."""
    low, high = (int(end) for end in limits)
    values = random.randint(low, high + 1, shape, dtype=np.int64)
    kind = seed % 4
    if kind == 1:
        values = random.choice(random.randint(low, high + 1, 3, dtype=np.int64), shape)
    elif kind == 2:
        values = np.sort(values, axis=None).reshape(shape)
    elif kind == 3:
        flat = values.ravel()
        flat[random.randint(0, flat.size + 1) :] = low
        values = flat.reshape(shape)
    return values


def _pattern(random, seed, sizes, layout):
    """Return values from 0 to 1 of ``sizes``, the channels of a picture last or, by ``layout``, first."""
    sizes, channels = tuple(sizes), 1
    if not sizes:
        return random.rand()
    if layout:
        channels = sizes[-1] if layout == "NHWC" else sizes[0]
        sizes = sizes[:2] if layout == "NHWC" else sizes[1:]
    kinds = (_boxes, _waves, _patches, _edges, _level)
    field = kinds[seed % len(kinds)](random, sizes)
    ends = random.rand(2, channels)  # the colours of 0 and 1
    if seed // len(kinds) % 2 == 0:  # those of the whole range
        ends = np.array([np.zeros(channels), np.ones(channels)])[:: random.choice([-1, 1])]
    values = ends[0] + field[..., None] * (ends[1] - ends[0])
    if not layout:
        return values[..., 0]
    return values if layout == "NHWC" else np.moveaxis(values, -1, 0)


def _boxes(random, sizes):
    """Boxes of any size and level on noise."""
    field = 0.4 + 0.2 * random.rand(*sizes)
    for _ in range(8):
        starts = [random.randint(0, size) for size in sizes]
        ends = [start + 1 + random.randint(0, max(1, size // 2)) for start, size in zip(starts, sizes, strict=True)]
        field[tuple(map(slice, starts, ends))] = random.rand()
    return field


def _waves(random, sizes):
    """A few waves of any length and direction."""
    phase = np.zeros(sizes)
    places = np.meshgrid(*(np.arange(size) / size for size in sizes), indexing="ij")
    for _ in range(3):
        turns = [random.uniform(-1, 1) * min(size / 2, 2 ** random.uniform(0, 5)) for size in sizes]
        phase = phase + np.cos(2 * np.pi * (sum(t * p for t, p in zip(turns, places, strict=True)) + random.rand()))
    return 0.5 + phase / 6


def _patches(random, sizes):
    """Noise, each value of which fills a patch."""
    edge = 2 ** random.randint(0, 6)
    field = random.rand(*(-(-size // edge) for size in sizes))
    for axis, size in enumerate(sizes):
        field = np.repeat(field, edge, axis)[(slice(None),) * axis + (slice(size),)]
    return field


def _edges(random, sizes):
    """Stripes and curves of two levels."""
    return (_waves(random, sizes) > random.uniform(0.35, 0.65)).astype(float)


def _level(random, sizes):
    """One level with a little noise."""
    return np.clip(random.rand() + 0.05 * (random.rand(*sizes) - 0.5), 0, 1)


def _far_apart(found, activations):
    """Return the numbers of :data:`COUNT` runs: the one farthest from the mean, then always the farthest from those."""
    features = np.concatenate([_feature([run[name] for run in found], activations.get(name)) for name in found[0]], 1)
    sound = np.isfinite(features).all(1)
    if not sound.any():
        return list(range(min(COUNT, len(found))))
    rows = np.flatnonzero(sound)
    features = features[rows]
    distance = _rounded(features - features.mean(0))
    nearest, chosen = np.full(len(rows), np.inf), []
    while len(chosen) < min(COUNT, len(rows)):
        row = int(distance.argmax())
        chosen.append(row)
        nearest = np.minimum(nearest, _rounded(features - features[row]))
        nearest[chosen] = -1  # of several equal ones, others come before one that is taken
        distance = nearest
    return [int(rows[row]) for row in chosen]


def _feature(values, activation):
    """Return what tells the runs of one output apart, ``[runs, values]``; each output weighs the same."""
    flat = outputs.measured(np.stack(values), activation).reshape(len(values), -1)
    flat = flat[:, :: -(-flat.shape[1] // _VALUES)]
    with np.errstate(invalid="ignore"):
        scale = np.sqrt(np.nanmean(np.where(np.isfinite(flat), flat - np.nanmean(flat, 0), np.nan) ** 2))
    return flat / (scale * np.sqrt(flat.shape[1])) if scale > 0 else flat * 0


def _rounded(differences):
    """Return lengths with two digits, so that the last ones of a CPU's kernels choose nothing."""
    return np.array([float(f"{length:.1e}") for length in np.linalg.norm(differences, axis=1)])
