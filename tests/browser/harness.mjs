// What the tests and the pictures share: a server, a browser, and waiting for things.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chromium } from "playwright-core";

const children = new Set();
process.once("exit", () => { for (const child of children) child.kill("SIGKILL"); });

/** `broth view` with these words, once it has printed its address. */
export async function serve(words, port = 0) {
  const child = spawn(process.env.BROTH, ["view", "--quiet", "--port", String(port), ...words], { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  const url = await new Promise((found, failed) => {
    child.stdout.once("data", (text) => found(String(text).trim()));
    child.once("exit", (code) => failed(new Error(`broth view ended with ${code}`)));
  });
  return {
    url,
    port: new URL(url).port,
    async json(path) { return (await fetch(new URL(path, url))).json(); },
    async bytes() { return new Uint8Array(await (await fetch(new URL("/api/soup", url))).arrayBuffer()); },
    async end() {
      if (child.exitCode !== null) return;
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export const launch = () => chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
});

/** A page that fails its test by any error of its own. */
export async function open(browser, url, { width = 1280, height = 800, scheme = "dark" } = {}) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/ERR_CONNECTION|WebSocket connection/.test(message.text())) page.errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(() => window.broth?.scene && window.broth.soup.id > 0, null, { timeout: 60000 });
  return page;
}

/** Wait until `is` says so of the page; `argument` is handed to it. */
export const until = (page, is, argument) => page.waitForFunction(is, argument, { timeout: 120000, polling: 50 });

/** Go to an epoch by the page's own means, and wait for the frame. */
export async function goTo(page, epoch) {
  await page.keyboard.press("g");
  await page.locator("#epoch").fill(String(epoch));
  await page.keyboard.press("Enter");
  await until(page, (epoch) => broth.state.epoch === epoch && !broth.state.busy && broth.soup.epoch === epoch, epoch);
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export function assert(is, message) {
  if (!is) throw new Error(message);
}
export function assertEqual(found, expected, what = "") {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}
