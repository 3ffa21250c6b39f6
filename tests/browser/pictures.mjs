// The pictures of docs/view.md, from the page itself.

import { goTo, launch, open, serve, sleep, until } from "./harness.mjs";

const images = new URL("../../docs/images/", import.meta.url).pathname;
const browser = await launch();
const server = await serve(["--preset", "birth"]);
const page = await open(browser, server.url, { width: 1440, height: 900 });
const settle = async () => {
  await until(page, () => broth.soup.generation === broth.scene.generation);
  await sleep(4000);
  await page.mouse.move(5, 5);
  await sleep(300);
};

// While it comes alive, relatives in one colour.
await goTo(page, 930);
await page.keyboard.press("2");
await until(page, () => broth.soup.plane.plane === "class");
await settle();
await page.screenshot({ path: `${images}view.png` });

// A replicator, and how it runs beside a random partner.
await goTo(page, 1010);
await page.keyboard.press("1");
await until(page, () => document.querySelectorAll(".common b").length > 6);
await settle();
const replicator = page.locator(".common", { hasText: /score (4[89]|5\d|6[0-4])/ }).first();
await replicator.click();
await until(page, () => broth.page.run);
await page.evaluate(() => { broth.page.goTo(Math.floor(broth.page.run.pc.length / 3)); });
await page.mouse.move(500, 440);
for (let i = 0; i < 12; i++) await page.mouse.wheel(0, -140);
await settle();
await page.screenshot({ path: `${images}view-program.png` });
await browser.close();
await server.end();
