// The client of the relay's door, against a small HTTP server that answers well, badly, or not at all.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ChunkCodec, ChunkKind, encodeChunkHeader, encodeRecord } from "@salestag/protocol/host";
import { ExitCode } from "@salestag/protocol/team";
import { toolError, useFolder } from "@salestag/protocol/testing";
import { generate } from "selfsigned";
import { RelayDoor, readToken } from "./relay-door";
import type { WatchEvent } from "./relay-watch";

const TOKEN = randomBytes(24).toString("base64");
const BADGE = "00112233445566ff";
const OTHER = "ff66554433221100";
const KEY = randomBytes(32);
const LETTERS = "/badges/00112233445566ff/nudges";

function recordOf(index: number, badge = BADGE, sealedBytes = 60) {
  const badgeId = Buffer.from(badge, "hex");
  const header = encodeChunkHeader({
    badgeId,
    epoch: 3,
    index,
    kind: ChunkKind.Audio,
    startMs: index * 2000,
    durationMs: 2000,
    codec: ChunkCodec.OpusItems,
    count: 100,
  });
  return { badge, epoch: 3, index, receivedMs: 5, header, sealed: Buffer.alloc(sealedBytes, index) };
}

const line = (value: object) => `${JSON.stringify(value)}\n`;
const recordLine = (index: number, badge = BADGE) =>
  line({ record: encodeRecord(recordOf(index, badge)).toString("base64") });
const BEGUN = line({ watching: BADGE, connected: false });

describe("relay's door", () => {
  let server: Server;
  let door: RelayDoor;
  let url: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: { method?: string; url?: string; authorization?: string; body: Buffer }[];
  const folder = useFolder();

  beforeEach(async () => {
    asked = [];
    server = createServer(async (request, response) => {
      const body = Buffer.concat((await request.toArray()) as Buffer[]);
      const { method, url, headers } = request;
      asked.push({ method, url, authorization: headers.authorization, body });
      answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    door = new RelayDoor({ relay: url, token: TOKEN });
  });
  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });

  const saying = (status: number, body: string | object) => {
    answer = (_, response) =>
      response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const events = async (seconds = 60, signal?: AbortSignal) => {
    const seen: WatchEvent[] = [];
    for await (const event of door.watchChunks(BADGE, seconds, signal)) seen.push(event);
    return seen;
  };

  it("asks as the relay's page says, with the token in its header and nowhere else", async () => {
    saying(201, { id: 1, sent: true });
    assert.equal(await door.postLetter(`${LETTERS}?expiresUnixMs=5`, "nudge", Buffer.from("sealed")), true);
    await door.addBadge(BADGE, KEY, "Kim");
    await door.rotateBadge(BADGE, KEY);
    await door.removeBadge(BADGE);
    const authorization = `Bearer ${TOKEN}`;
    const authKey = KEY.toString("hex");
    const sent = asked.map(({ method, url, body }) => [method, url, body.toString("utf8")]);
    assert.deepEqual(sent, [
      ["POST", `${LETTERS}?expiresUnixMs=5`, "sealed"],
      ["PUT", `/badges/${BADGE}`, JSON.stringify({ authKey, label: "Kim" })],
      ["PUT", `/badges/${BADGE}/key`, JSON.stringify({ authKey })],
      ["DELETE", `/badges/${BADGE}`, ""],
    ]);
    assert.ok(asked.every((one) => one.authorization === authorization));
  });

  it("a letter that the relay keeps for later", async () => {
    saying(201, { id: 1, sent: false });
    assert.equal(await door.postLetter(LETTERS, "nudge", Buffer.alloc(1)), false);
  });

  it("lists badges; what is no list is refused", async () => {
    const listed = [{ badge: BADGE, label: "Kim", addedMs: 5, connected: true }];
    saying(200, listed);
    assert.deepEqual(await door.listBadges(), listed);
    for (const said of ["{}", "null", "no JSON", "[1]", JSON.stringify([{ ...listed[0], badge: "x" }])]) {
      saying(200, said);
      await assert.rejects(door.listBadges(), toolError(ExitCode.Usage, /does not list badges as a relay/));
    }
  });

  for (const [what, status, body, words] of [
    ["401", 401, { error: `${TOKEN} is wrong` }, /refuses the token; name the file/],
    ["409", 409, { error: "it is there already" }, /does not add the badge: it is there already\.$/],
    ["an error without a sentence", 500, "", /does not add the badge: it answered 500\.$/],
    ["an error that is no object", 404, "null", /it answered 404/],
    ["one that gives keys back", 400, { error: `${KEY.toString("hex")} ${TOKEN}\n` }, /badge: … … \.$/],
    ["an endless one", 400, { error: "x".repeat(100_000) }, /: x{300}\.$/],
    ["a redirection", 302, "", /it answered 302/],
  ] as [string, number, string | object, RegExp][])
    it(`is refused in a sentence without a key: ${what}`, async () => {
      saying(status, body);
      const told = toolError(ExitCode.Usage, words);
      await assert.rejects(door.addBadge(BADGE, KEY, "Kim"), (error: Error) => {
        assert.ok(!error.message.includes(TOKEN));
        return told(error);
      });
    });

  it("an answer without an end is not read to its end", async () => {
    answer = (_, response) => {
      const block = Buffer.alloc(1 << 20, 32);
      const more = () => void (response.writable && response.write(block, more));
      response.on("error", () => undefined);
      more();
    };
    await assert.rejects(door.listBadges(), toolError(ExitCode.Usage, /longer than 16777216 bytes/));
  });

  it("nobody there", async () => {
    server.close();
    await assert.rejects(
      door.listBadges(),
      toolError(ExitCode.Usage, /no relay answers at http.*ECONNREFUSED/),
    );
    await assert.rejects(events(), toolError(ExitCode.Usage, /no relay answers/));
  });

  it("HTTPS: a certificate that nobody vouches for gets no token", async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }]);
    const secure = createSecureServer({ cert, key }, () => assert.fail("it was asked"));
    secure.listen(0, "127.0.0.1");
    await once(secure, "listening");
    const relay = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`;
    const door = new RelayDoor({ relay, token: TOKEN });
    await assert.rejects(
      door.listBadges(),
      toolError(ExitCode.Usage, /no relay answers at https.*self-signed/),
    );
    secure.close();
    await once(secure, "close");
  });

  it("an answer that breaks off", async () => {
    answer = (_, response) => {
      response.writeHead(200, { "content-length": 100 }).write("[");
      setImmediate(() => response.destroy());
    };
    await assert.rejects(door.listBadges(), toolError(ExitCode.Usage, /broke its answer off/));
  });

  for (const relay of ["http://relay.example", "ftp://127.0.0.1", "relay", "http://127.0.0.1.example/"])
    it(`no address for a token: ${relay}`, () => {
      assert.throws(
        () => new RelayDoor({ relay, token: TOKEN }),
        toolError(ExitCode.Usage, /no address of a relay's door/),
      );
    });

  it("a token: trimmed; refused where others read it, or it is none", () => {
    const path = join(folder(), "admin.token");
    writeFileSync(path, `${TOKEN}\n`, { mode: 0o600 });
    assert.equal(readToken(path), TOKEN);
    for (const text of ["", "\n", "two\nlines", "ä", "x".repeat(5000)]) {
      writeFileSync(path, text);
      assert.throws(() => readToken(path), toolError(ExitCode.Usage, /one line of printable ASCII/));
    }
    chmodSync(path, 0o640);
    assert.throws(() => readToken(path), toolError(ExitCode.Usage, /chmod 600/));
    assert.throws(() => readToken(`${path}.none`), toolError(ExitCode.Usage, /cannot be used: ENOENT/));
  });

  describe("watching", () => {
    it("every event, in order, wherever the lines are cut", async () => {
      const text = `${BEGUN}${recordLine(0)}${line({ connected: true })}${recordLine(1)}`;
      const expected = [
        { connected: false },
        { record: recordOf(0) },
        { connected: true },
        { record: recordOf(1) },
      ];
      for (const stepBytes of [1, 7, 1000]) {
        answer = async (_, response) => {
          for (let at = 0; at < text.length; at += stepBytes)
            await new Promise((resolve) => response.write(text.slice(at, at + stepBytes), resolve));
          response.end();
        };
        assert.deepEqual(await events(5), expected);
      }
      assert.equal(asked[0].url, `/badges/${BADGE}/chunks?seconds=5`);
    });

    it("each event as it comes, before the answer ends", async () => {
      let response: ServerResponse | undefined;
      answer = (_, its) => {
        response = its;
        its.write(BEGUN);
      };
      const watch = door.watchChunks(BADGE, 60);
      assert.deepEqual((await watch.next()).value, { connected: false });
      for (let index = 0; index < 3; index++) {
        response?.write(recordLine(index));
        assert.deepEqual((await watch.next()).value, { record: recordOf(index) });
      }
      response?.end();
      assert.equal((await watch.next()).done, true);
    });

    for (const [what, body, words] of [
      ["nothing", "", /it is empty/],
      ["another badge", line({ watching: OTHER, connected: true }), /does not begin as one of this badge/],
      ["no beginning", recordLine(0), /does not begin/],
      ["no JSON", `${BEGUN}hello\n`, /no JSON object/],
      ["a number", `${BEGUN}5\n`, /no JSON object/],
      ["an unknown line", `${BEGUN}${line({ hello: 1 })}`, /neither a chunk nor/],
      ["a line that is both", `${BEGUN}${line({ connected: true, record: "" })}`, /neither a chunk nor/],
      ["a record that is no base64", `${BEGUN}${line({ record: "?" })}`, /no base64/],
      ["a record that is none", `${BEGUN}${line({ record: "AAAA" })}`, /record/],
      ["another badge's chunk", `${BEGUN}${recordLine(0, OTHER)}`, /a chunk of badge ff66554433221100/],
      ["a line without an end", `${BEGUN}${"x".repeat(100_000)}`, /a line of more than \d+ bytes/],
      [
        "lines without an end",
        `${BEGUN}${line({ connected: true }).repeat(100_000)}`,
        /more than 100000 lines/,
      ],
    ] as [string, string, RegExp][])
      it(`is not believed: ${what}`, async () => {
        saying(200, body);
        await assert.rejects(events(), toolError(ExitCode.Usage, words));
      });

    it("the relay refuses", async () => {
      saying(429, { error: "8 watches are open" });
      await assert.rejects(
        events(),
        toolError(ExitCode.Usage, /does not let its chunks be watched: 8 watches are open\./),
      );
    });

    it("the relay breaks it off", async () => {
      answer = (_, response) => {
        response.write(BEGUN, () => response.destroy());
      };
      await assert.rejects(events(), toolError(ExitCode.Usage, /broke its answer off/));
    });

    it("whoever watches ends it, before the answer, in the middle, or by leaving: quietly, and the relay sees it", async () => {
      const waiting = new AbortController();
      let gone: Promise<unknown> = Promise.resolve();
      answer = (_, response) => {
        gone = once(response, "close");
        waiting.abort();
      };
      assert.deepEqual(await events(60, waiting.signal), []);
      await gone;
      answer = (_, response) => {
        gone = once(response, "close");
        response.write(BEGUN);
      };
      const middle = new AbortController();
      for await (const event of door.watchChunks(BADGE, 60, middle.signal)) {
        assert.deepEqual(event, { connected: false });
        middle.abort();
      }
      await gone;
      for await (const _ of door.watchChunks(BADGE, 60)) break;
      await gone;
      assert.deepEqual(await events(60, AbortSignal.abort()), []);
    });
  });
});
