"use strict";

// Run a TensorFlow.js model in Node.
//
// Reads a JSON object from standard input: `library`, folder of the packages; `backend`; `model`, path of model.json;
// `operators`, where the model has some of its own, a file beside it that registers them; `inputs`, a list of feeds,
// `outputs` and `runs` as in runner.js. Writes what measure() of runner.js gives.

const fs = require("fs");
const Module = require("module");
const path = require("path");
const runner = require("./runner.js");

function requireTensorflow(library, backend) {
  const core = path.join(library, "tfjs/dist/tf.min.js");
  const tf = require(core);
  tf.env().set("IS_TEST", true); // no advice on faster backends
  if (backend === "wasm") {
    const resolve = Module._resolveFilename;
    Module._resolveFilename = (name, ...rest) => (name === "@tensorflow/tfjs-core" ? core : resolve(name, ...rest));
    const folder = path.join(library, "tfjs-backend-wasm/dist/");
    require(path.join(folder, "tf-backend-wasm.min.js")).setWasmPaths(folder);
  }
  globalThis.tf = tf; // where the operators of a model look for it, as in a page
  return tf;
}

async function main() {
  const request = JSON.parse(fs.readFileSync(0, "utf8"));
  const tf = requireTensorflow(path.resolve(request.library, "@tensorflow"), request.backend);
  await runner.useBackend(tf, request.backend);
  const beside = (name) => path.resolve(path.dirname(request.model), name);
  if (request.operators) require(beside(request.operators));
  const description = JSON.parse(fs.readFileSync(request.model, "utf8"));
  const paths = description.weightsManifest.flatMap((group) => group.paths);
  const shards = paths.map((name) => Uint8Array.from(fs.readFileSync(beside(name))).buffer);
  const model = new runner.TfjsModel(tf, description, shards, request.outputs);
  process.stdout.write(JSON.stringify(await runner.measure(model, request.inputs, request.runs)));
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
