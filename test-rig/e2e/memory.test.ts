// The whole way: an emulated badge, the real relay with its webhook, the real memory as a process, and a reader of its live events.
import assert from "node:assert/strict";
import { join } from "node:path";
import { phrasesOfSet } from "@salestag/host-tools";
import { type LiveMessage, watchLive } from "@salestag/memory/client";
import {
  startTranscriptionServer,
  type TranscriptionServer,
} from "../../memory/src/testing/transcription-server";
import { newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";
import { knownRecording } from "../src/known-recording";
import { SiteMemory } from "../src/memory-process";
import { connect, type Frames, play } from "../src/play";
import type { RelayProcess } from "../src/relay-process";
import { recall } from "../src/remember";
import { Site } from "../src/site";
import { startRelayTo } from "./memory.fixture";
import { SAMPLE, sample, scratch } from "./support";

const purpose = "quality";
const params = { header: { "salestag-purpose": purpose } } as const;

/** Live events from the memory's start on, until one is the last. */
async function eventsUntil(
  memory: SiteMemory,
  isLast: (event: LiveMessage) => boolean,
): Promise<LiveMessage[]> {
  const seen: LiveMessage[] = [];
  const { url, token } = memory;
  const signal = new AbortController();
  for await (const event of watchLive({
    url,
    token: () => token,
    purpose,
    lastId: "start",
    signal: signal.signal,
  })) {
    seen.push(event);
    if (isLast(event)) break;
  }
  signal.abort();
  return seen;
}

describe("end to end: badge, relay, memory", () => {
  let transcription: TranscriptionServer;
  let frames: Frames;
  before(async () => {
    transcription = await startTranscriptionServer([await knownRecording(SAMPLE)]);
    ({ frames } = await sample());
  });
  after(() => transcription.close());

  async function playTo(site: Site, memory: SiteMemory, relay: RelayProcess): Promise<string> {
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state: newBadgeState("0102030405060708") });
    try {
      const badge = await site.provision(bench, relay.url, "Kim", phrasesOfSet("solar", 1));
      await connect(bench);
      await play(bench, { frames });
      return badge;
    } finally {
      bench.badge.powerOff();
      assert.deepEqual(
        memory.notices.filter((line) => / error /.test(line)),
        [],
      );
    }
  }

  it("a conversation becomes transcript, tags and something one finds; key phrases are told before its end", async () => {
    const site = await Site.create(join(scratch(), "whole"));
    const memory = await SiteMemory.start(site, { transcriptionUrl: transcription.url });
    const relay = await startRelayTo(site, memory);
    try {
      const findable = eventsUntil(memory, ({ data }) => data.state === "findable");
      const badge = await playTo(site, memory, relay);
      const events = await findable;
      const states = events.map(({ type, data }) => (type === "conversation" ? data.state : type));
      assert.deepEqual(
        states.filter((state) => state !== "tag" && state !== "gap"),
        ["open", "phrase", "phrase", "phrase", "final", "structured", "findable"],
      );
      const id = String(events.at(-1)?.data.conversationId);
      const lines = await recall(memory, id);
      const of = (name: string) => lines.filter((line) => line[0] === name).map((line) => line[1]);
      assert.match(of("transcript")[0], /openai\/known-by-heart/);
      assert.match(of("tag").join("\n"), /objection\.pricing: ".*too expensive/);
      assert.match(of("tag").join("\n"), /outcome\.next-step/);
      assert.match(lines.map((line) => line[1]).join("\n"), /What would the monthly payment be/);
      const audio = await memory.client.GET("/v1/conversations/{id}/audio", {
        params: { ...params, path: { id } },
        parseAs: "arrayBuffer",
      });
      assert.equal(Buffer.from(audio.data as ArrayBuffer).toString("latin1", 0, 4), "OggS");
      const { data: list } = await memory.client.GET("/v1/conversations", {
        params: { ...params, query: {} },
      });
      assert.deepEqual(
        list?.conversations.map((one) => [one.badge, one.consent.means]),
        [[badge, "announced"]],
      );
    } finally {
      await relay.stop();
      await memory.stop();
    }
  });

  it("without a transcriber it is kept with what the badge heard, marked so, and transcribed when there is one", async () => {
    const site = await Site.create(join(scratch(), "later"));
    let memory = await SiteMemory.start(site);
    const relay = await startRelayTo(site, memory);
    try {
      const findable = eventsUntil(memory, ({ data }) => data.state === "findable");
      await playTo(site, memory, relay);
      const id = String((await findable).at(-1)?.data.conversationId);
      const path = { id };
      const one = () => memory.client.GET("/v1/conversations/{id}", { params: { ...params, path } });
      const before = (await one()).data;
      assert.equal(before?.transcript, "badge only");
      assert.ok(before.phrases.some(({ text }) => text === "too expensive for us"));
      await memory.stop();
      memory = await SiteMemory.start(site, { transcriptionUrl: transcription.url });
      await eventsUntil(memory, ({ data }) => data.state === "findable");
      const after = (await one()).data;
      assert.equal(after?.transcript, "transcribed");
      assert.match(after.turns.map(({ text }) => text).join(" "), /Thursday at six works for us/);
    } finally {
      await relay.stop();
      await memory.stop();
    }
  });

  it("killed amid the upload and started again: the conversation is there once, whole", async () => {
    const site = await Site.create(join(scratch(), "killed"));
    let memory = await SiteMemory.start(site, { transcriptionUrl: transcription.url });
    const relay = await site.startRelay();
    try {
      const firstPhrase = eventsUntil(memory, ({ type }) => type === "phrase");
      const played = playTo(site, memory, relay);
      await firstPhrase;
      await memory.kill();
      await played;
      memory = await SiteMemory.start(site, { transcriptionUrl: transcription.url });
      await eventsUntil(memory, ({ data }) => data.state === "findable");
      const { data } = await memory.client.GET("/v1/conversations", { params: { ...params, query: {} } });
      assert.deepEqual(
        data?.conversations.map(({ complete, transcript }) => [complete, transcript]),
        [[true, "transcribed"]],
      );
    } finally {
      await relay.stop();
      await memory.stop();
    }
  });
});
