// Live events in the order in which they came, numbered for each team, with the newest kept for who comes back after an interruption.
import type { Live, LiveEvent } from "../../live";

/** Events of one team that are kept for those who come back. */
export const KEPT_MAX = 1_000;
/** Teams whose events are kept; the one that was quiet for longest goes first. */
export const TEAMS_MAX = 200;

/** An event in its place. */
export interface Entry {
  /** Says where a reader is: `Last-Event-ID`. */
  id: string;
  event: LiveEvent;
}

/** Nothing that was said in an erased conversation is kept; its events keep their numbers. */
function blank(kept: Entry[], erased: LiveEvent): void {
  for (const entry of kept) if (entry.event.conversationId === erased.conversationId) entry.event = erased;
}

/** Who watches, as the team's rows say. */
export interface Viewer {
  personId: string;
  teamId: string;
  manager: boolean;
}

/** @returns whether somebody may see an event: as row-level security has it for the conversation that it is from */
export function maySee({ personId, teamId, manager }: Viewer, event: LiveEvent): boolean {
  return event.teamId === teamId && (manager || event.personId === personId);
}

interface TeamFeed {
  /** Number of the newest. */
  last: number;
  kept: Entry[];
}

/** What somebody sees who begins to watch. */
export interface Start {
  /** Some events since the named one are not kept any more. */
  missed: boolean;
  /** Those that are, in order. */
  kept: Entry[];
  end(): void;
}

export class Feed {
  private readonly teams = new Map<string, TeamFeed>();
  private readonly takers = new Map<(entry: Entry) => void, string>();
  private readonly unsubscribe: () => void;

  /** @param name of this run of the program: numbers of another run mean nothing here */
  constructor(
    live: Live,
    private readonly name: string,
  ) {
    this.unsubscribe = live.subscribe((event) => this.add(event));
  }

  /**
   * @param lastId what the viewer had last, if anything
   * @param take gets what comes from now on, once each, in order
   */
  watch(viewer: Viewer, lastId: string | undefined, take: (entry: Entry) => void): Start {
    const visible = (entry: Entry) => {
      if (maySee(viewer, entry.event)) take(entry);
    };
    this.takers.set(visible, viewer.teamId);
    const { missed, kept } = this.since(viewer.teamId, lastId);
    return {
      missed,
      kept: kept.filter(({ event }) => maySee(viewer, event)),
      end: () => this.takers.delete(visible),
    };
  }

  close(): void {
    this.unsubscribe();
    this.takers.clear();
  }

  private add(event: LiveEvent): void {
    const { teamId } = event;
    const team = this.teams.get(teamId) ?? { last: 0, kept: [] };
    this.teams.delete(teamId);
    this.teams.set(teamId, team);
    if (this.teams.size > TEAMS_MAX) this.teams.delete(this.teams.keys().next().value as string);
    if (event.type === "conversation" && event.state === "erased") blank(team.kept, event);
    const entry = { id: `${this.name}-${++team.last}`, event };
    team.kept.push(entry);
    if (team.kept.length > KEPT_MAX) team.kept.shift();
    for (const [take, of] of this.takers) if (of === teamId) take(entry);
  }

  private since(teamId: string, lastId: string | undefined): { missed: boolean; kept: Entry[] } {
    if (lastId === undefined) return { missed: false, kept: [] };
    const { last, kept } = this.teams.get(teamId) ?? { last: 0, kept: [] };
    const [, name, digits] = /^([\w-]{1,64})-(\d{1,15})$/.exec(lastId) ?? [];
    const had = Number(digits);
    if (name !== this.name || had > last) return { missed: true, kept };
    const missing = last - had;
    return { missed: missing > kept.length, kept: missing === 0 ? [] : kept.slice(-missing) };
  }
}
