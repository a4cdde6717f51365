// A whole memory for tests, on a clock that they move: it can be ended and started again on the same folder, and be looked into.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChunkRecord } from "@salestag/protocol/host";
import { lineLog } from "@salestag/protocol/service";
import { RECEIVED_MS } from "@salestag/protocol/testing";
import { localEmbedder } from "../embed";
import type { LiveEvent } from "../live";
import { type Memory, type MemoryParts, type MemorySettings, SETTINGS_DEFAULT, startMemory } from "../memory";
import { localStructurer } from "../tagger";
import { ManualClock } from "./manual-clock";
import { makeTeam, type TestTeam } from "./team";

/** Time at which each test begins. */
export const NOW_MS = RECEIVED_MS + 1000;

/** What a conversation is made of, table by table. */
const TABLES = ["conversation", "consent", "phrase", "turn", "word", "tag", "insight", "embedding"];

export class MemoryUnderTest {
  team!: TestTeam;
  clock = new ManualClock(NOW_MS);
  memory!: Memory;
  /** Of the log, since the last start, as JSON. */
  lines: string[] = [];
  /** Live ones, since the last start. */
  events: LiveEvent[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "salestag-memory-"));

  /** A folder below this one for whatever a test needs. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** @param badges that the vault knows */
  async makeTeam(badges: number): Promise<void> {
    this.team = await makeTeam(this.folder, badges);
  }

  /** Starts with nothing in its folder. */
  async fresh(parts: Partial<MemoryParts> = {}, settings: Partial<MemorySettings> = {}): Promise<void> {
    this.clock = new ManualClock(NOW_MS);
    rmSync(this.path("data"), { recursive: true, force: true });
    await this.start(parts, settings);
  }

  async start(parts: Partial<MemoryParts> = {}, settings: Partial<MemorySettings> = {}): Promise<void> {
    this.lines = [];
    this.events = [];
    const { vaultFolder: vault, identity } = this.team;
    const own = { data: this.path("data"), vault, identity, team: "Sunny Roofs", webhookSecrets: [] };
    this.memory = await startMemory(
      { ...SETTINGS_DEFAULT, ...own, ...settings },
      {
        structurer: localStructurer(),
        embedder: localEmbedder(),
        clock: this.clock,
        log: lineLog(this.clock, (line) => this.lines.push(line), true),
        random: () => 0.5,
        newId: () => "00000000-0000-4000-8000-000000000000",
        ...parts,
      },
    );
    this.memory.live.subscribe((event) => this.events.push(event));
  }

  async restart(parts?: Partial<MemoryParts>, settings?: Partial<MemorySettings>): Promise<void> {
    await this.memory.close();
    await this.start(parts, settings);
  }

  async end(): Promise<void> {
    await this.memory?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  rows<T extends object = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
    return this.memory.database.system((session) => session.query<T>(text, values));
  }

  /** Hands chunks in, and waits until everything was done with them. */
  async take(records: ChunkRecord[]): Promise<void> {
    await this.memory.intake.take(records);
    await this.memory.idle();
  }

  /** @returns everything that is stored of conversations, in an order of its own */
  async dump(): Promise<Record<string, unknown[]>> {
    const all: Record<string, unknown[]> = {};
    for (const table of TABLES) {
      const rows = await this.rows<{ row: unknown }>(`select to_jsonb(t) as row from salestag.${table} t`);
      all[table] = rows.map(({ row }) => JSON.stringify(row)).sort();
    }
    return all;
  }

  phrasesTold(): string[] {
    return this.events.flatMap((event) => (event.type === "phrase" ? [event.text] : []));
  }
}
