// Every rule beside its examples: it matches what it says it matches, and not what is near.
import { equal, ok } from "node:assert/strict";
import { isTagKind } from "../model/taxonomy";
import { Engine, readTurns } from "./engine";
import { explain } from "./index";
import { RULES } from "./rules/index";
import type { Rule } from "./rules/rule";
import { talk } from "./testing";

function matches(rule: Rule, example: string): boolean {
  const turns = readTurns(talk(...example.split(" / ")));
  const found = new Engine([rule]).find(turns, turns.length - 1);
  return found.length > 0;
}

describe("tagger rules", () => {
  for (const rule of RULES)
    it(`tagger rules: its examples match, its near misses do not (${rule.name})`, () => {
      ok(rule.matches.length > 0 && rule.misses.length > 0, "a rule has an example and a near miss");
      for (const example of rule.matches) equal(matches(rule, example), true, `matches: ${example}`);
      for (const example of rule.misses) equal(matches(rule, example), false, `does not match: ${example}`);
    });

  it("tagger rules: names are unique, kinds are known, and each can be explained", () => {
    equal(new Set(RULES.map(({ name }) => name)).size, RULES.length);
    for (const { name, kind } of RULES) {
      ok(isTagKind(kind));
      ok(explain(`rules/${name}`)?.includes("For example"));
    }
    ok(explain("rules/long-turn"));
    equal(explain("rules/no-such-rule"), undefined);
  });
});
