// The table of times and memory, and what grows.

import { row } from "./draw.js";

const ROWS = {
  Load: "load",
  "First run": "first",
  "Later runs, median": "median",
  "… of it preparing the picture": "prepare",
  "… the model": "run",
  "… reading what it found": "read",
};
const GROWN = 3; // runs after one another that each left tensors behind

export function showTimes(head, body, sides, rate) {
  head.replaceChildren(row("th", ["Time and memory", ...sides.map(({ name }) => name)]));
  const times = sides.map((side) => side.times());
  const rows = Object.entries(ROWS).map(([text, key]) => [text, ...times.map((of) => milliseconds(of[key]))]);
  const whole = memory(sides).map(({ library, tensors, bytes }) => [
    `Memory of ${library}`,
    `${tensors} tensors, ${(bytes / 1e6).toFixed(2)} MB`,
  ]);
  if (rate) whole.unshift(["Pictures a second", rate.toFixed(1)]);
  const single = whole.map((texts) => spanning(texts, sides.length));
  body.replaceChildren(...rows.map((texts) => row("td", texts)), ...single);
}

function spanning(texts, columns) {
  const made = row("td", texts);
  made.lastChild.colSpan = columns;
  return made;
}

// One entry for each library that runs a model.
export function memory(sides) {
  return [...new Map(sides.map(({ runner }) => runner.memory()).map((one) => [one.library, one])).values()];
}

const milliseconds = (value) => (value === null ? "–" : `${value.toFixed(1)} ms`);

// Tells when runs leave tensors behind.
export class LeakWatch {
  constructor() {
    this.start();
  }

  // To be called when models were loaded or disposed.
  start() {
    Object.assign(this, { least: null, last: null, grown: 0 });
  }

  // Count after a run; returns how many tensors were left behind since the first, once that has gone on for a while.
  count(sides) {
    const tensors = memory(sides).reduce((sum, one) => sum + one.tensors, 0);
    this.least ??= tensors;
    this.grown = this.last !== null && tensors > this.last ? this.grown + 1 : 0;
    this.last = tensors;
    return this.grown >= GROWN ? tensors - this.least : 0;
  }
}
