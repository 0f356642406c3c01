// Sort and filter the table of artifacts. Without it the page shows all that it has.
"use strict";

// Rows that are laid out before somebody asks for all: of a table with thousands, each change would take a second.
const MOST = 100;
const numbers = new Intl.Collator("en", { numeric: true });

// The places of rows by a column, read once: numbers as such, other text by the numbers in it, and "" without a value.
function places(rows, column) {
  const texts = rows.map((row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim());
  const sorted = [...new Set(texts)].sort((a, b) => Number(a) - Number(b) || numbers.compare(a, b));
  const known = new Map(sorted.map((text, place) => [text, text && place]));
  return new Map(rows.map((row, index) => [row, known.get(texts[index])]));
}

// What has no value comes last, whichever way the others go.
function compare(a, b, sign) {
  return a === "" || b === "" ? (a === "") - (b === "") : sign * (a - b);
}

class Sortable {
  constructor(table) {
    this.body = table.tBodies[0];
    this.rows = [...this.body.rows];
    this.columns = [];
    this.wanted = () => true;
    this.all = this.rows.length <= MOST;
    this.more = document.getElementById("more");
    for (const heading of table.tHead.rows[0].cells) this.addButton(heading);
    this.more?.addEventListener("click", () => {
      this.all = true;
      this.show();
    });
    this.show();
  }

  addButton(heading) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => this.sort(heading));
    heading.append(button);
  }

  sort(heading) {
    const sign = heading.ariaSort === "ascending" ? -1 : 1;
    for (const other of heading.parentNode.cells) other.ariaSort = null;
    heading.ariaSort = sign > 0 ? "ascending" : "descending";
    const known = (this.columns[heading.cellIndex] ??= places(this.rows, heading.cellIndex));
    this.rows.sort((a, b) => compare(known.get(a), known.get(b), sign));
    this.body.replaceChildren(...this.rows);
    this.show();
  }

  // Show the rows that are wanted, and how many they are.
  show() {
    let count = 0;
    for (const row of this.rows) {
      const wanted = this.wanted(row);
      row.hidden = !wanted || (!this.all && count >= MOST);
      count += wanted;
    }
    if (this.more) this.more.hidden = this.all || count <= MOST;
    return count;
  }
}

const tables = [...document.querySelectorAll("table.sortable")].map((table) => new Sortable(table));
const filter = document.getElementById("filter");
if (filter) {
  const [table] = tables;
  const texts = new Map(table.rows.map((row) => [row, row.textContent.toLowerCase()]));
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    table.wanted = (row) => words.every((word) => texts.get(row).includes(word));
    document.getElementById("count").textContent = table.show();
  };
  filter.addEventListener("input", show);
  show(); // the browser keeps what was typed before a reload
}
