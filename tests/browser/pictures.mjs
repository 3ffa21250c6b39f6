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

// One of the commonest programs, some steps into its copying loop.
await page.locator("#commonest > *").nth(2).click();
await page.waitForSelector("#trace-on");
await page.evaluate(() => document.querySelector("#trace-on").scrollIntoView({ block: "center" }));
for (let step = 0; step < 60; step += 1) await page.keyboard.press(".");
await page.waitForFunction(() => /step 60 of/.test(document.querySelector("#trace-status").textContent));
await settle();
await page.screenshot({ path: `${images}view-program.png` });

await browser.close();
await server.end();
