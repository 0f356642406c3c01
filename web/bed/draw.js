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

export function colour(label) {
  return COLOURS[[...label].reduce((sum, letter) => (31 * sum + letter.codePointAt(0)) >>> 0, 7) % COLOURS.length];
}

// Boxes with their labels. `look` gives colour, text and dash of one.
export function boxes(canvas, found, look = usual) {
  const context = canvas.getContext("2d");
  const size = Math.max(16, Math.round(0.034 * Math.min(canvas.width, canvas.height)));
  const placed = [];
  // The best one comes last, above the others.
  for (const one of [...found].reverse()) {
    const { colour, dash } = look(one);
    const [top, left, bottom, right] = inside(one.box, canvas);
    outline(context, [left, top, right - left, bottom - top], colour, dash, size / 6);
  }
  Object.assign(context, { font: `600 ${size}px system-ui, sans-serif`, textBaseline: "middle" });
  for (const one of found) {
    const { colour, text } = look(one);
    label(context, text, inside(one.box, canvas), colour, size, placed);
  }
}

const usual = ({ label, score }) => ({ colour: colour(label), text: `${label} ${(100 * score).toFixed(0)} %`, dash: [] });

function inside([top, left, bottom, right], { width, height }) {
  const cut = (value, end) => Math.min(Math.max(value, 0), 1) * end;
  return [cut(top, height), cut(left, width), cut(bottom, height), cut(right, width)];
}

function outline(context, rectangle, colour, dash, width) {
  context.setLineDash([]);
  Object.assign(context, { lineWidth: width + 2, strokeStyle: "#fff" });
  context.strokeRect(...rectangle);
  context.setLineDash(dash.map((part) => part * width));
  Object.assign(context, { lineWidth: width, strokeStyle: colour });
  context.strokeRect(...rectangle);
  context.setLineDash([]);
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
export function points(canvas, found, colour = COLOURS[0]) {
  const context = canvas.getContext("2d");
  const radius = Math.max(2, (found.length > NUMBERED ? 0.004 : 0.011) * Math.min(canvas.width, canvas.height));
  Object.assign(context, { font: `600 ${3 * radius}px system-ui, sans-serif`, textBaseline: "middle" });
  found.forEach(([x, y], index) => {
    const [across, down] = [x * canvas.width, y * canvas.height];
    context.beginPath();
    context.arc(across, down, radius, 0, 2 * Math.PI);
    Object.assign(context, { fillStyle: colour, strokeStyle: "#fff", lineWidth: Math.max(1, radius / 3) });
    context.fill();
    context.stroke();
    if (found.length <= NUMBERED) label(context, String(index), [down - radius, across + 1.5 * radius], colour, 2.4 * radius, []);
  });
}

// A canvas with a picture that a model made.
export function made({ width, height, pixels }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

// A list of bars: `rows` of {label, value from 0 to 1, text}.
export function bars(rows) {
  const list = Object.assign(document.createElement("dl"), { className: "bars" });
  for (const { label, value, text } of rows) {
    const bar = Object.assign(document.createElement("meter"), { value, ariaLabel: label });
    list.append(cell("dt", label), cell("dd", bar), cell("dd", text));
  }
  return list;
}

export function cell(kind, content) {
  const made = document.createElement(kind);
  made.append(content);
  return made;
}
