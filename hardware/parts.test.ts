// The parts: the page is the data's, each part on the board is one that is described, and all work where the badge is worn.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PARTS, partTable } from "./parts";
import { BADGE } from "./schematic";
import { billOfMaterials } from "./src/lists";
import { SYMBOLS } from "./symbols";

/** The badge is worn outdoors: a car's shelf in summer, a winter's day. */
const WORN_MIN_C = -20;
const WORN_MAX_C = 60;

describe("parts", () => {
  it("parts: parts.md has the table", () => {
    const page = readFileSync(new URL("parts.md", import.meta.url), "utf8");
    assert.ok(page.includes(partTable()), `parts.md differs; it should have:\n${partTable()}`);
  });

  it("parts: every one is on the board", () => {
    const used = new Set(BADGE.placed.map(({ part }) => part));
    assert.deepEqual([...used].sort(), Object.keys(SYMBOLS).sort());
  });

  it(`parts: all work from ${WORN_MIN_C} to ${WORN_MAX_C} degrees Celsius`, () => {
    for (const { number, minC, maxC } of Object.values(PARTS))
      assert.ok(minC <= WORN_MIN_C && maxC >= WORN_MAX_C, `${number} works from ${minC} to ${maxC}`);
  });

  it("parts: no pad of a part has two names", () => {
    for (const [key, { pins }] of Object.entries(SYMBOLS)) {
      const pads = Object.values(pins).flatMap((pin) => pin.pads);
      assert.equal(new Set(pads).size, pads.length, key);
    }
  });

  it("parts: the bill of materials counts every part but the test points", () => {
    const lines = billOfMaterials(BADGE).trim().split("\r\n").slice(1);
    const counted = lines.reduce((sum, line) => sum + Number(line.split(",")[0]), 0);
    assert.equal(counted, BADGE.placed.filter(({ part }) => part !== "testPoint").length);
  });
});
