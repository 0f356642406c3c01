// A dropped model as the page runs it: fed, and read, by answers (own_answers.js).
//
// What runs the network is an engine: {inputs, outputs, backend, load, run(feed), memory(), dispose()}; `feed` is the
// typed array of the one input, with its shape, and run() gives [{name, shape, values}].

import * as answers from "./own_answers.js";
import { read } from "./found.js";

const OVERLAP = 0.5; // from here on two boxes of a class are one thing
const MOST = 100; // boxes

export class OwnModel {
  constructor(description, engine, input, told) {
    Object.assign(this, { description, engine, input, told, backend: engine.backend, times: { load: engine.load } });
  }

  async run(picture, { least }) {
    const start = performance.now();
    const feed = prepare(picture, this.input, this.told);
    const prepared = performance.now();
    const outputs = await this.engine.run(feed, answers.shape(this.input, this.told));
    const ran = performance.now();
    const found = read(shows(this.told), decode(outputs, this.told, least), [this.told.height, this.told.width]);
    return { found, times: { prepare: prepared - start, run: ran - prepared, read: performance.now() - ran } };
  }

  memory() {
    return this.engine.memory();
  }

  dispose() {
    this.engine.dispose();
  }
}

// How found.js reads what decode() gives.
export function shows({ task, output, black, white, dimensions, unit }) {
  return { kind: task, output, range: [black, white], dimensions, unit };
}

// The values of an input for a picture, a canvas; it is stretched to the input's size.
export function prepare(picture, input, { height, width, layout, colour, low, high }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return values(context.getImageData(0, 0, width, height).data, input, { layout, colour, low, high });
}

// The same for pixels, RGBA.
export function values(pixels, { channels, dtype, quantisation }, { layout, colour, low, high }) {
  const cells = pixels.length / 4;
  const [array, stored] = dtype === "float32" ? [Float32Array, (value) => value] : [...integers(dtype, quantisation)];
  const table = Float64Array.from({ length: 256 }, (_, value) => stored(low + (value / 255) * (high - low)));
  const found = new array(cells * channels);
  const order = colour === "BGR" ? [2, 1, 0, 3] : [0, 1, 2, 3];
  const [step, next] = layout === "NCHW" ? [1, cells] : [channels, 1];
  for (let cell = 0; cell < cells; cell += 1) {
    const at = 4 * cell;
    if (channels === 1) {
      const grey = 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
      found[cell] = stored(low + (grey / 255) * (high - low));
    } else {
      for (let channel = 0; channel < channels; channel += 1)
        found[cell * step + channel * next] = table[pixels[at + order[channel]]];
    }
  }
  return found;
}

// The array of an integer input, and what a real number is in it.
function integers(dtype, quantisation) {
  const { scale, zero } = quantisation ?? { scale: 1, zero: 0 };
  const whole = (value) => Math.round(value / scale) + zero;
  return dtype === "uint8" ? [Uint8Array, (value) => Math.min(255, Math.max(0, whole(value)))] : [Int32Array, whole];
}

// What decode.js of a built model would give of these outputs.
export function decode(outputs, told, least) {
  const named = Object.fromEntries(outputs.map((output) => [output.name, output]));
  const label = (number) => told.labels[number] ?? String(number);
  if (told.task === "classes") return classes(named[told.output].values, told, label);
  if (told.task === "detections") return detections(named, told, label, least);
  return Object.fromEntries(outputs.map(({ name, shape, values: all }) => [name, { meaning: "", shape, values: all }]));
}

function classes(scores, { softmax, first }, label) {
  const peak = scores.reduce((a, b) => Math.max(a, b));
  const powers = softmax ? Array.from(scores, (value) => Math.exp(value - peak)) : Array.from(scores);
  const sum = softmax ? powers.reduce((a, b) => a + b) : 1;
  const found = powers.map((value, column) => ({ label: label(column - first), score: value / sum }));
  return found.slice(first).sort((a, b) => b.score - a.score);
}

function detections(named, told, label, least) {
  const corners = named[told.boxes].values;
  const scores = named[told.scores].values;
  const rows = corners.length / 4;
  const columns = told.classes ? 1 : scores.length / rows;
  const found = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = told.classes ? 0 : told.first; column < columns; column += 1) {
      const score = scores[row * columns + column];
      if (!(score >= least)) continue;
      const number = (told.classes ? named[told.classes].values[row] : column) - told.first;
      found.push({ box: box(corners.slice(4 * row, 4 * row + 4), told), label: label(number), number, score });
    }
  }
  found.sort((a, b) => b.score - a.score);
  return told.classes ? found : suppressed(found);
}

// Top, left, bottom, right relative to the picture.
function box([a, b, c, d], { order, unit, height, width }) {
  const [down, across] = unit === "pixels" ? [height, width] : [1, 1];
  const corners = { yx: [a, b, c, d], xy: [b, a, d, c], middle: [b - d / 2, a - c / 2, b + d / 2, a + c / 2] }[order];
  return corners.map((value, index) => value / (index % 2 ? across : down));
}

// Without those that overlap a better one of their class.
function suppressed(found) {
  const kept = [];
  for (const one of found) {
    if (kept.length === MOST) break;
    if (kept.every(({ number, box: other }) => number !== one.number || overlap(other, one.box) <= OVERLAP))
      kept.push(one);
  }
  return kept;
}

function overlap(a, b) {
  const area = ([top, left, bottom, right]) => Math.max(0, bottom - top) * Math.max(0, right - left);
  const both = area([0, 1].map((i) => Math.max(a[i], b[i])).concat([2, 3].map((i) => Math.min(a[i], b[i]))));
  return both / (area(a) + area(b) - both || 1);
}
