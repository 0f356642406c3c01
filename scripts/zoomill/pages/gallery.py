"""The pictures of a model: golden inputs, and on them what the source and each artifact found."""

from zoomill import supervisor
from zoomill.inputs import as_picture
from zoomill.pages import drawing, finding_reader, output_kind
from zoomill.proof import evidence, parity

# So many golden inputs are drawn at most, and fewer where the pictures would take more bytes.
MOST_SAMPLES, MOST_BYTES = 4, 600_000


class Gallery:
    """Pictures of one model, to which artifacts are added.

    Args:
        contracts: ``{graph: contract}``; their inputs are the same.
        card: ``task`` of the model, ``decode`` and ``output`` of its metric, and ``metric``, the whole of it.
        golden: ``{tensor: golden array}``, nothing where golden inputs show nothing that anybody could know.
        anchors: float32 ``[anchors, 4]`` of an SSD: ycenter, xcenter, height, width; else None.

    Attributes:
        reason: why there are no pictures, None where there are some.
    """

    def __init__(self, contracts, card, golden, anchors):
        self._contracts, self._card, self._anchors = contracts, card, anchors
        self._promise = next(iter(contracts.values()))["inputs"][0]
        self.reason = _why_not(next(iter(contracts.values())), golden)
        count = 0 if self.reason else min(MOST_SAMPLES, len(golden[self._promise["tensor"]]))
        self._rows = [{name: values[row] for name, values in golden.items()} for row in range(count)]
        self._found = {graph: [] for graph in contracts}
        for graph in contracts if count else ():
            if self._form(graph):
                read = finding_reader.of_source(contracts[graph], card, anchors)
                self._found[graph].append(({"artifact": "source"}, [read(row) for row in self._rows]))

    def _form(self, graph):
        return finding_reader.form(self._contracts[graph], self._card)

    def add(self, graph, about, load):
        """Add what an artifact finds.

        Args:
            graph: its graph.
            about: what index.json says of it, ``artifact`` among it.
            load: function that returns a function from contract and ``{input tensor: array}`` to ``{output name:
                array}``; either raises a RuntimeError or ValueError where the artifact does not run.
        """
        contract = self._contracts[graph]
        if self.reason or not self._form(graph):
            return
        read = finding_reader.of_artifact(contract, self._card, self._anchors)
        try:
            run, found = load(), []
            for feed in parity.feeds(contract, self._inputs(contract)):
                supervisor.step()
                found.append(read(run(contract, feed)))
            self._found[graph].append((about, found))
        except (RuntimeError, ValueError) as error:
            self._found[graph].append(({**about, "refused": str(error).partition("\n")[0]}, []))

    def _inputs(self, contract):
        return {entry["tensor"]: [row[entry["tensor"]] for row in self._rows] for entry in contract["inputs"]}

    def files(self):
        """Return what stands in the folder: ``{name: bytes}`` of the pictures, and the document of index.json."""
        known, samples, entries = {}, [], {}
        for number, row in enumerate(self._rows):
            drawn, told = self._of_sample(number, row, known)
            if samples and sum(len(data) for _, data in (*known.values(), *drawn.values())) > MOST_BYTES:
                break
            known |= drawn
            samples.append(f"sample-{number}.png")
            for key, entry in told.items():
                entries.setdefault(key, []).append(entry)
        document = {
            "model": next(iter(self._contracts.values()))["model"],
            "reason": self.reason,
            "samples": samples,
            "graphs": {graph: self._graph(graph, entries) for graph in self._contracts if self._found[graph]},
        }
        return dict(known.values()), evidence.finite(document)

    def _of_sample(self, number, row, known):
        """Return ``{pixels: (name, bytes)}`` of the pictures that are not known, and what is told of each finding."""
        picture = drawing.enlarged(as_picture.of_input(self._promise, row[self._promise["tensor"]]))
        new, told = {("sample", number): (f"sample-{number}.png", drawing.png(picture))}, {}
        ground = drawing.ground(picture)
        for graph, items in self._found.items():
            labels = self._contracts[graph]["labels"]
            for place, (about, found) in enumerate(items):
                if not found:
                    continue
                entry = told[graph, place] = found[number].told(labels)
                if place:
                    entry["apart"] = found[number].apart(items[0][1][number])
                drawn = found[number].drawn(ground, labels)
                if drawn is not None:
                    name = f"{graph}.{about.get('variant', 'source')}.{number}.png"
                    pixels = drawn.convert("RGB").tobytes()
                    if pixels not in known and pixels not in new:
                        new[pixels] = name, drawing.png(drawn)
                    entry["file"] = (known.get(pixels) or new[pixels])[0]
        return new, told

    def _graph(self, graph, entries):
        contract = output_kind.scored(self._contracts[graph], self._card)
        return {
            "form": self._form(graph),
            "shown_from": output_kind.shown_from(contract, output_kind.kind(contract, self._card)),
            "found": [
                {**about, "pictures": entries.get((graph, place), [])}
                for place, (about, _) in enumerate(self._found[graph])
            ],
        }


def _why_not(contract, golden):
    """Return why there is nothing to look at, or None."""
    promise, *others = contract["inputs"]
    if others or not (output_kind.is_picture(promise) or (promise["layout"] and promise["dtype"] == "uint8")):
        return "it is given no picture"
    return None if golden else "its golden inputs are drawn; name pictures of what it knows in its card, `golden:`"
