// The page of `broth view`, as somebody uses it.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { assert, assertEqual, goTo, launch, open, serve, sha256, sleep, until } from "./harness.mjs";

const SMALL = ["--num", "1024", "--seed", "7", "--log-interval", "8"];
const REPLICATOR = "[[{.>]-]                                                ]-]>.{[[";
const tests = {};

/** Every pixel inside the soup has the colour of the byte that lies there. */
async function assertPixelsAreBytes(page, server) {
  const bytes = await server.bytes();
  const { soup, pixels, camera, colours, height, width } = await page.evaluate(() => {
    const { soup, camera, scene } = broth;
    const [back, theme] = [broth.getBack("dark"), scene.language.dark];
    const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
    const colours = scene.language.kind_of.map((kind) => {
      const colour = rgb(theme.kinds[kind]);
      return scene.language.kinds[kind].role === "Noop" ? colour.map((part, i) => Math.round(rgb(back)[i] + (part - rgb(back)[i]) * 0.45)) : colour;
    });
    const canvas = document.getElementById("soup");
    return { soup: { epoch: soup.epoch, columns: scene.columns, num: scene.num, tile: scene.tile, sampling: soup.sampling },
      pixels: Array.from(broth.pixels()), camera: { ...camera }, colours, width: canvas.width, height: canvas.height };
  });
  assertEqual(soup.sampling, 1, "sampling");
  const [tileWidth, tileHeight] = soup.tile;
  let seen = 0;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const [byteX, byteY] = [Math.floor(camera.x + (x + 0.5) / camera.scale), Math.floor(camera.y + (y + 0.5) / camera.scale)];
    const [column, row] = [Math.floor(byteX / tileWidth), Math.floor(byteY / tileHeight)];
    if (column < 0 || row < 0 || column >= soup.columns || row * soup.columns + column >= soup.num) continue;
    const program = row * soup.columns + column;
    const byte = bytes[program * tileWidth * tileHeight + (byteY - row * tileHeight) * tileWidth + byteX - column * tileWidth];
    const found = pixels.slice(4 * (y * width + x), 4 * (y * width + x) + 3);
    const is = colours[byte].every((part, i) => Math.abs(part - found[i]) <= 1);
    assert(is, `pixel ${x},${y}: ${found}, not ${colours[byte]} of byte ${byte} of program ${program}`);
    seen++;
  }
  assert(seen > 100000, `${seen} pixels of the soup`);
}

/** The camera at one pixel for each byte, where no line parts the programs. */
const oneToOne = (page) => page.evaluate(() => {
  Object.assign(broth.camera, { x: -20, y: -80, scale: 2 });
  broth.redraw();
});

for (const plain of [false, true]) {
  tests[plain ? "without WebGL2 the pixels are the soup's bytes, too" : "the pixels are the soup's bytes, and move"] = async (browser) => {
    const server = await serve(SMALL);
    const page = await open(browser, `${server.url}${plain ? "?plain=1" : ""}`, { width: 640, height: 520 });
    assertEqual(await page.evaluate(() => broth.plain), plain, "plain canvas");
    await until(page, () => broth.soup.sampling === 1);
    await oneToOne(page);
    await assertPixelsAreBytes(page, server);
    const before = await page.evaluate(() => broth.pixels().join());
    await goTo(page, 40);
    await oneToOne(page);
    await assertPixelsAreBytes(page, server);
    const after = await page.evaluate(() => broth.pixels().join());
    assert(before !== after, "no pixel has moved");
    return [server, page];
  };
}

tests["it plays, pauses and steps by buttons and by keys"] = async (browser) => {
  const server = await serve(SMALL);
  const page = await open(browser, server.url);
  await page.click("#play");
  await until(page, () => broth.state.playing && broth.soup.epoch > 10);
  const first = await page.evaluate(() => broth.soup.id);
  await until(page, (first) => broth.soup.id > first + 5, first);
  await page.keyboard.press(" ");
  await until(page, () => !broth.state.playing && broth.soup.epoch === broth.state.epoch);
  const epoch = await page.evaluate(() => broth.state.epoch);
  await sleep(300);
  assertEqual(await page.evaluate(() => broth.state.epoch), epoch, "epoch while paused");
  await page.keyboard.press("ArrowRight");
  await until(page, (epoch) => broth.soup.epoch === epoch + 1, epoch);
  await page.click("#step");
  await until(page, (epoch) => broth.soup.epoch === epoch + 2, epoch);
  await page.keyboard.press("ArrowLeft");
  await until(page, (epoch) => broth.soup.epoch === epoch + 1, epoch);
  await page.keyboard.press("Shift+ArrowLeft");
  await until(page, (epoch) => broth.soup.epoch === epoch - 9, epoch);
  return [server, page];
};

tests["it goes back and comes to the same bytes"] = async (browser) => {
  const server = await serve(SMALL);
  const page = await open(browser, server.url);
  const hashes = {};
  for (const epoch of [120, 30, 120, 0, 30]) {
    await goTo(page, epoch);
    const hash = sha256(await server.bytes());
    const shown = await page.evaluate(() => Array.from(broth.soup.bytes.subarray(0, broth.scene.num * 64)));
    assertEqual(sha256(Uint8Array.from(shown)), hash, `the page's bytes at ${epoch}`);
    hashes[epoch] ??= hash;
    assertEqual(hash, hashes[epoch], `the soup at ${epoch}`);
  }
  // The timeline does the same.
  const box = await page.locator("#timeline").boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await until(page, () => broth.state.epoch > 40 && broth.state.epoch < 80 && !broth.state.busy);
  return [server, page];
};

tests["a link shows the same soup"] = async (browser) => {
  const server = await serve(["--preset", "small"]);
  const page = await open(browser, server.url);
  await goTo(page, 77);
  await page.evaluate(() => broth.link.send({ do: "plant", index: 9, hex: "5b".repeat(64) }));
  await until(page, () => broth.scene.plants.length === 1 && location.search.includes("plants="));
  await goTo(page, 90);
  await until(page, () => location.search.includes("epoch=90"));
  const hash = (await server.json("/api/hash")).sha256;
  const link = await page.evaluate(() => location.pathname + location.search);
  await page.reload();
  await until(page, () => window.broth?.soup?.epoch === 90);
  assertEqual((await server.json("/api/hash")).sha256, hash, "after reloading");
  await server.end();
  const other = await serve(["--num", "64"]);
  const friend = await open(browser, new URL(link, other.url).href);
  await until(friend, () => broth.soup.epoch === 90 && broth.scene.num === 4096);
  assertEqual((await other.json("/api/hash")).sha256, hash, "another server");
  await page.close();
  return [other, friend];
};

tests["a program is opened, stepped, edited and planted"] = async (browser) => {
  const server = await serve(["--num", "1024", "--seed", "7", "--initial-program", REPLICATOR]);
  const page = await open(browser, server.url);
  const click = async (index) => {
    const [x, y] = await page.evaluate((index) => {
      const ratio = document.getElementById("soup").width / innerWidth;
      const [x, y] = broth.soup.placeOf(index);
      return [((x + 4 - broth.camera.x) * broth.camera.scale) / ratio, ((y + 4 - broth.camera.y) * broth.camera.scale) / ratio];
    }, index);
    await page.mouse.click(x, y);
    await until(page, (index) => broth.page.shown?.index === index && broth.page.run, index);
  };
  await click(0);
  assert(/A replicator/.test(await page.textContent("#story")), "story of a replicator");
  const tape = () => page.$$eval("#tape span", (cells) => cells.map((cell) => cell.textContent).join(""));
  const start = await tape();
  const steps = await page.evaluate(() => broth.page.run.pc.length);
  assert(steps > 100, `${steps} steps`);
  for (let i = 0; i < 3; i++) await page.click("#trace-on");
  assert(/step 3 of/.test(await page.textContent("#trace-status")), "three steps");
  assertEqual(await page.$$eval("#tape span.pc", (it) => it.length), 1, "program counters");
  await page.click("#trace-last");
  const end = await tape();
  assert(start !== end, "the run changes the tape");
  await page.keyboard.press(",");
  await page.keyboard.press(".");
  assertEqual(await tape(), end, "a step back and on");
  await page.click("#trace-first");
  assertEqual(await tape(), start, "the start again");
  await page.click("#trace-play");
  await until(page, () => broth.page.step > 5);
  // Beside its last partner.
  await page.keyboard.press("Escape");
  await goTo(page, 2);
  await click(5);
  await page.click("#beside-last");
  await until(page, () => broth.page.run?.which === "last");
  await page.click("#trace-last");
  const met = await server.json("/api/interaction/5?epoch=2");
  const shown = await page.evaluate(() => Array.from(broth.page.tape, (byte) => byte.toString(16).padStart(2, "0")).join(""));
  assertEqual(shown, met.after, "the last interaction");
  // Edited and planted.
  await page.fill("#edit", REPLICATOR);
  await page.click("#plant-edited");
  await until(page, () => broth.scene.plants.length === 1);
  const bytes = await server.bytes();
  assertEqual(String.fromCharCode(...bytes.subarray(5 * 64, 5 * 64 + 8)), "[[{.>]-]", "what was planted");
  await until(page, () => broth.page.shown?.score > 48);
  return [server, page];
};

tests["life shows: the mark, the commonest programs, families of one colour"] = async (browser) => {
  const server = await serve(["--preset", "small", "--play"]);
  const page = await open(browser, server.url);
  await until(page, () => broth.state.alive_at !== null);
  await page.keyboard.press("2");
  await until(page, () => /alive since/.test(document.getElementById("life").textContent));
  await until(page, () => {
    const { plane, values } = broth.soup.plane;
    return plane === "class" && values.filter((it) => it !== 255).length > values.length / 3;
  });
  await page.waitForSelector(".common");
  await page.keyboard.press(" ");
  await until(page, () => !broth.state.playing);
  await page.click(".common >> nth=0");
  await until(page, () => broth.page.shown);
  await page.keyboard.press("3");
  await until(page, () => broth.soup.plane.plane === "age");
  return [server, page];
};

tests["presets and settings of one's own begin other soups"] = async (browser) => {
  const server = await serve(SMALL);
  const page = await open(browser, server.url);
  await page.keyboard.press("s");
  await page.click("[data-preset=spread]");
  await until(page, () => broth.scene.columns === 120 && broth.soup.epoch > 3);
  await page.keyboard.press("s");
  await page.fill("[name=num]", "7");
  await page.fill("[name=grid]", "");
  await page.click("dialog .primary");
  await until(page, () => /even/.test(document.getElementById("notice").textContent));
  assertEqual(await page.evaluate(() => broth.scene.columns), 120, "the soup stays");
  return [server, page];
};

tests["a page finds the server again"] = async (browser) => {
  const server = await serve(SMALL);
  const page = await open(browser, server.url);
  await server.end();
  await until(page, () => /server is gone/.test(document.getElementById("notice").textContent));
  const again = await serve(["--num", "256", "--seed", "8"], server.port);
  await until(page, () => broth.scene.num === 256 && document.getElementById("notice").hidden);
  await page.click("#play");
  await until(page, () => broth.soup.epoch > 10);
  return [again, page];
};

tests["twenty pages see one soup"] = async (browser) => {
  const server = await serve(["--num", "4096", "--seed", "7", "--play"]);
  const pages = await Promise.all(Array.from({ length: 20 }, () => open(browser, server.url, { width: 320, height: 240 })));
  await until(pages[0], () => broth.soup.epoch > 50);
  await pages[7].bringToFront();
  await pages[7].keyboard.press(" ");
  for (const page of pages) await until(page, () => !broth.state.playing && broth.state.epoch > 0);
  const epochs = await Promise.all(pages.map((page) => page.evaluate(() => broth.state.epoch)));
  assertEqual(new Set(epochs).size, 1, "epochs");
  await Promise.all(pages.slice(1).map((page) => page.close()));
  return [server, pages[0]];
};

tests["a run folder that is written meanwhile is followed"] = async (browser) => {
  const folder = await mkdtemp(join(tmpdir(), "broth-"));
  const run = join(folder, "run");
  const common = ["--num", "4096", "--seed", "7", "--quiet", "--no-picture"];
  await promisify(execFile)(process.env.BROTH, ["run", ...common, "--out", run, "--max-epochs", "100", "--checkpoint-interval", "50"]);
  const server = await serve([run]);
  const page = await open(browser, server.url);
  await until(page, () => broth.soup.epoch === 100 && broth.state.following);
  const writer = spawn(process.env.BROTH, ["run", "--quiet", "--no-picture", "--resume", run, "--max-epochs", "3000"]);
  await until(page, () => broth.soup.epoch > 1000);
  writer.kill("SIGINT");
  await new Promise((done) => writer.once("exit", done));
  await goTo(page, 60);
  await rm(folder, { recursive: true });
  return [server, page];
};

tests["pages of other sites get nothing"] = async (browser) => {
  const server = await serve(SMALL);
  const other = await serve(["--num", "64"]);
  // A page of another origin, of which scripts may run.
  const page = await browser.newPage();
  await page.goto(`${other.url}icon.svg`);
  const answers = await page.evaluate(async (port) => {
    const refused = await new Promise((done) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
      socket.onopen = () => done("open");
      socket.onerror = () => done("refused");
    });
    const read = await fetch(`http://127.0.0.1:${port}/api/state`).then(() => "read", () => "refused");
    return [refused, read];
  }, server.port);
  assertEqual(answers, ["refused", "refused"], "another site");
  await other.end();
  page.errors = [];
  return [server, page];
};

tests["it is usable on a phone, and in light"] = async (browser) => {
  const server = await serve(["--preset", "small"]);
  const page = await open(browser, server.url, { width: 375, height: 720, scheme: "light" });
  assertEqual(await page.evaluate(() => document.documentElement.className), "light", "theme");
  for (const id of ["#play", "#epoch", "#panels", "#modes", "#timeline"]) {
    const box = await page.locator(id).boundingBox();
    assert(box && box.x >= 0 && box.x + box.width <= 375 && box.y + box.height <= 720, `${id} is on the screen: ${JSON.stringify(box)}`);
  }
  assertEqual(await page.evaluate(() => document.documentElement.scrollWidth), 375, "width");
  await page.click("#panels");
  assert(await page.isVisible("#charts"), "charts");
  return [server, page];
};

tests["its memory stays flat"] = async (browser) => {
  const server = await serve(["--num", "16384", "--seed", "7", "--play"]);
  const page = await open(browser, server.url);
  const client = await page.context().newCDPSession(page);
  const used = async () => {
    await client.send("HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = await client.send("Runtime.getHeapUsage");
    return (usedSize + embedderHeapUsedSize + backingStorageSize) / 2 ** 20;
  };
  await sleep(4000);
  const before = await used();
  await sleep(Number(process.env.MEMORY_SECONDS ?? 15) * 1000);
  const after = await used();
  console.log(`      ${before.toFixed(1)} MiB, then ${after.toFixed(1)} MiB`);
  assert(after < before + 6, `memory grows: ${before.toFixed(1)} to ${after.toFixed(1)} MiB`);
  return [server, page];
};

const word = process.argv[2] ?? "";
const browser = await launch();
let failed = 0;
for (const [name, test] of Object.entries(tests).filter(([name]) => name.includes(word))) {
  const began = Date.now();
  try {
    const [server, page] = await test(browser);
    await server.end();
    assertEqual(page.errors, [], "errors of the page");
    await page.close();
    console.log(`ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}
await browser.close();
console.log(failed ? `${failed} failed` : "all well");
// Servers of tests that failed.
process.exit(failed ? 1 : 0);
