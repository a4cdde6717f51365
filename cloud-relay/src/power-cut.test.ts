// Power cuts, a few rounds: everything that was acked is there afterwards, once and unchanged. Many rounds: npm run bench:power-cut.
import { strict as assert } from "node:assert";
import { type PowerCutOptions, PowerCuts } from "./testing/power-cut";

const COMMON = { seed: 1, badges: 4, earlyPercent: 30, syncMsMax: 2 };

describe("power cut", () => {
  let cuts: PowerCuts;
  const begin = (options: Pick<PowerCutOptions, "withSink" | "ignored">) => {
    cuts = new PowerCuts({ ...COMMON, ...options });
  };
  afterEach(() => cuts.end());

  for (const withSink of [false, true])
    it(`power cut: every acked chunk is there, once and unchanged, after 3 of them (${withSink ? "folder sink, segments are deleted" : "spool alone"})`, async () => {
      begin({ withSink, ignored: "none" });
      for (let round = 0; round < 3; round++) assert.deepEqual((await cuts.round()).wrong, []);
      const { owed, wrong } = await cuts.lastRound();
      assert.deepEqual(wrong, []);
      assert(owed > 0);
    });

  for (const ignored of ["data", "names"] as const)
    it(`power cut: what was acked is lost where syncs of ${ignored} have no effect, so the others prove something`, async () => {
      begin({ withSink: false, ignored });
      const { acked, wrong } = await cuts.round();
      const lost = wrong.filter((sentence) => sentence.endsWith("is lost"));
      assert(lost.length >= acked, `${lost.length} of ${acked} are lost`);
    });
});
