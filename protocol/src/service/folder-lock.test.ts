// One holder of a folder at a time, also over locks that ended programs left.
import { strict as assert } from "node:assert";
import { readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { useFolder } from "../testing/tools";
import { FolderInUse, lockFolder, lockFolderNow } from "./folder-lock";

describe("folder lock", () => {
  const folder = useFolder();
  const lock = () => join(folder(), "lock");

  it("lock: held once, given back", async () => {
    const unlock = await lockFolder(folder(), 0);
    await assert.rejects(lockFolder(folder(), 0), FolderInUse);
    unlock();
    (await lockFolder(folder(), 0))();
    assert.deepEqual(readdirSync(folder()), []);
  });

  it("lock: the next one waits until it is given back", async () => {
    const unlock = await lockFolder(folder(), 0);
    const next = lockFolder(folder(), 60_000);
    unlock();
    (await next)();
    assert.deepEqual(readdirSync(folder()), []);
  });

  const ended = { pid: 2 ** 22, host: hostname(), bootId: "", started: "" };
  for (const [name, content] of [
    ["of a process that ended", JSON.stringify(ended)],
    ["of an earlier boot", JSON.stringify({ ...ended, pid: process.pid, bootId: "another" })],
    ["not whole", "{"],
  ])
    it(`lock: one that was left is taken over (${name})`, async () => {
      writeFileSync(lock(), content);
      (await lockFolder(folder(), 0))();
      assert.deepEqual(readdirSync(folder()), []);
    });

  it("lock: of another machine nothing is known, so it holds where the folder is shared", async () => {
    writeFileSync(lock(), JSON.stringify({ ...ended, host: "elsewhere" }));
    await assert.rejects(lockFolder(folder(), 0), /process \d+ on "elsewhere"/);
    lockFolderNow(folder(), { shared: false })();
  });
});
