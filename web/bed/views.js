// The figures of a result: what the models were shown, what each found, and how far they are apart.

import { difference } from "./difference.js";
import { bars, boxes, cell, enlarged, made, points } from "./draw.js";
import { BEST, over } from "./found.js";

const OVER = ["detections", "landmarks"]; // drawn on the picture itself

// Figures of a picture, a canvas, and of what sides have found in it; detections only from the score `least` on.
export function figures(picture, name, sides, least) {
  const drawn = sides.filter(({ found }) => found);
  const drawnOver = drawn.length && drawn.every(({ found }) => OVER.includes(found.kind));
  const result = drawnOver ? [] : [figure(enlarged(picture), name)];
  for (const side of drawn) {
    const content = view(picture, side.found, least, drawn.length > 1);
    result.push(figure(content, `${side.name}: ${side.last.total.toFixed(1)} ms`));
  }
  if (drawn.length === 2) {
    const [content, text] = difference(picture, drawn, least);
    result.push(figure(content, text));
  }
  return result;
}

function figure(content, text) {
  const result = document.createElement("figure");
  if (content instanceof HTMLCanvasElement) Object.assign(content, { role: "img", ariaLabel: text });
  result.append(content, cell("figcaption", text));
  return result;
}

function view(picture, found, least, beside) {
  if (found.kind === "classes") return bars(found.classes.slice(0, BEST));
  if (found.kind === "picture") return enlarged(made(found));
  if (found.kind === "values") return values(found.outputs);
  const canvas = enlarged(picture);
  if (found.kind === "detections") boxes(canvas, over(found.boxes, least), beside);
  else points(canvas, found.points, beside);
  return canvas;
}

function values(outputs) {
  const list = document.createElement("dl");
  for (const [name, { meaning, shape, values }] of Object.entries(outputs)) {
    let [least, most, sum] = [Infinity, -Infinity, 0];
    for (const value of values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
      sum += value;
    }
    const [low, high, mean] = [least, most, sum / values.length].map((value) => value.toPrecision(4));
    const figures = `${shape.join(" × ")}, ${low} to ${high}, mean ${mean}`;
    list.append(cell("dt", meaning ? `${name}: ${meaning}` : name), cell("dd", figures));
  }
  return list;
}
