// The pseudo-terminal: bytes of both directions, the cable that is pulled, nothing left behind.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream, existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesOf, useFolder } from "@salestag/protocol/testing";
import { Pty } from "./pty";

/** Reads from a stream until so many bytes came. */
async function readBytes(stream: NodeJS.ReadableStream, lengthBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let have = 0;
  while (have < lengthBytes) {
    const [part] = (await once(stream, "data")) as [Buffer];
    parts.push(part);
    have += part.length;
  }
  return Buffer.concat(parts);
}

describe("pty", () => {
  const folder = useFolder();
  let pty: Pty;
  afterEach(async () => await pty.close());

  it("pty: every byte value, both ways (200 KB)", async () => {
    pty = await Pty.open();
    const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, i) => i)), bytesOf(1, 200_000)]);
    const host = createWriteStream(pty.path, { flags: "r+" });
    const there = readBytes(pty.readable, bytes.length);
    host.write(bytes);
    assert.ok((await there).equals(bytes));
    const reader = createReadStream(pty.path, { flags: "r+" });
    const back = readBytes(reader, bytes.length);
    pty.writable.write(bytes);
    assert.ok((await back).equals(bytes));
    const closed = Promise.all([once(host, "close"), once(reader, "close").catch(() => undefined)]);
    host.end();
    await pty.close();
    reader.destroy();
    await closed;
  });

  it("pty: unplugged, the program at the port sees its end, and the link is gone", async () => {
    const link = join(folder(), "badge");
    pty = await Pty.open(link);
    assert.ok(lstatSync(link).isSymbolicLink());
    const reader = spawn("cat", [link], { stdio: ["ignore", "pipe", "ignore"] });
    const heard = readBytes(reader.stdout, 5);
    pty.writable.write("hello");
    assert.equal((await heard).toString(), "hello");
    const ended = once(reader, "exit");
    await pty.close();
    await ended;
    assert.throws(() => lstatSync(link), /ENOENT/);
    await pty.close(); // a second time does nothing
  });

  it("pty: it ends with the process that opened it, even a killed one", async () => {
    const module = fileURLToPath(new URL("./pty.ts", import.meta.url));
    const code = `const { Pty } = await import(${JSON.stringify(module)}); const pty = await Pty.open();
      console.log(pty.path); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(owner.stdout, "data")) as [Buffer];
    const path = said.toString().trim();
    const reader = spawn("cat", [path], { stdio: "ignore" });
    await once(reader, "spawn");
    const ended = once(reader, "exit");
    owner.kill("SIGKILL");
    await ended;
    pty = await Pty.open();
    assert.ok(existsSync(pty.path));
  });
});
