"use strict";
// Rows are arrays: run, extractor, selector, classifier, kind, network, pooling, rank, whether it may be the best, features,
// seconds of a fit, then value, low and high of each metric in ten-thousandths.
const D = JSON.parse(document.getElementById("data").textContent);
const [RUN, EXTRACTOR, SELECTOR, CLASSIFIER, KIND, NETWORK, POOLING, RANK, TIED, FEATURES, SECONDS, FIRST] = [...Array(12).keys()];
const FILTERS = { run: RUN, network: NETWORK, pooling: POOLING, selector: SELECTOR, classifier: CLASSIFIER, kind: KIND };
const PAGE = 60;
const form = document.getElementById("filters");
let sorted = { column: null, down: true }, shown = PAGE;
const chosen = new Set();

const value = (row, metric, end = 0) => row[FIRST + 3 * metric + end];
const digits = (number, metric) => number === null ? "undefined" : D.metrics[metric].percent ? (number / 100).toFixed(2) : (number / 10000).toFixed(3);
const unit = (number, metric) => digits(number, metric) + (D.metrics[metric].percent && number !== null ? " %" : "");
const brackets = (row, metric) => value(row, metric, 1) === null ? "" : `[${digits(value(row, metric, 1), metric)} to ${digits(value(row, metric, 2), metric)}]`;
const word = (row, column) => D.words[column][row[column]];
const title = (row) => [EXTRACTOR, SELECTOR, CLASSIFIER].map((column) => word(row, column)).filter((name, place) => place === 0 || name !== "none" || row[KIND] === 0).join(" x ");
const facts = (row) => word(row, EXTRACTOR).replace("shortcut: ", "");

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, setting] of Object.entries(attributes)) if (setting !== false && setting !== undefined) made.setAttribute(key, setting);
  return made;
}

// By the first metric, which the runs rank by: a shortcut that is best calibrated may know nothing.
const strongest = D.runs.map((_, run) => D.rows.filter((row) => row[RUN] === run && word(row, KIND) === "shortcut" && value(row, 0) !== null).sort((one, other) => value(other, 0) - value(one, 0))[0] ?? null);

function filtered() {
  return D.rows.filter((row) => Object.entries(FILTERS).every(([name, column]) => form.elements[name].value === "" || String(row[column]) === form.elements[name].value));
}

function whisker(row, metric, low, high) {
  const place = (number) => `${(100 * Math.min(Math.max((number - low) / (high - low || 1), 0), 1)).toFixed(2)}%`;
  const drawn = element("span", undefined, { class: `whisker ${row[KIND] === 0 ? "" : "shortcut"}`, "aria-hidden": "true" });
  const beside = strongest[row[RUN]];
  if (beside && value(beside, metric) !== null) { const line = element("s"); line.style.left = place(value(beside, metric)); drawn.append(line); }
  if (value(row, metric, 1) !== null) {
    const bar = element("i"); bar.style.left = place(value(row, metric, 1));
    bar.style.width = `calc(${place(value(row, metric, 2))} - ${place(value(row, metric, 1))})`; drawn.append(bar);
  }
  if (value(row, metric) !== null) { const dot = element("b"); dot.style.left = place(value(row, metric)); drawn.append(dot); }
  return drawn;
}

function heading(label, column, numeric, extra = {}) {
  const cell = element("th", undefined, { scope: "col", class: numeric ? "n" : "", ...extra });
  if (sorted.column === column) cell.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
  const button = element("button", label, { type: "button" });
  button.addEventListener("click", () => { sorted = { column, down: sorted.column === column ? !sorted.down : column.startsWith("m") && D.metrics[Number(column.slice(1))].up }; draw(); focusOn(column); });
  cell.dataset.column = column;
  cell.append(button);
  return cell;
}

function focusOn(column) { document.querySelector(`#table th[data-column="${column}"] button`)?.focus(); }

function ordered(rows, metric) {
  const column = sorted.column ?? `m${metric}`, down = sorted.column === null ? D.metrics[metric].up : sorted.down;
  const key = column === "name" ? title : column === "seconds" ? (row) => row[SECONDS] : (row) => value(row, Number(column.slice(1)));
  return rows.map((row) => [key(row), row]).sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    const order = typeof one === "string" ? one.localeCompare(other) : one - other;
    return down ? -order : order;
  }).map(([, row]) => row);
}

function draw() {
  const metric = Number(form.elements.metric.value), rows = ordered(filtered(), metric), some = rows.slice(0, shown);
  const further = D.metrics.map((_, place) => place).filter((place) => place !== metric);
  const head = element("tr");
  head.append(element("th", "compare", { scope: "col" }), heading("combination", "name", false, { class: "who" }), heading(D.metrics[metric].title, `m${metric}`, false, { class: "drawn" }));
  head.append(element("th", "strongest shortcut there", { scope: "col", class: "n" }), ...further.map((place) => heading(D.metrics[place].title, `m${place}`, true)), heading("fit, s", "seconds", true));
  document.querySelector("#table thead").replaceChildren(head);
  const ends = some.flatMap((row) => [value(row, metric, 1), value(row, metric), value(row, metric, 2), strongest[row[RUN]] && value(strongest[row[RUN]], metric)]).filter((number) => number !== null);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  document.querySelector("#table tbody").replaceChildren(...some.map((row) => line(row, metric, further, low, high)));
  document.getElementById("count").textContent = `${rows.length} of ${D.rows.length.toLocaleString("en")} rows${rows.length > some.length ? `, ${some.length} shown` : ""}.`;
  const more = document.getElementById("more");
  more.hidden = rows.length <= some.length;
  more.textContent = `Show ${Math.min(10 * PAGE, rows.length - some.length)} more`;
}

function line(row, metric, further, low, high) {
  const place = D.rows.indexOf(row), made = element("tr", undefined, { class: row[KIND] === 0 ? (row[TIED] ? "among" : "") : word(row, KIND) });
  const box = element("input", undefined, { type: "checkbox", "aria-label": `Compare ${title(row)}, ${D.runs[row[RUN]].title}` });
  box.checked = chosen.has(place);
  box.addEventListener("change", () => { if (box.checked) chosen.add(place); else chosen.delete(place); compare(); });
  const pick = element("td", undefined, { class: "pick" });
  pick.append(box);
  const who = element("th", title(row), { scope: "row", class: "who" });
  who.append(element("br"), element("small", D.runs[row[RUN]].title + (row[KIND] === 0 && row[TIED] ? "; may be the best there" : "")));
  const drawn = element("td", undefined, { class: "drawn" });
  drawn.append(element("strong", unit(value(row, metric), metric)), ` ${brackets(row, metric)}`, whisker(row, metric, low, high));
  const beside = strongest[row[RUN]];
  made.append(pick, who, drawn, element("td", beside ? unit(value(beside, metric), metric) : "", { class: "n" }));
  made.append(...further.map((other) => element("td", unit(value(row, other), other), { class: "n" })), element("td", row[SECONDS] === null ? "" : row[SECONDS].toFixed(2), { class: "n" }));
  return made;
}

function compare() {
  const rows = [...chosen].map((place) => D.rows[place]), section = document.getElementById("compare");
  section.hidden = rows.length < 2;
  document.getElementById("chosen").hidden = rows.length === 0;
  document.getElementById("chosen-count").textContent = rows.length === 1 ? "One row chosen: tick another one to compare." : `${rows.length} rows chosen.`;
  document.getElementById("chosen-link").hidden = section.hidden;
  if (section.hidden) return;
  const runs = new Set(rows.map((row) => row[RUN]));
  document.getElementById("compare-note").textContent = runs.size > 1
    ? "These rows are of different runs: what differs between the columns is the images or the protocol as well as the method."
    : "The same images and folds. Intervals are of one row each: that two overlap is no test of their difference.";
  const head = element("tr"), body = element("tbody");
  head.append(element("th", "row", { scope: "col" }), ...rows.map((row) => element("th", title(row), { scope: "col" })));
  const add = (label, texts, style = "", below = []) => {
    const made = element("tr");
    made.append(element("th", label, { scope: "row" }));
    texts.forEach((text, place) => {
      const cell = element("td", text, { class: style });
      if (below[place]) cell.append(element("br"), element("small", below[place], { class: "shortcut" }));
      made.append(cell);
    });
    body.append(made);
  };
  add("run", rows.map((row) => D.runs[row[RUN]].title));
  add("strongest shortcut there", rows.map((row) => strongest[row[RUN]] ? facts(strongest[row[RUN]]) : "none was scored"), "shortcut");
  D.metrics.forEach((metric, place) => {
    if (rows.every((row) => value(row, place) === null)) return;
    add(metric.title, rows.map((row) => `${unit(value(row, place), place)} ${brackets(row, place)}`), "", rows.map((row) => {
      const beside = strongest[row[RUN]];
      return beside ? `shortcut ${unit(value(beside, place), place)} ${brackets(beside, place)}` : "";
    }));
  });
  add("rank in its run", rows.map((row) => row[RANK] === null ? "no candidate" : `${row[RANK]}${row[TIED] ? ", may be the best" : ""}`));
  add("features", rows.map((row) => row[FEATURES] === null ? "" : String(row[FEATURES])));
  add("fit, s a fold", rows.map((row) => row[SECONDS] === null ? "" : row[SECONDS].toFixed(2)));
  add("what the run says of shortcuts", rows.map((row) => D.runs[row[RUN]].shortcut));
  add("controls", rows.map((row) => D.runs[row[RUN]].controls));
  add("protocol", rows.map((row) => D.runs[row[RUN]].protocol));
  const top = element("thead");
  top.append(head);
  document.getElementById("compare-table").replaceChildren(top, body);
}

for (const [name, column] of Object.entries(FILTERS)) {
  const words = column === RUN ? D.runs.map((run) => run.title) : D.words[column];
  form.elements[name].append(...words.map((text, place) => element("option", text, { value: place })));
}
form.elements.metric.append(...D.metrics.map((metric, place) => element("option", metric.title, { value: place })));
form.elements.run.value = "0";
form.addEventListener("change", () => { sorted.column = null; shown = PAGE; draw(); });
form.addEventListener("reset", () => setTimeout(() => { sorted = { column: null, down: true }; shown = PAGE; draw(); }));
form.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("more").addEventListener("click", () => { shown += 10 * PAGE; draw(); });
document.getElementById("clear").addEventListener("click", () => { chosen.clear(); compare(); draw(); });
draw();
