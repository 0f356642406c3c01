// A model that is open, what its runs took, and what the last one found.

const KEPT = 1000; // runs whose times count for a median

export async function open(variant, backend) {
  return new Side(await variant.open(backend));
}

class Side {
  constructor(runner) {
    Object.assign(this, { runner, runs: [], first: null, found: null });
  }

  // "uint8 on wasm"
  get name() {
    return `${this.runner.description.variant} on ${this.runner.backend}`;
  }

  async run(picture, options) {
    const { found, times } = await this.runner.run(picture, options);
    const last = { ...times, total: times.prepare + times.run + times.read };
    Object.assign(this, { found, last });
    if (!this.first) this.first = last;
    else if (this.runs.push(last) > KEPT) this.runs.shift();
  }

  // Milliseconds: `median` of the runs after the first, which compiles what they find, and medians of their parts, of
  // the first until there are others.
  times() {
    const of = (runs, part) => median(runs.map((run) => run[part]));
    const runs = this.runs.length || !this.first ? this.runs : [this.first];
    const parts = ["prepare", "run", "read"].map((part) => [part, of(runs, part)]);
    const [first, later] = [this.first?.total ?? null, of(this.runs, "total")];
    return { load: this.runner.times.load, first, median: later, ...Object.fromEntries(parts) };
  }
}

function median(values) {
  return values.length ? [...values].sort((a, b) => a - b)[values.length >> 1] : null;
}
