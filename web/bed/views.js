// The figures of a result: what the models were shown, what each found, and how far they are apart.

import { difference } from "./difference.js";
import { bars, boxes, cell, enlarged, made, points } from "./draw.js";

const BEST = 5; // classes that are shown
const OVER = ["detections", "landmarks"]; // drawn on the picture itself

// Figures of a picture, a canvas, and of what sides have found in it; detections only from the score `least` on.
export function figures(picture, name, sides, least) {
  const drawn = sides.filter(({ found }) => found);
  const result = drawn.every(({ found }) => OVER.includes(found.kind)) && drawn.length ? [] : [figure(enlarged(picture), name)];
  result.push(...drawn.map((side) => figure(view(picture, side.found, least), side.name)));
  if (drawn.length === 2) {
    const [content, text] = difference(picture, drawn, least);
    result.push(figure(content, text));
  }
  return result;
}

export function figure(content, text) {
  const result = document.createElement("figure");
  if (content instanceof HTMLCanvasElement) Object.assign(content, { role: "img", ariaLabel: text });
  result.append(content, cell("figcaption", text));
  return result;
}

function view(picture, found, least) {
  if (found.kind === "classes") return bars(found.classes.slice(0, BEST).map(bar));
  if (found.kind === "picture") return enlarged(made(found));
  if (found.kind === "values") return values(found.outputs);
  const canvas = enlarged(picture);
  if (found.kind === "detections") boxes(canvas, over(found.boxes, least));
  else points(canvas, found.points);
  return canvas;
}

export const over = (boxes, least) => boxes.filter(({ score }) => score >= least);

// Scores of a model without a softmax are any numbers, and have no bar.
const bar = ({ label, score }) => ({ label, value: score, text: score.toFixed(3) });

function values(outputs) {
  const list = document.createElement("dl");
  for (const [name, { meaning, shape, values }] of Object.entries(outputs)) {
    let [least, most, sum] = [Infinity, -Infinity, 0];
    for (const value of values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
      sum += value;
    }
    const figures = `${shape.join(" × ")}, ${least.toPrecision(4)} to ${most.toPrecision(4)}, mean ${(sum / values.length).toPrecision(4)}`;
    list.append(cell("dt", meaning ? `${name}: ${meaning}` : name), cell("dd", figures));
  }
  return list;
}
