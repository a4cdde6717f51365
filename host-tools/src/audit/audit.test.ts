// The audit of a badge's account, through a relay's folder and a vault: a clean day, and each kind of wrong found and named.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AccountEntry,
  accountEvent,
  accountHash,
  type BadgeEvent,
  decodeRecord,
  EventKind,
  encodeRecord,
  firstAccountHash,
  nodeCrypto,
} from "@salestag/protocol/host";
import { createIdentity, epochKeyFor, readIdentities, Vault } from "@salestag/protocol/team";
import {
  audioChunk,
  BADGE,
  eventsChunk,
  KEYS,
  opusPackets,
  RECEIVED_MS,
  recordOf,
  useFolder,
  writeRecord,
} from "@salestag/protocol/testing";
import { auditFolder } from "./audit";
import { hoursOf, piecesOf, svgOf } from "./picture";

const BOOT_UNIX_MS = [0, Date.UTC(2026, 5, 1, 8), Date.UTC(2026, 5, 1, 10)];
const PACKETS = opusPackets(100);
const crypto = nodeCrypto();

const entry = (seq: number, boot: number, startMs: number, times: Partial<AccountEntry>): AccountEntry => ({
  seq,
  boot,
  startMs,
  sentMs: 0,
  silenceMs: 0,
  mutedMs: 0,
  pausedMs: 0,
  refusedMs: 0,
  unheardMs: 0,
  evictedMs: 0,
  ...times,
});

/** A day: a boot with a conversation of 20 s, a pause, a power cut, another boot. */
const DAY = [
  entry(0, 1, 0, { unheardMs: 1000, silenceMs: 600_000 - 21_000, sentMs: 20_000 }),
  entry(1, 1, 600_000, { silenceMs: 100_000, pausedMs: 400_000, mutedMs: 60_000 }),
  entry(2, 1, 1_160_000, { silenceMs: 200_000, refusedMs: 40_000 }),
  entry(3, 2, 0, { silenceMs: 60_000 }),
];

/** What may be done to the day before it is sealed. */
interface Twist {
  /** Entries as they are told, with their hashes. */
  told?: (told: { entry: AccountEntry; hash: Buffer }[]) => { entry: AccountEntry; hash: Buffer }[];
  clock?: boolean;
}

describe("salestag audit", () => {
  const folder = useFolder();

  async function site({ told = (all) => all, clock = true }: Twist = {}, day = DAY) {
    const identity = join(folder(), "identity.txt");
    const vault = Vault.create(join(folder(), "vault"), "", [await createIdentity(identity, RECEIVED_MS)]);
    await vault.add(KEYS);
    const relay = join(folder(), "relay");
    mkdirSync(relay);
    const key = (epoch: number) => epochKeyFor(KEYS, epoch);
    let hash = firstAccountHash(crypto, Buffer.from(BADGE, "hex"));
    const entries = day.map((one) => {
      hash = accountHash(crypto, hash, one);
      return { entry: one, hash };
    });
    // Epoch 0: the conversation, in chunks of 2 s, from 300 s on. From epoch 1 on an entry each.
    for (let index = 0; index < 10; index++)
      writeRecord(relay, recordOf(audioChunk(index, 300_000 + index * 2000, PACKETS), key(0), 0));
    const start: BadgeEvent[] = [
      { kind: EventKind.ConversationStart, atMs: 300_000, values: [] },
      { kind: EventKind.Boot, atMs: 300_000, values: [1] },
    ];
    writeRecord(relay, recordOf(eventsChunk(10, start), key(0), 0));
    for (const [place, { entry, hash }] of told(entries).entries()) {
      const atMs = entry.startMs + 700_000;
      const events: BadgeEvent[] = [{ kind: EventKind.Boot, atMs, values: [entry.boot] }];
      if (clock) events.push({ kind: EventKind.Clock, atMs, values: [BOOT_UNIX_MS[entry.boot] + atMs] });
      events.push(accountEvent(entry, hash, atMs));
      writeRecord(relay, recordOf(eventsChunk(0, events), key(place + 1), place + 1));
    }
    const audit = async () => {
      const [{ book }] = await auditFolder({
        folder: relay,
        vault,
        identities: await readIdentities(identity),
      });
      return book;
    };
    return { relay, audit };
  }

  it("a clean day adds up: entries, time that is switched off, sums", async () => {
    const { audit } = await site();
    const { problems, stretches, off, totals } = await audit();
    assert.deepEqual(problems, []);
    assert.equal(stretches.length, 4);
    assert.equal(stretches[0].arrivedMs, 20_000);
    assert.deepEqual(off, [
      {
        afterBoot: 1,
        beforeBoot: 2,
        startUnixMs: BOOT_UNIX_MS[1] + 1_400_000,
        durationMs: 7_200_000 - 1_400_000,
      },
    ]);
    assert.equal(
      totals.sent + totals.silence + totals.muted + totals.paused + totals.refused + totals.unheard,
      1_460_000,
    );
  });

  it("without any clock all is checked too, and nothing is dated", async () => {
    const { audit } = await site({ clock: false });
    const book = await audit();
    assert.deepEqual(book.problems, []);
    assert.ok(book.stretches.every(({ startUnixMs }) => startUnixMs === undefined));
    assert.deepEqual(piecesOf(book), []);
  });

  for (const [what, told, wanted] of [
    ["an entry is missing", (all) => all.filter(({ entry }) => entry.seq !== 1), [/^entry 1 is missing$/]],
    ["the first two are missing", (all) => all.slice(2), [/^entries 0 to 1 are missing$/]],
    [
      "a value was changed",
      (all) =>
        all.map((one) =>
          one.entry.seq === 1
            ? { ...one, entry: { ...one.entry, pausedMs: 300_000, silenceMs: 200_000 } }
            : one,
        ),
      [/^entry 1, in chunk 2\/0, does not match its hash/],
    ],
    [
      "time was taken out",
      (all) =>
        all.map((one) => (one.entry.seq === 1 ? { ...one, entry: { ...one.entry, pausedMs: 0 } } : one)),
      [/^entry 1, .*does not match its hash/, /^between entries 1 and 2 400000 ms are not accounted for$/],
    ],
    [
      "two changed places",
      (all) => [all[0], all[2], all[1], all[3]],
      [/^entry 1, in chunk 3\/0, comes after entry 2, in chunk 2\/0: they are not in order$/],
    ],
    [
      "one was told twice, differently",
      (all) => [...all, { ...all[1], entry: { ...all[1].entry, mutedMs: 0 } }],
      [/^entry 1 was told twice, differently: in chunk 2\/0 and in chunk 5\/0$/],
    ],
    [
      "one was told twice, its silence and its pause exchanged, the hash kept",
      (all) => [...all, { ...all[1], entry: { ...all[1].entry, silenceMs: 400_000, pausedMs: 100_000 } }],
      [/^entry 1 was told twice, differently/],
    ],
    ["one was told twice, the same", (all) => [...all, all[2]], []],
  ] as [string, Twist["told"], RegExp[]][])
    it(`is found and named: ${what}`, async () => {
      const { audit } = await site({ told });
      const { problems } = await audit();
      for (const pattern of wanted)
        assert.ok(
          problems.some((problem) => pattern.test(problem)),
          `${pattern} is not in ${JSON.stringify(problems)}`,
        );
      assert.equal(problems.length === 0, wanted.length === 0, JSON.stringify(problems));
    });

  it("sound that the account calls sent and that is not here is found", async () => {
    const { relay, audit } = await site();
    const conversation = join(relay, BADGE, "0000000000");
    for (const name of readdirSync(conversation).slice(2, 5)) rmSync(join(conversation, name));
    const { problems } = await audit();
    assert.match(problems.join(), /entry 0 says that 20\.0 s of sound were sent, 14\.0 s are here/);
  });

  it("a single chunk that was withheld, or whose sound was exchanged for noise under its own header, is found and named", async () => {
    const { relay, audit } = await site();
    const path = join(relay, BADGE, "0000000000", "0000000004.chunk");
    const kept = readFileSync(path);
    rmSync(path);
    assert.match((await audit()).problems.join("\n"), /^chunk 4 of conversation 0 is missing$/m);
    const record = decodeRecord(kept);
    writeFileSync(path, encodeRecord({ ...record, sealed: Buffer.alloc(record.sealed.length, 5) }));
    assert.match((await audit()).problems.join("\n"), /sound of chunk 0\/4 does not open/);
  });

  it("sound of which the account says that it was refused is found: it should not be here", async () => {
    const { audit } = await site({}, [{ ...DAY[0], sentMs: 0, refusedMs: 20_000 }, ...DAY.slice(1)]);
    assert.match(
      (await audit()).problems.join("\n"),
      /0\.0 s of sound were sent, and 20\.0 s are here: more than anybody/,
    );
  });

  it("time at the start of a boot that no entry accounts for is found", async () => {
    const late = [...DAY.slice(0, 3), { ...DAY[3], startMs: 3_600_000 }];
    const { audit } = await site({}, late);
    assert.deepEqual((await audit()).problems, [
      "the first 3600000 ms of boot 2, before entry 3, are not accounted for",
    ]);
  });

  it("a badge that the vault does not know is named, and the others are audited", async () => {
    const { relay, audit } = await site();
    cpSync(join(relay, BADGE), join(relay, "ffffffffffffffff"), { recursive: true });
    assert.deepEqual((await audit()).problems, []);
  });

  it("the picture has a row for each day and a bar for each kind; the hours' letters say what took most of a minute", async () => {
    const { audit } = await site();
    const book = await audit();
    const pieces = piecesOf(book);
    const svg = svgOf(BADGE, pieces, []);
    assert.match(svg, /2026-06-01/);
    assert.equal(svg.match(/<rect [^>]*><title>/g)?.length, pieces.length);
    const [hour] = hoursOf(pieces);
    assert.equal(hour.startUnixMs, BOOT_UNIX_MS[1]);
    assert.equal(hour.minutes[3], "silence");
    assert.ok(hour.minutes.includes("paused"));
    assert.equal(hour.minutes[59], "off");
  });
});
