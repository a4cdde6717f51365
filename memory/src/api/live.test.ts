// Live events over real connections: order, who sees what, coming back, slow readers, ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type LiveMessage, watchLive } from "../client";
import type { LiveEvent } from "../live";
import { ManualClock } from "../testing/manual-clock";
import { idOf, NUMBERS } from "../testing/teams";
import { useApi } from "./api.fixture";
import { KEPT_MAX } from "./live/feed";
import { HEARTBEAT_MS } from "./live/stream";

const clock = new ManualClock(Date.UTC(2026, 0, 1));

function phrase(text: string, team: "a" | "b" = "a", who: "rep" | "otherRep" = "rep"): LiveEvent {
  const conversation = who === "rep" ? NUMBERS.conversation : NUMBERS.otherConversation;
  return {
    type: "phrase",
    teamId: idOf(team, NUMBERS.team),
    conversationId: idOf(team, conversation),
    personId: idOf(team, NUMBERS[who]),
    atUnixMs: clock.unixMs(),
    text,
    startMs: 0,
  };
}

/** One that watches, and what it has had. */
class Watcher {
  readonly had: LiveMessage[] = [];
  readonly ended: Promise<unknown>;
  private readonly abort = new AbortController();
  private wake = () => {};

  private constructor(url: string, token: string, lastId: string | undefined, opened: () => void) {
    this.ended = this.run(url, token, lastId, opened).catch((cause: Error) => cause);
  }

  static async open(url: string, token: string, lastId?: string): Promise<Watcher> {
    let opened = () => {};
    const open = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const watcher = new Watcher(url, token, lastId, opened);
    const refused = await Promise.race([open, watcher.ended]);
    if (refused instanceof Error) throw refused;
    return watcher;
  }

  /** @returns texts of phrases, once there are so many events */
  async texts(count: number): Promise<unknown[]> {
    while (this.had.length < count)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    return this.had.map(({ type, data }) => data.text ?? type);
  }

  async close(): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async run(
    url: string,
    token: string,
    lastId: string | undefined,
    onOpen: () => void,
  ): Promise<void> {
    const options = {
      url,
      token: () => token,
      purpose: "quality",
      lastId,
      signal: this.abort.signal,
      onOpen,
    };
    for await (const message of watchLive(options)) {
      this.had.push(message);
      this.wake();
    }
  }
}

describe("memory: live events", () => {
  const served = useApi({ clock });
  const watchers: Watcher[] = [];
  const watch = async (subject: string, lastId?: string, lifetimeS = 3600) => {
    const watcher = await Watcher.open(served().url, await served().token(subject, lifetimeS), lastId);
    watchers.push(watcher);
    return watcher;
  };
  afterEach(async () => {
    for (const watcher of watchers.splice(0)) await watcher.close();
  });

  it("live: events come in order, to those who may see them", async () => {
    const [rep, otherRep, manager, stranger] = await Promise.all(
      ["a-rep", "a-otherRep", "a-manager", "b-manager"].map((subject) => watch(subject)),
    );
    for (let n = 0; n < 50; n++) {
      served().live.publish(phrase(`rep ${n}`));
      served().live.publish(phrase(`other ${n}`, "a", "otherRep"));
      served().live.publish(phrase(`stranger ${n}`, "b"));
    }
    served().live.publish({ ...phrase("nobody"), personId: null });
    const numbered = (name: string) => Array.from({ length: 50 }, (_, n) => `${name} ${n}`);
    assert.deepEqual(await rep.texts(50), numbered("rep"));
    assert.deepEqual(await otherRep.texts(50), numbered("other"));
    assert.deepEqual(await stranger.texts(50), numbered("stranger"));
    const all = Array.from({ length: 50 }, (_, n) => [`rep ${n}`, `other ${n}`]).flat();
    assert.deepEqual(await manager.texts(101), [...all, "nobody"]);
    const { data, type } = rep.had[0];
    assert.equal(type, "phrase");
    assert.deepEqual(Object.keys(data).sort(), [
      "at",
      "conversationId",
      "personId",
      "startMs",
      "text",
      "type",
    ]);
  });

  it("live: whoever comes back misses nothing and has nothing twice", async () => {
    const first = await watch("a-rep");
    for (let n = 0; n < 5; n++) served().live.publish(phrase(`${n}`));
    await first.texts(5);
    await first.close();
    for (let n = 5; n < 9; n++) {
      served().live.publish(phrase(`${n}`));
      served().live.publish(phrase("not for me", "a", "otherRep"));
    }
    for (const from of [0, 2, 4]) {
      const again = await watch("a-rep", first.had[from].id);
      const expected = Array.from({ length: 8 - from }, (_, n) => `${from + 1 + n}`);
      assert.deepEqual(await again.texts(8 - from), expected);
    }
  });

  it("live: whoever comes back too late is told so, and gets what is kept", async () => {
    const first = await watch("a-rep");
    served().live.publish(phrase("first"));
    await first.texts(1);
    for (let n = 0; n <= KEPT_MAX; n++) served().live.publish(phrase(`${n}`));
    const late = await watch("a-rep", first.had[0].id);
    const texts = await late.texts(KEPT_MAX + 1);
    assert.deepEqual([texts[0], texts[1], texts.at(-1)], ["gap", "1", `${KEPT_MAX}`]);
    assert.equal(late.had[0].id, undefined);
  });

  for (const lastId of ["nonsense", "other-run-5", "-1", "x".repeat(5_000), "1e9", "%0d%0aevent: evil"])
    it(`live: a place that is none is a gap (${lastId.slice(0, 20)})`, async () => {
      const watcher = await watch("a-rep", lastId);
      assert.equal((await watcher.texts(1))[0], "gap");
    });

  it("live: of a conversation that was erased no word is kept for who comes back", async () => {
    const first = await watch("a-manager");
    served().live.publish(phrase("before", "a", "otherRep"));
    await first.texts(1);
    served().live.publish(phrase("a secret"));
    const { conversationId, teamId, atUnixMs } = phrase("");
    const about = { conversationId, teamId, personId: null, atUnixMs };
    served().live.publish({ type: "conversation", state: "erased", ...about });
    const later = await watch("a-manager", first.had[0].id);
    await later.texts(2);
    assert.deepEqual(
      later.had.map(({ data }) => [data.state, data.text]),
      [
        ["erased", undefined],
        ["erased", undefined],
      ],
    );
  });

  it("live: what falls is written to the audit log before it is shown, once for each conversation", async () => {
    const watcher = await watch("a-manager");
    for (const text of ["one", "two"]) served().live.publish(phrase(text));
    await watcher.texts(2);
    served().live.publish(phrase("three"));
    await watcher.texts(3);
    const rows = await served().database.system((session) =>
      session.query(
        "select person_id as person, purpose, conversation_ids as ids from salestag.audit where action = 'live'",
      ),
    );
    const ids = [idOf("a", NUMBERS.conversation)];
    assert.deepEqual(rows, [{ person: idOf("a", NUMBERS.manager), purpose: "quality", ids }]);
  });

  it("live: text cannot break out of its event", async () => {
    const watcher = await watch("a-rep");
    const text = "a\n\nevent: end\ndata: {}\n\r\r\nid: 7\u2028\0";
    served().live.publish(phrase(text));
    assert.deepEqual(await watcher.texts(1), [text]);
  });

  it("live: an expired token ends the stream, and says so", async () => {
    const watcher = await watch("a-rep", undefined, 60);
    served().live.publish(phrase("before"));
    await watcher.texts(1);
    clock.move(60_000);
    assert.equal(await watcher.ended, undefined);
    assert.deepEqual(await watcher.texts(2), ["before", "end"]);
    assert.match(String(watcher.had[1].data.why), /expired/);
  });

  it("live: whoever is moved sees nothing from then on (manager becomes rep)", async () => {
    const watcher = await watch("a-manager");
    await served().database.system((session) =>
      session.query("update salestag.person set role = 'rep' where subject = 'a-manager'"),
    );
    served().live.publish(phrase("not for reps"));
    await watcher.ended;
    assert.ok(watcher.had.every(({ type }) => type !== "phrase"));
  });

  it("live: whoever is removed is noticed at the next heartbeat", async () => {
    const watcher = await watch("a-manager");
    await served().database.system((session) =>
      session.query("update salestag.person set subject = null where subject = 'a-manager'"),
    );
    clock.move(HEARTBEAT_MS);
    await watcher.ended;
    assert.deepEqual(await watcher.texts(1), ["end"]);
  });

  it("live: a stream that nobody reads is cut, others go on, and nothing is left of it", async () => {
    const good = await watch("a-manager");
    const waitingBefore = clock.waiting;
    const slow = await openUnread();
    const text = "x".repeat(100_000);
    const gone = once(slow, "close");
    let published = 0;
    while (!served().logged.some((line) => line.includes("too slowly"))) {
      served().live.publish(phrase(text));
      published++;
      await good.texts(published);
      assert.ok(published < 1_000, "an unread stream takes everything");
    }
    slow.resume();
    await gone;
    assert.equal(clock.waiting, waitingBefore);
    served().live.publish(phrase("on"));
    assert.equal((await good.texts(published + 1)).at(-1), "on");
  });

  /** A connection that asks and never reads more than the answer's head. */
  async function openUnread(): Promise<Socket> {
    const { hostname, port } = new URL(served().url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    const token = await served().token("a-rep");
    socket.write(
      `GET /v1/live HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nSalestag-Purpose: quality\r\n\r\n`,
    );
    await once(socket, "readable");
    socket.read(1);
    return socket;
  }

  it("live: one person's streams are limited, others' are not", async () => {
    for (let n = 0; n < 10; n++) await watch("a-rep");
    await assert.rejects(watch("a-rep"), /Too many streams/);
    await watch("a-otherRep");
    await watchers[0].close();
  });
});
