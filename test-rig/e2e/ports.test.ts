// `salestag ports` on badges at pseudo-terminals, in every state.
import assert from "node:assert/strict";
import { join } from "node:path";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { Desk, said } from "./badge-states";

interface Listed {
  port: string;
  state: string;
  deviceId?: string;
  badge?: string;
  program?: { name: string; version: string };
  runtimeVersion?: string;
  usedBy?: { pid: number };
  note?: string;
}

const NOWHERE = "tcp://127.0.0.1:1";

describe("end to end: salestag ports", () => {
  let desk: Desk;
  before(async () => {
    desk = await Desk.setUp();
  });
  afterEach(() => desk.clear());
  after(() => desk.close());

  const list = async (): Promise<Listed[]> => {
    const { code, stdout, stderr } = await desk.salestag("ports", "--json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const named = (listed: Listed[], name: string): Listed => {
    const one = listed.find(({ port }) => port === desk.port(name));
    assert.ok(one !== undefined, `${name} is not listed`);
    return one;
  };

  it("every state at once, each badge with its ids and versions", async () => {
    const online = await desk.provisioned(desk.relay.addresses[0]);
    const offline = await desk.provisioned(NOWHERE);
    const ready = await desk.plugIn("1-ready", { state: online.state });
    const alone = await desk.plugIn("2-alone", { state: offline.state });
    await desk.plugIn("3-fresh");
    await desk.plugInStopped("4-stopped");
    await desk.plugInBare("5-empty");
    await desk.plugInFailing("6-failing");
    await desk.plugInChipless("7-chipless");
    const used = await desk.plugIn("8-used");
    const holder = await BadgePort.open(used.port);
    try {
      await Promise.all([said(ready, /@up/), said(alone, /@down/)]);
      const listed = await list();
      assert.deepEqual(
        listed.map(({ port, state }) => [port.slice(desk.ports.length + 1), state]),
        [
          ["1-ready", "ready"],
          ["2-alone", "no relay"],
          ["3-fresh", "unprovisioned"],
          ["4-stopped", "stopped"],
          ["5-empty", "no program"],
          ["6-failing", "failing"],
          ["7-chipless", "storage failed"],
          ["8-used", "in use"],
        ],
      );
      const { badge, deviceId, runtimeVersion, program } = named(listed, "1-ready");
      assert.deepEqual(
        { badge, deviceId, runtimeVersion, name: program?.name },
        {
          badge: online.badge,
          deviceId: online.state.deviceId,
          runtimeVersion: "2.16.4",
          name: "@salestag/firmware",
        },
      );
      assert.equal(named(listed, "5-empty").program, undefined);
      assert.equal(named(listed, "8-used").usedBy?.pid, process.pid);
    } finally {
      await holder.close();
    }
  });

  it("a table for people fits 80 columns, and tells by whom a port is used", async () => {
    const { state, badge } = await desk.provisioned(desk.relay.addresses[0]);
    const ready = await desk.plugIn("ready", { state });
    const used = await desk.plugIn("used");
    const holder = await BadgePort.open(used.port);
    try {
      await said(ready, /@up/);
      const { code, stdout, stderr } = await desk.salestag("ports");
      assert.deepEqual([code, stderr], [0, ""]);
      const lines = stdout.trimEnd().split("\n");
      assert.match(lines[0], /^PORT +STATE +BADGE +HARDWARE$/);
      assert.ok(stdout.includes(`${badge}  ${state.deviceId}\n`), stdout);
      assert.match(stdout, /program firmware v\S+, runtime 2\.16\.4\n/);
      assert.match(stdout, /in use\n.*by \S+ \(process \d+\)\n/);
      const paths = [desk.port("ready"), desk.port("used")];
      for (const line of lines) assert.ok(line.length <= 80 || paths.includes(line), line);
    } finally {
      await holder.close();
    }
  });

  it("a badge that records is not disturbed: its program runs on", async () => {
    const { state } = await desk.provisioned(NOWHERE);
    const badge = await desk.plugIn("badge", { state });
    await said(badge, /@ready/);
    await list();
    assert.equal(badge.lines.filter((line) => line.startsWith("* start:")).length, 1);
    assert.ok(!badge.lines.some((line) => line.includes("stop program")));
  });

  it("one that is unplugged while it is asked is told so", async () => {
    const { state } = await desk.provisioned(NOWHERE);
    let touched: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      touched = resolve;
    });
    const cable = {
      toHost: () => undefined, // a badge that says nothing
      toBadge: () => touched(),
    };
    const badge = await desk.plugIn("badge", { state, cable });
    const listing = list();
    await asked;
    await badge.unplug();
    const [{ state: shown, note }] = await listing;
    assert.equal(shown, "no answer");
    assert.match(note ?? "", /^unplugged while it was asked \(/);
  });

  it("nothing plugged in: an empty list, and a word on standard error", async () => {
    const listed = await desk.salestag("ports", "--json");
    assert.deepEqual([listed.code, listed.stdout], [0, "[]\n"]);
    assert.match(listed.stderr, /^no badge is plugged in, and there is none in .*ports;/);
  });

  it("--badge may be left out where one badge is plugged in; two are named (exit 2), none is told (exit 5)", async () => {
    const tune = () => desk.salestag("tune", "--json");
    const none = await tune();
    assert.equal(none.code, 5, none.stderr);
    assert.match(none.stderr, /no badge is plugged in and none is in/);
    const first = await desk.plugIn("first");
    await said(first, /@unprovisioned/);
    const one = await tune();
    assert.equal(one.code, 0, one.stderr);
    assert.equal(JSON.parse(one.stdout).deviceId, first.bench.state().deviceId);
    await desk.plugIn("second");
    const two = await tune();
    assert.equal(two.code, 2, two.stderr);
    assert.ok(two.stderr.includes(`${join(desk.ports, "first")}, ${join(desk.ports, "second")}`), two.stderr);
  });
});
