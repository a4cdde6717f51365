// The benchmark itself: what it counts as acked is in the spool, and what it says about numbers is right.
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordsIn } from "../src/testing/rigging";
import type { LoadResult } from "./job";
import { holdConnections, runLoad } from "./job";
import { ClosedLoop, median, quantile } from "./meter";
import { type RunningRelay, startRelay } from "./ours";
import { goalsOf, markdownOf, type Results } from "./report";
import { relayContenders } from "./throughput";

describe("relay's benchmark", () => {
  it("benchmark: quantiles and medians of what is known", () => {
    const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
    assert.equal(quantile(sorted, 0.5), 51);
    assert.equal(quantile(sorted, 0.99), 100);
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.ok(Number.isNaN(median([])) && Number.isNaN(quantile([], 0.5)));
  });

  it("benchmark: a closed loop keeps as many in flight on each lane as it was told, and ends with none", async () => {
    const inFlight = [0, 0];
    const most = [0, 0];
    const lanes = inFlight.map((_, lane) => (acked: () => void) => {
      most[lane] = Math.max(most[lane], ++inFlight[lane]);
      setImmediate(() => {
        inFlight[lane]--;
        acked();
      });
    });
    let marks = 0;
    const measured = await new ClosedLoop(3).run(lanes, { warmUpMs: 5, measureMs: 20 }, () => marks++);
    assert.deepEqual([most, inFlight, marks], [[3, 3], [0, 0], 2]);
    assert.ok(measured.chunksPerS > 0 && measured.p99Ms >= measured.p50Ms);
  });

  it("benchmark: ratios are taken within a round, and goals are judged by them", () => {
    const load = (chunksPerS: number, p99Ms: number): LoadResult => {
      return { chunksPerS, p50Ms: 1, p99Ms, serverCpuUs: 1, clientCpuUs: 1, othersShare: 0 };
    };
    const results: Results = {
      command: "npm run bench:relay",
      rounds: 3,
      measureMs: 1,
      contenders: relayContenders(),
      loads: {
        "relay-tls-8": [load(100, 10), load(10, 10), load(130, 30)],
        "nats-publish-1000": [load(100, 20), load(5, 20), load(100, 10)],
      },
      idle: [{ tls: true, connections: 10, bytesPerConnection: 36 * 1024, residentBytes: 1 }],
      startup: undefined,
      remarks: [],
      skipped: ["Something is left out."],
    };
    const found = goalsOf(results).map(({ measured, reached }) => [measured, reached]);
    assert.deepEqual(found, [
      ["1.30", true],
      ["0.50", true],
      ["36.0 KB", false],
    ]);
    assert.match(
      markdownOf(results),
      /^## The relay\n[\s\S]*\| 36\.0 KB \| not reached \|\n[\s\S]*left out\.\n$/,
    );
  });

  for (const tls of [false, true])
    it(`benchmark: every chunk that counts is in the relay's spool (${tls ? "TLS" : "TCP"})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "salestag-bench-"));
      let relay: RunningRelay | undefined;
      try {
        relay = await startRelay(folder, { tls, badges: 5 });
        const { server, address, ca, registry } = relay;
        const job = {
          serverPid: server.pid,
          target: { kind: "relay", address, ca, registry, connections: 5 },
        } as const;
        const result = await runLoad({ ...job, load: { inFlight: 8, warmUpMs: 0, measureMs: 200 } });
        await (await holdConnections(job))();
        await server.stop();
        const log = { info: () => {}, warn: () => {}, error: (event: string) => assert.fail(event) };
        const records = await recordsIn(join(folder, "spool"), log);
        const counted = Math.round(result.chunksPerS * 0.2);
        assert.ok(counted > 0 && counted <= records.length, `${counted} counted, ${records.length} stored`);
        assert.ok(result.serverCpuUs >= 0 && result.clientCpuUs >= 0);
      } finally {
        await relay?.server.stop("SIGKILL");
        rmSync(folder, { recursive: true });
      }
    });
});
