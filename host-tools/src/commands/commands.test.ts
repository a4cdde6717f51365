// Every command of `salestag`, as the program itself lists them: described, with examples, with JSON for machines.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ExitCode } from "@salestag/protocol/team";
import { allNodes, type CommandNode } from "../completion/tree";
import { PROGRAM } from "../testing/salestag";

const README = fileURLToPath(new URL("../../README.md", import.meta.url));
/** Processes at a time. */
const PARALLEL = 2;
/** Commands without --json, and why. */
const NO_JSON: Record<string, string> = {};

const salestag = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(process.execPath, [PROGRAM, ...args])).stdout;

describe("commands", () => {
  let leaves: CommandNode[] = [];
  let nodes: CommandNode[] = [];
  const helps = new Map<string, string>();

  before(async () => {
    nodes = allNodes(JSON.parse(await salestag("completion", "--json")) as CommandNode);
    leaves = nodes.filter(({ commands }) => commands.length === 0);
    const waiting = nodes.map(({ path }) => path);
    const work = async () => {
      for (let path = waiting.pop(); path !== undefined; path = waiting.pop())
        helps.set(path.join(" "), await salestag(...path, "--help"));
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  });

  it("commands: each says in a sentence what it does, and what each option is", () => {
    for (const { path, description, options } of nodes) {
      assert.match(description, /^[A-Z].*\.$/, `salestag ${path.join(" ")}`);
      for (const option of options)
        assert.notEqual(option.description, "", `salestag ${path.join(" ")} ${option.names.join(", ")}`);
    }
  });

  it("commands: the help of each, or of the group that it is in, has an example with its name", () => {
    for (const { path } of leaves) {
      const [own, group] = [path, path.slice(0, -1)].map((words) => helps.get(words.join(" ")) ?? "");
      const examples = [own, group].map((help) => help.split(/\nExamples?\b[^\n]*:\n/)[1] ?? "").join("\n");
      assert.ok(examples.includes(`salestag ${path.join(" ")}`), `salestag ${path.join(" ")} has no example`);
    }
  });

  it("commands: each prints its result as JSON too", () => {
    for (const { path, options } of leaves) {
      const has = options.some(({ names }) => names.includes("--json"));
      const name = path.join(" ");
      assert.equal(has, NO_JSON[name] === undefined, `salestag ${name}`);
    }
  });

  it("commands: the exit codes in the README and in the help are those of the program", () => {
    const codes = Object.values(ExitCode).filter((code) => typeof code === "number");
    const table = readFileSync(README, "utf8").split("## Exit codes")[1];
    const listed = [...table.matchAll(/^\| (\d+) \| \S.* \|$/gm)].map(([, code]) => Number(code));
    assert.deepEqual(listed, codes);
    const told = helps.get("")?.split("Exit codes:")[1] ?? "";
    assert.deepEqual(
      [...told.matchAll(/(?:^|,)\s*(\d+) /g)].map(([, code]) => Number(code)),
      codes,
    );
  });
});
