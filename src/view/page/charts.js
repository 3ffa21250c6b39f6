// Charts of the log rows, and the timeline. They share the epoch under the pointer.

import { make, short, thousands } from "./text.js";

const COLOURS = {
  dark: ["#56b4e9", "#e69f00", "#2fbf8f", "#f0e442"],
  light: ["#0072b2", "#c97f00", "#00875f", "#a08c00"],
};
const LIFE = { dark: "#f0e442", light: "#b07d00" };

/** Rows of numbers, the first of each its epoch. */
export class Rows {
  constructor() { this.width = 1; this.values = new Float64Array(0); this.length = 0; }
  add({ isNew, columns, values }) {
    if (isNew || columns !== this.width) { this.length = 0; this.width = columns; }
    const from = this.length * columns;
    if (from + values.length > this.values.length) {
      const grown = new Float64Array(Math.max(4096, 2 * (from + values.length)));
      grown.set(this.values.subarray(0, from));
      this.values = grown;
    }
    this.values.set(values, from);
    this.length += values.length / columns;
  }
  at(row, column) { return this.values[row * this.width + column]; }
  epoch(row) { return this.at(row, 0); }
  get last() { return this.length ? this.epoch(this.length - 1) : 0; }
  /** The last row of no more epochs. */
  find(epoch) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.epoch(middle) <= epoch) low = middle + 1; else high = middle;
    }
    return low - 1;
  }
}

function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const box = canvas.getBoundingClientRect();
  const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, box.width, box.height);
  return { context, width: box.width, height: box.height };
}

/** Calls `see(x, y)` for about as many rows as there are pixels. */
function along(rows, column, width, x, y, see) {
  const stride = Math.max(1, Math.floor(rows.length / (width * 1.5)));
  for (let row = 0; row < rows.length; row++) {
    if (row % stride && row !== rows.length - 1) continue;
    const value = rows.at(row, column);
    if (!Number.isNaN(value)) see(x(rows.epoch(row)), y(value));
  }
}

export class Charts {
  constructor(box, timeline, on) {
    Object.assign(this, { box, timeline, on, rows: new Rows(), panels: [], pointed: null, theme: "dark", state: { epoch: 0, known: 0, alive_at: null } });
    const epochAt = (event, canvas) => {
      const area = canvas.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
      return Math.round(share * this.end);
    };
    this.epochAt = epochAt;
    let held = false;
    timeline.addEventListener("pointerdown", (event) => {
      held = true;
      timeline.setPointerCapture(event.pointerId);
      this.point(epochAt(event, timeline));
    });
    timeline.addEventListener("pointermove", (event) => this.point(epochAt(event, timeline)));
    timeline.addEventListener("pointerup", (event) => { if (held) on.jump(epochAt(event, timeline)); held = false; });
    timeline.addEventListener("pointercancel", () => { held = false; });
    timeline.addEventListener("pointerleave", () => { if (!held) this.point(null); });
  }

  begin(scene) {
    this.scene = scene;
    const panels = new Map();
    scene.curves.forEach((curve, i) => {
      const panel = panels.get(curve.panel) ?? { title: curve.panel, unit: curve.unit, log: curve.log, curves: [] };
      panel.curves.push({ ...curve, column: i + 1 });
      panels.set(curve.panel, panel);
    });
    this.entropy = 1 + scene.curves.findIndex((curve) => curve.name === "high_order_entropy");
    this.box.replaceChildren();
    this.panels = [...panels.values()].map((panel) => {
      const [names, canvas] = [make("div", { className: "names" }), make("canvas")];
      const element = make("div", { className: "chart", hidden: !panel.curves.some((it) => it.always) }, names, canvas);
      canvas.addEventListener("pointermove", (event) => this.point(this.epochAt(event, canvas)));
      canvas.addEventListener("pointerleave", () => this.point(null));
      canvas.addEventListener("click", (event) => this.on.jump(this.epochAt(event, canvas)));
      this.box.append(element);
      const curves = panel.curves.map((curve, i) => {
        const [mark, value] = [make("i"), make("b")];
        names.append(make("span", { title: curve.label }, mark, `${brief(curve)} `, value));
        return { ...curve, colour: i, mark, value };
      });
      return { ...panel, element, canvas, curves };
    });
    this.soon();
  }

  add(rows) { this.rows.add(rows); this.soon(); }
  set(state) { this.state = state; this.soon(); }
  point(epoch) { if (this.pointed !== epoch) { this.pointed = epoch; this.soon(); } }
  /** The last epoch that charts reach to. */
  get end() { return Math.max(64, this.rows.last, this.state.known, this.state.busy?.to ?? 0); }

  /** Draw before long; not more often than eyes follow. */
  soon() {
    if (this.timer) return;
    const wait = this.pointed === null ? 120 : 16;
    this.timer = setTimeout(() => { this.timer = null; requestAnimationFrame(() => this.draw()); }, wait);
  }

  draw() {
    if (!this.scene || document.hidden) return;
    this.drawTimeline();
    if (this.box.offsetParent === null) return;
    for (const panel of this.panels) this.drawPanel(panel);
  }

  drawPanel(panel) {
    const { rows } = this;
    const has = panel.curves.filter((curve) => rows.length && !Number.isNaN(rows.at(rows.length - 1, curve.column)));
    if (panel.element.hidden && !has.length) return;
    panel.element.hidden = false;
    const { context, width, height } = fitted(panel.canvas);
    const x = (epoch) => (epoch / this.end) * width;
    const scaled = (value) => (panel.log ? Math.log10(1 + value) : value);
    let most = panel.log ? 1 : 0.5;
    let least = 0;
    for (const curve of has) for (let row = 0; row < rows.length; row++) {
      const value = scaled(rows.at(row, curve.column));
      if (value > most) most = value;
      if (value < least) least = value;
    }
    if (panel.unit === "bits per byte") most = Math.max(most, panel.curves.length > 1 ? 8 : 4);
    const y = (value) => height - 3 - ((scaled(value) - least) / (most - least)) * (height - 9);
    this.rules(context, width, height, x);
    const colours = COLOURS[this.theme];
    const row = rows.length ? rows.find(this.pointed ?? Infinity) : -1;
    for (const curve of panel.curves) {
      const colour = colours[curve.colour % colours.length];
      curve.mark.style.background = colour;
      const value = row >= 0 ? rows.at(row, curve.column) : NaN;
      curve.value.textContent = Number.isNaN(value) ? "" : Number.isInteger(value) ? thousands(value) : value >= 100 ? thousands(value) : value.toFixed(value < 10 ? 3 : 1);
      curve.value.parentElement.hidden = Number.isNaN(value) && !curve.always;
      context.beginPath();
      along(rows, curve.column, width, x, y, (x, y) => context.lineTo(x, y));
      context.strokeStyle = colour;
      context.lineWidth = 1.4;
      context.lineJoin = "round";
      context.stroke();
      if (this.pointed !== null && !Number.isNaN(value)) dot(context, x(rows.epoch(row)), y(value), colour);
    }
    this.cursor(context, height, x);
  }

  /** The base line, and a mark where the soup came alive. */
  rules(context, width, height, x) {
    const style = getComputedStyle(document.documentElement);
    context.strokeStyle = style.getPropertyValue("--line");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(0, height - 0.5);
    context.lineTo(width, height - 0.5);
    context.stroke();
    const alive = this.state.alive_at;
    if (alive !== null && alive !== undefined) {
      context.strokeStyle = LIFE[this.theme];
      context.globalAlpha = 0.55;
      context.setLineDash([2, 3]);
      context.beginPath();
      context.moveTo(x(alive), 0);
      context.lineTo(x(alive), height);
      context.stroke();
      context.setLineDash([]);
      context.globalAlpha = 1;
    }
  }

  cursor(context, height, x) {
    const style = getComputedStyle(document.documentElement);
    const line = (epoch, colour, alpha) => {
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      context.fillRect(Math.round(x(epoch)) - 0.5, 0, 1, height);
      context.globalAlpha = 1;
    };
    if (this.state.epoch < this.end) line(this.state.epoch, style.getPropertyValue("--text"), 0.5);
    if (this.pointed !== null) line(this.pointed, style.getPropertyValue("--faint"), 0.5);
  }

  drawTimeline() {
    const { rows } = this;
    const { context, width, height } = fitted(this.timeline);
    const top = 13;
    const x = (epoch) => 1 + (epoch / this.end) * (width - 2);
    let most = 4;
    for (let row = 0; row < rows.length; row++) most = Math.max(most, rows.at(row, this.entropy));
    const y = (value) => height - 1 - (Math.max(0, value) / most) * (height - top - 2);
    this.rules(context, width, height, x);
    const colour = COLOURS[this.theme][0];
    if (rows.length > 1) {
      context.beginPath();
      context.moveTo(x(rows.epoch(0)), height);
      along(rows, this.entropy, width, x, y, (x, y) => context.lineTo(x, y));
      context.lineTo(x(rows.last), height);
      const fill = context.createLinearGradient(0, top, 0, height);
      fill.addColorStop(0, colour + "77");
      fill.addColorStop(1, colour + "11");
      context.fillStyle = fill;
      context.fill();
      context.beginPath();
      along(rows, this.entropy, width, x, y, (x, y) => context.lineTo(x, y));
      context.strokeStyle = colour;
      context.lineWidth = 1.5;
      context.stroke();
    }
    const style = getComputedStyle(document.documentElement);
    context.font = `11px ${style.fontFamily}`;
    const write = (text, at, colour) => {
      const room = context.measureText(text).width;
      context.fillStyle = colour;
      context.fillText(text, Math.max(0, Math.min(width - room, at)), 10);
    };
    const alive = this.state.alive_at;
    if (this.pointed !== null) {
      const row = rows.find(this.pointed);
      const value = row >= 0 ? `  ${rows.at(row, this.entropy).toFixed(3)} bits` : "";
      write(`${thousands(this.pointed)}${value}`, x(this.pointed) + 6, style.getPropertyValue("--text"));
    } else if (alive !== null && alive !== undefined) {
      write(`alive at ${thousands(alive)}`, x(alive) + 6, LIFE[this.theme]);
    } else {
      write(rows.length ? "high-order entropy" : "", 0, style.getPropertyValue("--dim"));
    }
    this.cursor(context, height, x);
    dot(context, x(Math.min(this.state.epoch, this.end)), height - 4, style.getPropertyValue("--text"), 4);
  }
}

function dot(context, x, y, colour, radius = 2.5) {
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fillStyle = colour;
  context.fill();
}

/** A few words for a curve, whose whole name is in its title. */
function brief({ name, label }) {
  return {
    byte_entropy: "Shannon entropy", brotli_bpb: "brotli", high_order_entropy: "high-order entropy",
    ops_per_interaction: "ops", steps_per_interaction: "steps",
    number_selfreps: "score ≥ 5", number_selfreps_48: "score ≥ 48",
    distinct_tokens: "tokens", commonest_token_share: "commonest token",
  }[name] ?? label;
}

export { short };
