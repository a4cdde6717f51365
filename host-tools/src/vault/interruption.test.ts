// `salestag keys` killed (SIGKILL) before each single change that it makes to a file: who could open something still can, nobody
// who was removed is forgotten, and a second run finishes.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  addRecipient,
  exportVault,
  importVault,
  removeRecipient,
  shredEpochs,
  Vault,
} from "@salestag/protocol/team";
import { badgeKeys, makeVault, type Person, person, useFolder } from "@salestag/protocol/testing";
import { homeEnvironment, PROGRAM } from "../testing/salestag";

const KILL_AT = fileURLToPath(new URL("../testing/kill-at.ts", import.meta.url));
const AT_ONCE = 4;

/** A vault of its own for each run; what is named here lies in `folder`. */
interface Scene {
  folder: string;
  vault: string;
  kim: Person;
  lee: Person;
}

describe("vault: interruptions", function () {
  this.timeout(300_000);
  const folder = useFolder();

  async function scene(name: string, badges: number, people: (scene: Scene) => Person[]): Promise<Scene> {
    const place = join(folder(), name);
    mkdirSync(place);
    const [kim, lee] = [await person(place, "kim"), await person(place, "lee")];
    const made = { folder: place, vault: join(place, "vault"), kim, lee };
    await makeVault(made.vault, people(made), badges);
    return made;
  }

  /** Runs a command until it ends by itself, killed before its first change, its second, and so on. @returns number of kills */
  async function killEverywhere(
    prepare: (name: string) => Promise<Scene>,
    args: (scene: Scene) => string[],
    check: (scene: Scene) => Promise<void>,
  ): Promise<number> {
    for (let first = 1; ; first += AT_ONCE) {
      const numbers = Array.from({ length: AT_ONCE }, (_, i) => first + i);
      const killed = await Promise.all(
        numbers.map(async (at) => {
          const made = await prepare(String(at));
          const wasKilled = await runKilled(made, at, args(made));
          await check(made);
          return wasKilled;
        }),
      );
      if (!killed.every((was) => was)) return first - 1 + killed.indexOf(false);
    }
  }

  async function runKilled({ folder }: Scene, at: number, args: string[]): Promise<boolean> {
    const env = { ...homeEnvironment(folder), KILL_AT: String(at), KILL_UNDER: folder };
    const child = spawn(process.execPath, ["--import", "tsx", "--import", KILL_AT, PROGRAM, ...args], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        if (signal === "SIGKILL") resolve(true);
        else if (code === 0) resolve(false);
        else reject(new Error(`ended with ${code ?? signal}: ${said}`));
      });
    });
  }

  const opens = async (vault: Vault, { identities }: Person) => {
    const tried = await Promise.allSettled(vault.badges().map((badge) => vault.read(badge, identities)));
    return tried.filter(({ status }) => status === "fulfilled").length;
  };

  /** Nothing is left of what was interrupted. */
  function assertTidy({ vault }: Scene, badges: number): void {
    assert.equal(readdirSync(join(vault, "badges")).length, badges);
    assert.deepEqual(
      readdirSync(vault).filter((name) => !name.startsWith("lock.")),
      ["badges", "recipients.txt", "vault.json"],
    );
    assert.deepEqual(Vault.open(vault).warnings(), []);
  }

  it("interruption: remove-recipient", async () => {
    const kills = await killEverywhere(
      (name) => scene(name, 2, ({ kim, lee }) => [kim, lee]),
      ({ vault, kim, lee }) => [
        ...["keys", "remove-recipient", kim.recipient, "--vault", vault, "--identity", lee.file],
      ],
      async (made) => {
        const vault = Vault.open(made.vault);
        const { kim, lee } = made;
        assert.equal(await opens(vault, lee), 2);
        const listed = vault.recipients().some(({ recipient }) => recipient === kim.recipient);
        if (vault.unfinished() !== undefined)
          assert.match(vault.warnings().join(), new RegExp(kim.recipient));
        else assert.equal(await opens(vault, kim), listed ? 2 : 0);
        if (vault.unfinished() !== undefined || listed)
          await removeRecipient(vault, lee.identities, kim.recipient);
        else await addRecipient(vault, lee.identities, { recipient: lee.recipient, name: "" });
        assert.deepEqual([await opens(vault, kim), await opens(vault, lee)], [0, 2]);
        assertTidy(made, 2);
      },
    );
    assert.ok(kills > 15, `${kills}`);
  });

  it("interruption: add-recipient", async () => {
    const kills = await killEverywhere(
      (name) => scene(name, 1, ({ kim }) => [kim]),
      ({ vault, kim, lee }) => [
        ...["keys", "add-recipient", lee.recipient, "--vault", vault, "--identity", kim.file],
      ],
      async (made) => {
        const vault = Vault.open(made.vault);
        const { kim, lee } = made;
        assert.equal(await opens(vault, kim), 1);
        const listed = vault.recipients().some(({ recipient }) => recipient === lee.recipient);
        if (vault.unfinished() === undefined) assert.equal(await opens(vault, lee), listed ? 1 : 0);
        await addRecipient(vault, kim.identities, { recipient: lee.recipient, name: "" });
        assert.deepEqual([await opens(vault, kim), await opens(vault, lee)], [1, 1]);
        assertTidy(made, 1);
      },
    );
    assert.ok(kills > 12, `${kills}`);
  });

  it("interruption: shred", async () => {
    const { badge } = badgeKeys(0);
    const [before, after] = [badgeKeys(0), shredEpochs(badgeKeys(0), [3]).keys];
    const kills = await killEverywhere(
      (name) => scene(name, 1, ({ kim }) => [kim]),
      ({ vault, kim }) => ["keys", "shred", badge, "3", "--yes", "--vault", vault, "--identity", kim.file],
      async (made) => {
        const vault = Vault.open(made.vault);
        const keys = await vault.read(badge, made.kim.identities);
        assert.deepEqual(keys, keys.chain.epoch === 0 ? before : after);
        await vault.change((change) => change.replace(after)); // the second run
        assertTidy(made, 1);
      },
    );
    assert.ok(kills > 5, `${kills}`);
  });

  it("interruption: import makes a whole vault or none", async () => {
    const kills = await killEverywhere(
      async (name) => {
        const made = await scene(name, 1, ({ kim }) => [kim]);
        const vault = Vault.open(made.vault);
        const out = join(made.folder, "export.age");
        await exportVault({ vault, identities: made.kim.identities, out, to: [], nowMs: 0 });
        return { ...made, vault: join(made.folder, "new") };
      },
      ({ folder, vault, kim }) => [
        ...["keys", "import", join(folder, "export.age"), "--vault", vault, "--identity", kim.file],
      ],
      async (made) => {
        if (existsSync(made.vault)) assertTidy(made, 1);
        await importVault(join(made.folder, "export.age"), made.vault, made.kim.identities);
        assert.equal(await opens(Vault.open(made.vault), made.kim), 1);
        assertTidy(made, 1);
      },
    );
    assert.ok(kills > 8, `${kills}`);
  });
});
