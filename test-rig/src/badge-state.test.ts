import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BadgeState,
  keepBadgeState,
  loadBadgeState,
  newBadgeState,
  saveBadgeState,
} from "./badge-state";
import { RigError } from "./errors";

const STATE: BadgeState = { ...newBadgeState("0123456789abcdef"), flash: Buffer.from([0, 1, 254, 255]) };
const ERASED: BadgeState = newBadgeState("ffffffffffffffff");

describe("badge state", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "badge-state-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** @returns what tells two states apart */
  const told = ({ deviceId, flash, chip }: BadgeState) => ({ deviceId, flash, chip: [...chip.written()] });
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  for (const [what, state] of [
    ["with flash", STATE],
    ["never switched on", ERASED],
  ] as const)
    it(`reads back what it wrote (${what})`, () => {
      saveBadgeState(folder, state);
      assert.deepEqual(told(loadBadgeState(folder)), told(state));
    });

  it("writing again replaces the file and leaves no part of it behind", () => {
    saveBadgeState(folder, STATE);
    saveBadgeState(folder, ERASED);
    assert.deepEqual(told(loadBadgeState(folder)), told(ERASED));
    assert.deepEqual(readdirSync(folder).sort(), ["badge.json", "chip.bin"]);
  });

  it("the chip is kept at every change, blank sectors too", () => {
    const state = newBadgeState("0123456789abcdef");
    state.chip.program(4096 + 7, Buffer.from([1, 2, 3]));
    keepBadgeState(folder, state);
    state.chip.program(9 * 4096, Buffer.from([0, 255]));
    assert.deepEqual(told(loadBadgeState(folder)), told(state));
    state.chip.erase(1);
    assert.deepEqual([...loadBadgeState(folder).chip.written().keys()], [9]);
    const again = loadBadgeState(folder);
    again.chip.program(20, Buffer.from([7]));
    assert.deepEqual([...loadBadgeState(folder).chip.written().keys()].sort(), [0, 9]);
  });

  it("only its owner may read what holds the badge's keys (new folder; folder that others may read)", () => {
    const own = join(folder, "new", "badge");
    saveBadgeState(own, STATE);
    assert.deepEqual(
      [modeOf(own), modeOf(join(own, "badge.json")), modeOf(join(own, "chip.bin"))],
      [0o700, 0o600, 0o600],
    );
    chmodSync(folder, 0o755);
    saveBadgeState(folder, STATE);
    assert.equal(modeOf(join(folder, "badge.json")), 0o600);
  });

  it("a part file that an interrupted writing left behind, readable to others, makes nothing readable to others", () => {
    writeFileSync(join(folder, "badge.json.part"), "{", { mode: 0o644 });
    saveBadgeState(folder, STATE);
    assert.equal(modeOf(join(folder, "badge.json")), 0o600);
    assert.deepEqual(told(loadBadgeState(folder)), told(STATE));
  });

  it("a missing folder is refused with what to do", () => {
    const missing = join(folder, "none");
    assert.throws(
      () => loadBadgeState(missing),
      (error: Error) => error instanceof RigError && error.message.includes(`rig badge --state ${missing}`),
    );
  });

  for (const [what, text] of [
    ["empty", ""],
    ["cut short", '{"deviceId":"0123456789abcdef","fla'],
    ["no object", "null"],
    ["no device id", '{"flash":""}'],
    ["device id of 15 digits", '{"deviceId":"0123456789abcde","flash":""}'],
    ["device id of 17 digits", '{"deviceId":"0123456789abcdef0","flash":""}'],
    ["device id with capitals", '{"deviceId":"0123456789ABCDEF","flash":""}'],
    ["device id in a list", '{"deviceId":["0123456789abcdef"],"flash":""}'],
    ["no flash", '{"deviceId":"0123456789abcdef"}'],
    ["flash that is a list of bytes", '{"deviceId":"0123456789abcdef","flash":[1,2]}'],
    ["flash that is no base64", '{"deviceId":"0123456789abcdef","flash":"AA*A"}'],
  ])
    it(`a damaged file is refused (${what})`, () => {
      writeFileSync(join(folder, "badge.json"), text);
      assert.throws(
        () => loadBadgeState(folder),
        (error: Error) =>
          error instanceof RigError && error.message.includes("is not an emulated badge's state"),
      );
    });
});
