"use strict";

// Run TensorFlow.js models in Node.
//
// Reads requests from standard input, each a line of JSON: `library`, folder of the packages; `backend`; `model`, path of
// model.json; `operators`, where the model has some of its own, a file beside it that registers them; `inputs`, a list of
// feeds, `outputs` and `runs` as in runner.js. Answers each with a line: `found`, what measure() of runner.js gives; or,
// where the request has `variants`, which maps names to the model.json of quantised variants, what sensitivity() of
// sensitivity.js gives. One without `inputs` has no answer, but each of the lines that follow, which are feeds: what the
// model gives. What cannot be done is answered with `error`.

const fs = require("fs");
const Module = require("module");
const path = require("path");
const readline = require("readline");
const runner = require("./runner.js");
const sensitivity = require("./sensitivity.js");

// TensorFlow.js looks whether they are there, for which Node would load its client of the network.
for (const name of ["Headers", "Request", "Response"]) delete globalThis[name];


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

async function opened({ library, backend, model, operators, outputs, variants = {} }) {
  const tf = requireTensorflow(path.resolve(library, "@tensorflow"), backend);
  await runner.useBackend(tf, backend);
  if (operators) require(path.resolve(path.dirname(model), operators));
  const open = (file) => {
    const description = JSON.parse(fs.readFileSync(file, "utf8"));
    const paths = description.weightsManifest.flatMap((group) => group.paths);
    const shards = paths.map((name) => Uint8Array.from(fs.readFileSync(path.join(path.dirname(file), name))).buffer);
    return new runner.TfjsModel(tf, description, shards, outputs);
  };
  const quantised = Object.entries(variants).map(([name, file]) => [name, open(file)]);
  return [open(model), Object.fromEntries(quantised)];
}

async function measured(request) {
  const [model, variants] = await opened(request);
  if (request.variants) return sensitivity(model, variants, request.inputs);
  return runner.measure(model, request.inputs, request.runs);
}

async function loaded(request) {
  const [model] = await opened(request);
  await model.load();
  return model;
}

async function answer(work) {
  const told = await work.then(
    (found) => ({ found }),
    (error) => ({ error: error.message }),
  );
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

async function main() {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for await (const line of lines) {
    const request = JSON.parse(line);
    if (request.inputs) {
      await answer(measured(request));
    } else {
      const model = loaded(request);
      model.catch(() => {}); // each feed is answered with it
      for await (const feed of lines) await answer(model.then((one) => one.run(JSON.parse(feed))));
    }
  }
}

main();
