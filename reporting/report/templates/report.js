"use strict";
for (const table of document.querySelectorAll("table.board")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const value = (row, column) => row.cells[column]?.dataset.sort ?? row.cells[column]?.textContent.trim() ?? "";
  const sort = (head, column) => {
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : head.dataset.first === "up";
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
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
  const filter = document.querySelector(".filter"), input = filter.querySelector("input"), count = filter.querySelector("output");
  filter.hidden = false;
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
