"use strict";

// Run a TensorFlow.js model once on the pure JavaScript backend.
//
// Reads a JSON object from standard input: `library`, path of tf.min.js; `model`, path of model.json; `inputs` and
// `outputs`, which for a graph model are tensors and for a layers model its own names. `inputs` maps to tensors
// {dtype, shape, data}, data in base64. Writes a JSON object of such tensors, in the order of `outputs`.

const fs = require("fs");
const path = require("path");

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

function decode(tf, { dtype, shape, data }) {
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return tf.tensor(new ARRAYS[dtype](bytes.buffer), shape, dtype);
}

function encode(tensor) {
  // The cpu backend may hand out an array of another kind than the tensor's.
  const values = ARRAYS[tensor.dtype].from(tensor.dataSync());
  return { dtype: tensor.dtype, shape: tensor.shape, data: Buffer.from(values.buffer).toString("base64") };
}

function weights(folder, manifest) {
  const specs = manifest.flatMap((group) => group.weights);
  const shards = manifest.flatMap((group) => group.paths.map((name) => fs.readFileSync(path.join(folder, name))));
  return [specs, Uint8Array.from(Buffer.concat(shards)).buffer];
}

async function main() {
  const request = JSON.parse(fs.readFileSync(0, "utf8"));
  const tf = require(path.resolve(request.library));
  tf.env().set("IS_TEST", true); // no advice on faster backends
  await tf.setBackend("cpu");
  const description = JSON.parse(fs.readFileSync(request.model, "utf8"));
  const artifacts = await tf.io.getModelArtifactsForJSON(description, (manifest) =>
    weights(path.dirname(request.model), manifest)
  );
  const feeds = Object.entries(request.inputs).map(([name, value]) => [name, decode(tf, value)]);
  let results;
  if (Array.isArray(description.modelTopology.node)) {
    const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts));
    results = await model.executeAsync(Object.fromEntries(feeds), request.outputs);
  } else {
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    loaded.build(); // a Sequential makes the model that has names only now
    const model = loaded.model || loaded;
    const given = Object.fromEntries(feeds);
    const found = [model.predict(model.inputNames.map((name) => given[name]))].flat();
    results = request.outputs.map((name) => found[model.outputNames.indexOf(name)]);
  }
  process.stdout.write(JSON.stringify([results].flat().map(encode)));
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
