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
tf.wasm.setWasmPaths(new URL("../../javascript/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).href);

async function get(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: cannot be had, ${answer.status}`);
  return answer;
}

// Open a model: `folder` has model.json and its weights, `decoder` is the address of decode.js, `operators` of what
// registers operators that TensorFlow.js lacks, if it needs any.
export async function openTfjs(description, { folder, decoder, operators }, backend) {
  await runner.useBackend(tf, backend);
  const start = performance.now();
  if (operators) await import(operators);
  const program = await import(decoder).catch(() => {
    throw new Error(`${decoder}: cannot be loaded; a run without targets makes it`);
  });
  const document = await (await get(`${folder}model.json`)).json();
  const paths = document.weightsManifest.flatMap((group) => group.paths);
  const shards = await Promise.all(paths.map(async (path) => (await get(folder + path)).arrayBuffer()));
  const model = new runner.TfjsModel(tf, document, shards, program.outputs);
  await model.load();
  model.shards = null; // the weights are tensors now
  return new Tfjs(description, model, program, backend, performance.now() - start);
}

class Tfjs {
  constructor(description, model, decoder, backend, load) {
    Object.assign(this, { description, model, decoder, backend, times: { load } });
  }

  async run(picture, { least }) {
    await runner.useBackend(tf, this.backend); // the page's other model may run on another
    const { outputs, prepare, decode, toPicture } = this.decoder;
    const start = performance.now();
    const fed = shrunk(picture, this.description.size);
    const given = prepare(tf, fed);
    const prepared = performance.now();
    const tensors = [await this.model.execute(given)].flat();
    // webgl and webgpu have computed nothing before somebody asks for values.
    const arrays = await Promise.all(tensors.map((tensor) => tensor.data()));
    const ran = performance.now();
    tf.dispose([given, ...tensors.filter(({ id }) => !this.model.kept.has(id))]);
    const named = Object.fromEntries(outputs.map((name, index) => [name, arrays[index]]));
    let decoded = decode(named, { detections: least, classes: Infinity }[this.description.shows.kind]);
    if (toPicture) {
      decoded = decoded.map((one) => ({ ...one, box: toPicture(one.box, fed.height, fed.width) }));
    }
    const found = read(this.description.shows, decoded, this.description.size);
    return { found, times: { prepare: prepared - start, run: ran - prepared, read: performance.now() - ran } };
  }

  memory() {
    const { numTensors, numBytes } = tf.memory();
    return { library: "TensorFlow.js", tensors: numTensors, bytes: numBytes };
  }

  dispose() {
    this.model.dispose();
  }
}
