// The status page in a real browser: who may see it, what it shows as things happen, and that nothing from outside becomes markup.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { addBadge } from "@salestag/protocol/host";
import { freePort } from "@salestag/protocol/testing";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import type { Relay } from "../../index";
import type { Sink } from "../../sinks/sink";
import type { BadgeClient } from "../../testing/badge-client";
import { Bench, type TestBadge } from "../../testing/rigging";

const CHROMIUM = "/usr/bin/chromium";
const TOKEN = randomBytes(24).toString("base64");
const MARKUP = "<script>window.harmed = 1</script><b>Kim</b>";

describe("status page", () => {
  let browser: Browser;
  let page: Page;
  let bench: Bench;
  let relay: Relay;
  let port: number;
  let badge: TestBadge;
  let failing: boolean;
  let complaints: string[];
  const sink: Sink = {
    name: `list:${MARKUP}`,
    async deliver() {
      if (failing) throw new Error(`it answered 503: ${MARKUP}`);
    },
  };

  before(async () => {
    // Its own sandbox needs rights that root in a container has not.
    const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    browser = await puppeteer.launch({ executablePath: CHROMIUM, args, headless: true, timeout: 90_000 });
  });
  after(() => browser.close());

  beforeEach(async () => {
    bench = new Bench();
    failing = false;
    complaints = [];
    port = await freePort();
    const badgeId = randomBytes(8);
    badge = { id: badgeId.toString("hex"), badgeId, authKey: randomBytes(32) };
    addBadge(bench.registry, { badge: badge.id, authKey: badge.authKey, label: MARKUP, addedMs: 1 });
    bench.badge();
    relay = await start();
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`http://127.0.0.1:${port}/`, { timeout: 60_000 });
  });
  afterEach(async () => {
    await page.close();
    await bench.end();
  });

  const start = () =>
    bench.relay({ sinks: [sink], admin: { host: "127.0.0.1", port, token: Buffer.from(TOKEN) } });
  const textOf = (selector: string) => page.$eval(selector, (element) => element.textContent ?? "");
  /** Waits until an element that can be seen has a text that matches. */
  const shows = (selector: string, pattern: RegExp) =>
    page.waitForFunction(
      (wanted: string, source: string) =>
        [...document.querySelectorAll(wanted)].some(
          (element) => element.checkVisibility() && new RegExp(source).test(element.textContent ?? ""),
        ),
      {},
      selector,
      pattern.source,
    );
  const enter = async (token: string) => {
    await page.waitForSelector("#door:not([hidden])");
    await page.$eval("#token", (field) => {
      (field as HTMLInputElement).value = "";
    });
    await page.type("#token", token);
    await page.keyboard.press("Enter");
  };
  const send = async (client: BadgeClient, from: number, to: number) => {
    for (let index = from; index < to; index++) client.sendChunk(0, index, Buffer.alloc(4000, index));
    await client.ackedBefore(0, to);
  };

  it("asks for the token, refuses a wrong one, and shows nothing before the right one", async () => {
    await enter("wrong token");
    await shows("#token-error", /does not accept this token/);
    assert.equal(await textOf("#badge-rows"), "");
    await enter(TOKEN);
    await shows("#tile-badges", /of 2 registered/);
    assert.equal(await page.$eval("#token", (field) => (field as HTMLInputElement).value), "");
    assert.ok(!(await page.content()).includes(TOKEN));
    await page.click("#leave");
    await page.waitForSelector("#door:not([hidden])");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    const refused = complaints.filter((complaint) => !/401/.test(complaint)); // the browser tells of the refused request
    assert.deepEqual(refused, []);
  });

  it("a badge comes and goes, chunks are counted, a sink that fails falls behind and says why", async () => {
    await enter(TOKEN);
    await shows("#tile-badges .number", /^0$/);
    const client = await bench.connect(relay, badge);
    await shows("#tile-badges .number", /^1$/);
    await shows("#badge-rows tr:first-child .state", /Online/);
    await send(client, 0, 10);
    await shows("#tile-chunks .note", /^10 chunks/);
    await shows("#badge-rows tr:first-child .newest", /^0 \/ 9$/);
    failing = true;
    await send(client, 10, 20);
    await shows(".sink .chip", /Failing/);
    await shows(".sink .number", /^4[0-9]\.\d$/); // ten chunks of 4 KB
    await page.waitForFunction(
      () => (document.querySelector(".sink .line")?.getAttribute("d") ?? "").length > 20,
    );
    failing = false;
    await shows(".sink .chip", /Has everything/);
    await client.close();
    await shows("#badge-rows tr:first-child .state", /Offline/);
    assert.deepEqual(complaints, []);
  });

  it("what comes from outside is text: names of badges and sinks, reasons", async () => {
    await enter(TOKEN);
    failing = true;
    await send(await bench.connect(relay, badge), 0, 1);
    await shows(".sink .why", /503/);
    assert.equal(await textOf("#badge-rows tr:first-child .label"), MARKUP);
    assert.equal(await textOf(".sink h3"), sink.name);
    assert.ok((await textOf(".sink .why")).includes(MARKUP));
    assert.equal(await page.evaluate(() => document.querySelector(".sink b, tbody b")), null);
    assert.equal(await page.evaluate(() => "harmed" in window), false);
    assert.deepEqual(complaints, []);
  });

  it("the search finds by name and id", async () => {
    await enter(TOKEN);
    await shows("#badges-count", /^2 registered$/);
    await page.type("#search", badge.id.slice(0, 12));
    await shows("#badges-count", /^1 found$/);
    assert.equal(await textOf("#badge-rows .id"), badge.id);
    await page.type("#search", "nobody");
    await shows("#no-badges", /No badge has this/);
  });

  it("a relay that stops is told with the time it was last heard, and the page goes on when it is back", async () => {
    await enter(TOKEN);
    await shows("#link", /Live/);
    await relay.close();
    await shows("#away", /last heard at \d\d:\d\d:\d\d/);
    await shows("#link", /No answer/);
    relay = await start();
    await shows("#link", /Live/);
    await page.waitForSelector("#away", { hidden: true });
  });

  it("answers carry the headers that lock the page in; what it is made of needs no token, figures do", async () => {
    const door = `http://127.0.0.1:${port}`;
    const answer = await fetch(`${door}/`);
    const policy = answer.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
    assert.equal((await fetch(`${door}/status`)).status, 401);
    assert.equal((await fetch(`${door}/../package.json`)).status, 401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const status = await (await fetch(`${door}/status`, { headers })).text();
    for (const secret of [badge.authKey.toString("hex"), TOKEN]) assert.ok(!status.includes(secret));
  });
});
