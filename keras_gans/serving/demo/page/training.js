// A run that trains: its losses and samples, as they come.

import { askJson, copy, number, tell } from "./demo.js";

const SECONDS = 2;
const [WIDTH, HEIGHT, EDGE] = [600, 150, 6];
// What is drawn to one scale.
const GROUPS = [
  ["Losses", /loss$/],
  ["Gradient norms", /norm$/],
  ["What the discriminator says", /^d_(real|fake)/],
  ["Other values", /./],
];
const SVG = "http://www.w3.org/2000/svg";

function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function chart(title, lines) {
  const box = document.createElement("div");
  box.className = "chart";
  const points = lines.flatMap(([, values]) => values).filter(([, y]) => y !== null);
  if (!points.length) return box;
  const steps = points.map(([x]) => x);
  const heights = points.map(([, y]) => y).sort((a, b) => a - b);
  // A few wild values at the start would flatten the rest.
  const low = Math.min(0, heights[Math.floor(0.01 * heights.length)]);
  const high = heights[Math.ceil(0.99 * heights.length) - 1] || 1;
  const [first, last] = [Math.min(...steps), Math.max(...steps)];
  const at = (value, from, to, length) => (length * (value - from)) / (to - from || 1);
  const svg = node("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `${title}, from step ${first} to step ${last}`,
  });
  for (const share of [0.25, 0.5, 0.75]) {
    const y = HEIGHT * share;
    svg.append(node("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: "rule" }));
  }
  const legend = document.createElement("ul");
  legend.className = "legend";
  lines.forEach(([name, values], i) => {
    const drawn = values.filter(([, y]) => y !== null).map(([x, y]) => {
      const held = Math.min(high, Math.max(low, y));
      const px = at(x, first, last, WIDTH);
      const py = HEIGHT - EDGE - at(held, low, high, HEIGHT - 2 * EDGE);
      return `${px.toFixed(1)} ${py.toFixed(1)}`;
    });
    svg.append(node("path", { d: `M${drawn.join("L")}`, class: `c${i % 6}` }));
    const item = document.createElement("li");
    const mark = document.createElement("i");
    mark.className = `c${i % 6}`;
    const value = values.at(-1)[1];
    item.append(mark, `${name} ${value === null ? "not finite" : value.toPrecision(3)}`);
    legend.append(item);
  });
  const head = document.createElement("p");
  head.className = "range";
  head.append(title);
  const range = document.createElement("span");
  range.textContent = `${low.toPrecision(2)} to ${high.toPrecision(2)}`;
  head.append(range);
  box.append(head, svg, legend);
  return box;
}

export function showTraining(place, base, newer) {
  const [content, parts] = copy("training");
  place.append(content);
  let grids = [];
  let shown = null;
  let step = null;
  let follows = true; // the newest grid
  let ended = false;

  function showGrid(i) {
    if (!grids.length) return;
    parts["grid-box"].hidden = false;
    parts.history.max = grids.length - 1;
    parts.history.value = i;
    parts["grid-step"].textContent = number(grids[i]);
    if (shown !== grids[i]) parts.newest.src = `${base}/grids/${grids[i]}.png`;
    shown = grids[i];
  }

  parts.history.addEventListener("input", () => {
    const i = Number(parts.history.value);
    follows = i === grids.length - 1;
    showGrid(i);
  });

  async function update() {
    try {
      const now = await askJson(`${base}/progress`);
      const on = now.training && now.idle !== null && now.idle < 60;
      parts.dot.classList.toggle("on", on);
      const where = `step ${number(now.step)}, epoch ${number(now.epoch)}`;
      parts.state.textContent = on
        ? `training: ${where}`
        : now.training ? `no step for a minute: ${where}` : `not training: ${where}`;
      if (now.step !== step) {
        parts.charts.replaceChildren();
        let rest = Object.entries(now.losses);
        for (const [title, pattern] of GROUPS) {
          const lines = rest.filter(([name]) => pattern.test(name));
          rest = rest.filter((line) => !lines.includes(line));
          if (lines.length) parts.charts.append(chart(title, lines));
        }
        step = now.step;
        await newer();
      }
      grids = now.grids;
      if (follows) showGrid(grids.length - 1);
    } catch (error) {
      tell(error);
    }
    if (!ended) timer = setTimeout(update, SECONDS * 1000);
  }

  let timer = setTimeout(update, 0);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
