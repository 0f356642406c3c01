// How far what two models found in one picture is apart.

import { boxes, cell, enlarged, made, points } from "./draw.js";

const SAME = 0.5; // overlap from which two boxes of a label are one object
const [FIRST, SECOND] = ["#1f5fbf", "#a04a00"];

// Content of a figure and its text. `sides` are two of side.js; detections count from the score `least` on.
export function difference(picture, sides, least) {
  const [one, two] = sides.map(({ found }) => found);
  const names = sides.map(({ name }) => name);
  if (one.kind !== two.kind) return [cell("p", "They find things of different kinds."), "Difference"];
  const kinds = { detections, classes, landmarks, picture: pictures, values };
  return kinds[one.kind](one, two, names, picture, least);
}

// Pairs of boxes of one label by falling overlap, and the boxes that have no partner.
export function matched(first, second) {
  const pairs = first.flatMap((one, a) => second.map((two, b) => ({ a, b, one, two, overlap: overlap(one.box, two.box) })));
  const [left, right, both] = [new Set(first.keys()), new Set(second.keys()), []];
  const likely = pairs.filter(({ one, two, overlap }) => one.label === two.label && overlap >= SAME);
  for (const pair of likely.sort((x, y) => y.overlap - x.overlap)) {
    if (left.has(pair.a) && right.has(pair.b) && left.delete(pair.a) && right.delete(pair.b)) both.push(pair);
  }
  return { both, left: [...left].map((index) => first[index]), right: [...right].map((index) => second[index]) };
}

function overlap(a, b) {
  const area = ([top, left, bottom, right]) => Math.max(0, bottom - top) * Math.max(0, right - left);
  const common = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return common / (area(a) + area(b) - common || 1);
}

function detections(one, two, names, picture, least) {
  const { both, left, right } = matched(...[one, two].map(({ boxes }) => boxes.filter(({ score }) => score >= least)));
  const canvas = enlarged(picture);
  const looks = new Map([...left.map((box) => [box, FIRST]), ...right.map((box) => [box, SECOND])]);
  const look = (box) => ({ colour: looks.get(box), text: `only ${names[looks.get(box) === FIRST ? 0 : 1]}`, dash: [] });
  boxes(canvas, [...looks.keys()], look);
  const moved = both.length ? 1 - Math.min(...both.map(({ overlap }) => overlap)) : 0;
  const score = Math.max(0, ...both.map(({ one, two }) => Math.abs(one.score - two.score)));
  const alone = [left, right].map((boxes, side) => `${boxes.length} only by ${names[side]}`).join(", ");
  const pairs = both.length
    ? `${both.length} by both, moved by ${(100 * moved).toFixed(1)} % of their area and ${score.toFixed(3)} of their score at most; `
    : "";
  return [canvas, `Difference: ${pairs}${alone}`];
}

function classes(one, two, names) {
  const scores = new Map(two.classes.map(({ label, score }) => [label, score]));
  const rows = one.classes.map(({ label, score }) => [label, score, scores.get(label) ?? null]);
  const table = document.createElement("table");
  const row = (kind, texts) => {
    const made = document.createElement("tr");
    made.append(...texts.map((text) => cell(kind, text)));
    return made;
  };
  table.append(row("th", ["Class", ...names, "difference"]));
  for (const [label, a, b] of rows) {
    const apart = b === null ? "not among its best" : (b - a).toFixed(4);
    table.append(row("td", [label, a.toFixed(4), b === null ? "" : b.toFixed(4), apart]));
  }
  const agree = one.classes[0].label === two.classes[0].label;
  return [table, `Difference: ${agree ? "both have the same best class" : "their best classes differ"}`];
}

function landmarks(one, two, names, picture) {
  const canvas = enlarged(picture);
  points(canvas, one.points, FIRST);
  points(canvas, two.points, SECOND);
  const apart = one.points.map(([x, y], index) => Math.hypot(x - two.points[index][0], y - two.points[index][1]));
  const most = Math.max(...apart);
  return [canvas, `Difference: blue ${names[0]}, brown ${names[1]}; ${(100 * most).toFixed(2)} % of the edge apart at most`];
}

// The difference of each pixel, with the largest one drawn white.
function pictures(one, two) {
  if (one.width !== two.width || one.height !== two.height) return [cell("p", "Their pictures have different sizes."), "Difference"];
  const pixels = new Uint8ClampedArray(one.pixels.length);
  let [largest, sum] = [0, 0];
  for (let at = 0; at < pixels.length; at += 1) {
    const apart = Math.abs(one.pixels[at] - two.pixels[at]);
    largest = Math.max(largest, apart);
    sum += apart * apart;
  }
  const times = largest ? 255 / largest : 1;
  for (let at = 0; at < pixels.length; at += 1) {
    pixels[at] = at % 4 === 3 ? 255 : Math.abs(one.pixels[at] - two.pixels[at]) * times;
  }
  const error = sum / (pixels.length * 0.75); // transparency is no colour
  const text = largest
    ? `${times.toFixed(1)} times as strong; at most ${largest} of 255, ${(10 * Math.log10(255 ** 2 / error)).toFixed(1)} dB`
    : "none";
  return [enlarged(made({ ...one, pixels })), `Difference: ${text}`];
}

function values(one, two) {
  const list = document.createElement("dl");
  for (const [name, { values }] of Object.entries(one.outputs)) {
    let most = 0;
    values.forEach((value, at) => (most = Math.max(most, Math.abs(value - two.outputs[name].values[at]))));
    list.append(cell("dt", name), cell("dd", most.toPrecision(4)));
  }
  return [list, "Largest difference of each output"];
}
