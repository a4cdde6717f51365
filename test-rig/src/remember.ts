// What the team's memory makes of a conversation: asked over its HTTP interface, as any program would.
import { watchLive } from "@salestag/memory/client";
import { clock } from "./cli/view";
import { RigError } from "./errors";
import type { SiteMemory } from "./memory-process";

const PURPOSE = "coaching";
const params = { header: { "salestag-purpose": PURPOSE } } as const;

/** No event has this id, so all that are kept come first. */
const FROM_START = "start";

/** Waits for conversations until searches find them. */
export class FindableConversations {
  private readonly ids: string[] = [];
  private readonly stop = new AbortController();
  private changed: () => void = () => undefined;
  private over: Error | undefined;

  /** Watches the memory's live events, from its start on. */
  static async watch(memory: SiteMemory): Promise<FindableConversations> {
    const watching = new FindableConversations();
    await new Promise<void>((onOpen, reject) => {
      void watching.follow(memory, onOpen).then(reject);
    });
    return watching;
  }

  /** @returns id of one that was not given before. @throws RigError when no more can come */
  async next(): Promise<string> {
    for (;;) {
      const id = this.ids.shift();
      if (id !== undefined) return id;
      if (this.over !== undefined) throw this.over;
      await new Promise<void>((resolve) => {
        this.changed = resolve;
      });
    }
  }

  end(): void {
    this.stop.abort();
  }

  /** @returns why it is over */
  private async follow({ url, token, notices }: SiteMemory, onOpen: () => void): Promise<Error> {
    const { signal } = this.stop;
    try {
      const events = watchLive({
        url,
        token: () => token,
        purpose: PURPOSE,
        lastId: FROM_START,
        signal,
        onOpen,
      });
      for await (const { type, data } of events) {
        if (type !== "conversation" || data.state !== "findable") continue;
        this.ids.push(String(data.conversationId));
        this.changed();
      }
      this.over = new RigError(`The memory's live events ended: ${notices.at(-1) ?? "it does not say why"}`);
    } catch (cause) {
      this.over = cause instanceof Error ? cause : new Error(String(cause));
    }
    this.changed();
    return this.over;
  }
}

/** One line of what the memory knows: a name, and what is to be said under it. */
export type MemoryLine = [name: string, text: string];

/**
 * Says who the customer was, and asks the memory for all that it made of the conversation, with three searches.
 * @returns lines for people
 * @throws RigError with the memory's own sentence when it refuses
 */
export async function recall({ client }: SiteMemory, id: string): Promise<MemoryLine[]> {
  const customer = answerOf(
    await client.POST("/v1/customers", { body: { name: "The homeowner", territoryId: null } }),
  );
  const filing = { customerId: customer.id, siteId: null, outcome: "open", note: "" } as const;
  const path = { id };
  answerOf(await client.PUT("/v1/conversations/{id}/filing", { params: { ...params, path }, body: filing }));
  const whole = answerOf(await client.GET("/v1/conversations/{id}", { params: { ...params, path } }));
  const { consent, transcript, transcribedBy, summary, allTags } = whole;
  const by = transcript === "transcribed" ? `by ${transcribedBy}` : "none: only what the badge itself heard";
  return [
    ["consent", `${consent.means}, at ${clock(consent.atMs)}`],
    ["transcript", by],
    ["summary", summary ?? "none"],
    ...allTags.map(
      ({ kind, startMs, quote, rule }): MemoryLine => [
        "tag",
        `${clock(startMs)} ${kind}: "${quote}" (${rule})`,
      ],
    ),
    ...(await searches(client, customer.id)),
  ];
}

async function searches(client: SiteMemory["client"], customer: string): Promise<MemoryLine[]> {
  const question = "they say it costs too much money";
  const found = answerOf(await client.POST("/v1/search", { params, body: { text: question, limit: 3 } }));
  const answers = answerOf(
    await client.POST("/v1/answers", { params, body: { objection: "objection.pricing", limit: 3 } }),
  );
  const before = answerOf(
    await client.GET("/v1/customers/{id}/before", { params: { ...params, path: { id: customer } } }),
  );
  const passages = found.hits.flatMap(({ passages }) => passages);
  const said = before.conversations.flatMap(({ said }) => said).filter(({ tags }) => tags.length > 0);
  return [
    ["search", `"${question}"`],
    ...passages.map(passageLine),
    ["search", "how do we answer: it is too expensive?"],
    ...answers.moments.flatMap(({ objection, answer, after }) => [
      [
        "",
        `"${objection.quote}"${after.nextStep ? ", later a next step" : ""}${after.commitment ? ", later a commitment" : ""}`,
      ] as MemoryLine,
      ...answer.map(passageLine),
    ]),
    ["search", "what did this customer say before?"],
    ...said.map(passageLine),
  ];
}

function passageLine({
  startMs,
  speaker,
  text,
}: {
  startMs: number;
  speaker: string;
  text: string;
}): MemoryLine {
  return ["", `${clock(startMs)} ${speaker}: ${text}`];
}

/** @throws RigError with the memory's sentence where it gave no answer */
function answerOf<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data !== undefined) return data;
  const { detail } = (error ?? {}) as { detail?: string };
  throw new RigError(`The memory refuses: ${detail ?? "it does not say why"}`);
}
