// The relay's door as the field tech's tools use it, end to end: a badge is put into the registry, and its chunks are watched as they become durable.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { chunkPath, type Relay } from "@salestag/cloud-relay";
import { ExitCode, RelayDoor, ToolError, type WatchEvent } from "@salestag/host-tools";
import { encodeRecord } from "@salestag/protocol/host";
import { newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";
import { connect, play } from "../src/play";
import { startRelayWithDoor } from "../src/relay-with-door";
import { Site } from "../src/site";
import { sample, scratch } from "./support";

const refused = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ToolError, String(error));
  assert.equal(error.exitCode, ExitCode.Usage);
  assert.match(error.message, words);
  return true;
};

describe("end to end: the relay's door", () => {
  let site: Site;
  let relay: Relay;
  let door: RelayDoor;

  beforeEach(async () => {
    site = await Site.create(join(scratch(), "site"));
    const started = await startRelayWithDoor(site);
    relay = started.relay;
    door = new RelayDoor({ relay: started.doorUrl, token: started.token });
  });
  afterEach(() => relay.close());

  it("a badge is added once, listed, given another key, taken out; then nobody watches it", async () => {
    const [badge, key] = ["00112233445566ff", randomBytes(32)];
    await door.addBadge(badge, key, "Kim");
    const [listed, ...more] = await door.listBadges();
    assert.deepEqual([listed.badge, listed.label, listed.connected, more.length], [badge, "Kim", false, 0]);
    await assert.rejects(door.addBadge(badge, key, "Kim"), refused(/registered already/));
    await door.rotateBadge(badge, randomBytes(32));
    await assert.rejects(door.watchChunks(badge, 601).next(), refused(/from 1 to 600/));
    await door.removeBadge(badge);
    await assert.rejects(door.removeBadge(badge), refused(/not registered/));
    await assert.rejects(door.watchChunks(badge, 5).next(), refused(/not registered/));
    const stranger = new RelayDoor({ relay: relay.adminUrl as string, token: "of another relay" });
    await assert.rejects(stranger.watchChunks(badge, 5).next(), refused(/refuses the token/));
  });

  it("the relay ends: whoever watches is told", async () => {
    await door.addBadge("00112233445566ff", randomBytes(32), "Kim");
    const watch = door.watchChunks("00112233445566ff", 600);
    assert.deepEqual((await watch.next()).value, { connected: false });
    await relay.close();
    await assert.rejects(watch.next(), refused(/broke its answer off/));
  });

  it("a badge that was just provisioned: all that it records is seen, and opens with the team's key", async () => {
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state: newBadgeState("0102030405060708") });
    try {
      const badge = await site.provision(bench, relay.addresses[0], "Kim");
      await connect(bench);
      const watch = door.watchChunks(badge, 600);
      assert.deepEqual((await watch.next()).value, { connected: true });
      const { frames } = await sample();
      const seen = keepAll(watch, site.relayFolder);
      const report = await play(bench, { frames });
      bench.badge.powerOff();
      assert.deepEqual((await seen).at(-1), { connected: false });
      assert.equal((await seen).length, report.chunks + 1);
      const [{ timeline }] = await site.open();
      assert.equal(timeline.complete, true);
      assert.ok(timeline.speech.length > 5);
    } finally {
      bench.badge.powerOff();
    }
  });
});

/** Puts chunks where the folder sink would, until the badge goes. @returns what came */
async function keepAll(watch: AsyncIterable<WatchEvent>, folder: string): Promise<WatchEvent[]> {
  const seen: WatchEvent[] = [];
  for await (const event of watch) {
    seen.push(event);
    if ("connected" in event) return seen;
    const path = join(folder, chunkPath(event.record));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, encodeRecord(event.record));
  }
  return seen;
}
