// The simulator: the same seed is the same run; runs with all faults go well; and the oracle finds what is planted.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeFile } from "@salestag/cloud-relay";
import {
  CONSENT_DEFAULT,
  type ConsentPolicy,
  encodeChunkBodyStart,
  encodeChunkHeader,
  FRAME_MS,
  FrameType,
  frameStart,
} from "@salestag/protocol";
import { Random } from "../emulator/random";
import { VirtualTime } from "../emulator/virtual-time";
import type { SimulatedBadge } from "./badge";
import { VirtualDisk } from "./disk";
import { leaksIn, secretsOf } from "./leaks";
import { SealedOnce } from "./once";
import { judge, storedChunks } from "./oracle";
import { simulate } from "./run";
import { frameOf, Packets, Scene, Sound } from "./scene";

describe("simulation", () => {
  it("the same seed is the same run, bit for bit; another seed is another", async () => {
    const run = (seed: number) => simulate({ badges: 2, hours: 0.05, seed });
    const [first, again, other] = [await run(11), await run(11), await run(12)];
    assert.equal(again.digest, first.digest);
    assert.deepEqual(again.faults, first.faults);
    assert.notEqual(other.digest, first.digest);
  });

  for (let seed = 1; seed <= 20; seed++)
    it(`three badges, with everything that can fail (seed ${seed})`, async () => {
      const { failures, findings } = await simulate({ badges: 3, hours: 0.1, seed });
      assert.deepEqual(failures, []);
      assert.ok(findings.chunks > 0);
    });
});

describe("simulation: scene", () => {
  it("packets tell what they are of, and a changed one tells nothing", () => {
    const packets = new Packets(5);
    const mark = { badge: 3, boot: 2, seq: 70000 };
    const packet = packets.packet(mark);
    assert.deepEqual(packets.markOf(packet), mark);
    for (let at = 1; at < packet.length; at++) {
      const changed = Buffer.from(packet);
      changed[at] ^= 1;
      assert.equal(packets.markOf(changed), undefined, `byte ${at}`);
    }
    assert.equal(new Packets(6).markOf(packet), undefined);
    const among = Buffer.concat([Buffer.alloc(50, 7), packet.subarray(1), Buffer.alloc(50, 9)]);
    assert.deepEqual(packets.foundIn(among), mark);
    assert.equal(packets.foundIn(among.subarray(0, 50 + packet.length - 2)), undefined);
    among[60] ^= 1;
    assert.equal(packets.foundIn(among), undefined);
    assert.ok(frameOf(1, Sound.Near, packet, false).length <= 236);
  });

  it("conversations are farther apart than the silence that ends one", () => {
    const scene = new Scene(new Random(3), 3_600_000);
    for (let i = 1; i < scene.conversations.length; i++)
      assert.ok((scene.conversations[i].from - scene.conversations[i - 1].to) * FRAME_MS >= 40_000);
  });
});

describe("simulation: keys on the wire", () => {
  it("a chunk that goes out again is well when it is the same; sealed in another way it is named, however the bytes are cut", () => {
    const header = encodeChunkHeader({
      badgeId: Buffer.alloc(8, 1),
      epoch: 3,
      index: 4,
      kind: 1,
      startMs: 0,
      durationMs: 20,
      codec: 1,
      count: 1,
    });
    const frame = (fill: number) => {
      const sealed = Buffer.alloc(40, fill);
      const body = Buffer.concat([encodeChunkBodyStart(header, sealed.length), sealed, Buffer.alloc(8)]);
      return Buffer.concat([frameStart(FrameType.Chunk, body.length), body]);
    };
    const once = new SealedOnce();
    for (const [connection, fill] of [
      [0, 5],
      [1, 5],
    ])
      for (const byte of frame(fill)) once.bytes(connection, Buffer.from([byte]));
    assert.deepEqual(once.wrong, []);
    once.bytes(2, frame(6));
    assert.deepEqual(once.wrong, [
      "chunk 0101010101010101 3/4 went out sealed in two ways: its key was used twice",
    ]);
  });
});

describe("simulation: the relay's disk", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "virtual-disk-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const health = { full: false, slowMs: 0 };
  function newDisk(seed: number): VirtualDisk {
    const disk = new VirtualDisk(new VirtualTime(() => 0), new Random(seed), () => undefined, health);
    disk.instant = true;
    return disk;
  }

  it("a crash leaves what was synced, and of the rest anything between nothing and all", async () => {
    const lengths = new Set<number>();
    for (let seed = 1; seed < 30; seed++) {
      const disk = newDisk(seed);
      const path = join(folder, `${seed}`);
      const file = await disk.open(path, "wx", 0o600);
      await file.write(Buffer.alloc(100, 1), 0);
      await file.dataSync();
      await disk.syncDirectory(folder);
      await file.write(Buffer.alloc(100, 2), 100);
      disk.crash();
      const left = readFileSync(path);
      assert.ok(left.subarray(0, 100).every((byte) => byte === 1));
      lengths.add(left.length);
      await assert.rejects(file.write(Buffer.alloc(1), 0), /gone/);
    }
    assert.ok(lengths.has(100) && lengths.has(200) && lengths.size > 3, `${[...lengths]}`);
  });

  it("a name that was made or changed and not synced with its folder may be as it was before; a synced one stays", async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed < 30; seed++) {
      const disk = newDisk(seed);
      const [path, temporary] = [join(folder, `${seed}`), join(folder, `${seed}.new`)];
      await placeFile(disk, temporary, path, Buffer.from("old"), 0o600);
      await disk.syncDirectory(folder);
      await placeFile(disk, temporary, path, Buffer.from("new"), 0o600);
      disk.crash();
      outcomes.add(`${readFileSync(path)}, ${existsSync(temporary) ? readFileSync(temporary) : "no file"}`);
    }
    assert.deepEqual([...outcomes].sort(), ["new, no file", "old, new", "old, no file"]);
  });

  it("a full disk takes a part of what is written", async () => {
    const lengths = new Set<number>();
    health.full = true;
    for (let seed = 1; seed < 30; seed++) {
      const path = join(folder, `${seed}`);
      const file = await newDisk(seed).open(path, "wx", 0o600);
      await assert.rejects(file.write(Buffer.alloc(10, 1), 0), { code: "ENOSPC" });
      lengths.add(readFileSync(path).length);
    }
    health.full = false;
    assert.ok(lengths.size > 5 && Math.max(...lengths) < 10, `${[...lengths]}`);
  });
});

describe("simulation: leaks", () => {
  const packets = new Packets(7);
  const holder = { authKey: Buffer.alloc(32, 3), chainKey: Buffer.alloc(32, 4), parts: { number: 2 } };
  const secrets = secretsOf(holder, 50);
  const noise = new Random(9).bytes(10_000);

  it("noise holds nothing; sound in the open is found and named", () => {
    assert.deepEqual(leaksIn([{ where: "on the wire", bytes: noise }], packets, secrets), []);
    const packet = packets.packet({ badge: 2, boot: 1, seq: 77 });
    const bytes = Buffer.concat([noise, packet, noise]);
    assert.deepEqual(leaksIn([{ where: "on the wire", bytes }], packets, secrets), [
      "frame 77 of boot 1 of badge 2 is in the open on the wire",
    ]);
  });

  it("every key is found wherever it lies, as bytes or as digits", () => {
    assert.equal(secrets.length, 2 + 2 * 51);
    for (const [at, { name, bytes }] of secrets.entries()) {
      const where = "in the relay's file a.seg";
      const raw = Buffer.concat([noise.subarray(0, at), bytes, noise.subarray(at)]);
      assert.deepEqual(leaksIn([{ where, bytes: raw }], packets, secrets), [`${name} is ${where}`]);
      const digits = Buffer.concat([noise, Buffer.from(bytes.toString("hex"))]);
      assert.deepEqual(leaksIn([{ where, bytes: digits }], packets, secrets), [
        `${name}, in hexadecimal digits, is ${where}`,
      ]);
    }
  });
});

describe("simulation: oracle", () => {
  /** A day of one badge without faults, kept: its spool and what was played. */
  async function day(consent: Partial<ConsentPolicy> = {}) {
    const folder = mkdtempSync(join(tmpdir(), "oracle-"));
    const result = await simulate({
      badges: 1,
      hours: 0.05,
      seed: 4,
      calm: true,
      consent: { ...CONSENT_DEFAULT, ...consent },
      onEnd: ({ badges, packets, spool }) => {
        for (const name of readdirSync(spool).filter((name) => name.endsWith(".seg")))
          writeFileSync(join(folder, name), readFileSync(join(spool, name)));
        kept = { badges, packets };
      },
    });
    return { folder, result, ...(kept as Kept) };
  }
  interface Kept {
    badges: SimulatedBadge[];
    packets: Packets;
  }
  let kept: Kept | undefined;

  it("a calm day: all that had to arrive did, and nothing is wrong", async () => {
    const { folder, badges, packets, result } = await day();
    assert.deepEqual(result.failures, []);
    const { divergences, mustFrames } = judge(badges, packets, folder);
    assert.deepEqual(divergences, []);
    assert.ok(mustFrames > 500, `${mustFrames} frames`);
    // What the policy forbids must not be there: the same chunks under another policy are wrong.
    badges[0].parts.consent = { ...CONSENT_DEFAULT, policy: "off" };
    assert.match(judge(badges, packets, folder).divergences[0].what, /without consent/);
    badges[0].parts.consent = { ...CONSENT_DEFAULT, policy: "verbal" };
    assert.match(judge(badges, packets, folder).divergences[0].what, /without consent/);
    rmSync(folder, { recursive: true });
  });

  it("a chunk that opens and holds what was never played is found and named", async () => {
    const { folder, badges } = await day();
    assert.match(judge(badges, new Packets(5), folder).divergences[0].what, /a packet that nobody made/);
    rmSync(folder, { recursive: true });
  });

  it("a stored chunk that is taken away, changed or there twice is found and named", async () => {
    const { folder, badges, packets } = await day();
    const [name] = readdirSync(folder);
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const audio = [...storedChunks(folder)].find(({ header }) => header.kind === 1);
    const at = bytes.indexOf((audio as { sealed: Buffer }).sealed);
    const changed = Buffer.from(bytes);
    changed[at + 20] ^= 1; // its checksum is wrong now: it is as good as gone
    writeFileSync(path, changed);
    assert.match(judge(badges, packets, folder).divergences[0].what, /missing/);
    writeFileSync(path, bytes);
    writeFileSync(join(folder, "zzzz.seg"), bytes);
    assert.match(judge(badges, packets, folder).divergences[0].what, /stored twice/);
    rmSync(folder, { recursive: true });
  });
});
