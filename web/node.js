"use strict";

// Run a TensorFlow.js model in Node.
//
// Reads a JSON object from standard input: `library`, folder of the packages; `backend`; `model`, path of model.json;
// `operators`, where the model has some of its own, a file beside it that registers them; `inputs`, a list of feeds,
// `outputs` and `runs` as in runner.js. Writes what measure() of runner.js gives; or, where the request has `variants`,
// which maps names to the model.json of quantised variants, what sensitivity() of sensitivity.js gives.

const fs = require("fs");
const Module = require("module");
const path = require("path");
const runner = require("./runner.js");
const sensitivity = require("./sensitivity.js");

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
  if (request.operators) require(path.resolve(path.dirname(request.model), request.operators));
  const open = (file) => {
    const description = JSON.parse(fs.readFileSync(file, "utf8"));
    const paths = description.weightsManifest.flatMap((group) => group.paths);
    const shards = paths.map((name) => Uint8Array.from(fs.readFileSync(path.join(path.dirname(file), name))).buffer);
    return new runner.TfjsModel(tf, description, shards, request.outputs);
  };
  const variants = Object.entries(request.variants || {}).map(([name, file]) => [name, open(file)]);
  const found = variants.length
    ? await sensitivity(open(request.model), Object.fromEntries(variants), request.inputs)
    : await runner.measure(open(request.model), request.inputs, request.runs);
  process.stdout.write(JSON.stringify(found));
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
