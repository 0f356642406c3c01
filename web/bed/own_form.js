// The questions about a dropped model, with what is guessed filled in.

import { TASKS, withoutBackground } from "./own_answers.js";
import { lines } from "./tflite_file.js";

const RANGES = { "0 … 1": [0, 1], "−1 … 1": [-1, 1], "0 … 255": [0, 255] };
const OTHER = "other";
const SHOWS = {
  classes: "classes",
  detections: "boxes of things",
  picture: "a picture",
  landmarks: "points",
  values: "other values",
};
const ORDERS = { yx: "top, left, bottom, right", xy: "left, top, right, bottom", middle: "middle, width, height" };
const UNITS = { edge: "parts of the edges", pixels: "pixels of the input" };
const COLOURS = { RGB: "red, green, blue", BGR: "blue, green, red" };
const LAYOUTS = { NHWC: "last", NCHW: "first" };

// Ask; gives the answers, or null where the person does not want to.
//
// `about` is {name, form, outputs, note}: see own_answers.js; `outputs` are names, `note` a line to be shown or "".
export function ask({ name, form, outputs, note }, answers) {
  const dialog = element("dialog", { className: "own" });
  const body = element("form", {});
  dialog.append(body);
  const told = { ...answers };
  const fields = [];

  function field(text, control, shown = () => true) {
    const row = element("p", {});
    const label = element("label", { textContent: text, htmlFor: (control.id = `own-${fields.length}`) });
    row.append(label, control);
    fields.push({ row, shown });
    return row;
  }
  const choose = (key, options, convert = String) => {
    const select = element("select", { onchange: () => ((told[key] = convert(select.value)), show()) });
    select.append(...Object.entries(options).map(([value, text]) => new Option(text, value)));
    select.value = String(told[key]);
    return select;
  };
  const number = (key, more) => {
    const input = element("input", { type: "number", step: "any", required: true, ...more, value: told[key] });
    input.oninput = () => (told[key] = input.valueAsNumber);
    return input;
  };
  const range = (low, high) => {
    const known = Object.keys(RANGES).find((text) => RANGES[text][0] === told[low] && RANGES[text][1] === told[high]);
    const own = element("span", { className: "range", hidden: Boolean(known) });
    own.append(...[[low, "black"], [high, "white"]].map(([key, text]) => Object.assign(number(key, {}), { ariaLabel: text })));
    const select = element("select", {});
    select.append(...[...Object.keys(RANGES), OTHER].map((text) => new Option(text, text)));
    select.value = known ?? OTHER;
    select.onchange = () => {
      own.hidden = select.value !== OTHER;
      [told[low], told[high]] = RANGES[select.value] ?? [told[low], told[high]];
      for (const [input, key] of [[own.firstChild, low], [own.lastChild, high]]) input.value = told[key];
    };
    return [select, own];
  };
  const ranged = (text, low, high, shown) => {
    const [select, own] = range(low, high);
    const row = field(text, select, shown);
    row.append(own);
    return row;
  };
  const is = (...tasks) => () => tasks.includes(told.task);
  const ends = Object.fromEntries(outputs.map((output) => [output, output]));
  const several = outputs.length > 1;
  const first = choose("first", { 0: "counts", 1: "is background" }, Number);
  const whole = { min: 1, max: 4096, step: 1 };

  body.append(
    element("h2", { textContent: name }),
    element("p", { className: "wide hint", textContent: note, hidden: !note }),
    part("What goes in", [
      !form.height && field("Height", number("height", whole)),
      !form.width && field("Width", number("width", whole)),
      ranged("Black … white", "low", "high"),
      form.channels > 1 && field("Colours", choose("colour", COLOURS)),
      form.channels === 1 && field("Colours", element("output", { textContent: "grey" })),
    ]),
    part("What comes out", [
      field("It is", choose("task", Object.fromEntries(TASKS.map((task) => [task, SHOWS[task]])))),
      several && field("Output", choose("output", ends), is("classes", "picture", "landmarks")),
      ...["boxes", "scores"].map((key) => field(capital(key), choose(key, ends), is("detections"))),
      field("Classes", choose("classes", { "": "a column of scores each", ...ends }), is("detections")),
      field("A box is", choose("order", ORDERS), is("detections")),
      field("Scores", choose("softmax", { false: "as they are", true: "by softmax" }, (text) => text === "true"), is("classes")),
      field("First class", first, is("classes", "detections")),
      ranged("Black … white", "black", "white", is("picture")),
      field("A point is", choose("dimensions", { 2: "x, y", 3: "x, y, z" }, Number), is("landmarks")),
      field("In", choose("unit", UNITS), is("detections", "landmarks")),
      field("Labels", labels(told, () => (first.value = told.first)), is("classes", "detections")),
    ])
  );
  const buttons = element("div", { className: "buttons wide" });
  const cancel = element("button", { type: "button", textContent: "Cancel", onclick: () => dialog.close() });
  buttons.append(element("button", { type: "submit", textContent: "Run it" }), cancel);
  body.append(buttons);

  function show() {
    for (const { row, shown } of fields) {
      row.hidden = !shown();
      for (const control of row.querySelectorAll("input")) control.disabled = row.hidden;
    }
  }

  show();
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    body.onsubmit = (event) => {
      event.preventDefault();
      dialog.returnValue = "run";
      dialog.close("run");
    };
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === "run" ? told : null);
    };
  });
}

function part(title, rows) {
  const made = element("fieldset", {});
  made.append(element("legend", { textContent: title }), ...rows.filter(Boolean));
  return made;
}

// Labels from a file of text, one a line.
function labels(told, changed) {
  const made = element("span", { className: "labels" });
  const count = element("span", {});
  const file = element("input", { type: "file", accept: ".txt,text/plain", ariaLabel: "file of labels" });
  const say = () => (count.textContent = told.labels.length ? `${told.labels.length}, “${told.labels[0]}” first` : "none");
  file.onchange = async () => {
    if (!file.files.length) return;
    const { labels: found, background } = withoutBackground(lines(await file.files[0].text()));
    Object.assign(told, { labels: found, first: told.task === "classes" ? background : told.first });
    say();
    changed();
  };
  say();
  made.append(count, file);
  return made;
}

const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
const capital = (text) => text[0].toUpperCase() + text.slice(1);
