// Opening a relay's folder: the files that come out, opus-tools' verdict on them, and the names of what is damaged.
import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Decoder } from "@evan/opus";
import { EndReason, EventKind } from "@salestag/protocol/host";
import {
  createIdentity,
  ExitCode,
  epochKeyFor,
  PRE_SKIP_SAMPLES,
  readIdentities,
  SILENCE_PACKET,
  Vault,
} from "@salestag/protocol/team";
import {
  audioChunk,
  BADGE,
  bytesOf,
  type ChunkPlan,
  eventsChunk,
  type Item,
  KEYS,
  modeOf,
  opusPackets,
  RECEIVED_MS,
  readOgg,
  recordOf,
  requireProgram,
  runProgram,
  toolError,
  useFolder,
  writeRecord,
} from "@salestag/protocol/testing";
import { type OpenOptions, openConversations } from "./open";

const SAMPLES_PER_PACKET = 960;
const PACKETS = opusPackets(120);

/** A team with a vault and a relay's folder. */
async function makeSite(folder: string) {
  const identity = join(folder, "identity.txt");
  const vault = Vault.create(join(folder, "vault"), "", [await createIdentity(identity, RECEIVED_MS)]);
  await vault.add(KEYS);
  const relay = join(folder, "relay");
  mkdirSync(relay);
  const out = join(folder, "out");
  const identities = await readIdentities(identity);
  return {
    relay,
    out,
    vault,
    deliver: (plans: ChunkPlan[], epoch = 0) =>
      plans.map((plan) => writeRecord(relay, recordOf(plan, epochKeyFor(KEYS, epoch), epoch))),
    open: (only: Partial<OpenOptions> = {}) =>
      openConversations({ folder: relay, vault, identities, out, ...only }),
  };
}

const ended = (index: number, atMs: number) =>
  eventsChunk(index, [{ kind: EventKind.ConversationEnd, atMs, values: [EndReason.Silence] }]);
/** 120 packets without a gap in two chunks, and the end. */
const whole = () => [
  audioChunk(0, 0, PACKETS.slice(0, 100)),
  audioChunk(1, 2000, PACKETS.slice(100)),
  ended(2, 2400),
];

describe("open: files", () => {
  const folder = useFolder();

  it("open: one conversation (names, modes, hash, packets byte for byte)", async () => {
    const site = await makeSite(folder());
    site.deliver(whole());
    const [{ timeline, timelineFile, opusFile, packets }, ...others] = await site.open();
    assert.deepEqual(others, []);
    assert.equal(timelineFile, join(site.out, `${BADGE}-000000.json`));
    assert.equal(opusFile, join(site.out, `${BADGE}-000000.opus`));
    assert.deepEqual([modeOf(timelineFile), modeOf(opusFile), modeOf(site.out)], [0o600, 0o600, 0o700]);
    assert.deepEqual(JSON.parse(readFileSync(timelineFile, "utf8")), timeline);
    const bytes = readFileSync(opusFile);
    assert.deepEqual(timeline.audio, {
      file: `${BADGE}-000000.opus`,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    assert.deepEqual([timeline.complete, timeline.durationMs, packets.length], [true, 2400, 120]);
    const pages = readOgg(bytes);
    assert.deepEqual(pages.flatMap((page) => page.packets).slice(2), PACKETS);
    assert.ok(pages.every(({ crcFits }) => crcFits));
  });

  it("open: silence stands where nothing was kept, so that file time is conversation time", async () => {
    const site = await makeSite(folder());
    const first: Item[] = [PACKETS[0], { silence: 2 }, PACKETS[1], { lost: 1 }, PACKETS[2]];
    site.deliver([audioChunk(0, 0, first), audioChunk(2, 160, [PACKETS[3]])]);
    const [{ opusFile }] = await site.open();
    const s = SILENCE_PACKET;
    assert.deepEqual(
      readOgg(readFileSync(opusFile ?? ""))
        .flatMap(({ packets }) => packets)
        .slice(2),
      [PACKETS[0], s, s, PACKETS[1], s, PACKETS[2], s, s, PACKETS[3]],
    );
  });

  for (const [count, pages] of [
    [1, 3],
    [49, 3],
    [50, 3],
    [51, 4],
  ])
    it(`open: ${count} packets make ${pages} pages`, async () => {
      const site = await makeSite(folder());
      site.deliver([audioChunk(0, 0, PACKETS.slice(0, count))]);
      const [{ opusFile }] = await site.open();
      assert.equal(readOgg(readFileSync(opusFile ?? "")).length, pages);
    });

  it("open: no packet, no audio file", async () => {
    const site = await makeSite(folder());
    site.deliver([ended(0, 100)]);
    const [{ timeline, opusFile }] = await site.open();
    assert.equal(opusFile, undefined);
    assert.equal(timeline.audio, null);
    assert.equal(existsSync(join(site.out, `${BADGE}-000000.opus`)), false);
  });

  it("open: several conversations, all or one (epochs 0, 1 and 7)", async () => {
    const site = await makeSite(folder());
    for (const epoch of [7, 0, 1]) site.deliver(whole(), epoch);
    const epochs = (await site.open()).map(({ timeline }) => timeline.epoch);
    assert.deepEqual(epochs, [0, 1, 7]);
    assert.deepEqual(
      (await site.open({ epoch: 7 })).map(({ timeline }) => [timeline.epoch, timeline.complete]),
      [[7, true]],
    );
    await assert.rejects(site.open({ epoch: 2 }), toolError(ExitCode.Usage, /no chunks of that badge/));
    await assert.rejects(
      site.open({ badge: "ff".repeat(8) }),
      toolError(ExitCode.Usage, /no chunks of that badge/),
    );
  });

  it("open: conversations of a badge that the vault has not are named, the others are opened", async () => {
    const site = await makeSite(folder());
    site.deliver(whole());
    const stranger = "0000000000000001"; // sorts before the known badge
    renameSync(site.deliver(whole(), 1)[0], join(folder(), "strange.chunk"));
    mkdirSync(join(site.relay, stranger, "0000000000"), { recursive: true });
    renameSync(join(folder(), "strange.chunk"), join(site.relay, stranger, "0000000000", "0000000000.chunk"));
    const unopened: string[] = [];
    const opened = await site.open({
      onUnopened: (badge, epoch, why) => unopened.push(`${badge}/${epoch} ${why.exitCode}`),
    });
    assert.deepEqual(unopened, [`${stranger}/0 ${ExitCode.Keys}`]);
    assert.deepEqual(
      opened.map(({ timeline }) => timeline.epoch),
      [0, 1],
    );
    await assert.rejects(site.open(), toolError(ExitCode.Keys, /the vault has no badge 0000000000000001/));
  });

  it("open: opening twice gives the same bytes", async () => {
    const site = await makeSite(folder());
    site.deliver(whole());
    const [{ opusFile, timelineFile }] = await site.open();
    const before = [opusFile ?? "", timelineFile].map((file) => readFileSync(file));
    await site.open();
    assert.deepEqual(
      [opusFile ?? "", timelineFile].map((file) => readFileSync(file)),
      before,
    );
  });
});

describe("open: opus-tools take the file", () => {
  const folder = useFolder();
  const gap: ChunkPlan[] = [
    audioChunk(0, 0, [...PACKETS.slice(0, 30), { silence: 40 }, ...PACKETS.slice(30, 50)]),
    audioChunk(2, 3000, PACKETS.slice(50, 70)),
    ended(3, 3400),
  ];

  for (const [name, plans, frames] of [
    ["without gaps", whole(), 120],
    ["with gaps", gap, 170],
    ["one packet", [audioChunk(0, 0, PACKETS.slice(0, 1))], 1],
  ] as [string, ChunkPlan[], number][])
    it(`opus-tools: no warning, and as long as the conversation less the pre-skip (${name})`, async function () {
      requireProgram(this, "opusinfo", "-h");
      requireProgram(this, "opusdec");
      const site = await makeSite(folder());
      site.deliver(plans);
      const [{ timeline, opusFile }] = await site.open();
      assert.equal(timeline.durationMs, frames * 20);
      const info = runProgram("opusinfo", [opusFile ?? ""]).toString("utf8");
      assert.doesNotMatch(info, /warning|error|negative|invalid|missing/i);
      assert.match(info, /Original sample rate: 16000 ?Hz/);
      assert.equal(decoded(opusFile ?? "").length, frames * SAMPLES_PER_PACKET - PRE_SKIP_SAMPLES);
    });

  it("opus-tools: decode what libopus decodes from the badge's packets (within 1 of 32768)", async function () {
    requireProgram(this, "opusdec");
    const site = await makeSite(folder());
    site.deliver(whole());
    const [{ opusFile }] = await site.open();
    const decoder = new Decoder({ channels: 1, sample_rate: 48000 });
    const own = PACKETS.flatMap((packet) => [...samplesOf(decoder.decode(packet))]).slice(PRE_SKIP_SAMPLES);
    const theirs = decoded(opusFile ?? "");
    assert.equal(theirs.length, own.length);
    const farthest = own.reduce((worst, sample, i) => Math.max(worst, Math.abs(sample - theirs[i])), 0);
    assert.ok(farthest <= 1, `farthest sample differs by ${farthest}`);
    assert.ok(Math.max(...theirs) > 3000, "the recording is not silent");
  });
});

describe("open: damaged files", () => {
  const folder = useFolder();

  for (const [name, damage, words] of [
    [
      "cut by one byte",
      (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -1)),
      /is damaged/,
    ],
    ["empty", (path: string) => writeFileSync(path, ""), /is damaged/],
    ["not MessagePack", (path: string) => writeFileSync(path, "hello, this is text"), /is damaged/],
    ["a folder", replaceByFolder, /is damaged/],
    ["too long", (path: string) => writeFileSync(path, Buffer.alloc(20_000)), /is damaged.*at most/],
    ["last bit flipped", flipLastBit, /chunk 1 does not open|is damaged/],
  ] as const)
    it(`damage: chunk file ${name} is named, the others open`, async () => {
      const site = await makeSite(folder());
      const [, path] = site.deliver(whole());
      damage(path);
      const [{ timeline, packets }] = await site.open();
      assert.equal(timeline.problems.length, 1);
      assert.match(timeline.problems[0], words);
      assert.equal(packets.length, 100);
      assert.deepEqual([timeline.complete, timeline.chunks.length], [false, 2]);
    });

  it("damage: header of another chunk in a record is named", async () => {
    const site = await makeSite(folder());
    site.deliver(whole());
    const key = epochKeyFor(KEYS, 0);
    const [zero, one] = whole().map((plan) => recordOf(plan, key));
    writeRecord(site.relay, { ...one, header: zero.header });
    const [{ timeline }] = await site.open();
    assert.match(timeline.problems.join(), /holds another chunk's header/);
    assert.deepEqual(timeline.missing, [1]);
  });

  for (const [from, to] of [
    [1, 11],
    [1, 101],
    [0, 10],
  ])
    it(`damage: chunk ${from} in the place of chunk ${to} is named and not used`, async () => {
      const site = await makeSite(folder());
      const paths = site.deliver(whole());
      const wrong = paths[from].replace(/\d{10}\.chunk$/, `${String(to).padStart(10, "0")}.chunk`);
      writeFileSync(wrong, readFileSync(paths[from]));
      const [{ timeline, packets }] = await site.open();
      assert.equal(timeline.problems.length, 1);
      assert.match(timeline.problems[0], /lies in the wrong place/);
      assert.equal(packets.length, 120);
    });

  it("damage: a chunk of another epoch or another badge in the folder is named", async () => {
    const site = await makeSite(folder());
    site.deliver(whole());
    const [stray] = site.deliver([audioChunk(3, 0, PACKETS.slice(0, 1))], 5);
    const place = join(site.relay, BADGE, "0000000000");
    renameSync(stray, join(place, "0000000003.chunk"));
    const foreign = recordOf(
      audioChunk(4, 0, PACKETS.slice(0, 1)),
      bytesOf(7, 32),
      0,
      RECEIVED_MS,
      "ee".repeat(8),
    );
    renameSync(writeRecord(join(folder(), "elsewhere"), foreign), join(place, "0000000004.chunk"));
    const [{ timeline }] = await site.open();
    assert.equal(timeline.problems.length, 2);
    for (const problem of timeline.problems) assert.match(problem, /lies in the wrong place/);
    assert.equal(timeline.packets, 120);
  });

  it("damage: a conversation of which no file can be read is told beside one that opens", async () => {
    const site = await makeSite(folder());
    site.deliver(whole(), 0);
    for (const path of site.deliver(whole(), 1)) writeFileSync(path, "");
    const timelines = (await site.open()).map(({ timeline }) => timeline);
    assert.deepEqual(
      timelines.map(({ epoch, complete, problems }) => [epoch, complete, problems.length]),
      [
        [0, true, 0],
        [1, false, 3],
      ],
    );
  });

  it("damage: a receive time that no calendar has does not stop the opening", async () => {
    const site = await makeSite(folder());
    const record = recordOf(whole()[0], epochKeyFor(KEYS, 0), 0, Number.MAX_SAFE_INTEGER);
    writeRecord(site.relay, record);
    const [{ timeline }] = await site.open();
    assert.deepEqual([timeline.startUnixSource, timeline.packets], ["unknown", 100]);
  });
});

function flipLastBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(path, bytes);
}

function replaceByFolder(path: string): void {
  renameSync(path, `${path}.away`);
  mkdirSync(path);
}

/** @returns what opusdec decodes, at 48 kHz */
function decoded(opusFile: string): Int16Array {
  const raw = `${opusFile}.raw`; // a name without .wav: samples and nothing else
  runProgram("opusdec", ["--quiet", "--no-dither", "--rate", "48000", opusFile, raw]);
  return samplesOf(readFileSync(raw));
}

function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
