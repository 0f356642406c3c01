"use strict";

// Load a model, run it and count what it leaves behind: the same lines in Node and in a page.
//
// A model here is an object with load(), run(feed), dispose() and count(), the number of tensors that are alive. `feed`
// and what run() returns map names to {dtype, shape, data}, data in base64.

// tf.min.js would make this by eval, which the server of our pages forbids; so this file comes before it.
globalThis.regeneratorRuntime ??= null;

const runner = (() => {
  const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array, uint8: Uint8Array };

  function decode({ dtype, data }) {
    const text = atob(data);
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
    return new ARRAYS[dtype](bytes.buffer);
  }

  function encode(dtype, shape, values) {
    if (!(dtype in ARRAYS)) throw new Error(`an output of dtype ${dtype} cannot be read`);
    // The cpu backend may hand out an array of another kind than the tensor's.
    const bytes = new Uint8Array(ARRAYS[dtype].from(values).buffer);
    const parts = [];
    for (let start = 0; start < bytes.length; start += 0x8000) {
      parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
    }
    return { dtype, shape: Array.from(shape), data: btoa(parts.join("")) };
  }

  // TensorFlow.js itself takes another backend without a word where it cannot have the one it was asked for.
  async function useBackend(tf, name) {
    await tf.setBackend(name);
    await tf.ready();
    if (tf.getBackend() !== name) throw new Error(`backend ${name} cannot be had here`);
  }

  // A graph or layers model of TensorFlow.js. `description` is the content of model.json, `shards` are ArrayBuffers in
  // the order of its manifest, `outputs` names of tensors; a layers model is fed, and answers, in its own order.
  class TfjsModel {
    constructor(tf, description, shards, outputs) {
      Object.assign(this, { tf, description, shards, outputs, execution: "sync" });
    }

    count() {
      return this.tf.memory().numTensors;
    }

    async load() {
      const weights = this.description.weightsManifest.flatMap((group) => group.weights);
      const artifacts = await this.tf.io.getModelArtifactsForJSON(this.description, () => [weights, this.shards]);
      const source = this.tf.io.fromMemory(artifacts);
      if (Array.isArray(this.description.modelTopology.node)) {
        this.model = await this.tf.loadGraphModel(source);
        const kept = Object.values(this.model.weights).flat();
        // An output may be a weight itself; to dispose it would break the next run.
        this.kept = new Set(kept.map((tensor) => tensor.id));
      } else {
        const loaded = await this.tf.loadLayersModel(source);
        loaded.build(); // a Sequential makes the model that has names only now
        this.layers = loaded.model || loaded;
        this.model = loaded;
        this.kept = new Set();
      }
    }

    async run(feed) {
      const given = {};
      for (const [name, value] of Object.entries(feed)) {
        given[name] = this.tf.tensor(decode(value), value.shape, value.dtype);
      }
      const found = [await this.execute(given)].flat();
      const result = {};
      for (const [index, name] of this.outputs.entries()) {
        result[name] = encode(found[index].dtype, found[index].shape, await found[index].data());
      }
      for (const tensor of new Set([...Object.values(given), ...found])) {
        if (!this.kept.has(tensor.id)) tensor.dispose();
      }
      return result;
    }

    async execute(given) {
      if (this.layers) {
        // By position: what Keras calls an input may be a layer inside a nested model.
        return [this.layers.predict(Object.values(given))].flat();
      }
      if (this.execution === "sync") {
        try {
          return this.model.execute(given, this.outputs);
        } catch (error) {
          if (!error.message.includes("executeAsync")) throw error;
          this.execution = "async"; // the graph has control flow
        }
      }
      return this.model.executeAsync(given, this.outputs);
    }

    dispose() {
      this.model.dispose();
    }
  }

  // A .tflite file, run by LiteRT.js on `wasm` or `webgpu`; `names` maps what the file may call its inputs and outputs to
  // ours; without, its own names are ours.
  class LiteRtModel {
    constructor(litert, bytes, names, accelerator) {
      Object.assign(this, { litert, bytes, names, accelerator, execution: "async", alive: 0 });
    }

    count() {
      return this.alive;
    }

    async load() {
      this.model = await this.litert.loadAndCompile(this.bytes, { accelerator: this.accelerator });
      this.alive += 1;
    }

    async run(feed) {
      const given = {};
      for (const { name } of this.model.getInputDetails()) {
        const value = feed[this.names?.[name] ?? name];
        given[name] = this.litert.Tensor.fromTypedArray(decode(value), value.shape);
        this.alive += 1;
      }
      const found = await this.model.run(given);
      this.alive += Object.keys(found).length;
      const result = {};
      for (const [name, tensor] of Object.entries(found)) {
        const { dtype, layout } = tensor.type;
        result[this.names?.[name] ?? name] = encode(dtype, layout.dimensions, await tensor.data());
      }
      for (const tensor of [...Object.values(given), ...Object.values(found)]) {
        tensor.delete();
        this.alive -= 1;
      }
      return result;
    }

    dispose() {
      this.model.delete();
      this.alive -= 1;
    }
  }

  // Load a model, run it on every feed and at least `runs` times, and dispose it. Times are in milliseconds; the median
  // leaves out the first run, which compiles shaders.
  async function measure(model, feeds, runs) {
    const tensors = { before: model.count() };
    const start = performance.now();
    await model.load();
    const loaded = performance.now();
    tensors.loaded = model.count();
    const outputs = [];
    const times = [];
    for (let index = 0; index < Math.max(runs, feeds.length); index += 1) {
      const begin = performance.now();
      const found = await model.run(feeds[index % feeds.length]);
      times.push(performance.now() - begin);
      if (index < feeds.length) outputs.push(found);
    }
    tensors.after_runs = model.count();
    model.dispose();
    tensors.after_dispose = model.count();
    const later = times.slice(1).sort((a, b) => a - b);
    return {
      execution: model.execution,
      load_ms: loaded - start,
      first_ms: times[0],
      median_ms: later.length ? later[later.length >> 1] : times[0],
      runs: times.length,
      tensors,
      outputs,
    };
  }

  return { TfjsModel, LiteRtModel, measure, useBackend };
})();

if (typeof module === "object") module.exports = runner;
