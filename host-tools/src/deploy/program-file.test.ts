import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExitCode } from "@salestag/protocol/team";
import { toolError, useFolder } from "@salestag/protocol/testing";
import { BUILT_PROGRAM, checkRuntime, PROGRAM_BYTES_MAX, programOf, readProgramFile } from "./program-file";

const built = () => readFileSync(BUILT_PROGRAM);
const DAMAGES = [
  {
    what: "other magic",
    change: (bytes: Buffer) => bytes.fill(0x20, 0, 1),
    why: /does not begin as DeviceScript/,
  },
  { what: "nothing in it", change: () => Buffer.alloc(0), why: /does not begin/ },
  { what: "a head alone", change: (bytes: Buffer) => bytes.subarray(0, 96), why: /does not begin/ },
  {
    what: "cut off",
    change: (bytes: Buffer) => bytes.subarray(0, 32_000),
    why: /section \d does not lie in it/,
  },
  { what: "cut off oddly", change: (bytes: Buffer) => bytes.subarray(0, -1), why: /not a multiple of 32/ },
  {
    what: "a section elsewhere",
    change: (bytes: Buffer) => bytes.fill(0xff, 40, 44),
    why: /section 1 does not lie/,
  },
];

describe("deploy: a badge program in a file", () => {
  const folder = useFolder();
  const fileOf = (bytes: Buffer) => {
    writeFileSync(join(folder(), "some.devs"), bytes);
    return join(folder(), "some.devs");
  };

  it("what the build makes: its name, version, and the version of its bytecode", () => {
    const { name, version, format, from, bytes } = readProgramFile(BUILT_PROGRAM);
    assert.equal(name, "@salestag/firmware");
    assert.match(version, /^v\d+\.\d+\.\d+/);
    assert.deepEqual(format, [2, 16, 4]);
    assert.equal(from, "this build's");
    assert.deepEqual(bytes, built());
  });

  for (const { what, change, why } of DAMAGES)
    it(`refuses a file that is none (${what})`, () => {
      const path = fileOf(change(built()));
      assert.throws(() => readProgramFile(path), toolError(ExitCode.Usage, why));
    });

  it("refuses one that is larger than a badge's room, without reading it, and one that is not there", () => {
    const large = fileOf(Buffer.alloc(PROGRAM_BYTES_MAX + 1));
    assert.throws(
      () => readProgramFile(large),
      toolError(ExitCode.Usage, /225153 bytes, a badge holds 225152/),
    );
    assert.throws(() => readProgramFile(join(folder(), "no")), toolError(ExitCode.Usage, /ENOENT/));
  });

  it("a configuration that is damaged gives no name, and never throws", () => {
    const at = built().indexOf("DCFG");
    for (let i = at; i < built().length; i++) {
      const bytes = built();
      bytes[i] ^= 0xff;
      programOf(bytes, "damaged");
    }
  });

  it("fits a runtime of the same major version that is not older (2.16 against 2.15 to 3.16)", () => {
    const program = programOf(built(), "some.devs");
    for (const good of [[2, 16, 0] as const, [2, 16, 9] as const, [2, 17, 0] as const])
      checkRuntime(program, [...good]);
    for (const bad of [[2, 15, 9] as const, [1, 16, 4] as const, [3, 16, 4] as const])
      assert.throws(
        () => checkRuntime(program, [...bad]),
        toolError(ExitCode.Usage, /made for runtime 2\.16\.4, the badge has/),
      );
  });
});
