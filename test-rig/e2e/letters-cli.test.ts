// `salestag nudge` and `salestag configure` through a relay's door to an emulated badge, with the command lines alone.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";
import { PaceGate } from "../src/emulator/pace-gate";
import { startRelayWithDoor } from "../src/relay-with-door";
import { Site } from "../src/site";
import { assertRefused, salestag, scratch } from "./support";

describe("end to end: salestag nudge and configure", () => {
  it("reaches the badge that it is sealed for; what cannot be used is refused in a sentence", async () => {
    const site = await Site.create(join(scratch(), "site"));
    const { relay, tokenFile } = await startRelayWithDoor(site);
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state: newBadgeState("0102030405060708") });
    try {
      const badge = await site.provision(bench, relay.addresses[0], "Kim");
      assert.ok(await bench.until(() => bench.traced("up").length > 0, 30_000));
      const args = [
        "--vault",
        site.vaultFolder,
        "--identity",
        site.identity,
        "--relay",
        relay.adminUrl as string,
      ];
      const nudge = (id: string, ...more: string[]) =>
        salestag("nudge", id, ...args, "--token-file", tokenFile, ...more);
      const run = await nudge(badge, "--text", "Ask about the roof", "--json");
      assert.equal(run.code, 0, run.stderr);
      const { id, sent } = JSON.parse(run.stdout);
      assert.equal(sent, true);
      // What comes unasked does not hold virtual time: it runs no faster than real time here.
      const pace = new PaceGate(bench.time, () => performance.now(), 10);
      assert.ok(await bench.until(() => bench.traced("nudge").length > 0, 60_000));
      pace.open();
      assert.deepEqual(bench.traced("nudge"), [{ word: "nudge", cause: 3, id }]);
      assertRefused(await nudge("0".repeat(16)), 3, /badge/);
      const configure = (...more: string[]) =>
        salestag("configure", badge, ...args, "--token-file", tokenFile, ...more);
      const set = await configure("--policy", "off", "--set", "talkShareMax=60", "--json");
      assert.equal(set.code, 0, set.stderr);
      const { version } = JSON.parse(set.stdout);
      const slow = new PaceGate(bench.time, () => performance.now(), 10);
      assert.ok(await bench.until(() => bench.traced("configured").length > 0, 60_000));
      slow.open();
      assert.deepEqual(bench.traced("configured"), [{ word: "configured", version, used: 1 }]);
      assertRefused(await configure(), 2, /name something to set/);
      assertRefused(await configure("--set", "volume=11"), 2, /nothing to tune that is called 'volume'/);
      assertRefused(await configure("--set", "talkShareMax=101"), 2, /from 0 to 100/);
      assertRefused(
        await configure("--policy", "announce", "--yes", "you may"),
        2,
        /belong to --policy verbal/,
      );
      const long = ["--policy", "verbal", "--yes", "a".repeat(100), "--no", "b".repeat(100)];
      assertRefused(await configure(...long), 2, /takes at most 200 bytes/);
      assertRefused(await nudge(badge, "--buzzes", "6"), 2, /1 to 5/);
      assertRefused(
        await nudge(badge, "--relay", "http://relay.example/"),
        2,
        /no address of a relay's door/,
      );
      writeFileSync(tokenFile, "another token altogether");
      assertRefused(await nudge(badge), 2, /refuses the token/);
      chmodSync(tokenFile, 0o644);
      assertRefused(await nudge(badge), 2, /other users can read it/);
    } finally {
      bench.badge.powerOff();
      await relay.close();
    }
  });
});
