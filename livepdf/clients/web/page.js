"use strict";
// Draws what /state.json says, twice a second while the page is looked at.

const place = (id) => document.getElementById(id);

function text(value, sigma, unit) {
  if (value === null) return null;
  if (sigma === null || sigma <= 0) return `${value.toPrecision(4)} ${unit}`;
  const digits = Math.min(Math.max(1 - Math.floor(Math.log10(sigma)), 0), 8);
  return `${value.toFixed(digits)} ± ${sigma.toFixed(digits)} ${unit}`;
}

function limits(values) {
  const known = values.filter((v) => v !== null);
  if (!known.length) return null;
  let low = Math.min(...known), high = Math.max(...known);
  if (low === high) { low -= 0.5; high += 0.5; }
  return [low, high];
}

function ticks(low, high, wanted) {
  const raw = (high - low) / wanted, power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const found = [];
  for (let t = Math.ceil(low / step) * step; t <= high + 1e-9 * step; t += step) found.push(t);
  return found.map((t) => Number(t.toPrecision(8)));
}

function draw(canvas, x, y, sigma) {
  const pen = canvas.getContext("2d"), { width, height } = canvas;
  pen.clearRect(0, 0, width, height);
  // for who cannot see it
  const shown = y.filter((v) => v !== null).length;
  canvas.dataset.points = shown;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", shown ? `a curve of ${shown} points` : "no curve yet");
  const across = limits(x), low = y.map((v, i) => (v === null ? null : v - (sigma[i] ?? 0)));
  const high = y.map((v, i) => (v === null ? null : v + (sigma[i] ?? 0)));
  const up = limits(low.concat(high));
  const style = getComputedStyle(document.body);
  pen.font = "13px system-ui, sans-serif";
  pen.fillStyle = style.color;
  if (!across || !up) { pen.fillText("nothing to show yet", 60, height / 2); return; }
  const left = 62, bottom = height - 24, right = width - 8, top = 8;
  const px = (v) => left + ((v - across[0]) / (across[1] - across[0])) * (right - left);
  const py = (v) => bottom - ((v - up[0]) / (up[1] - up[0])) * (bottom - top);
  pen.strokeStyle = "#8886";
  pen.lineWidth = 1;
  for (const t of ticks(...across, 8)) {
    pen.beginPath(); pen.moveTo(px(t), top); pen.lineTo(px(t), bottom); pen.stroke();
    pen.textAlign = "center"; pen.fillText(String(t), px(t), height - 8);
  }
  for (const t of ticks(...up, 5)) {
    pen.beginPath(); pen.moveTo(left, py(t)); pen.lineTo(right, py(t)); pen.stroke();
    pen.textAlign = "right"; pen.fillText(String(t), left - 6, py(t) + 4);
  }
  for (const run of runs(y)) {
    pen.fillStyle = "#0072b255"; pen.beginPath();
    run.forEach((i, n) => (n ? pen.lineTo(px(x[i]), py(high[i])) : pen.moveTo(px(x[i]), py(high[i]))));
    run.slice().reverse().forEach((i) => pen.lineTo(px(x[i]), py(low[i])));
    pen.fill();
    pen.strokeStyle = "#0072b2"; pen.lineWidth = 1.6; pen.beginPath();
    run.forEach((i, n) => (n ? pen.lineTo(px(x[i]), py(y[i])) : pen.moveTo(px(x[i]), py(y[i]))));
    pen.stroke();
  }
}

// Stretches without a gap: a value that was withheld is no line.
function runs(y) {
  const found = []; let open = [];
  y.forEach((v, i) => {
    if (v === null) { if (open.length) found.push(open); open = []; } else open.push(i);
  });
  if (open.length) found.push(open);
  return found;
}

function child(tag, words, name) {
  const made = document.createElement(tag);
  made.textContent = words;
  if (name) made.className = name;
  return made;
}

function show(state) {
  place("title").textContent = document.title = state.title;
  place("line").textContent = state.connected ? state.line : state.connection;
  document.body.className = state.stale || !state.connected ? "stale" : "";
  place("problems").replaceChildren(...state.problems.map((p) => child("li", p)));
  place("scope").textContent = state.scope ?? "no window yet";
  place("values").replaceChildren(...(state.values ?? []).map((v) => {
    const box = child("div", v.name), known = text(v.value, v.sigma, v.unit);
    box.append(known ? child("b", known) : child("b", `withheld: ${v.reason}`, "reason"));
    return box;
  }));
  for (const kind of ["gr", "iq"]) {
    const curve = state.curves?.[kind];
    draw(place(kind), curve?.x ?? [], curve?.y ?? [], curve?.sigma ?? []);
  }
  const lines = state.trends?.lines ?? [];
  const box = place("trends");
  while (box.children.length > lines.length) box.lastChild.remove();
  lines.forEach((line, n) => {
    if (!box.children[n]) {
      const figure = document.createElement("figure"), canvas = document.createElement("canvas");
      canvas.width = 900; canvas.height = 150;
      figure.append(child("figcaption", ""), canvas);
      box.append(figure);
    }
    const figure = box.children[n], unit = line.unit ? ` (${line.unit})` : "";
    figure.firstChild.textContent = `${line.name}${unit} over time (s), band ±σ`;
    draw(figure.lastChild, state.trends.time, line.value, line.sigma);
  });
  place("events").replaceChildren(
    ...state.events.map((e) => child("li", `${e.ago} ago  ${e.kind}: ${e.text}`)));
}

async function look() {
  try {
    const reply = await fetch("/state.json");
    if (!reply.ok) throw new Error(await reply.text());
    show(await reply.json());
  } catch (error) {
    place("line").textContent = `livepdf web does not answer: ${error.message}`;
    document.body.className = "stale";
  }
  setTimeout(look, document.hidden ? 5000 : 500);
}

look();
