// Each rule finds the fault that it is for, planted in the real badge, and the badge as it is has none.
import assert from "node:assert/strict";
import { BADGE } from "../schematic";
import { checkBadge } from "./badge-rules";
import { FAULTS } from "./faults.fixture";
import { checkCircuit, RULES } from "./rules";

describe("schematic: rules", () => {
  it("schematic: the badge keeps all of them", () => {
    assert.deepEqual([...checkCircuit(BADGE), ...checkBadge(BADGE)], []);
  });

  for (const { what, rule, where, plant } of FAULTS)
    it(`schematic: ${what} is found (${rule})`, () => {
      const circuit = structuredClone(BADGE);
      plant(circuit);
      const found = [...checkCircuit(circuit), ...checkBadge(circuit)];
      assert.ok(
        found.some((violation) => violation.rule === rule && violation.where === where),
        `found only: ${JSON.stringify(found)}`,
      );
    });

  it("schematic: every rule has a fault that it finds", () => {
    assert.deepEqual([...new Set(FAULTS.map(({ rule }) => rule))].sort(), [...RULES].sort());
  });
});
