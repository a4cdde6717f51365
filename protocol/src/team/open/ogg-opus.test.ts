// The Ogg Opus writer: pages, lacing, granule positions and checksums, read back by an independent reader.
import { strict as assert } from "node:assert";
import { createRequire } from "node:module";
import { Decoder } from "@evan/opus";
import { opusPackets } from "../../testing/conversation.fixture";
import { readOgg } from "../../testing/ogg-reader";
import { bytesOf } from "../../testing/tools";
import { oggOpus, PRE_SKIP_SAMPLES, SILENCE_PACKET } from "./ogg-opus";

const OPTIONS = { serial: 0xfedcba98, inputRateHz: 16_000, comments: ["TITLE=Größe", "DATE=2025"] };

describe("Ogg Opus writer", () => {
  for (const count of [1, 2, 49, 50, 51, 99, 100, 101, 151])
    it(`pages: ${count} packets`, () => {
      const packets = Array.from({ length: count }, (_, i) => bytesOf(i, 1 + (i % 250)));
      const pages = readOgg(oggOpus(packets, OPTIONS));
      assert.equal(pages.length, 2 + Math.ceil(count / 50));
      pages.forEach((page, i) => {
        assert.equal(page.crcFits, true, `CRC of page ${i}`);
        assert.equal(page.sequence, i);
        assert.equal(page.serial, OPTIONS.serial);
        assert.equal(page.flags, i === 0 ? 2 : i === pages.length - 1 ? 4 : 0, `flags of page ${i}`);
      });
      assert.deepEqual(pages.flatMap((page) => page.packets).slice(2), packets);
      const granules = pages.map(({ granule }) => granule);
      const expected = pages.slice(2).map((_, i) => Math.min(50 * (i + 1), count) * 960);
      assert.deepEqual(granules, [0, 0, ...expected]);
    });

  for (const [lengthBytes, lacing] of [
    [1, [1]],
    [254, [254]],
    [255, [255, 0]],
    [256, [255, 1]],
    [510, [255, 255, 0]],
    [1275, [255, 255, 255, 255, 255, 0]],
  ] as const)
    it(`lacing: packet of ${lengthBytes} bytes`, () => {
      const packet = bytesOf(lengthBytes, lengthBytes);
      const page = readOgg(oggOpus([packet], OPTIONS))[2];
      assert.deepEqual(page.lacing, [...lacing]);
      assert.deepEqual(page.packets, [packet]);
      assert.equal(page.crcFits, true);
    });

  it("lacing: 50 packets of 1275 bytes do not fit a page and are refused", () => {
    const packets = Array.from({ length: 50 }, () => Buffer.alloc(1275));
    assert.throws(() => oggOpus(packets, OPTIONS), RangeError);
  });

  it("headers: OpusHead and OpusTags as RFC 7845 has them", () => {
    const [head, tags] = readOgg(oggOpus([SILENCE_PACKET], OPTIONS)).map(({ packets }) => packets);
    assert.deepEqual(head, [
      Buffer.from("4f70757348656164 01 01 3801 803e0000 0000 00".replaceAll(" ", ""), "hex"),
    ]);
    let at = 8;
    const text = () => {
      const end = at + 4 + tags[0].readUInt32LE(at);
      const value = tags[0].toString("utf8", at + 4, end);
      at = end;
      return value;
    };
    assert.equal(tags[0].toString("latin1", 0, 8), "OpusTags");
    assert.equal(text(), "salestag");
    assert.equal(tags[0].readUInt32LE(at), 2);
    at += 4;
    assert.deepEqual([text(), text(), at], [...OPTIONS.comments, tags[0].length]);
  });

  it("headers: no comments", () => {
    const [, tags] = readOgg(oggOpus([SILENCE_PACKET], { ...OPTIONS, comments: [] }));
    assert.equal(tags.packets[0].length, 8 + 4 + "salestag".length + 4);
  });

  it("pre-skip: as long as the encoder's lookahead at 16 kHz", () => {
    // @evan/opus names OPUS_GET_LOOKAHEAD (4027) only in its untyped control call.
    const { Encoder } = createRequire(import.meta.url)("@evan/opus");
    const encoder = new Encoder({ channels: 1, sample_rate: 16000, application: "voip" });
    assert.equal(encoder.ctl(4027) * 3, PRE_SKIP_SAMPLES);
  });

  it("silence packet: decodes to 960 samples of 0, alone", () => {
    const decoder = new Decoder({ channels: 1, sample_rate: 48000 });
    assert.deepEqual(samplesOf(decoder.decode(SILENCE_PACKET)), new Int16Array(960));
  });

  it("silence packet: amid speech the decoder falls silent within the packet", () => {
    const decoder = new Decoder({ channels: 1, sample_rate: 48000 });
    for (const packet of opusPackets(10)) decoder.decode(packet);
    decoder.decode(SILENCE_PACKET);
    const peak = Math.max(...samplesOf(decoder.decode(SILENCE_PACKET)).map(Math.abs));
    assert.ok(peak <= 8, `peak ${peak}`);
  });
});

function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
