import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { modeOf, useFolder } from "@salestag/protocol/testing";
import { BUILT_PROGRAM, type ProgramFile, programOf } from "./program-file";
import { findInFolder, ProgramStore, storeFolder } from "./store";

/** Programs that differ in one byte of what runs. */
function variant(number: number): ProgramFile {
  const bytes = readFileSync(BUILT_PROGRAM);
  bytes[20_000] = number;
  return programOf(bytes, "a test");
}

describe("deploy: the programs that are kept", () => {
  const folder = useFolder();
  const path = () => join(folder(), "salestag", "programs");

  it("gives back what was kept, from a folder that is its owner's alone", () => {
    const store = new ProgramStore(path());
    assert.equal(store.find(variant(1).sha256), undefined);
    store.keep(variant(1), 0);
    assert.deepEqual(store.find(variant(1).sha256)?.bytes, variant(1).bytes);
    assert.equal(store.find(variant(2).sha256), undefined);
    assert.equal(modeOf(path()), 0o700);
  });

  it("keeps the ten that were used last", () => {
    const store = new ProgramStore(path());
    for (let i = 0; i < 10; i++) store.keep(variant(i), i * 1000);
    store.keep(variant(0), 10_000);
    store.keep(variant(10), 11_000);
    assert.equal(readdirSync(path()).length, 10);
    assert.notEqual(store.find(variant(0).sha256), undefined);
    assert.equal(store.find(variant(1).sha256), undefined);
    assert.notEqual(store.find(variant(10).sha256), undefined);
  });

  it("a copy that was damaged is none, and is made anew", () => {
    const store = new ProgramStore(path());
    store.keep(variant(1), 0);
    const file = join(path(), `${variant(1).sha256}.devs`);
    writeFileSync(file, variant(2).bytes);
    assert.equal(store.find(variant(1).sha256), undefined);
    store.keep(variant(1), 0);
    assert.deepEqual(store.find(variant(1).sha256)?.bytes, variant(1).bytes);
  });

  it("finds a program in any folder by what is in it", () => {
    writeFileSync(join(folder(), "a.devs"), "no program");
    writeFileSync(join(folder(), "b.devs"), variant(3).bytes);
    writeFileSync(join(folder(), "c.txt"), variant(4).bytes);
    assert.deepEqual(findInFolder(folder(), variant(3).sha256)?.bytes, variant(3).bytes);
    assert.equal(findInFolder(folder(), variant(4).sha256), undefined);
  });

  it("lies where the system wants a user's data", () => {
    assert.equal(storeFolder({ XDG_DATA_HOME: "/data" }), join("/data", "salestag", "programs"));
    assert.match(storeFolder({}), /\.local.share.salestag.programs$|AppData/);
  });
});
