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
    this.found = found;
    const all = { ...times, total: times.prepare + times.run + times.read };
    if (!this.first) this.first = all;
    else if (this.runs.push(all) > KEPT) this.runs.shift();
  }

  // Milliseconds by name; the first run compiles what the others find, and counts for no median.
  times() {
    const medians = ["prepare", "run", "read", "total"].map((part) => [part, median(this.runs.map((run) => run[part]))]);
    return { load: this.runner.times.load, first: this.first?.total ?? null, ...Object.fromEntries(medians) };
  }
}

function median(values) {
  return values.length ? [...values].sort((a, b) => a - b)[values.length >> 1] : null;
}
