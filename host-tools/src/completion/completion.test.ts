// The completion scripts in the shells that they are for: keys are typed, TAB is pressed, and what the command then gets is looked at.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { requireProgram, runProgram, useFolder } from "@salestag/protocol/testing";
import { PROGRAM } from "../testing/salestag";
import { allNodes, type CommandNode } from "./tree";

const salestag = (...args: string[]) => runProgram(process.execPath, [PROGRAM, ...args]).toString("utf8");

describe("completion", () => {
  const folder = useFolder();
  const scripts = new Map<string, string>();
  const script = (shell: string): string => {
    const text = scripts.get(shell) ?? salestag("completion", shell);
    scripts.set(shell, text);
    const path = join(folder(), `completion.${shell}`);
    writeFileSync(path, text);
    return path;
  };

  beforeEach(() => {
    mkdirSync(join(folder(), "ports"));
    symlinkSync("/dev/null", join(folder(), "ports", "badge1"));
    mkdirSync(join(folder(), "inbox"));
    writeFileSync(join(folder(), "phrases.json"), "[]");
  });

  /** Types `keys` into an interactive shell on a terminal. @returns the arguments of each command `salestag` that it ran */
  async function typed(shell: string, setUp: string, keys: string[]): Promise<string[]> {
    const out = join(folder(), "arguments");
    const child = spawn("script", ["-qfec", shell, "/dev/null"], {
      cwd: folder(),
      env: { PATH: process.env.PATH, HOME: folder(), TERM: "xterm", SALESTAG_PORTS: join(folder(), "ports") },
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdout.resume();
    const closed = new Promise((resolve) => child.once("close", resolve));
    const record = `salestag() { printf '%s\\n' "$*" >> '${out}'; }`;
    child.stdin.write(`${[setUp, record, ...keys, "exit"].join("\n")}\n`);
    await closed;
    return existsSync(out) ? readFileSync(out, "utf8").trimEnd().split("\n") : [];
  }

  const keys = () => [
    "salestag comp\tz\t",
    "salestag keys in\t",
    "salestag tune --badg\t",
    `salestag tune --badge ${join(folder(), "ports")}/\t`,
    "salestag consent --policy v\t",
    "salestag open in\t",
    "salestag phrases write --file ph\t",
  ];
  const completed = () => [
    "completion zsh",
    "keys init",
    /^tune --badge/,
    `tune --badge ${join(folder(), "ports", "badge1")}`,
    "consent --policy verbal",
    /^open inbox\/?$/, // zsh takes the slash back when the line is done
    "phrases write --file phrases.json",
  ];

  function assertCompleted(lines: string[]): void {
    assert.equal(lines.length, completed().length, lines.join("\n"));
    for (const [place, expected] of completed().entries())
      if (typeof expected === "string") assert.equal(lines[place].trimEnd(), expected);
      else assert.match(lines[place], expected);
  }

  it("completion: bash, at a terminal (command, word, option, port, choice, folder, file)", async function () {
    requireProgram(this, "bash");
    requireProgram(this, "script");
    assertCompleted(await typed("bash --norc --noprofile -i", `source '${script("bash")}'`, keys()));
  });

  it("completion: zsh, at a terminal (command, word, option, port, choice, folder, file)", async function () {
    requireProgram(this, "zsh");
    requireProgram(this, "script");
    const setUp = `PS1='%# '; autoload -Uz compinit; compinit -u -D; source '${script("zsh")}'`;
    assertCompleted(await typed("zsh -f -i", setUp, keys()));
  });

  it("completion: fish, by its own word (command, word, option, port, choice, folder, file)", function () {
    requireProgram(this, "fish");
    const path = script("fish");
    const offers = (line: string): string[] => {
      const command = `cd '${folder()}'; set -x SALESTAG_PORTS '${folder()}/ports'; source '${path}'; complete -C '${line}'`;
      const text = runProgram("fish", ["--no-config", "-c", command]).toString("utf8");
      return text
        .trimEnd()
        .split("\n")
        .map((offer) => offer.split("\t")[0]);
    };
    assert.deepEqual(offers("salestag comp"), ["completion"]);
    assert.deepEqual(offers("salestag completion z"), ["zsh"]);
    assert.deepEqual(offers("salestag keys in"), ["init"]);
    assert.deepEqual(offers("salestag tune --badg"), ["--badge"]);
    assert.deepEqual(offers(`salestag tune --badge ${folder()}/po`), [join(folder(), "ports", "badge1")]);
    assert.deepEqual(offers("salestag consent --policy v"), ["verbal"]);
    assert.deepEqual(offers("salestag open in"), ["inbox/"]);
    assert.ok(offers("salestag phrases write --file ph").includes("phrases.json"));
  });

  it("completion: each script has every command and every option of the program", () => {
    const nodes = allNodes(JSON.parse(salestag("completion", "--json")) as CommandNode);
    const [bash, zsh, fish] = ["bash", "zsh", "fish"].map((shell) => readFileSync(script(shell), "utf8"));
    for (const { path, options } of nodes.slice(1)) {
      assert.ok(bash.includes(`'${path.join(" ")}')`), path.join(" "));
      assert.ok(zsh.includes(`_salestag_${path.join("_").replaceAll("-", "_")}() {`), path.join(" "));
      for (const name of options.flatMap(({ names }) => names)) {
        assert.ok(bash.includes(name), `bash: ${name}`);
        assert.ok(zsh.includes(`'*${name}`), `zsh: ${name}`);
        assert.ok(
          fish.includes(name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`),
          `fish: ${name}`,
        );
      }
    }
  });
});
