// What was found, drawn.

// White text is readable on each of them.
const COLOURS = ["#b3261e", "#1f5fbf", "#1b7a3d", "#8a3fa0", "#a04a00", "#00696f", "#6d5a00", "#b0185a"];
const LARGE = 640; // smaller pictures are drawn larger, or their labels could not be read
const NUMBERED = 20; // points that are few enough to have their numbers beside them

// A canvas with a picture, `scale` times as large.
export function enlarged(picture) {
  const scale = Math.max(1, Math.round(LARGE / Math.max(picture.width, picture.height)));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: picture.width * scale, height: picture.height * scale });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = scale < 4; // of a tiny picture, the pixels are what there is to see
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const coloured = new Map();

// Labels get the colours in the order in which they come up, and keep them.
function colour(label) {
  if (!coloured.has(label)) coloured.set(label, COLOURS[coloured.size % COLOURS.length]);
  return coloured.get(label);
}

// Height of labels and the like; `beside` when the canvas will be one of several in a row, and smaller.
function textSize({ width, height }, beside) {
  return Math.max(16, Math.round((beside ? 0.055 : 0.034) * Math.min(width, height)));
}

// Boxes with their labels. `look` gives colour and text of one.
export function boxes(canvas, found, beside, look = usual) {
  const context = canvas.getContext("2d");
  const size = textSize(canvas, beside);
  const placed = [];
  // The best one comes last, above the others.
  for (const one of [...found].reverse()) {
    const { colour } = look(one);
    const [top, left, bottom, right] = inside(one.box, canvas);
    outline(context, [left, top, right - left, bottom - top], colour, size / 6);
  }
  Object.assign(context, { font: `600 ${size}px system-ui, sans-serif`, textBaseline: "middle" });
  for (const one of found) {
    const { colour, text } = look(one);
    label(context, text, inside(one.box, canvas), colour, size, placed);
  }
}

const usual = ({ label, score }) => ({ colour: colour(label), text: `${label} ${(100 * score).toFixed(0)} %` });

function inside([top, left, bottom, right], { width, height }) {
  const cut = (value, end) => Math.min(Math.max(value, 0), 1) * end;
  return [cut(top, height), cut(left, width), cut(bottom, height), cut(right, width)];
}

function outline(context, rectangle, colour, width) {
  Object.assign(context, { lineWidth: width + 2, strokeStyle: "#fff" });
  context.strokeRect(...rectangle);
  Object.assign(context, { lineWidth: width, strokeStyle: colour });
  context.strokeRect(...rectangle);
}

// A plate above the box, or in it where the picture ends, and below others that stand there.
function label(context, text, [top, left], colour, size, placed) {
  const { width, height } = context.canvas;
  const plate = { width: Math.min(context.measureText(text).width + 0.6 * size, width), height: 1.35 * size };
  plate.left = Math.max(0, Math.min(left, width - plate.width));
  plate.top = top >= plate.height ? top - plate.height : top;
  const meets = (other) =>
    Math.abs(plate.left - other.left) < Math.max(plate.width, other.width) &&
    Math.abs(plate.top - other.top) < plate.height;
  while (placed.some(meets) && plate.top + plate.height < height) plate.top += plate.height / 2;
  plate.top = Math.min(plate.top, height - plate.height);
  placed.push(plate);
  context.fillStyle = colour;
  context.fillRect(plate.left, plate.top, plate.width, plate.height);
  context.fillStyle = "#fff";
  context.fillText(text, plate.left + 0.3 * size, plate.top + 0.53 * plate.height, plate.width - 0.6 * size);
}

// Points, with their numbers where they are few.
export function points(canvas, found, beside, colour = COLOURS[0], numbered = found.length <= NUMBERED) {
  const context = canvas.getContext("2d");
  const size = textSize(canvas, beside);
  const radius = size / (found.length > NUMBERED ? 6 : 3);
  Object.assign(context, { font: `600 ${size}px system-ui, sans-serif`, textBaseline: "middle" });
  found.forEach(([x, y], index) => {
    const [across, down] = [x * canvas.width, y * canvas.height];
    context.beginPath();
    context.arc(across, down, radius, 0, 2 * Math.PI);
    Object.assign(context, { fillStyle: colour, strokeStyle: "#fff", lineWidth: radius / 3 });
    context.fill();
    context.stroke();
    if (numbered) label(context, String(index), [down - radius, across + 1.5 * radius], colour, size, []);
  });
}

// A canvas with a picture that a model made.
export function made({ width, height, pixels }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

// A list of labels and scores, with a bar for each; scores that are no probabilities have none below 0.
export function bars(rows) {
  const list = Object.assign(document.createElement("dl"), { className: "bars" });
  const largest = Math.max(1, ...rows.map(({ score }) => score));
  for (const { label, score } of rows) {
    const bar = document.createElement("div");
    bar.style.width = `${Math.max(0, (100 * score) / largest)}%`;
    list.append(cell("dt", label), cell("dd", bar), cell("dd", score.toFixed(3)));
  }
  return list;
}

// A table: rows of texts, the first of which are headings.
export function table(rows) {
  const made = document.createElement("table");
  made.append(...rows.map((texts, index) => row(index ? "td" : "th", texts)));
  return made;
}

export function row(kind, texts) {
  const made = document.createElement("tr");
  made.append(...texts.map((text) => cell(kind, text)));
  return made;
}

export function cell(kind, content) {
  const made = document.createElement(kind);
  made.append(content);
  return made;
}
