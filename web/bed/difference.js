// How far what two models found in one picture is apart.

import { boxes, cell, enlarged, made, points, table } from "./draw.js";
import { BEST, over } from "./found.js";

const SAME = 0.5; // overlap from which two boxes of a label are one object
const [FIRST, SECOND, BOTH] = ["#1f5fbf", "#a04a00", "#4a4e55"];

// Content of a figure and its text. `sides` are two of side.js; detections count from the score `least` on.
export function difference(picture, sides, least) {
  const [one, two] = sides.map(({ found }) => found);
  const names = sides.map(({ name }) => name);
  const kinds = { detections, classes, landmarks, picture: pictures, values };
  const [content, text] = kinds[one.kind](one, two, names, picture, least);
  return [content, `Difference: ${text}`];
}

// Pairs of boxes of one label by falling overlap, and the boxes that have no partner.
function matched(first, second) {
  const all = first.flatMap((one) => second.map((two) => ({ one, two, overlap: overlap(one.box, two.box) })));
  const likely = all.filter(({ one, two, overlap }) => one.label === two.label && overlap >= SAME);
  const [left, right, both] = [new Set(first), new Set(second), []];
  for (const pair of likely.sort((a, b) => b.overlap - a.overlap)) {
    if (!left.has(pair.one) || !right.has(pair.two)) continue;
    left.delete(pair.one);
    right.delete(pair.two);
    both.push(pair);
  }
  return { both, left: [...left], right: [...right] };
}

function overlap(a, b) {
  const area = ([top, left, bottom, right]) => Math.max(0, bottom - top) * Math.max(0, right - left);
  const common = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return common / (area(a) + area(b) - common || 1);
}

function detections(one, two, names, picture, least) {
  const { both, left, right } = matched(over(one.boxes, least), over(two.boxes, least));
  const looks = new Map();
  for (const { one, two } of both) {
    looks.set(two, { colour: BOTH, text: `${two.label} ${signed(100 * (two.score - one.score), 1)}` });
  }
  for (const box of left) looks.set(box, { colour: FIRST, text: `only ${names[0]}` });
  for (const box of right) looks.set(box, { colour: SECOND, text: `only ${names[1]}` });
  const canvas = enlarged(picture);
  boxes(canvas, [...looks.keys()], true, (box) => looks.get(box));
  const score = Math.max(...both.map(({ one, two }) => Math.abs(one.score - two.score)));
  const common = Math.min(...both.map(({ overlap }) => overlap));
  const worst = `, scores at most ${(100 * score).toFixed(1)} points apart, overlap at least ${common.toFixed(2)}`;
  const alone = `only ${names[0]}: ${left.length}; only ${names[1]}: ${right.length}`;
  return [canvas, `found by both: ${both.length}${both.length ? worst : ""}; ${alone}`];
}

function signed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) ? `${value < 0 ? "−" : "+"}${text}` : text;
}

// The best classes of both.
function classes(one, two, names) {
  const [first, second] = [one, two].map(({ classes }) => new Map(classes.map(({ label, score }) => [label, score])));
  const apart = (label) => second.get(label) - first.get(label);
  const best = new Set([one, two].flatMap(({ classes }) => classes.slice(0, BEST).map(({ label }) => label)));
  const rows = [...best].map((label) => {
    const scores = [first, second].map((all) => all.get(label).toFixed(4));
    return [label, ...scores, signed(apart(label), 4)];
  });
  const most = Math.max(...[...first.keys()].map((label) => Math.abs(apart(label))));
  const agree = one.classes[0].label === two.classes[0].label ? "the same best class" : "another best class";
  return [table([["Class", ...names, "apart"], ...rows]), `${agree}, scores at most ${most.toFixed(4)} apart`];
}

function landmarks(one, two, names, picture) {
  const canvas = enlarged(picture);
  points(canvas, one.points, true, FIRST);
  points(canvas, two.points, false, SECOND, false); // smaller, so that both are seen
  const apart = one.points.map(([x, y], index) => Math.hypot(x - two.points[index][0], y - two.points[index][1]));
  const most = (100 * Math.max(...apart)).toFixed(2);
  return [canvas, `blue ${names[0]}, brown ${names[1]}; at most ${most} % of the edge apart`];
}

// The difference of each value, made so strong that the largest is white.
function pictures(one, two) {
  const apart = one.pixels.map((value, at) => Math.abs(value - two.pixels[at]));
  const largest = apart.reduce((most, value) => Math.max(most, value), 0);
  const times = largest ? 255 / largest : 1;
  const pixels = apart.map((value, at) => (at % 4 === 3 ? 255 : value * times));
  const error = apart.reduce((sum, value) => sum + value ** 2, 0) / (0.75 * apart.length); // of colours alone
  const decibels = (10 * Math.log10(255 ** 2 / error)).toFixed(1);
  const text = `at most ${largest} of 255, PSNR ${decibels} dB; drawn ${times.toFixed(1)} times as strong`;
  return [enlarged(made({ ...one, pixels })), largest ? text : "none"];
}

function values(one, two) {
  const list = document.createElement("dl");
  for (const [name, { values }] of Object.entries(one.outputs)) {
    const apart = values.map((value, at) => Math.abs(value - two.outputs[name].values[at]));
    list.append(cell("dt", name), cell("dd", apart.reduce((most, value) => Math.max(most, value), 0).toPrecision(4)));
  }
  return [list, "the largest of each output"];
}
