import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AudioItem,
  AudioPacker,
  CHUNK_FRAMES_MAX,
  CHUNK_PLAINTEXT_BYTES_MAX,
  FormatError,
  GapCause,
  unpackAudio,
} from ".";

const packet = (toc: number, bytes: number) => Buffer.alloc(bytes, 7).fill(toc, 0, 1);

describe("audio chunk", () => {
  it("what fits never outgrows the chunk and comes out as it went in (any packets and gaps)", () => {
    const step = fc.record({
      toc: fc.constantFrom(0x48, 0x48, 0x48, 0x08, 0x0b),
      bytes: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 250 })),
      silence: fc.constantFrom(0, 0, 0, 1, 9),
      lost: fc.constantFrom(0, 0, 0, 1, 3),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        const packer = new AudioPacker(CHUNK_PLAINTEXT_BYTES_MAX);
        const wanted: AudioItem[] = [];
        for (const { toc, bytes, silence, lost } of steps) {
          const gap = packer.packets > 0 ? silence + lost : 0;
          if (!packer.fits(bytes) || packer.frames + gap >= CHUNK_FRAMES_MAX) break;
          if (gap > 0 && silence > 0) {
            wanted.push({ type: "gap", atFrame: packer.frames, frames: silence, cause: GapCause.Silence });
            packer.gap(silence, GapCause.Silence);
          }
          if (gap > 0 && lost > 0) {
            wanted.push({ type: "gap", atFrame: packer.frames, frames: lost, cause: GapCause.Lost });
            packer.gap(lost, GapCause.Lost);
          }
          wanted.push({ type: "packet", atFrame: packer.frames, packet: packet(toc, bytes) });
          packer.packet(packet(toc, bytes), 0, bytes);
        }
        const plaintext = packer.take();
        assert.ok(plaintext.length <= CHUNK_PLAINTEXT_BYTES_MAX);
        assert.deepEqual(unpackAudio(plaintext), wanted);
        assert.deepEqual([packer.packets, packer.frames], [0, 0]);
      }),
    );
  });

  it("packets of 1 to 250 bytes, not of 0 or 251", () => {
    for (const bytes of [1, 250]) {
      const packer = new AudioPacker(CHUNK_PLAINTEXT_BYTES_MAX);
      packer.packet(packet(0x48, bytes), 0, bytes);
      assert.deepEqual(unpackAudio(packer.take()), [
        { type: "packet", atFrame: 0, packet: packet(0x48, bytes) },
      ]);
    }
    for (const bytes of [0, 251])
      assert.throws(
        () => new AudioPacker(CHUNK_PLAINTEXT_BYTES_MAX).packet(Buffer.alloc(300), 0, bytes),
        /1 to 250 bytes/,
      );
  });

  it("a chunk cannot start with a gap", () => {
    assert.throws(
      () => new AudioPacker(CHUNK_PLAINTEXT_BYTES_MAX).gap(1, GapCause.Silence),
      /cannot start with a gap/,
    );
  });

  it("whatever bytes come, reading them gives items or a FormatError (any bytes)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        try {
          for (const item of unpackAudio(Buffer.from(bytes))) assert.ok(item.atFrame < CHUNK_FRAMES_MAX);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
