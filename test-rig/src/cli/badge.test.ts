// `rig badge` as a user starts it: what it refuses, and that a technician's computer reads what it plays.
import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { useFolder } from "@salestag/protocol/testing";
import { BadgePort } from "../../../host-tools/src/usb/badge-port";
import { RUNTIME_VITALS_CLASS } from "../emulator/runtime-vitals";

const RIG = fileURLToPath(new URL("../../bin/rig.mjs", import.meta.url));
const POWER_CLASS = 0x1fa4c95a;
const FIND_MS = 10_000;

describe("rig badge", () => {
  let child: ChildProcess | undefined;
  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.kill("SIGKILL")) await once(child, "close");
  });
  const folder = useFolder();
  const start = (...args: string[]) => {
    const started = spawn(process.execPath, [RIG, "badge", "--state", join(folder(), "badge"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    return started;
  };

  for (const [args, code, words] of [
    [["--battery", "101"], 2, /whole number from 0 to 100/],
    [["--battery", ""], 2, /whole number from 0 to 100/],
    [["--port", "65536"], 2, /whole number from 0 to 65535/],
    [["--loop"], 1, /--loop plays a recording again: name it with --play/],
    [["--play", "nothing.wav"], 1, /nothing\.wav/],
  ] as const)
    it(`rig badge: '${args.join(" ")}' is refused, and no badge is made (exit ${code})`, async () => {
      const { stderr } = start(...args);
      let said = "";
      stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      const [ended] = await once(child as ChildProcess, "close");
      assert.equal(ended, code, said);
      assert.match(said, words);
      assert.equal(existsSync(join(folder(), "badge")), false);
    });

  it("rig badge: over TCP its battery and its runtime's vitals can be read", async () => {
    const { stdout } = start("--battery", "87");
    const [said] = (await once(stdout.setEncoding("utf8"), "data")) as [string];
    const port = await BadgePort.open(said.trim().split(" ").at(-1) as string);
    try {
      const power = await port.client.find(POWER_CLASS, FIND_MS);
      const charge = await port.client.readRegister(power, 0x182, FIND_MS);
      assert.equal(Math.round((100 * charge.readUInt16LE(0)) / 65_536), 87);
      const vitals = await port.client.find(RUNTIME_VITALS_CLASS, FIND_MS);
      const read = async (register: number) =>
        (await port.client.readRegister(vitals, register, FIND_MS)).readUIntLE(0, register === 0x183 ? 2 : 4);
      const [size, used, block] = [await read(0x180), await read(0x181), await read(0x182)];
      assert.ok(size > 60_000 && used > 1000 && used + block <= size, `${size} ${used} ${block}`);
      assert.ok((await read(0x183)) < 65_536);
    } finally {
      await port.close();
    }
  });
});
