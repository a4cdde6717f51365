// A served API for tests: the embedded database with two teams, real sockets, tokens for everybody in them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@salestag/protocol/service";
import { makeVault, person } from "@salestag/protocol/testing";
import { type MemoryClient, memoryClient } from "../client";
import { localEmbedder } from "../embed";
import { Archive } from "../ingest/archive";
import { Live } from "../live";
import { Eraser } from "../privacy/erasure";
import type { Database } from "../store/database";
import { openDatabase } from "../store/open";
import { emptied } from "../testing/databases";
import { addTeams, idOf, NUMBERS, subjectOf } from "../testing/teams";
import type { ApiParts } from "./parts";
import { type ApiServer, startApi } from "./server";
import { AUDIENCE_DEFAULT, ISSUER_DEFAULT, signToken } from "./tokens";

export const SECRET = Buffer.from("a secret of thirty-two bytes or more");
export const TOKENS = { secret: SECRET, issuer: ISSUER_DEFAULT, audience: AUDIENCE_DEFAULT };
export const PURPOSE = { "salestag-purpose": "quality" } as const;
/** What the fixture gives as the audio of every conversation. */
export const AUDIO = Buffer.from("OggS no more than this");
/** What the fixture tells as a problem. */
export const TROUBLE = "badge 0123456789abcdef is not in the vault";

/** A running API and what is behind it. */
export interface Served {
  url: string;
  database: Database;
  live: Live;
  /** What was written to the log. */
  logged: string[];
  exportFolder: string;
  /** Bodies that came to the endpoint of the relay. */
  delivered: Buffer[];
  /** @returns a token for one hour, or as long as said */
  token(subject: string, lifetimeS?: number): Promise<string>;
  /** @returns a client that is signed in */
  client(team: "a" | "b", who: "manager" | "rep" | "otherRep"): MemoryClient;
}

/** Registers hooks: one database and one server for the suite, two fresh teams for each test. */
export function useApi(change: Partial<ApiParts> = {}): () => Served {
  let served: Served & { close(): Promise<void> };
  before(async () => {
    served = await serve(change);
  });
  beforeEach(async () => {
    await emptied(served.database);
    await served.database.system(addTeams);
    served.logged.length = 0;
    served.delivered.length = 0;
  });
  after(() => served?.close());
  return () => served;
}

async function serve(change: Partial<ApiParts>): Promise<Served & { close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "salestag-api-"));
  const database = await openDatabase({ folder });
  const clock = change.clock ?? systemClock;
  const logged: string[] = [];
  const delivered: Buffer[] = [];
  const live = new Live();
  const parts = { ...(await partsOf(folder, database, clock, live, logged, delivered)), ...change };
  const api: ApiServer = await startApi(parts, { host: "127.0.0.1", port: 0 });
  const token = (subject: string, lifetimeS = 3600) => signToken(TOKENS, subject, lifetimeS, clock.unixMs());
  return {
    ...{ url: api.url, database, live, logged, delivered, token },
    exportFolder: parts.exportFolder,
    client: (team, who) => memoryClient({ url: api.url, token: () => token(subjectOf(team, who)) }),
    async close() {
      await api.close();
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function partsOf(
  folder: string,
  database: Database,
  clock: Clock,
  live: Live,
  logged: string[],
  delivered: Buffer[],
): Promise<ApiParts> {
  const write = (event: string, fields?: object) => logged.push(`${event} ${JSON.stringify(fields ?? {})}`);
  const operator = await person(folder, "operator");
  const keys = {
    vault: await makeVault(join(folder, "vault"), [operator], 1),
    identities: operator.identities,
  };
  const archive = Archive.open(join(folder, "chunks"));
  const erasable = { database, archive, keys, databaseFolder: join(folder, "database") };
  return {
    ...{ database, live, clock, tokens: TOKENS, teamId: idOf("a", NUMBERS.team) },
    log: { info: write, warn: write, error: write },
    newId: () => crypto.randomUUID(),
    embedder: localEmbedder(),
    exportFolder: join(folder, "exports"),
    audioOf: async () => AUDIO,
    eraser: new Eraser(erasable as never, () => clock.unixMs()),
    problems: () => [{ sinceUnixMs: 1_000, what: TROUBLE }],
    async ingest(_method, _headers, body) {
      delivered.push(body);
      return body.length === 0 ? { status: 400, detail: "An empty delivery." } : { status: 204 };
    },
  };
}
