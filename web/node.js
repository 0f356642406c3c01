"use strict";

// Run a TensorFlow.js model in Node.
//
// Reads a line of JSON from standard input: `library`, folder of the packages; `backend`; `model`, path of model.json;
// `operators`, where the model has some of its own, a file beside it that registers them; `inputs`, a list of feeds,
// `outputs` and `runs` as in runner.js. Writes a line with what measure() of runner.js gives; or, where the request has
// `variants`, which maps names to the model.json of quantised variants, what sensitivity() of sensitivity.js gives; or,
// without `inputs`, what the model gives for each of the lines that follow, which are feeds.

const fs = require("fs");
const Module = require("module");
const path = require("path");
const readline = require("readline");
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
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const request = JSON.parse((await lines.next()).value);
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
  const write = (found) => process.stdout.write(`${JSON.stringify(found)}\n`);
  const model = open(request.model);
  if (variants.length) {
    write(await sensitivity(model, Object.fromEntries(variants), request.inputs));
  } else if (request.inputs) {
    write(await runner.measure(model, request.inputs, request.runs));
  } else {
    await model.load();
    for await (const line of lines) write(await model.run(JSON.parse(line)));
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1); // standard input may still be open
});
