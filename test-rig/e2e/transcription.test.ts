// Transcription, end to end: the sample through badge and relay, opened, handed to a server that knows it by heart and to a real recogniser on this machine.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { OpenedConversation } from "@salestag/host-tools";
import {
  startTranscriptionServer,
  type TranscriptionServer,
} from "../../memory/src/testing/transcription-server";
import { wordErrors } from "../../memory/src/testing/word-errors";
import { type Speech, transcribe, transcriberOf } from "../../memory/src/transcribe";
import { knownRecording, saidWords } from "../src/known-recording";
import { replay } from "../src/replay";
import { installed, SAMPLE, sample } from "./support";

const POCKETSPHINX = fileURLToPath(
  new URL("../../memory/src/testing/pocketsphinx-words.mjs", import.meta.url),
);
/** The recogniser gets so much of the conversation, as it is slow: from "I hear that a lot" to "last month". */
const HEARD_FROM_MS = 19_500;
const HEARD_TO_MS = 35_000;
const never = new AbortController().signal;
const textsOf = (words: readonly { text: string }[]) => words.map(({ text }) => text);

describe("end to end: transcription of the sample", () => {
  const said = saidWords(SAMPLE);
  let server: TranscriptionServer;
  let conversation: OpenedConversation;
  let startMs: number;
  let speech: Speech;

  before(async () => {
    server = await startTranscriptionServer([await knownRecording(SAMPLE)]);
    const { frames } = await sample();
    const result = await replay({ frames });
    [conversation] = result.conversations;
    startMs = result.conversationStarts[0] * 20;
    speech = { packets: conversation.packets, durationMs: conversation.timeline.durationMs };
  });
  after(() => server.close());

  it("transcription: every word is back at its time and with its speaker, pauses left out (server by heart)", async () => {
    const transcriber = transcriberOf(`openai+${server.url}?model=by-heart`, () => 0);
    const { timeline } = conversation;
    const { transcript, notes, spreadWords } = await transcribe(transcriber, speech, timeline.turns, never);
    assert.deepEqual([transcript.source, spreadWords, notes], ["openai/by-heart", 0, []]);
    const { turns } = transcript;
    const words = turns.flatMap((turn) => turn.words);
    assert.ok(server.heardMs[0] < speech.durationMs, "no silence was left out");
    assert.deepEqual(textsOf(words), textsOf(said));
    words.forEach((word, at) => {
      const lateMs = word.startMs + startMs - said[at].startMs;
      assert.ok(Math.abs(lateMs) <= 20, `${word.text} is ${lateMs} ms late`);
    });
    const speakers = turns.flatMap(({ speaker, words: inTurn }) => inTurn.map(() => speaker));
    const right = speakers.filter((speaker, at) => speaker === said[at].speaker);
    assert.ok(
      right.length >= 0.9 * said.length,
      `${right.length} of ${said.length} words have their speaker`,
    );
    assert.equal(
      turns[0].text,
      "Hi there, I am Dan with Bright Roof Solar. Is it okay if my badge records our talk?",
    );
  });

  it("transcription: in parts of a minute the words are the same (part=1, server by heart)", async () => {
    const before = server.heardMs.length;
    const twice = [...speech.packets];
    for (const { startMs: atMs, packet } of speech.packets)
      twice.push({ startMs: atMs + speech.durationMs, packet });
    const transcriber = transcriberOf(`openai+${server.url}?model=by-heart&part=1`, () => 0);
    const { words } = await transcriber.transcribe(
      { packets: twice, durationMs: 2 * speech.durationMs },
      never,
    );
    assert.ok(server.heardMs.length - before >= 2);
    const { rate } = wordErrors(textsOf([...said, ...said]), textsOf(words));
    assert.ok(rate < 0.02, `${rate}`);
  });

  it("transcription: a real recogniser hears most of it, at its time (pocketsphinx as a local command)", async function () {
    if (!installed("pocketsphinx_continuous")) this.skip();
    const command = JSON.stringify([process.execPath, POCKETSPHINX, "{audio}"]);
    const within = (ms: number) => ms >= HEARD_FROM_MS && ms < HEARD_TO_MS;
    const packets = speech.packets.filter((packet) => within(packet.startMs));
    const { words } = await transcriberOf(`command:${command}`, () => 0).transcribe(
      { ...speech, packets },
      never,
    );
    const asked = said.filter((word) => within(word.startMs - startMs));
    const { rate, right } = wordErrors(textsOf(asked), textsOf(words));
    assert.ok(rate < 0.5, `${rate} of ${asked.length} words: ${textsOf(words).join(" ")}`);
    const latesMs = right
      .map(({ said: a, heard: b }) => Math.abs(words[b].startMs + startMs - asked[a].startMs))
      .sort((a, b) => a - b);
    assert.ok(latesMs[latesMs.length >> 1] <= 100, `${latesMs[latesMs.length >> 1]} ms`);
  });
});
