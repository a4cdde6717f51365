// The relay as an operator runs it: command line, signals, kill -9, and a disk that is full.
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { decodeAck, FrameType } from "@salestag/protocol/host";
import { Webhook } from "standardwebhooks";
import { ExitCode } from "./errors";
import { BadgeClient } from "./testing/badge-client";
import { Bench, namesOf, RelayChild, recordsIn, recordsInFolder, type TestBadge } from "./testing/rigging";

const SEALED = Buffer.alloc(4000, 3);
/** Whole ack frame of an index below 24: length, type, array of three one-byte numbers, MAC. */
const ACK_BYTES = 2 + 1 + 4 + 8;

describe("relay process", () => {
  let bench: Bench;
  let children: RelayChild[];
  beforeEach(() => {
    bench = new Bench();
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.signal("SIGKILL");
    for (const child of children) await child.closed;
    await bench.end();
  });

  const start = async (more: string[] = [], command?: string[]): Promise<RelayChild> => {
    const child = run(
      ["--listen", "tcp://127.0.0.1:0", "--registry", bench.registry, "--spool", bench.spool, ...more],
      command,
    );
    return await child.listening();
  };
  const run = (args: string[], command?: string[]): RelayChild => {
    const child = new RelayChild(args, command);
    children.push(child);
    return child;
  };

  describe("command line", () => {
    const refused: [string, string[], number, RegExp][] = [
      ["no registry", ["--spool", "SPOOL"], ExitCode.Usage, /--registry/],
      ["an unknown option", ["--nonsense"], ExitCode.Usage, /unknown option/],
      [
        "plain TCP for everybody",
        ["--listen", "tcp://0.0.0.0:0"],
        ExitCode.Usage,
        /plain TCP on 0\.0\.0\.0 would/,
      ],
      [
        "plain TCP on any address, IPv6",
        ["--listen", "tcp://[::]:0"],
        ExitCode.Usage,
        /plain TCP on :: would/,
      ],
      [
        "a name that begins like loopback",
        ["--listen", "tcp://127.example.org:0"],
        ExitCode.Usage,
        /plain TCP/,
      ],
      ["port 65536", ["--listen", "tcp://127.0.0.1:65536"], ExitCode.Usage, /no address to listen on/],
      [
        "TLS without a certificate",
        ["--listen", "tls://127.0.0.1:0"],
        ExitCode.Usage,
        /--tls-cert FILE and --tls-key/,
      ],
      ["a sink that it does not know", ["--sink", "nats:x"], ExitCode.Usage, /sink must be folder:DIR/],
      ["a bound that is too small", ["--spool-bytes-max", "262143"], ExitCode.Usage, /at least 262144/],
    ];
    for (const [what, args, code, message] of refused)
      it(`command line: refused with exit code ${code} (${what})`, async () => {
        bench.badge();
        const given = what === "no registry" ? [] : ["--registry", bench.registry, "--spool", bench.spool];
        const child = run([...given, ...args]);
        assert.deepEqual(await child.closed, [code, null]);
        assert.match(child.notices.join("\n"), message);
        assert.deepEqual(child.output, []);
      });

    it("command line: a second relay on the same spool is refused with exit code 3", async () => {
      bench.badge();
      await start();
      const second = run([
        "--listen",
        "tcp://127.0.0.1:0",
        "--registry",
        bench.registry,
        "--spool",
        bench.spool,
      ]);
      assert.deepEqual(await second.closed, [ExitCode.Spool, null]);
      assert.match(second.notices.join("\n"), /spool is in use by process \d+/);
    });

    it("command line: an address that is taken is refused with exit code 5", async () => {
      bench.badge();
      const first = await start();
      const args = ["--listen", first.addresses[0], "--registry", bench.registry];
      const second = run([...args, "--spool", join(bench.directory, "other")]);
      assert.deepEqual(await second.closed, [ExitCode.Listen, null]);
    });

    it("command line: with --json every line is JSON, without keys or sealed bytes", async () => {
      const badge = bench.badge();
      const child = await start(["--json", "--listen", "tcp://[::1]:0"]);
      while (child.addresses.length < 2)
        await new Promise((resolve) => child.child.once("listening", resolve));
      const client = await BadgeClient.connect({ address: child.addresses[1], ...badge });
      client.sendChunk(0, 0, Buffer.from("SEALED".repeat(10)));
      await client.ackedBefore(0, 1);
      await client.close();
      child.signal("SIGINT");
      assert.deepEqual(await child.closed, [ExitCode.Ok, null]);
      const lines = [...child.output, ...child.notices];
      for (const line of lines) assert.equal(typeof JSON.parse(line).event, "string");
      assert.equal(JSON.parse(child.output[0]).event, "listening");
      assert(child.notices.some((line) => JSON.parse(line).badge === badge.id));
      assert.doesNotMatch(lines.join("\n"), new RegExp(`SEALED|${badge.authKey.toString("hex")}`));
    });

    it("command line: a configuration file with a webhook: what a badge sends is posted, signed, also what came while nobody took it", async () => {
      const badge = bench.badge();
      const secret = randomBytes(32).toString("base64");
      writeFileSync(join(bench.directory, "hook.key"), `whsec_${secret}\n`, { mode: 0o600 });
      const posted: string[] = [];
      let refusing = true;
      let arrived = () => {};
      const server = createServer((request, response) => {
        const parts: Buffer[] = [];
        request.on("data", (part: Buffer) => parts.push(part));
        request.on("end", () => {
          const body = Buffer.concat(parts).toString("utf8");
          new Webhook(`whsec_${secret}`).verify(body, request.headers as Record<string, string>);
          if (!refusing) for (const { id } of JSON.parse(body)) posted.push(id);
          response.writeHead(refusing ? 503 : 204).end();
          refusing = false;
          arrived();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const config = join(bench.directory, "relay.yaml");
      writeFileSync(
        config,
        `listen: ["tcp://127.0.0.1:0"]\nregistry: registry.json\nspool: {folder: spool}\nsinks:\n  - webhook: {url: "http://127.0.0.1:${port}/", secretFiles: [hook.key]}\n`,
      );
      const child = await run(["--config", config]).listening();
      const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
      for (const index of [0, 1, 2]) client.sendChunk(4, index, SEALED);
      await client.ackedBefore(4, 3);
      await client.close();
      while (posted.length < 3)
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      child.signal("SIGTERM");
      assert.deepEqual(await child.closed, [ExitCode.Ok, null]);
      assert.deepEqual(
        posted,
        [0, 1, 2].map((index) => `${badge.id}/4/${index}`),
      );
      assert.ok(!child.notices.join().includes(secret));
      server.closeAllConnections();
      server.close();
    });

    it("command line: --config leaves no room for other options", async () => {
      const child = run(["--config", "relay.yaml", "--spool", bench.spool]);
      assert.deepEqual(await child.closed, [ExitCode.Usage, null]);
      assert.match(child.notices.join(), /leave the other options out/);
    });

    it("command line: a broken log pipe does not end the relay", async () => {
      const badge = bench.badge();
      const child = await start();
      child.child.stderr?.destroy();
      for (const index of [0, 1]) {
        const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
        client.sendChunk(0, index, SEALED);
        await client.ackedBefore(0, index + 1);
        await client.close();
      }
    });
  });

  it("SIGTERM: ends with exit code 0 after a goodbye; all that was acked is in spool and folder", async () => {
    const badge = bench.badge();
    const child = await start(["--sink", `folder:${bench.folder}`]);
    const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
    const sender = sendUntilEnd(client, 0);
    await sender.acked(30);
    child.signal("SIGTERM");
    const acked = await sender.ended;
    assert.deepEqual(await child.closed, [ExitCode.Ok, null]);
    assert.equal(sender.bye, true);
    const stored = namesOf(await recordsIn(bench.spool, bench.log));
    assert.deepEqual(namesOf(recordsInFolder(bench.folder)), stored);
    assert(stored.length >= acked && acked >= 30, `${acked} acked, ${stored.length} stored`);
  });

  it("kill -9: every acked chunk is in the spool once after 8 of them, and reaches a new folder once (4 badges)", async () => {
    const badges = [bench.badge(), bench.badge(), bench.badge(), bench.badge()];
    const acked = await killRounds(badges, 8, () => start());
    const stored = namesOf(await recordsIn(bench.spool, bench.log));
    assert.equal(new Set(stored).size, stored.length, "a chunk is in the spool twice");
    assertHasAll(new Set(stored), acked);
    const last = await start(["--sink", `folder:${bench.folder}`]);
    last.signal("SIGTERM");
    assert.deepEqual(await last.closed, [ExitCode.Ok, null]);
    assert.deepEqual(namesOf(recordsInFolder(bench.folder)), stored);
  });

  it("kill -9: every acked chunk is in the folder after 4 of them, though segments are deleted on the way (256 KiB)", async () => {
    const badges = [bench.badge(), bench.badge()];
    const more = ["--sink", `folder:${bench.folder}`, "--spool-bytes-max", "262144"];
    const acked = await killRounds(badges, 4, () => start(more));
    const last = await start(more);
    last.signal("SIGTERM");
    assert.deepEqual(await last.closed, [ExitCode.Ok, null]);
    const delivered = namesOf(recordsInFolder(bench.folder));
    assert(delivered.length * SEALED.length > 262144, `${delivered.length} delivered`);
    assertHasAll(new Set(delivered), acked);
  });

  /** Lets all badges send, kills the relay when enough is acked, and starts it again. @returns chunks acked, by badge */
  async function killRounds(
    badges: TestBadge[],
    rounds: number,
    startRelay: () => Promise<RelayChild>,
  ): Promise<Map<string, number>> {
    const acked = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const child = await startRelay();
      const senders = await Promise.all(
        badges.map(async (badge) => {
          const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
          assert(client.welcome.nextIndex >= (acked.get(badge.id) ?? 0), "the relay forgot what it acked");
          return { badge, ...sendUntilEnd(client, client.welcome.nextIndex) };
        }),
      );
      // Some odd number of chunks after each start, so that kills fall into different moments.
      await senders[0].acked(11 + 7 * round);
      child.signal("SIGKILL");
      for (const { badge, ended } of senders) acked.set(badge.id, await ended);
      await child.closed;
    }
    return acked;
  }

  function assertHasAll(names: ReadonlySet<string>, acked: ReadonlyMap<string, number>): void {
    for (const [badge, count] of acked)
      for (let index = 0; index < count; index++)
        assert(names.has(`${badge}/0/${index}`), `acked chunk ${badge}/0/${index} is lost`);
  }

  describe("full disk", () => {
    it("full disk: a spool on a full file system holds, then goes on when there is room (tmpfs of 1 MiB)", async function () {
      if (spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status !== 0) {
        process.stderr.write(
          "        not run: this machine lets nobody mount a tmpfs; the test with ulimit below runs\n",
        );
        this.skip();
      }
      const badge = bench.badge();
      mkdirSync(bench.spool);
      const script = `mount -t tmpfs -o size=1m none "$SPOOL" && head -c 700000 /dev/zero > "$SPOOL/filler" && exec "$0" "$@"`;
      const command = ["env", `SPOOL=${bench.spool}`, "unshare", "-rm", "sh", "-c", script, process.execPath];
      const child = await start(["--sink", `folder:${bench.folder}`], command);
      const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
      const before = await sendUntilWindowIs0(client);
      assert.equal(child.notices.filter((line) => /spool is full.*ENOSPC/.test(line)).length, 1);
      rmSync(`/proc/${child.child.pid}/root${bench.spool}/filler`);
      const acked = await before.all();
      child.signal("SIGTERM");
      assert.deepEqual(await child.closed, [ExitCode.Ok, null]);
      assert.equal(recordsInFolder(bench.folder).length, acked);
    });

    it("full disk: a file that may not grow holds as well, nothing is acked beyond it (ulimit -f)", async () => {
      const badge = bench.badge();
      const command = ["bash", "-c", `ulimit -f 200 && exec "$0" "$@"`, process.execPath];
      const child = await start([], command);
      const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
      const { acked } = await sendUntilWindowIs0(client);
      assert(acked > 0 && acked * SEALED.length < 200 * 1024, `${acked} acked`);
      child.signal("SIGTERM");
      assert.deepEqual(await child.closed, [ExitCode.Ok, null]);
      assert.match(child.notices.join("\n"), /spool is full.*EFBIG/);
      assert.equal((await recordsIn(bench.spool, bench.log)).length, acked);
      const roomy = await start();
      const again = await BadgeClient.connect({ address: roomy.addresses[0], ...badge });
      assert.equal(again.welcome.nextIndex, acked);
      again.sendChunk(0, acked, SEALED);
      await again.ackedBefore(0, acked + 1);
      await again.close();
    });

    it("full disk: a relay that cannot even begin says so and ends with exit code 4 (ulimit -f 1)", async () => {
      bench.badge();
      const args = ["--listen", "tcp://127.0.0.1:0", "--registry", bench.registry, "--spool", bench.spool];
      const child = run(args, ["bash", "-c", `ulimit -f 1 && exec "$0" "$@"`, process.execPath]);
      assert.deepEqual(await child.closed, [ExitCode.Disk, null]);
      assert.match(child.notices.join("\n"), /spool .* cannot be opened: EFBIG/);
    });
  });

  it("syncs: one fdatasync for each commit, before its ack is written (strace)", async function () {
    if (spawnSync("strace", ["-V"]).status !== 0) {
      process.stderr.write(
        "        not run: strace is not installed; the spool's own tests check the order of calls\n",
      );
      this.skip();
    }
    const badge = bench.badge();
    const trace = join(bench.directory, "trace");
    const calls = "trace=fdatasync,pwrite64,write,writev";
    const command = [
      "strace",
      "-D",
      "-f",
      "-y",
      "-e",
      calls,
      "-e",
      "signal=none",
      "-s",
      "0",
      "-o",
      trace,
      process.execPath,
    ];
    const child = await start([], command);
    const client = await BadgeClient.connect({ address: child.addresses[0], ...badge });
    for (let index = 0; index < 20; index++) {
      client.sendChunk(0, index, SEALED);
      await client.ackedBefore(0, index + 1);
    }
    await client.close();
    child.signal("SIGTERM");
    await child.closed;
    assert.deepEqual(orderOfCalls(trace), Array(20).fill(["record", "sync", "ack"]).flat());
  });
});

/** @returns records written, syncs returned and acks written, in order, behind the header page of the segment */
function orderOfCalls(trace: string): string[] {
  const unfinished = new Map<string, string>();
  const order: string[] = [];
  for (const line of readFileSync(trace, "utf8").split("\n")) {
    const [, thread, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (text === undefined) continue;
    if (text.endsWith("<unfinished ...>")) unfinished.set(thread, text);
    const call = text.startsWith("<...") ? `${unfinished.get(thread)} ${text}` : text;
    if (/^pwrite64\(\d+<[^>]*\.seg>/.test(text)) order.push("record");
    else if (/^fdatasync\(\d+<[^>]*\.seg>.* = 0$/.test(call)) order.push("sync");
    else if (/^write\(\d+<[^>]*socket[^>]*>,/.test(text) && text.endsWith(` = ${ACK_BYTES}`))
      order.push("ack");
  }
  assert.deepEqual(order.slice(0, 2), ["record", "sync"]); // the page
  return order.slice(2);
}

/** Sends chunks of epoch 0 from `index` on, within the window, until the relay is gone. */
function sendUntilEnd(client: BadgeClient, index: number) {
  const first = index;
  let next = index;
  let acked = index;
  let window = client.welcome.window;
  const waiting: { count: number; resolve: () => void }[] = [];
  const sender = {
    bye: false,
    /** Waits until this many were acked on this connection. */
    acked: (count: number) => new Promise<void>((resolve) => void waiting.push({ count, resolve })),
    /** @returns the position that was acked last */
    ended: Promise.resolve(0),
  };
  const send = (): void => {
    while (next - acked < window) client.sendChunk(0, next++, SEALED);
  };
  const receive = async (): Promise<number> => {
    send();
    for (;;) {
      const payload = await client.connection.next();
      if (payload === undefined) return acked;
      const { type, body } = client.session.open(payload);
      if (type === FrameType.Bye) sender.bye = true;
      if (type !== FrameType.Ack) continue;
      const ack = decodeAck(body);
      acked = ack.nextIndex;
      window = ack.window;
      for (const { count, resolve } of waiting) if (acked - first >= count) resolve();
      if (!sender.bye) send();
    }
  };
  sender.ended = receive();
  return sender;
}

/** Sends within the window until the relay says 0. @returns chunks acked so far, and how to wait for the others */
async function sendUntilWindowIs0(client: BadgeClient) {
  let sent = 0;
  let acked = 0;
  let window = client.welcome.window;
  while (window > 0) {
    while (sent - acked < window) client.sendChunk(0, sent++, SEALED);
    const ack = await client.nextAck();
    acked = ack.nextIndex;
    window = ack.window;
  }
  assert(sent > acked, "nothing is in flight");
  const all = async (): Promise<number> => {
    while (acked < sent || window === 0) {
      const ack = await client.nextAck();
      acked = ack.nextIndex;
      window = ack.window;
    }
    return sent;
  };
  return { acked, all };
}
