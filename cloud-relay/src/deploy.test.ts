// What an operator installs: the unit is one that systemd accepts and finds well locked up, and the container has what the relay needs and no more.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const UNIT = join(ROOT, "cloud-relay/deploy/salestag-relay.service");
const CONTAINER = join(ROOT, "cloud-relay/deploy/Containerfile");
/** Of 100; systemd calls up to 20 "safe" to "ok". */
const EXPOSURE_MAX = 20;

describe("deployment", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "salestag-deploy-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const analyze = (...args: string[]) => {
    const run = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    assert.equal(run.error, undefined, "systemd-analyze is not installed");
    return { status: run.status, said: run.stdout + run.stderr };
  };

  it("the unit is one that systemd accepts, and the program that it starts is there", () => {
    const text = readFileSync(UNIT, "utf8");
    const program = /^ExecStart=\/usr\/bin\/node \/opt\/salestag\/(\S+) --config/m.exec(text)?.[1] ?? "";
    assert.ok(existsSync(join(ROOT, program)), program);
    // Here Node and the user are others.
    const here = text.replace("/usr/bin/node", process.execPath).replace(/^(User|Group)=.*$/gm, "$1=daemon");
    const path = join(folder, "salestag-relay.service");
    writeFileSync(path, here);
    const { status, said } = analyze("verify", "--man=no", path);
    assert.equal(status, 0, said);
    assert.ok(!said.includes("salestag-relay.service:"), said);
    writeFileSync(path, here.replace("ProtectHome=yes", "ProtectHome=perhaps"));
    assert.match(analyze("verify", "--man=no", path).said, /salestag-relay.service:\d+: /); // it does look
  });

  it("the unit leaves the relay few rights: exposure at most 20 of 100", () => {
    const { status, said } = analyze("security", "--offline=true", `--threshold=${EXPOSURE_MAX}`, UNIT);
    assert.equal(status, 0, said);
  });

  it("the container copies what there is, runs no install scripts, and does not run as root", () => {
    const text = readFileSync(CONTAINER, "utf8");
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) => names.split(" "));
    assert.ok(copied.length >= 6);
    for (const name of copied) assert.ok(existsSync(join(ROOT, name)), name);
    assert.match(text, /npm ci --omit=dev --ignore-scripts/);
    assert.match(text, /^USER 10001$/m);
  });
});
