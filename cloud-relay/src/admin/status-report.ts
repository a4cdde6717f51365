// Gathers what `GET /status` answers from the relay's parts. Looks only: nothing changes by being asked.
import { readFileSync } from "node:fs";
import type { Clock } from "@salestag/protocol/service";
import type { Position } from "../spool/position";
import type { Presence } from "./presence";
import {
  BADGES_LISTED_MAX,
  type BadgeStatus,
  type SinkStatus,
  type Status,
  WHY_CHARACTERS_MAX,
} from "./status";

/** What the report needs of the relay. */
export interface ReportParts {
  clock: Clock;
  /** The clock's steady time at which the relay started, in ms. */
  startedSteadyMs: number;
  presence: Presence;
  registry: { readonly badges: ReadonlyMap<string, { readonly label: string }> };
  spool: {
    readonly bytes: number;
    readonly hasRoom: boolean;
    readonly stored: { chunks: number; bytes: number };
    durablePosition(badge: string): Position;
  };
  /** Left out: what the disk has. */
  spoolBytesMax?: number;
  sinks: readonly {
    readonly name: string;
    readonly bytesBehind: number;
    readonly deadLetters: { readonly count: number };
    readonly failuresTotal: number;
    readonly trouble: { why: string; retryUnixMs: number } | undefined;
  }[];
}

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** @returns the relay at this moment */
export function reportStatus(parts: ReportParts): Status {
  const { clock, startedSteadyMs, presence, registry, spool, spoolBytesMax } = parts;
  return {
    version,
    nowUnixMs: clock.unixMs(),
    uptimeMs: Math.round(clock.steadyMs() - startedSteadyMs),
    badges: {
      online: presence.online,
      registered: registry.badges.size,
      listed: listedIds(parts).map((id) => badgeStatus(id, parts)),
    },
    stored: { ...spool.stored },
    spool: { bytes: spool.bytes, bytesMax: spoolBytesMax ?? null, hasRoom: spool.hasRoom },
    sinks: sinksOf(parts),
  };
}

/** Without sorting: the registry may be long, and the page asks every second. */
function listedIds({ presence, registry: { badges } }: ReportParts): string[] {
  const ids = new Set(presence.ids().filter((id) => badges.has(id) || presence.of(id)?.online));
  for (const id of badges.keys()) {
    if (ids.size >= BADGES_LISTED_MAX) break;
    ids.add(id);
  }
  return [...ids].slice(0, BADGES_LISTED_MAX);
}

function badgeStatus(id: string, { presence, registry, spool }: ReportParts): BadgeStatus {
  const seen = presence.of(id);
  const { epoch, index } = spool.durablePosition(id);
  return {
    id,
    label: registry.badges.get(id)?.label ?? "",
    online: seen?.online ?? false,
    sinceUnixMs: seen?.sinceUnixMs ?? null,
    heardUnixMs: seen?.heardUnixMs ?? null,
    newest: index === 0 ? null : { epoch, index: index - 1 },
  };
}

function sinksOf({ sinks }: ReportParts): SinkStatus[] {
  return sinks.map(({ name, bytesBehind: behindBytes, deadLetters, failuresTotal, trouble }) => {
    const fed = behindBytes === 0 ? "current" : "behind";
    return {
      name,
      behindBytes,
      failuresTotal,
      deadLetters: deadLetters.count,
      state: trouble === undefined ? fed : "failing",
      why: trouble?.why.slice(0, WHY_CHARACTERS_MAX) ?? "",
      retryUnixMs: trouble?.retryUnixMs ?? null,
    };
  });
}
