"use strict";
// Makes a page that reads without it easier to use: tables sort, filter and copy; the lattice can be walked;
// charts show their figures. Text from data only ever becomes text, by textContent.
(() => {
  const PAGE = 100;
  const make = (tag, props = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };
  const english = (n) => n.toLocaleString("en-US", { maximumFractionDigits: 1 });

  // Tables

  const textOf = (cell) => {
    const cut = cell.title || (cell.querySelector("bdi[title]") ? wholeOf(cell) : "");
    return (cut || cell.textContent).trim();
  };
  const wholeOf = (cell) => {
    const copy = cell.cloneNode(true);
    for (const part of copy.querySelectorAll("bdi[title]")) part.textContent = part.title;
    return copy.textContent;
  };
  const numberOf = (text) => {
    if (text === "<.001") return 0.0005;
    const sign = text.startsWith("-") ? -1 : 1;
    if (text.endsWith("∞")) return sign * Infinity;
    const value = parseFloat(text.replace(/,/g, ""));
    return Number.isNaN(value) ? null : value;
  };
  const compare = (a, b, up) => {
    if (a === null || b === null) return (a === null) - (b === null); // what is not known comes last, either way
    const order = typeof a === "number" ? a - b || 0 : a.localeCompare(b, "en", { numeric: true });
    return up ? order : -order;
  };
  const csvField = (text) => {
    const number = /^[-+]?[\d.,]+$/.test(text);
    const safe = !number && /^[=+\-@\t\r]/.test(text) ? "'" + text : text; // a spreadsheet would run it
    return /[",\n\r]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  };

  const setUp = (details) => {
    const table = details.querySelector("table");
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const titles = heads.map((h) => h.textContent.trim());
    const all = [...body.rows];
    let rows = all.slice();
    let limit = PAGE;
    let words = null;
    const count = make("span", { className: "count" });
    count.setAttribute("aria-live", "polite");
    const more = details.querySelector(".more");

    // A row is found by what it says, and by a column's name with it, as in town=b.
    const wordsOf = (row) => [...row.cells].map((c, i) => `${titles[i]}=${textOf(c)} ${textOf(c)}`).join("\n");
    const matching = () => {
      const asked = filter.value.trim().toLowerCase();
      if (!asked) return rows;
      words ??= new Map(all.map((r) => [r, wordsOf(r).toLowerCase()]));
      return rows.filter((r) => words.get(r).includes(asked));
    };
    const draw = () => {
      const found = matching();
      const shown = found.slice(0, limit);
      body.replaceChildren(...shown);
      const part = found.length > shown.length ? `${english(shown.length)} shown of ` : "";
      count.textContent = `${part}${english(found.length)}${found.length < all.length ? ` of ${english(all.length)}` : ""} ${all.length === 1 ? "row" : "rows"}`;
      more.hidden = found.length <= limit;
    };
    const filter = make("input", { type: "search", placeholder: "filter" });
    filter.setAttribute("aria-label", `Filter: ${table.caption.textContent}`);
    filter.addEventListener("input", () => {
      limit = PAGE;
      draw();
    });
    const copied = make("span", { className: "count" });
    copied.setAttribute("role", "status");
    const copy = make("button", { type: "button", textContent: "Copy as CSV" });
    copy.addEventListener("click", async () => {
      const kept = heads.map((h, i) => i).filter((i) => !heads[i].classList.contains("bar"));
      const found = matching();
      const lines = [kept.map((i) => csvField(titles[i]))];
      for (const r of found) lines.push(kept.map((i) => csvField(textOf(r.cells[i]))));
      const done = await toClipboard(lines.map((l) => l.join(",")).join("\r\n") + "\r\n");
      copied.textContent = done ? `${english(found.length)} ${found.length === 1 ? "row" : "rows"} copied` : "the browser does not allow copying";
    });

    heads.forEach((head, i) => {
      if (head.classList.contains("bar")) return;
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.replaceChildren(button);
      head.dataset.title = titles[i]; // for paper, on which buttons are not repeated
      button.addEventListener("click", () => {
        const numeric = head.classList.contains("n");
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const h of heads) h.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const keyed = all.map((r) => {
          const text = textOf(r.cells[i]);
          return [numeric ? numberOf(text) : text === "–" || !text ? null : text, r];
        });
        rows = keyed.sort((a, b) => compare(a[0], b[0], up)).map((k) => k[1]);
        draw();
      });
    });

    const next = make("button", { type: "button", textContent: `Show ${PAGE} more` });
    next.addEventListener("click", () => {
      limit += PAGE;
      draw();
    });
    const rest = make("button", { type: "button", textContent: "Show all" });
    rest.addEventListener("click", () => {
      limit = Infinity;
      draw();
    });
    more.append(next, rest);
    const controls = details.querySelector(".controls");
    if (all.length > 5) controls.append(filter);
    controls.append(copy, count, copied);
    controls.hidden = false;
    draw();
  };

  const toClipboard = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = make("textarea", { value: text });
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };

  // The lattice

  const explore = (root, data) => {
    const digits = data.attributes.map(() => -1);
    let rate = data.rates[0];
    let split = 0;
    const sizes = (data.rates.find((r) => r.id === "accuracy") || data.rates[0]).rows;
    const keyOf = (d) => d.map((v) => (v < 0 ? "*" : v)).join(".");
    const nameOf = (i, level) => {
      const text = data.attributes[i].levels[level];
      return [make("bdi", { textContent: data.attributes[i].name }), /^(<|>=)-?[\d.]+(e[+-]?\d+)?$/.test(text) ? "" : "=", make("bdi", { textContent: text })];
    };
    const bar = (r) => {
      const node = make("i", { className: "iv" });
      ["--v", "--l", "--h"].forEach((p, j) => node.style.setProperty(p, 100 * r[j + 1]));
      return node;
    };
    const figuresOf = (key) => {
      const r = rate.rows[key];
      const leaf = !key.includes("*");
      const size = sizes[key] ? sizes[key][0] : null;
      if (!r) {
        if (data.small[key]) return { mark: `too small, ${data.small[key]}` };
        return { mark: leaf || data.complete ? "empty: no rows" : "not in this report" };
      }
      if (!r[0]) return { size, n: 0, mark: "undefined: no rows that the rate is about" };
      return { size, n: r[0], r, mark: r[0] < data.tiny ? "tiny" : "" };
    };
    const sentence = (t) =>
      t.r ? `between ${t.r[2].toFixed(3)} and ${t.r[3].toFixed(3)}; ${english(t.n)}${t.size > t.n ? ` of ${english(t.size)}` : ""} rows` : "";

    const rates = make("select", { id: "pick-rate" });
    for (const r of data.rates) rates.append(make("option", { textContent: r.name }));
    rates.addEventListener("change", () => {
      rate = data.rates[rates.selectedIndex];
      draw();
    });
    const splits = make("select", { id: "pick-split" });
    splits.addEventListener("change", () => {
      split = +splits.value;
      draw();
    });
    const about = make("p", { className: "note" });
    const path = make("ol", { className: "path" });
    path.setAttribute("aria-label", "Where you are");
    const here = make("div", { className: "here" });
    here.setAttribute("aria-live", "polite");
    const list = make("div", { className: "scroll", tabIndex: 0 });
    list.setAttribute("role", "region");
    list.setAttribute("aria-label", "Groups one step down");
    const label = (text, control) => make("label", {}, text, control);
    root.append(make("div", { className: "pick" }, label("Rate", rates), label("Split by", splits)), about, path, here, list);

    const step = (change, focus) => {
      change();
      draw();
      if (focus) (list.querySelector("tbody button") || path.querySelector("li:last-child button")).focus();
    };
    const walked = []; // attributes in the order in which they were fixed

    const draw = () => {
      about.textContent = `${rate.name}: ${rate.about}.`;
      const everyone = make("button", { type: "button", textContent: "everyone" });
      everyone.addEventListener("click", () => step(() => walked.splice(0).forEach((i) => (digits[i] = -1)), true));
      path.replaceChildren(make("li", {}, everyone));
      walked.forEach((i, depth) => {
        const button = make("button", { type: "button" }, ...nameOf(i, digits[i]));
        button.addEventListener("click", () => step(() => walked.splice(depth + 1).forEach((j) => (digits[j] = -1)), true));
        path.append(make("li", {}, button));
      });
      path.lastChild.firstChild.setAttribute("aria-current", "step");
      const t = figuresOf(keyOf(digits));
      here.replaceChildren();
      if (t.r) here.append(make("b", { textContent: t.r[1].toFixed(3) }), bar(t.r), make("span", { textContent: sentence(t) }));
      if (t.mark) here.append(make("span", { className: "mark", textContent: t.mark }));
      const free = digits.map((d, i) => i).filter((i) => digits[i] < 0);
      if (!free.includes(split)) split = free.length ? free[0] : -1;
      splits.replaceChildren(...free.map((i) => make("option", { value: i, textContent: data.attributes[i].name, selected: i === split })));
      splits.disabled = !free.length;
      if (split < 0) return list.replaceChildren(make("p", { className: "note", textContent: "A leaf: every attribute is fixed. Go back by the path above." }));
      list.replaceChildren(children());
    };
    const children = () => {
      const body = make("tbody");
      data.attributes[split].levels.forEach((text, level) => {
        const down = digits.slice();
        down[split] = level;
        const t = figuresOf(keyOf(down));
        const button = make("button", { type: "button" }, ...nameOf(split, level));
        button.addEventListener("click", () => step(() => walked.push(split) && (digits[split] = level), true));
        const cell = (value, className = "n") => make("td", { className }, value);
        const head = make("th", { scope: "row" }, button);
        const bars = make("td", { className: "bar" });
        if (t.r) bars.append(bar(t.r));
        const row = make("tr", {}, head, cell(t.n === undefined ? "–" : english(t.n)), cell(t.r ? t.r[1].toFixed(3) : "–"));
        row.append(bars, cell(t.r ? `${t.r[2].toFixed(3)} to ${t.r[3].toFixed(3)}` : ""), cell(make("span", { className: "mark", textContent: t.mark }), ""));
        if (t.mark === "tiny") row.className = "tiny";
        body.append(row);
      });
      const head = make("tr");
      for (const [text, n] of [["group", ""], ["rows", "n"], ["rate", "n"], ["0 to 1", "bar"], [`${data.confidence} interval`, "n"], ["note", ""]]) {
        head.append(make("th", { scope: "col", className: n, textContent: text }));
      }
      return make("table", {}, make("thead", {}, head), body);
    };
    draw();
  };

  // Charts show their figures on hover; the table behind each has them for everyone.

  const tip = document.getElementById("tip");
  const showTip = (event) => {
    const node = event.target.closest?.(".chart svg [aria-label]");
    tip.hidden = !node;
    if (!node) return;
    tip.textContent = node.getAttribute("aria-label");
    const right = event.clientX + tip.offsetWidth + 24 > innerWidth;
    tip.style.left = `${Math.max(right ? event.clientX - tip.offsetWidth - 12 : event.clientX + 12, 4)}px`;
    tip.style.top = `${Math.max(Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8), 4)}px`;
  };
  document.addEventListener("pointermove", showTip);
  document.addEventListener("keydown", (event) => event.key === "Escape" && (tip.hidden = true));
  document.addEventListener("scroll", () => (tip.hidden = true), true);

  // On paper nothing is folded.

  const opened = [];
  addEventListener("beforeprint", () => {
    for (const d of document.querySelectorAll("details:not([open])")) opened.push(Object.assign(d, { open: true }));
  });
  addEventListener("afterprint", () => opened.splice(0).forEach((d) => (d.open = false)));

  for (const node of document.querySelectorAll(".nojs")) node.hidden = true;
  for (const details of document.querySelectorAll("details.table")) setUp(details);
  const data = document.getElementById("lattice");
  if (data) {
    explore(document.getElementById("explorer"), JSON.parse(data.textContent));
    document.getElementById("explore").hidden = false;
  }
})();
