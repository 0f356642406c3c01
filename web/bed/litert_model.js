// .tflite files by LiteRT.js: the engine (own_model.js) of dropped ones, and built ones, which decode.js feeds and reads.

import { read } from "./found.js";
import { shrunk } from "./inputs.js";
import { describe } from "./tflite_file.js";

const tf = globalThis.tf;
const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }; // all that LiteRT.js reads and writes
export const LITERT_BACKENDS = ["LiteRT wasm", "LiteRT webgpu"];

let library; // can be loaded once for a page
let said = []; // errors of its log since the last call
const alive = { tensors: 0, bytes: 0 }; // it counts nothing itself

async function load() {
  // It writes its whole log as errors of the console.
  globalThis.Module = {
    printErr(line) {
      if (line.startsWith("ERROR: ")) said.push(line.slice(7));
      console.debug(line);
    },
    print: (line) => console.debug(line),
  };
  const found = await import("@litertjs/core");
  await found.loadLiteRt(new URL("../../javascript/@litertjs/core/wasm/", import.meta.url).href);
  return found;
}

function count(shape, dtype, sign) {
  alive.tensors += sign;
  alive.bytes += sign * shape.reduce((a, b) => a * b, ARRAYS[dtype].BYTES_PER_ELEMENT);
}

// Open a file; `bytes` is an ArrayBuffer, and `backend` one of LITERT_BACKENDS. Throws an Error of one line.
export async function openEngine({ bytes }, backend) {
  const file = describe(bytes);
  for (const { name, dtype } of [...file.inputs, ...file.outputs]) {
    if (!(dtype in ARRAYS))
      throw new Error(
        `its tensor ${name} is ${dtype}, and LiteRT.js reads and writes ${Object.keys(ARRAYS).join(", ")}`
      );
  }
  const accelerator = backend.split(" ")[1];
  if (accelerator === "webgpu" && !(await navigator.gpu?.requestAdapter()))
    throw new Error(`backend ${backend} cannot be had here`);
  library ??= load();
  const litert = await library;
  said = [];
  const start = performance.now();
  let model;
  try {
    model = await litert.loadAndCompile(new Uint8Array(bytes), { accelerator });
  } catch (error) {
    throw new Error(`LiteRT.js cannot run it: ${said[0] ?? error.message.split("\n")[0]}`);
  }
  const engine = new Engine(litert, model, file, bytes.byteLength, backend, performance.now() - start);
  const open = engine.inputs.find(({ shape }) => shape.some((size) => size < 1));
  if (!open) return engine;
  engine.dispose();
  throw new Error(
    `its input ${open.name} is open in size, and LiteRT.js needs all of it: convert it with a batch of 1`
  );
}

class Engine {
  constructor(litert, model, file, size, backend, load) {
    Object.assign(this, { litert, model, file, size, backend, load });
    const details = model.getInputDetails();
    this.inputs = file.inputs.map((input, index) => ({ ...input, shape: Array.from(details[index].shape) }));
    this.outputs = file.outputs;
    alive.bytes += size;
  }

  // What it gives for the values of its input; integers become the real numbers that they are.
  async run(values) {
    const [{ name, dtype, shape }] = this.inputs;
    const given = { [name]: this.litert.Tensor.fromTypedArray(values, shape) };
    count(shape, dtype, 1);
    let found = {};
    try {
      found = await this.model.run(given);
      for (const { type } of Object.values(found)) count(type.layout.dimensions, type.dtype, 1);
      return await Promise.all(
        this.model.getOutputDetails().map(({ name }, index) => this.read(name, found[name], index))
      );
    } finally {
      for (const tensor of [...Object.values(given), ...Object.values(found)]) {
        count(tensor.type.layout.dimensions, tensor.type.dtype, -1);
        tensor.delete();
      }
    }
  }

  async read(name, tensor, index) {
    const { quantisation, activation } = this.outputs[index];
    const stored = ARRAYS[tensor.type.dtype].from(await tensor.data());
    const { scale, zero } = quantisation ?? {};
    const values = quantisation ? Float32Array.from(stored, (value) => (value - zero) * scale) : stored;
    return { name, shape: Array.from(tensor.type.layout.dimensions), values, activation };
  }

  memory() {
    return { library: "LiteRT.js", ...alive };
  }

  dispose() {
    this.model.delete();
    alive.bytes -= this.size;
  }
}

// Open a built file; the rest is as in tfjs_model.js. `names` maps what it calls outputs without a signature to the
// contract's names.
export async function openLiteRt(description, { file, decoder, names }, backend) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${description.path}: ${answer.status}`);
  const [engine, decode] = await Promise.all([
    openEngine({ bytes: await answer.arrayBuffer() }, backend),
    import(decoder),
  ]);
  return new LiteRt(description, engine, decode, names);
}

class LiteRt {
  constructor(description, engine, decoder, names) {
    Object.assign(this, { description, engine, decoder, names, backend: engine.backend, times: { load: engine.load } });
  }

  async run(picture, { least }) {
    const { prepare, decode, toPicture } = this.decoder;
    const start = performance.now();
    const fed = shrunk(picture, this.description.size);
    const tensor = prepare(tf, fed);
    const values = await tensor.data();
    tensor.dispose();
    const prepared = performance.now();
    const outputs = await this.engine.run(Float32Array.from(values));
    const ran = performance.now();
    const named = Object.fromEntries(outputs.map(({ name, values: all }) => [this.names[name] ?? name, all]));
    let decoded = decode(named, { detections: least, classes: Infinity }[this.description.shows.kind]);
    if (toPicture) decoded = decoded.map((one) => ({ ...one, box: toPicture(one.box, fed.height, fed.width) }));
    const found = read(this.description.shows, decoded, this.description.size);
    return { found, times: { prepare: prepared - start, run: ran - prepared, read: performance.now() - ran } };
  }

  memory() {
    return this.engine.memory();
  }

  dispose() {
    this.engine.dispose();
  }
}
