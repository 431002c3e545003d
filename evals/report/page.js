"use strict";
// The table of cases. Everything in the data was written by others and is hostile by assumption:
// it reaches the page as text (textContent), never as markup, and content stays covered until asked for.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 50;
  const at = (id) => document.getElementById(id);
  const by = (name) => (one) => one[name] ?? "";
  const COLUMNS = [
    { name: "case", value: by("id") },
    { name: "policy", value: (one) => (one.slices && one.slices.policy) || "" },
    { name: "expected", value: by("expected") },
    { name: "decided", value: by("decided") },
    { name: "section", value: (one) => (one.cited || []).join(", ") },
    { name: "sure", value: by("confidence"), told: (one) => one.confidence.toFixed(2) },
    { name: "outcome", value: (one) => data.fates[one.fate] },
  ];
  const state = { sort: null, down: false, page: 0, shown: [], open: new Set(), bare: new Set() };

  function element(tag, text, kind) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function choices(select, all, entries) {
    select.append(new Option(all, ""));
    for (const [value, label] of entries) select.append(new Option(label, value));
  }

  function counted(values) {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    return [...counts].sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }

  function fillFilters() {
    const fates = new Map(counted(data.cases.map((one) => one.fate)));
    const known = Object.entries(data.fates).filter(([key]) => fates.has(key));
    choices(at("fate"), "every outcome", known.map(([key, label]) => [key, `${label} (${fates.get(key)})`]));
    const policies = counted(data.cases.map(COLUMNS[1].value)).filter(([name]) => name);
    choices(at("policy"), "every policy", policies.map(([name, n]) => [name, `${name} (${n})`]));
    const pairs = data.cases.flatMap((one) =>
      Object.entries(one.slices || {}).filter(([name]) => name !== "policy").map((pair) => JSON.stringify(pair)));
    const few = counted(pairs).filter(([, n]) => n > 1 || data.cases.length < 500);
    choices(at("slice"), "every slice", few.slice(0, 500).map(([pair, n]) => [pair, `${JSON.parse(pair).join(": ")} (${n})`]));
  }

  function matches(one) {
    const fate = at("fate").value, policy = at("policy").value, slice = at("slice").value;
    const wanted = at("wanted").value.trim().toLowerCase();
    if (fate && one.fate !== fate) return false;
    if (policy && COLUMNS[1].value(one) !== policy) return false;
    if (wanted && !one.id.toLowerCase().includes(wanted)) return false;
    if (slice) {
      const [name, value] = JSON.parse(slice);
      if (!one.slices || one.slices[name] !== value) return false;
    }
    return true;
  }

  function select() {
    const found = data.cases.filter(matches);
    if (state.sort) {
      const value = state.sort.value, sign = state.down ? -1 : 1;
      found.sort((a, b) => {
        const x = value(a), y = value(b);
        return x < y ? -sign : x > y ? sign : 0;
      });
    }
    state.shown = found;
    state.page = 0;
    draw();
  }

  function drawHeads() {
    at("heads").replaceChildren(...COLUMNS.map((column) => {
      const head = element("th");
      head.scope = "col";
      const sorted = state.sort === column;
      head.setAttribute("aria-sort", sorted ? (state.down ? "descending" : "ascending") : "none");
      const button = element("button", column.name);
      button.type = "button";
      button.addEventListener("click", () => {
        state.down = sorted && !state.down;
        state.sort = column;
        select();
        at("heads").children[COLUMNS.indexOf(column)].firstChild.focus();
      });
      head.append(button);
      return head;
    }));
  }

  function draw() {
    drawHeads();
    const pages = Math.max(1, Math.ceil(state.shown.length / PAGE));
    const from = state.page * PAGE;
    const visible = state.shown.slice(from, from + PAGE);
    at("rows").replaceChildren(...visible.flatMap(rowsOf));
    at("count").textContent = `${state.shown.length.toLocaleString("en")} of ${data.cases.length.toLocaleString("en")} cases`;
    at("place").textContent = `${state.page + 1} of ${pages}`;
    at("before").disabled = state.page === 0;
    at("after").disabled = state.page >= pages - 1;
  }

  function rowsOf(one) {
    const row = element("tr", undefined, "case");
    const open = state.open.has(one.id);
    COLUMNS.forEach((column, place) => {
      const cell = element("td");
      cell.dataset.name = column.name;
      const text = column.told ? column.told(one) : column.value(one);
      if (place === 0) {
        const button = element("button", text, "open");
        button.type = "button";
        button.setAttribute("aria-expanded", String(open));
        cell.append(button);
      } else {
        cell.textContent = text || "–";
      }
      if (column.name === "outcome") cell.className = `fate fate-${one.fate}`;
      row.append(cell);
    });
    row.addEventListener("click", () => {
      if (!state.open.delete(one.id)) state.open.add(one.id);
      redraw(one, row);
    });
    return open ? [row, detailOf(one)] : [row];
  }

  function redraw(one, row) {
    const next = row.nextElementSibling;
    if (next && next.classList.contains("detail")) next.remove();
    const made = rowsOf(one);
    row.replaceWith(...made);
    made[0].querySelector("button").focus();
  }

  function detailOf(one) {
    const row = element("tr", undefined, "detail");
    const cell = element("td");
    cell.colSpan = COLUMNS.length;
    const box = element("div", undefined, "opened");
    const bare = state.bare.has(one.id);
    const prose = (pair) => (bare || pair.length === 1 ? pair[0] : pair[1]);
    const block = (title, texts) => {
      if (!texts.length) return;
      box.append(element("h3", title), ...texts.map((text) => element("p", text)));
    };
    box.append(element("h3", "Content"));
    if (bare) {
      box.append(contentOf(one.text));
      (one.context || []).forEach((text) => box.append(element("h3", "Said before it"), contentOf(text)));
      if (one.links) box.append(element("h3", "Links, as they are written"), ...one.links.map(contentOf));
    } else {
      const cover = element("button", `Show the content (${one.text.length.toLocaleString("en")} characters)`, "covered");
      cover.type = "button";
      cover.addEventListener("click", (event) => {
        event.stopPropagation();
        state.bare.add(one.id);
        row.replaceWith(detailOf(one));
      });
      box.append(cover);
    }
    const answer = one.sections ? `${one.expected} under ${one.sections.join(" or ")}` : one.expected;
    block("The answer", [`${answer} (${one.source})`]);
    block("The verdict", [
      `${one.decided}, action ${one.action}` +
      (one.reason ? `, because: ${one.reason.replaceAll("_", " ")}` : `, confidence ${one.confidence.toFixed(2)}`),
    ]);
    for (const ground of one.grounds || []) box.append(groundOf(ground, bare, prose));
    block("Because", [prose(one.rationale || [""])]);
    block("Against", [prose(one.against || [""])]);
    block("A person decides", (one.because || []).map(prose));
    block("Evidence", (one.evidence || []).map((item) => `${item.tool}: ${prose(item.finding)}`));
    block("Precedents", one.precedents || []);
    block("Slices", [Object.entries(one.slices || {}).map((pair) => pair.join(": ")).join(" · ")]);
    cell.append(box);
    row.append(cell);
    return row;
  }

  function contentOf(text) {
    const shown = element("p", text, "content");
    shown.dir = "auto";
    return shown;
  }

  function groundOf(ground, bare, prose) {
    const box = element("div", undefined, "ground");
    box.append(element("b", `${ground.section} (${ground.severity}, ${ground.confidence.toFixed(2)})`));
    box.append(element("p", `The rule: “${ground.rule}”`));
    const covered = "•".repeat(Math.min(24, ground.content.length));
    box.append(element("p", `The content: “${bare ? ground.content : covered}”`));
    box.append(element("p", prose(ground.why)));
    return box;
  }

  function turn(step) {
    state.page += step;
    draw();
    at("cases").scrollIntoView();
  }

  fillFilters();
  for (const id of ["fate", "policy", "slice"]) at(id).addEventListener("change", select);
  at("wanted").addEventListener("input", select);
  at("filters").addEventListener("submit", (event) => event.preventDefault());
  at("before").addEventListener("click", () => turn(-1));
  at("after").addEventListener("click", () => turn(1));
  select();
})();
