// A program's page: what it is, and how it runs beside another, forwards and back.

import { ask } from "./link.js";
import { bytesOf, codeOf, colourOf, hexOf, make, percent, thousands, tileOf } from "./text.js";

export class ProgramPage {
  constructor(box, on) {
    Object.assign(this, { box, on, shown: null, theme: "dark" });
  }

  get isOpen() { return !this.box.hidden; }

  close() {
    this.stop();
    this.shown = null;
    this.box.hidden = true;
    this.on.selected(null);
  }

  /** Show the program at an index, or these bytes as if they were there. */
  async open(scene, index, hex, epoch) {
    this.stop();
    this.scene = scene;
    const asked = (this.asked = {});
    try {
      const found = await ask(`/api/program/${index}${hex ? `?hex=${hex}` : ""}`);
      if (this.asked !== asked) return;
      if (epoch !== undefined) found.epoch = epoch;
      this.shown = found;
      this.run = null;
      this.draw();
      this.box.hidden = false;
      this.box.scrollTop = 0;
      this.on.selected(index);
      await this.beside("random");
    } catch (error) {
      this.on.notice(error.message);
    }
  }

  draw() {
    const { scene, shown, theme } = this;
    const language = scene.language;
    const bytes = bytesOf(shown.hex);
    const len = language.program_len;
    const code = codeOf(language, theme, bytes, shown.loop);
    code.classList.add("whole");
    const fact = (name, value) => make("div", {}, `${name} `, make("b", {}, value));
    const button = (text, title, action, id = "") => {
      const element = make("button", { textContent: text, title, id });
      element.addEventListener("click", action);
      return element;
    };
    this.input = make("textarea", { rows: 3, value: shown.text, spellcheck: false, ariaLabel: "program text", id: "edit" });
    this.input.addEventListener("input", () => { this.planter.disabled = false; });
    this.planter = button("plant the edited program here", "replace the program by this text", () => this.plant(), "plant-edited");
    this.planter.disabled = true;
    this.tapeBox = make("section");
    this.besides = ["random", "last", "typed"].map((which) => {
      const [text, title] = {
        random: ["a random one", "other random bytes each time"],
        last: ["its last partner", "the very interaction that it came out of"],
        typed: ["the edited text", "the text below, as its partner"],
      }[which];
      const element = button(text, title, () => this.beside(which), `beside-${which}`);
      element.dataset.which = which;
      element.disabled = which === "last" && (!scene.pairs || scene.origin === "run" || shown.epoch === 0);
      return element;
    });
    const tile = tileOf(scene, theme, bytes);
    Object.assign(tile.style, { width: "64px", height: `${(64 * scene.tile[1]) / scene.tile[0]}px`, imageRendering: "pixelated", borderRadius: "4px", float: "right" });
    this.box.replaceChildren(
      make("div", { className: "head" },
        make("b", {}, `program ${thousands(shown.index)}`),
        make("div", { className: "row" },
          button("find all like it", "mark every program of the same bytes", () => this.on.find(shown.hex), "find"),
          button("close", "close (escape)", () => this.close(), "close-program"))),
      make("section", {}, tile, code, make("div", { className: "say", id: "story" }, ...this.story())),
      make("section", { className: "facts" },
        fact("score", `${shown.score} of ${len}`),
        fact("relatives", `${thousands(shown.relatives)} · ${percent(shown.relatives / scene.num)}`),
        fact("exactly like it", thousands(shown.same)),
        fact("mirrored", thousands(shown.mirror_images))),
      make("section", {},
        make("h2", {}, "run it beside"),
        make("div", { className: "row" }, ...this.besides)),
      this.tapeBox,
      make("section", {},
        make("h2", {}, "edit and plant"),
        this.input,
        make("div", { className: "row" },
          this.planter,
          button("plant copies", "sixteen copies, evenly over the soup", () => this.plantCopies(), "plant-copies"))));
    if (scene.origin === "run") for (const it of this.box.querySelectorAll("#plant-edited, #plant-copies")) it.disabled = true;
  }

  /** What the program does, in a sentence. */
  story() {
    const { shown, scene } = this;
    const len = scene.language.program_len;
    const way = shown.copied.mirrored ? "backwards" : "forwards";
    const by = shown.loop ? `, by the underlined loop of ${shown.loop[1] - shown.loop[0]} bytes` : "";
    if (shown.score >= (len * 3) / 4) return [make("em", {}, "A replicator."), ` Beside a random partner it copies ${shown.copied.bytes} of its ${len} bytes over it, ${way}${by}.`];
    if (shown.copied.bytes >= 8) return [`No full replicator: beside a random partner it copies ${shown.copied.bytes} of its ${len} bytes, ${way}${by}.`];
    return ["It copies next to nothing of itself beside a random partner."];
  }

  async beside(which) {
    const { shown, scene } = this;
    if (!shown) return;
    const len = scene.language.program_len;
    try {
      let run = { left: shown.hex, names: ["it", "partner"] };
      if (which === "random") {
        const partner = crypto.getRandomValues(new Uint8Array(len));
        run.tape = shown.hex + hexOf(partner);
        run.note = "It is the left half of the tape; random bytes are the right one.";
      } else if (which === "typed") {
        const typed = await ask(`/api/parse?text=${encodeURIComponent(this.input.value)}`);
        run.tape = shown.hex + typed.hex.padEnd(2 * len, "0");
        run.note = "The edited text is the right half.";
      } else {
        const met = await ask(`/api/interaction/${shown.index}?epoch=${shown.epoch}`);
        run.tape = met.start;
        const other = met.programs[met.side === "left" ? 1 : 0];
        const mutated = met.mutations.length;
        run.note = `Epoch ${thousands(met.epoch)}: program ${thousands(met.programs[0])} on the left, ${thousands(met.programs[1])} on the right` +
          `${mutated ? `, ${mutated} byte${mutated > 1 ? "s" : ""} mutated` : ""}. It came out on the ${met.side}; its partner was ${thousands(other)}.`;
      }
      const trace = await ask(`/api/trace?tape=${run.tape}`);
      if (this.shown !== shown) return;
      this.run = { ...run, ...trace, which };
      for (const it of this.besides) it.setAttribute("aria-pressed", it.dataset.which === which);
      this.drawTape();
    } catch (error) {
      this.on.notice(error.message);
    }
  }

  drawTape() {
    const { scene, run } = this;
    const language = scene.language;
    this.stop();
    this.step = 0;
    this.tape = bytesOf(run.start);
    this.written = 0;
    const wide = language.text[0].length > 1;
    this.cells = Array.from(this.tape, (_, place) => make("span", { className: place >= language.program_len ? "right" : "" }));
    this.status = make("div", { className: "say", id: "trace-status" });
    const steps = run.pc.length;
    this.slider = make("input", { type: "range", min: 0, max: steps, value: 0, id: "trace-step", ariaLabel: "step" });
    this.slider.addEventListener("input", () => { this.stop(); this.goTo(Number(this.slider.value)); });
    const button = (text, title, id, action) => {
      const element = make("button", { textContent: text, title, id });
      element.addEventListener("click", action);
      return element;
    };
    this.player = button("run", "step by itself", "trace-play", () => (this.timer ? this.stop() : this.start()));
    this.pace = make("input", { type: "range", min: 0, max: 100, value: 40, title: "speed", ariaLabel: "speed of the run" });
    this.pace.style.width = "90px";
    this.pace.addEventListener("input", () => { if (this.timer) { this.stop(); this.start(); } });
    const marks = { bff: [["#56b4e9", "head 0"], ["#e05252", "head 1"]] }[language.name.startsWith("bff") ? "bff" : ""] ?? [["#56b4e9", "operands"]];
    this.tapeBox.replaceChildren(
      make("div", { className: "say" }, run.note),
      make("div", { className: `tape${wide ? " hex" : ""}`, id: "tape" }, ...this.cells),
      this.slider,
      make("div", { className: "row" },
        button("«", "to the start", "trace-first", () => { this.stop(); this.goTo(0); }),
        button("‹", "a step back (,)", "trace-back", () => { this.stop(); this.goTo(this.step - 1); }),
        button("›", "a step on (.)", "trace-on", () => { this.stop(); this.goTo(this.step + 1); }),
        button("»", "to the end", "trace-last", () => { this.stop(); this.goTo(steps); }),
        this.player, this.pace),
      make("div", { className: "marks" },
        make("span", {}, mark("#2fbf71"), "program counter"),
        ...marks.map(([colour, name]) => make("span", {}, mark(colour), name))),
      this.status);
    this.goTo(0);
  }

  start() {
    const steps = this.run.pc.length;
    if (this.step >= steps) this.goTo(0);
    const speed = Number(this.pace.value);
    const perSecond = 2 * 10 ** (speed / 28);
    const wait = Math.max(16, 1000 / perSecond);
    const stride = Math.max(1, Math.round((perSecond * wait) / 1000));
    this.player.textContent = "hold";
    this.timer = setInterval(() => {
      this.goTo(this.step + stride);
      if (this.step >= steps) this.stop();
    }, wait);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.player) this.player.textContent = "run";
  }

  /** Have the tape as it is after so many steps. */
  goTo(step) {
    const { run } = this;
    if (!run) return;
    step = Math.min(run.pc.length, Math.max(0, step));
    while (this.written < run.writes.length && run.writes[this.written][0] <= step) {
      const [, place, , value] = run.writes[this.written++];
      this.tape[place] = value;
    }
    while (this.written > 0 && run.writes[this.written - 1][0] > step) {
      const [, place, value] = run.writes[--this.written];
      this.tape[place] = value;
    }
    this.step = step;
    this.showTape();
  }

  showTape() {
    const { run, scene, step, theme } = this;
    const language = scene.language;
    const isOver = step >= run.pc.length;
    const pc = isOver ? -1 : run.pc[step];
    const marks = isOver ? [-1, -1, -1] : run.marks[step];
    const fresh = new Set();
    for (let i = this.written - 1; i >= 0 && run.writes[i][0] === step; i--) fresh.add(run.writes[i][1]);
    for (const [place, cell] of this.cells.entries()) {
      const text = language.text[this.tape[place]].replace(" ", "·");
      if (cell.textContent !== text) cell.textContent = text;
      const colour = colourOf(language, theme, this.tape[place]);
      if (cell.dataset.colour !== colour) { cell.dataset.colour = colour; cell.style.color = colour; }
      const look = [place >= language.program_len ? "right" : "", fresh.has(place) ? "new" : "", place === pc ? "pc" : "",
        ...marks.map((at, i) => (at === place ? `m${i}` : ""))].filter(Boolean).join(" ");
      if (cell.className !== look) cell.className = look;
    }
    this.slider.value = step;
    const at = isOver ? "" : ` · at ${pc}: ${language.kinds[language.kind_of[this.tape[pc]]].name}`;
    const more = isOver ? ` · it ended because ${run.ended}` : "";
    const stack = !isOver && run.stacks ? ` · stack ${run.stacks[step].replace(/../g, "$& ") || "empty"}` : "";
    const note = !isOver && run.notes ? ` · ${run.notes[step]}` : "";
    this.status.textContent = `step ${thousands(step)} of ${thousands(run.steps)}${at}${more}${stack}${note}`;
  }

  async plant() {
    try {
      const typed = await ask(`/api/parse?text=${encodeURIComponent(this.input.value)}`);
      const own = this.shown.hex;
      const hex = typed.hex + own.slice(typed.hex.length);
      this.on.plant([this.shown.index], hex);
      await this.open(this.scene, this.shown.index, hex);
    } catch (error) {
      this.on.notice(error.message);
    }
  }

  async plantCopies() {
    try {
      const typed = await ask(`/api/parse?text=${encodeURIComponent(this.input.value)}`);
      const hex = typed.hex + this.shown.hex.slice(typed.hex.length);
      const copies = 16;
      const places = Array.from({ length: copies }, (_, i) => Math.floor(((i + 0.5) * this.scene.num) / copies));
      this.on.plant(places, hex);
    } catch (error) {
      this.on.notice(error.message);
    }
  }
}

function mark(colour) {
  const element = make("i");
  element.style.background = colour;
  return element;
}
