"use strict";
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", reveal);
reveal();

const sortable = (table) => {
  const body = table.tBodies[0], rows = [...body.rows];
  const value = (row, column) => row.cells[column]?.dataset.sort ?? row.cells[column]?.textContent.trim() ?? "";
  const sort = (head, column) => {
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : head.dataset.first === "up";
    for (const other of all("th", table.tHead)) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const place = (row) => { const text = value(row, column); return text === "" || text === "nan" ? null : text; };
    rows.sort((a, b) => {
      const [one, two] = [place(a), place(b)];
      if (one === null || two === null) return (one === null) - (two === null);
      const order = isNaN(one) || isNaN(two) ? one.localeCompare(two) : one - two;
      return up ? order : -order;
    });
    body.append(...rows);
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.dataset.first) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(head.firstChild);
    head.prepend(button);
    button.addEventListener("click", () => sort(head, column));
  });
};

const filterable = (frame) => {
  const form = frame.querySelector(".filter"), input = form.querySelector("input"), parts = all("select", form);
  const rows = all("tbody tr", frame), count = form.querySelector("output");
  for (const part of parts) {
    const names = new Set(rows.map((row) => row.dataset[part.dataset.part]).filter(Boolean));
    part.append(...[...names].sort().map((name) => new Option(name)));
  }
  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/), chosen = parts.filter((part) => part.value);
    for (const row of rows) {
      const text = `${row.textContent} ${Object.values(row.dataset).join(" ")}`.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word))
        || !chosen.every((part) => row.dataset[part.dataset.part] === part.value);
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  form.hidden = false;
  form.addEventListener("input", show);
};

all("table.board").filter((table) => table.querySelector("[data-first]")).forEach(sortable);
all(".board-frame").forEach(filterable);

const folds = all("details"), toggle = document.querySelector(".open-all");
const openAll = (open) => folds.forEach((fold) => { fold.open = open; });
const button = toggle.querySelector("button");
toggle.hidden = false;
button.addEventListener("click", () => {
  const open = folds.some((fold) => !fold.open);
  openAll(open);
  button.textContent = open ? "Close all sections" : "Open all sections";
});
addEventListener("beforeprint", () => openAll(true));
