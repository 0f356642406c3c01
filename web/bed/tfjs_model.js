// Built models of TensorFlow.js, whose decode.js says how they are fed and read.
//
// Whatever runs a model for the page is a runner:
//   description  {model, variant, path, bytes, sha256, size: [height, width] of the input, shows}
//   backend      the one that it was asked for, and no other
//   times        {load} in milliseconds
//   run(picture, {least}) -> {found, times: {prepare, run, read}}; `picture` is a canvas, `found` what found.js gives
//   memory() -> {library, tensors, bytes}: all that the library holds, of other models too
//   dispose()

import { read } from "./found.js";
import { shrunk } from "./inputs.js";

const tf = globalThis.tf;
tf.env().set("IS_TEST", true); // no advice on faster backends
tf.wasm.setWasmPaths(
  new URL("../../javascript/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).href
);

// Open a model; what it has allocated is freed again when that fails.
export async function openTfjs(description, { folder, decoder }, backend) {
  await runner.useBackend(tf, backend);
  const start = performance.now();
  const decode = await import(decoder);
  const graph = await tf.loadGraphModel(`${folder}model.json`);
  return new Tfjs(description, graph, decode, backend, performance.now() - start);
}

class Tfjs {
  constructor(description, graph, decoder, backend, load) {
    Object.assign(this, { description, graph, decoder, backend, times: { load } });
  }

  async run(picture, { least }) {
    await runner.useBackend(tf, this.backend); // the page's other model may run on another
    const { outputs, prepare, decode, toPicture } = this.decoder;
    const start = performance.now();
    const fed = shrunk(picture, this.description.size);
    const given = prepare(tf, fed);
    const prepared = performance.now();
    const tensors = await this.execute(given, outputs);
    // webgl and webgpu have computed nothing before somebody asks for values.
    const arrays = await Promise.all(tensors.map((tensor) => tensor.data()));
    const ran = performance.now();
    tf.dispose([given, tensors]);
    const named = Object.fromEntries(outputs.map((name, index) => [name, arrays[index]]));
    const detects = this.description.shows.kind === "detections";
    let decoded = detects ? decode(named, least) : decode(named);
    if (toPicture) {
      decoded = decoded.map((one) => ({ ...one, box: toPicture(one.box, fed.height, fed.width) }));
    }
    const found = read(this.description.shows, decoded, this.description.size);
    return { found, times: { prepare: prepared - start, run: ran - prepared, read: performance.now() - ran } };
  }

  async execute(given, outputs) {
    if (!this.loops) {
      try {
        return [this.graph.execute(given, outputs)].flat();
      } catch (error) {
        if (!error.message.includes("executeAsync")) throw error;
        this.loops = true; // the graph has control flow
      }
    }
    return [await this.graph.executeAsync(given, outputs)].flat();
  }

  memory() {
    const { numTensors, numBytes } = tf.memory();
    return { library: "TensorFlow.js", tensors: numTensors, bytes: numBytes };
  }

  dispose() {
    this.graph.dispose();
  }
}
