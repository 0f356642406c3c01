"use strict";

// How much the outputs of a model change when one of its weights is quantised at a time.

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

async function values(model, feed) {
  const found = await model.run(feed);
  return Object.values(found).map(({ dtype, data }) => {
    const bytes = Uint8Array.from(Buffer.from(data, "base64"));
    return Float64Array.from(new ARRAYS[dtype](bytes.buffer));
  });
}

function squares(arrays, from) {
  return arrays.map((array, output) => {
    let sum = 0;
    for (let index = 0; index < array.length; index += 1) sum += (array[index] - (from ? from[output][index] : 0)) ** 2;
    return sum;
  });
}

const plus = (sums, more) => more.map((value, output) => (sums ? sums[output] : 0) + value);

// `variants` maps names to models with quantised weights. Gives `changes`, {variant: {weight: [sum of the squared
// changes of each output, …]}}, and `power`, [sum of the squares of each output, …], over all feeds.
async function sensitivity(model, variants, feeds) {
  await model.load();
  const weights = model.model.weights; // the map that the model itself reads when it runs
  const candidates = [];
  for (const [variant, other] of Object.entries(variants)) {
    await other.load();
    other.kept.forEach((id) => model.kept.add(id));
    for (const { name, quantization } of other.description.weightsManifest.flatMap((group) => group.weights)) {
      if (quantization) candidates.push({ variant, name, quantised: other.model.weights[name] });
    }
  }
  const changes = Object.fromEntries(Object.keys(variants).map((variant) => [variant, {}]));
  let power;
  for (const feed of feeds) {
    const exact = await values(model, feed);
    power = plus(power, squares(exact));
    for (const { variant, name, quantised } of candidates) {
      const original = weights[name];
      weights[name] = quantised;
      const found = squares(await values(model, feed), exact);
      weights[name] = original;
      changes[variant][name] = plus(changes[variant][name], found);
    }
  }
  return { changes, power };
}

module.exports = sensitivity;
