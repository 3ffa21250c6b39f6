// The page: the soup, what is beside it, and the keys.

import { Charts } from "./charts.js";
import { Link, ask } from "./link.js";
import { Camera, Painter, ageColour, getBack } from "./painter.js";
import { ProgramPage } from "./program.js";
import { Soup } from "./soup.js";
import { bytesOf, codeOf, colourOf, make, percent, short, thousands, tileOf } from "./text.js";

const $ = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
const canvas = $("soup");
const over = $("over");
const soup = new Soup();
const camera = new Camera();
const painter = new Painter(canvas, parameters.has("plain"));
let scene = null;
let state = { epoch: 0, known: 0, playing: false, alive_at: null };
let mode = "kind";
let theme = localStorage.getItem("theme") ?? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
let dirty = true;
/** Whether the camera shows all of the soup, and is to go on doing so. */
let fitted = true;
let hovered = null;
let selected = null;
let found = null;
let asked = null;
const OWN = ["token", "plain", "epoch", "plants", "mode"];

// What the server says.

const link = new Link({
  open() { asked = null; $("notice").dataset.gone && hideNotice(); request(); },
  closed() { notice("the server is gone; trying again until it is back", "error", true); },
  soup: begin,
  state(now) {
    const before = state;
    state = now;
    showState(before);
  },
  census: showCensus,
  notice: ({ text, level }) => notice(text, level),
  birth: showBirth,
  rows(rows) { charts.add(rows); },
  frame(frame) { soup.frame(frame); dirty = true; asked = null; },
  plane(plane) { soup.setPlane(plane); dirty = true; if (wish().sample === 0) asked = null; },
});

const charts = new Charts($("charts"), $("timeline"), { jump });
const page = new ProgramPage($("program"), {
  selected(index) { selected = index; dirty = true; },
  notice: (text) => notice(text, "error"),
  async find(hex) { await find(hex); },
  plant(places, hex) { for (const index of places) link.send({ do: "plant", index, hex }); },
});

let linked = false;
function begin(next) {
  const isOther = scene?.num !== next.num || scene?.columns !== next.columns || scene?.language.name !== next.language.name;
  const isNew = !scene || JSON.stringify(scene.settings) !== JSON.stringify(next.settings);
  scene = next;
  soup.begin(scene);
  if (isNew) { charts.begin(scene); found = null; if (page.isOpen) page.close(); }
  if (isOther || fitted) fit();
  $("title").textContent = titleOf(scene);
  document.title = `${titleOf(scene)} · broth`;
  $("birth").hidden = !scene.pairs || scene.origin === "run";
  for (const id of ["back"]) $(id).disabled = scene.origin === "run";
  showLegend();
  if (!linked) { linked = true; followLink(); }
  asked = null;
  request();
}

function titleOf({ settings, language, origin, folder, num }) {
  const where = origin === "settings" ? "" : ` · ${folder}`;
  return `${language.name} · ${thousands(num)} programs · seed ${settings.seed}${where}`;
}

// Addresses: a link repeats the soup.

function settingsOfLink() {
  return Object.fromEntries([...parameters].filter(([name]) => !OWN.includes(name)));
}

function followLink() {
  const settings = settingsOfLink();
  if (parameters.has("mode")) setMode(parameters.get("mode"));
  const epoch = parameters.has("epoch") ? Number(parameters.get("epoch")) : null;
  if (!Object.keys(settings).length) return;
  const plants = (parameters.get("plants") ?? "").split(",").filter(Boolean).map((plant) => {
    const [epoch, index, hex] = plant.split("-");
    return [Number(epoch), Number(index), hex];
  });
  const same = (a, b) => JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
  if (!scene.address || !same(scene.address, settings) || JSON.stringify(scene.plants) !== JSON.stringify(plants)) {
    link.send({ do: "new", settings, plants, epoch, play: false });
  } else if (epoch !== null && !state.playing && epoch !== state.epoch) {
    link.send({ do: "jump", epoch });
  }
}

function address() {
  if (!scene?.address) return null;
  const query = new URLSearchParams(scene.address);
  if (!state.playing) query.set("epoch", state.busy?.to ?? state.epoch);
  const plants = scene.plants.map((plant) => plant.join("-")).join(",");
  if (plants && scene.plants.length <= 64) query.set("plants", plants);
  if (parameters.has("plain")) query.set("plain", "");
  return `/?${query}`;
}

let shownAddress = null;
function showAddress() {
  const now = address() ?? "/";
  if (now !== shownAddress && linked) { shownAddress = now; history.replaceState(null, "", now); }
}

// The soup.

function wish() {
  const scale = camera.scale;
  const sample = mode !== "kind" && scale < 0.5 ? 0 : scale >= 0.56 ? 1 : scale >= 0.24 ? 2 : 4;
  return { sample, plane: mode === "kind" ? "none" : mode };
}

/** Ask for the next frame, if none is asked for with this wish. */
function request() {
  if (!scene || !link.isOpen || document.hidden) return;
  const next = wish();
  const key = JSON.stringify(next);
  if (asked === key) return;
  asked = key;
  link.send({ do: "next", ...next });
}

function inset() {
  const narrow = innerWidth <= 720;
  const aside = !$("panel").hidden || page.isOpen;
  const right = narrow || !aside ? 12 : (page.isOpen ? 470 : 336) + 24;
  return { top: 70, bottom: narrow ? 82 : 96, left: 12, right };
}

function fit() {
  if (!scene) return;
  const ratio = canvas.width / innerWidth;
  const { top, bottom, left, right } = inset();
  const [width, height] = [(innerWidth - left - right) * ratio, (innerHeight - top - bottom) * ratio];
  camera.scale = Math.min(width / soup.width, height / soup.height);
  // Small soups in whole pixels, which look sharper.
  if (camera.scale > 1) camera.scale = Math.floor(camera.scale * 4) / 4;
  camera.x = -(left * ratio + (width - soup.width * camera.scale) / 2) / camera.scale;
  camera.y = -(top * ratio + (height - soup.height * camera.scale) / 2) / camera.scale;
  fitted = true;
  dirty = true;
}

function leastScale() {
  return Math.min(canvas.width / soup.width, canvas.height / soup.height) / 4;
}

function zoom(factor, x, y) {
  const ratio = canvas.width / innerWidth;
  camera.zoom(factor, x * ratio, y * ratio, leastScale(), 48 * ratio);
  fitted = false;
  dirty = true;
}

/** Bring a program into the middle, large enough to be seen. */
function goTo(index, scale) {
  const ratio = canvas.width / innerWidth;
  const { top, bottom, left, right } = inset();
  camera.scale = Math.max(camera.scale, scale * ratio);
  const [x, y] = soup.placeOf(index);
  camera.x = x + scene.tile[0] / 2 - ((left + innerWidth - right) / 2) * ratio / camera.scale;
  camera.y = y + scene.tile[1] / 2 - ((top + innerHeight - bottom) / 2) * ratio / camera.scale;
  fitted = false;
  dirty = true;
}

function resize() {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  for (const it of [canvas, over]) {
    it.width = Math.round(innerWidth * ratio);
    it.height = Math.round(innerHeight * ratio);
  }
  if (fitted) fit();
  charts.soon();
  dirty = true;
}

let frames = 0;
function loop() {
  requestAnimationFrame(loop);
  if (!dirty || !scene) { request(); return; }
  dirty = false;
  const draw = () => painter.draw(soup, camera, mode, theme);
  if (frames++ % 40 === 20) {
    // A machine that draws slowly draws a little less finely.
    const time = painter.measure(draw);
    if (time > 30 && painter.quality > 1) painter.quality--;
    else if (time < 6 && painter.quality < 3) painter.quality++;
  } else draw();
  drawOver();
  request();
}

/** Texts of bytes, and marks of programs. */
function drawOver() {
  const context = over.getContext("2d");
  context.clearRect(0, 0, over.width, over.height);
  const { x, y, scale } = camera;
  const [width, height] = scene.tile;
  if (scale >= 11 * (over.width / innerWidth) && soup.sampling === 1) drawTexts(context);
  const box = (index, colour, line, grow) => {
    const [left, up] = soup.placeOf(index);
    context.strokeStyle = colour;
    context.lineWidth = line;
    context.strokeRect((left - x) * scale - grow, (up - y) * scale - grow, width * scale + 2 * grow, height * scale + 2 * grow);
  };
  const text = theme === "dark" ? "#ffffff" : "#000000";
  if (found) {
    const least = Math.max(2, 5 - width * scale / 2);
    context.globalAlpha = 0.9;
    for (const index of found.places) box(index, theme === "dark" ? "#f0e442" : "#b3402a", 1.5, least);
    context.globalAlpha = 1;
  }
  if (hovered !== null && width * scale >= 5) box(hovered, text, 1, 1);
  if (selected !== null) box(selected, text, 2, Math.max(2, 8 - width * scale / 2));
}

function drawTexts(context) {
  const { x, y, scale } = camera;
  const [width, height] = scene.tile;
  const { language } = scene;
  const len = language.program_len;
  const wide = language.text[0].length > 1;
  context.font = `${Math.round(scale * (wide ? 0.5 : 0.72))}px ${getComputedStyle(document.documentElement).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const [first, last] = [Math.max(0, Math.floor(x)), Math.min(soup.width, Math.ceil(x + over.width / scale))];
  const [top, bottom] = [Math.max(0, Math.floor(y)), Math.min(soup.height, Math.ceil(y + over.height / scale))];
  for (let row = top; row < bottom; row++) for (let column = first; column < last; column++) {
    const at = soup.at(column, row);
    if (!at) continue;
    const byte = soup.bytes[at.index * len + at.place];
    const sign = language.text[byte];
    if (sign === "·" || sign === " ") continue;
    const colour = mode === "kind" ? inkOn(colourOf(language, theme, byte)) : theme === "dark" ? "#000000b0" : "#ffffffd0";
    context.fillStyle = colour;
    context.fillText(sign, (column - x + 0.5) * scale, (row - y + 0.53) * scale);
  }
}

const inks = new Map();
function inkOn(colour) {
  if (!inks.has(colour)) {
    const number = parseInt(colour.slice(1), 16);
    const light = 0.3 * (number >> 16) + 0.59 * ((number >> 8) & 255) + 0.11 * (number & 255);
    inks.set(colour, light > 120 ? "#000000d0" : "#ffffffd8");
  }
  return inks.get(colour);
}

// The pointer.

const pointers = new Map();
let moved = 0;
canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  moved = pointers.size > 1 ? 99 : 0;
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  const now = [event.clientX, event.clientY];
  if (!before) { hover(...now); return; }
  const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
  if (other) {
    const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    zoom(far(now, other) / Math.max(1, far(before, other)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }
  const share = (canvas.width / innerWidth) / camera.scale / (other ? 2 : 1);
  moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
  if (moved > 4) {
    camera.x -= (now[0] - before[0]) * share;
    camera.y -= (now[1] - before[1]) * share;
    fitted = false;
    dirty = true;
    canvas.classList.add("dragging");
    $("hover").hidden = true;
  }
  pointers.set(event.pointerId, now);
});
for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => {
  if (!pointers.delete(event.pointerId)) return;
  canvas.classList.remove("dragging");
  if (kind === "pointerup" && moved <= 4) touch(event.clientX, event.clientY);
});
canvas.addEventListener("pointerleave", () => { hovered = null; $("hover").hidden = true; dirty = true; });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const step = event.deltaMode === 1 ? 20 : 1;
  zoom(Math.exp(-event.deltaY * step * (event.ctrlKey ? 0.01 : 0.0022)), event.clientX, event.clientY);
  hover(event.clientX, event.clientY);
}, { passive: false });
canvas.addEventListener("dblclick", (event) => zoom(3, event.clientX, event.clientY));

function programAt(clientX, clientY) {
  if (!scene) return null;
  const ratio = canvas.width / innerWidth;
  return soup.at(camera.x + (clientX * ratio) / camera.scale, camera.y + (clientY * ratio) / camera.scale);
}

function hover(clientX, clientY) {
  const at = programAt(clientX, clientY);
  if ((at?.index ?? null) !== hovered) { hovered = at?.index ?? null; dirty = true; }
  const box = $("hover");
  box.hidden = !at;
  if (!at) return;
  let byte = "";
  const program = soup.program(at.index);
  if (program && camera.scale >= 2) {
    const value = program[at.place];
    const kind = scene.language.kinds[scene.language.kind_of[value]];
    byte = `\nbyte ${at.place}  ${value.toString(16).padStart(2, "0").toUpperCase()}  ${scene.language.text[value]}  ${kind.name}`;
  }
  box.replaceChildren(make("b", {}, `program ${thousands(at.index)}`), byte);
  const room = box.getBoundingClientRect();
  box.style.left = `${Math.min(innerWidth - room.width - 8, clientX + 14)}px`;
  box.style.top = `${Math.max(6, Math.min(innerHeight - room.height - 8, clientY + 16))}px`;
}

function touch(clientX, clientY) {
  const at = programAt(clientX, clientY);
  if (!at) { if (page.isOpen) page.close(); found = null; dirty = true; return; }
  page.open(scene, at.index);
}

// What is beside it.

function showState(before) {
  charts.set(state);
  const input = $("epoch");
  if (document.activeElement !== input) input.value = thousands(state.epoch);
  $("play").classList.toggle("playing", state.playing);
  const busy = !state.busy ? null : state.busy.what === "going" ? `going to ${thousands(state.busy.to)} …`
    : `${state.busy.what} ${percent((state.busy.now - state.busy.from) / Math.max(1, state.busy.to - state.busy.from))}`;
  const rate = state.playing || state.busy ? `${short(state.rate)} epochs/s` : "paused";
  $("rate").textContent = state.ended ?? busy ?? (state.following ? "following the run" : rate);
  $("rate").title = state.ended ?? `${short(state.interactions_rate)} interactions a second`;
  const life = $("life");
  const isAlive = state.alive_at !== null && state.epoch >= state.alive_at;
  life.textContent = isAlive ? `alive since ${thousands(state.alive_at)}` : "not alive";
  life.classList.toggle("alive", isAlive);
  if (state.limit !== before.limit || before.epoch === undefined) showSpeed(state.limit);
  showAddress();
}

function showLegend() {
  const legend = $("legend");
  if (!scene) return;
  legend.replaceChildren();
  const entry = (colour, text) => {
    const spot = make("i");
    spot.style.background = colour;
    legend.append(make("span", {}, spot, text));
  };
  if (mode === "kind") {
    const { kinds, [theme]: colours } = scene.language;
    const many = kinds.length > 12;
    kinds.forEach((kind, i) => entry(colours.kinds[i], many ? kind.symbol : `${kind.symbol} ${brief(kind)}`));
  } else if (mode === "class") {
    const { classes, greys } = scene.language[theme];
    entry(classes[0], "relatives share a colour");
    entry(greys[1], "without relatives");
  } else {
    const ramp = make("div", { className: "ramp" });
    const stops = Array.from({ length: 12 }, (_, i) => `rgb(${ageColour(theme, i * 16)})`);
    ramp.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
    legend.append(ramp, make("span", {}, "changed just now"), make("span", { style: "margin-left:auto" }, "1,000 epochs ago"));
  }
}

const brief = (kind) => (kind.symbol === kind.name ? "" : kind.name.length > 16 ? "" : kind.name);

let census = null;
function showCensus(now) {
  census = now;
  if (!scene) return;
  // Families may have been told apart anew.
  if (mode === "class") { asked = null; request(); }
  $("distinct").textContent = now.distinct ? `${thousands(now.distinct)} distinct` : "";
  const box = $("commonest");
  const { language } = scene;
  // What stays as it is can be clicked in peace.
  const look = JSON.stringify([now.commonest, theme, language.name]);
  if (box.dataset.look === look) return;
  box.dataset.look = look;
  box.replaceChildren(...now.commonest.map((common) => {
    const bytes = bytesOf(common.hex);
    const tile = tileOf(scene, theme, bytes);
    if (common.class !== null) tile.style.outlineColor = language[theme].classes[common.class];
    const most = (language.program_len * 3) / 4;
    const score = make("span", {}, common.score >= most ? make("b", {}, `score ${common.score}`) : `score ${common.score}`);
    const element = make("button", { className: "common", title: "find it in the soup" }, tile,
      make("div", { className: "line" }, make("b", {}, thousands(common.count)), make("span", {}, percent(common.share)), score),
      codeOf(language, theme, bytes, common.loop));
    element.addEventListener("click", async () => {
      await find(common.hex);
      await page.open(scene, found?.places[0] ?? common.index, common.hex);
      if (fitted) fit();
    });
    return element;
  }));
  if (!now.commonest.length) box.append(make("div", { className: "empty" }, "no two programs are the same"));
}

async function find(hex) {
  try {
    found = await ask(`/api/places?hex=${hex}`);
    dirty = true;
    if (found.places.length) { if (!fitted) goTo(found.places[0], 1); } else notice("none is left in the soup");
  } catch (error) {
    notice(error.message, "error");
  }
}

/** The interaction that made the ancestor of all today's replicators of the commonest kind. */
async function showBirth({ epoch, index, score, steps, hex }) {
  notice(`Epoch ${thousands(epoch)}: here program ${thousands(index)} came out of an interaction, the first of its line to score ${score}. ` +
    `${thousands(steps)} interactions lead from it to today's commonest replicator.`);
  goTo(index, 3);
  await page.open(scene, index, hex, epoch);
  await page.beside("last");
}

let noticeTimer;
function notice(text, level = "info", stays = false) {
  const box = $("notice");
  box.textContent = text;
  box.className = level;
  box.hidden = false;
  clearTimeout(noticeTimer);
  if (stays) box.dataset.gone = "1"; else { delete box.dataset.gone; noticeTimer = setTimeout(hideNotice, Math.max(5000, 70 * text.length)); }
}
function hideNotice() { $("notice").hidden = true; delete $("notice").dataset.gone; }

// What it is told to do.

function jump(epoch) {
  if (scene.origin === "run") { notice("a run that keeps its records goes on, and never back"); return; }
  link.send({ do: "jump", epoch: Math.max(0, Math.min(2 ** 53, Math.round(epoch))) });
}
function play() { link.send({ do: state.playing ? "pause" : "play" }); }
function step(epochs) {
  if (state.playing) { link.send({ do: "pause" }); return; }
  if (epochs > 0) link.send({ do: "step", epochs });
  else jump(state.epoch + epochs);
}

const SPEEDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, null];
function speed(rate) { link.send({ do: "speed", rate }); showSpeed(rate); }
function showSpeed(rate) {
  const at = rate === null ? SPEEDS.length - 1 : SPEEDS.findIndex((it) => it === null || it >= rate);
  $("speed").value = (at / (SPEEDS.length - 1)) * 100;
  $("speed-label").textContent = rate === null ? "full speed" : `${rate} epochs/s`;
}
function speedBy(steps) {
  const at = SPEEDS.findIndex((it) => it === null || (state.limit !== null && it >= state.limit));
  speed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + steps))]);
}

function setMode(next) {
  if (!["kind", "class", "age"].includes(next)) return;
  mode = next;
  for (const it of $("modes").children) it.setAttribute("aria-checked", it.dataset.mode === mode);
  showLegend();
  dirty = true;
  request();
}

function setTheme(next) {
  theme = next;
  localStorage.setItem("theme", theme);
  document.documentElement.className = theme;
  $("theme").textContent = theme === "dark" ? "light" : "dark";
  charts.theme = theme;
  page.theme = theme;
  inks.clear();
  showLegend();
  if (census) showCensus(census);
  if (page.shown) { const { run } = page; page.draw(); page.run = run; if (run) page.drawTape(); }
  charts.soon();
  dirty = true;
}

function setPanel(open) {
  $("panel").hidden = !open;
  $("panels").setAttribute("aria-pressed", open);
  if (fitted) fit();
  charts.soon();
}

async function share() {
  const path = address();
  if (!path) { notice("this soup comes from files, which no link can hold"); return; }
  try {
    const { sha256, epoch } = await ask("/api/hash");
    const url = `${location.origin}${path}`;
    let how = "the address of this page is the link";
    try { await navigator.clipboard.writeText(url); how = "link copied"; } catch { /* the address bar has it */ }
    notice(`${how}: after ${thousands(epoch)} epochs the soup's SHA-256 begins ${sha256.slice(0, 16)}`);
  } catch (error) {
    notice(error.message, "error");
  }
}

// Soups to choose.

const FIELDS = [
  ["seed", "seed", "0"], ["num", "programs", "131072"], ["mutation-prob", "mutation probability", "1/4096"],
  ["grid", "grid, columns x rows", "none"], ["log-interval", "log interval, epochs", "64"],
];

function showSoups() {
  const dialog = $("dialog");
  const input = (name, placeholder) => make("input", { name, placeholder, spellcheck: false, autocomplete: "off", value: scene.address?.[name] ?? "" });
  const language = make("select", { name: "lang" }, ...scene.languages.map((it) => make("option", { value: it.name, title: it.summary }, it.name)));
  language.value = scene.language.name;
  const world = make("select", { name: "world" }, ...["pairs", "zff", "long-tape"].map((it) => make("option", { value: it }, it)));
  world.value = scene.settings.world ?? "pairs";
  const fields = FIELDS.map(([name, text, placeholder]) => {
    const field = input(name, placeholder);
    if (name !== "seed") return make("label", {}, text, field);
    const dice = make("button", { type: "button", title: "draw a seed" }, "draw");
    dice.addEventListener("click", () => { field.value = crypto.getRandomValues(new Uint32Array(1))[0]; });
    return make("label", {}, text, make("div", { className: "pair" }, field, dice));
  });
  const form = make("form", { className: "form" },
    make("label", {}, "language", language), make("label", {}, "world", world), ...fields,
    make("label", { className: "wide" }, "program planted at the start, at index 0", input("initial-program", "none")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const settings = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, name === "initial-program" ? value : value.trim()]).filter(([, value]) => value !== ""));
    if (settings.world === "pairs") delete settings.world;
    if (settings.world === "zff") delete settings.lang;
    link.send({ do: "new", settings, play: true });
    dialog.close();
  });
  const begin = make("button", { className: "primary" }, "begin");
  begin.addEventListener("click", () => form.requestSubmit());
  const cancel = make("button", {}, "cancel");
  cancel.addEventListener("click", () => dialog.close());
  const presets = scene.presets.map((preset) => {
    const element = make("button", { "data-preset": preset.name }, make("b", {}, preset.title), make("span", {}, preset.sentence));
    element.addEventListener("click", () => { link.send({ do: "preset", name: preset.name }); dialog.close(); });
    return element;
  });
  const isOwn = scene.origin !== "run";
  dialog.replaceChildren(
    make("h1", {}, isOwn ? "choose a soup" : "this page shows a run, which keeps its own soup"),
    isOwn ? make("div", { className: "presets" }, ...presets) : null ?? "",
    isOwn ? form : "",
    make("div", { className: "actions" }, cancel, isOwn ? begin : ""));
  dialog.showModal();
}

function showKeys() {
  const keys = [["space", "play, pause"], ["← →", "an epoch back, on; with shift ten"], ["↑ ↓", "faster, slower"], ["g", "go to an epoch"],
    ["+ − 0", "zoom in, out, see all"], ["1 2 3", "colours: bytes, relatives, change"], [", .", "step the program that is open"], ["s", "choose a soup"],
    ["p", "charts and programs"], ["t", "dark, light"], ["f", "whole screen"], ["esc", "close"]];
  const dialog = $("dialog");
  const close = make("button", { className: "primary" }, "close");
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(make("h1", {}, "keys"),
    make("div", { className: "keys" }, ...keys.flatMap(([key, what]) => [make("kbd", {}, key), make("span", {}, what)])),
    make("div", { className: "actions" }, close));
  dialog.showModal();
}

// Buttons and keys.

const middle = () => [innerWidth / 2, innerHeight / 2];
const actions = {
  play, back: () => step(-1), step: () => step(1), soups: showSoups, fit, share, help: showKeys,
  theme: () => setTheme(theme === "dark" ? "light" : "dark"), panels: () => setPanel($("panel").hidden),
  birth: () => link.send({ do: "birth" }),
};
for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", (event) => { event.currentTarget.blur(); action(); });
for (const it of $("modes").children) it.addEventListener("click", () => { it.blur(); setMode(it.dataset.mode); });
$("speed").addEventListener("input", (event) => speed(SPEEDS[Math.round((event.target.value / 100) * (SPEEDS.length - 1))]));
$("epoch").addEventListener("focus", (event) => { event.target.value = state.epoch; event.target.select(); });
$("epoch").addEventListener("keydown", (event) => {
  event.stopPropagation();
  if (event.key === "Escape") event.target.blur();
  if (event.key !== "Enter") return;
  const epoch = Number(event.target.value.replace(/[,_ ]/g, ""));
  event.target.blur();
  if (Number.isFinite(epoch)) jump(epoch); else notice("that is no number of epochs", "error");
});
$("epoch").addEventListener("blur", (event) => { event.target.value = thousands(state.epoch); });

const keys = {
  " ": play, ArrowLeft: (event) => step(event.shiftKey ? -10 : -1), ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
  ArrowUp: () => speedBy(1), ArrowDown: () => speedBy(-1), g: () => $("epoch").focus(), "+": () => zoom(1.5, ...middle()),
  "=": () => zoom(1.5, ...middle()), "-": () => zoom(1 / 1.5, ...middle()), 0: fit, 1: () => setMode("kind"), 2: () => setMode("class"),
  3: () => setMode("age"), s: showSoups, p: actions.panels, t: actions.theme, "?": showKeys,
  ",": () => { page.stop(); page.goTo(page.step - 1); }, ".": () => { page.stop(); page.goTo(page.step + 1); },
  f: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()),
  Escape: () => { if (page.isOpen) page.close(); found = null; dirty = true; },
};
addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "range";
  if (typing && event.key === "Escape") event.target.blur();
  if (typing || $("dialog").open || event.ctrlKey || event.metaKey || event.altKey) return;
  const action = keys[event.key];
  if (action) { event.preventDefault(); action(event); }
});
addEventListener("resize", resize);
document.addEventListener("visibilitychange", () => { asked = null; dirty = true; charts.soon(); });

setTheme(theme);
setMode("kind");
setPanel(innerWidth > 860);
resize();
loop();

/** For tests and for whoever looks under the hood. */
window.broth = {
  soup, camera, painter, link, charts, page, fit, getBack,
  get scene() { return scene; }, get state() { return state; }, get mode() { return mode; },
  get plain() { return painter.gl === null; },
  redraw() { painter.draw(soup, camera, mode, theme); },
  /** The pixels of the soup as it is drawn now. */
  pixels() { painter.draw(soup, camera, mode, theme); return painter.pixels(); },
};
