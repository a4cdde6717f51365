// The embedder behind an endpoint, against a real HTTP server that answers as set; and the setting that names it.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { useFolder } from "@salestag/protocol/testing";
import { type Embedder, EmbeddingError } from "./embedder";
import { embedderOf } from "./setting";

const NEVER = new AbortController().signal;
const KEY = "sk-very-secret";

interface Asked {
  model: string;
  input: string[];
  dimensions?: number;
}

describe("embed: endpoint", () => {
  const folder = useFolder();
  let server: Server;
  let answer: (asked: Asked, response: ServerResponse, request: IncomingMessage) => void;
  let asked: Asked[];

  before((done) => {
    server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = JSON.parse(Buffer.concat(parts).toString("utf8")) as Asked;
      asked.push(body);
      answer(body, response, request);
    }).listen(0, "127.0.0.1", done);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    asked = [];
  });

  function embedder(options = "", dims = 2): Embedder {
    const { port } = server.address() as AddressInfo;
    return embedderOf(`openai+http://127.0.0.1:${port}/v1?model=small&dims=${dims}${options}`);
  }

  function keyFile(mode = 0o600, text = `${KEY}\n`): string {
    const path = join(folder(), `key-${mode}-${text.length}`);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  const data = (vectors: unknown[]) =>
    JSON.stringify({ data: vectors.map((embedding, index) => ({ index, embedding })) });

  it("asks in batches with its key, puts vectors in order by index, and makes them of length 1", async () => {
    const seen: unknown[] = [];
    answer = ({ input }, response, { headers, url, method }) => {
      seen.push([method, url, headers.authorization]);
      const items = input.map((text, index) => ({ index, embedding: [Number(text), 0.5] }));
      response.end(JSON.stringify({ data: items.reverse() }));
    };
    const made = embedder(`&key-file=${keyFile()}&ask-dims=yes`);
    const texts = Array.from({ length: 150 }, (_, n) => (n === 3 ? "  " : String(n)));
    const vectors = await made.embed(texts, NEVER);
    assert.deepEqual([made.name, made.dims], ["openai/small/2", 2]);
    assert.deepEqual(
      asked.map(({ input, dimensions }) => [input.length, dimensions]),
      [
        [64, 2],
        [64, 2],
        [21, 2],
      ],
    );
    assert.deepEqual(seen[0], ["POST", "/v1/embeddings", `Bearer ${KEY}`]);
    for (const [n, [x, y]] of vectors.entries())
      if (n === 3) assert.deepEqual([x, y], [0, 0]);
      else assert.ok(Math.abs(x / y - n / 0.5) < 1e-2 && Math.abs(Math.hypot(x, y) - 1) < 1e-6);
  });

  it("a long text is cut without half a character", async () => {
    answer = (_, response) => response.end(data([[1, 0]]));
    await embedder("&characters=100").embed([`${"a".repeat(99)}😀`], NEVER);
    assert.deepEqual(asked[0].input, ["a".repeat(99)]);
  });

  it("without words nobody is asked", async () => {
    assert.deepEqual(await embedder().embed(["", " "], NEVER), [new Float32Array(2), new Float32Array(2)]);
    assert.deepEqual(asked, []);
  });

  const BAD: [string, string, RegExp][] = [
    ["no JSON", "<html>", /no JSON; check its address/],
    ["null", "null", /no "data"/],
    ["no data", "{}", /no "data"/],
    ["too few", data([[1, 0]]), /1 vectors for 2 texts/],
    [
      "other dimensions",
      data([
        [1, 0],
        [1, 0, 0],
      ]),
      /3 numbers where 2 are set; set dims=3/,
    ],
    [
      "an index twice",
      JSON.stringify({
        data: [
          { index: 0, embedding: [1, 0] },
          { index: 0, embedding: [1, 0] },
        ],
      }),
      /index 0 twice/,
    ],
    [
      "an index outside",
      JSON.stringify({
        data: [
          { index: 0, embedding: [1, 0] },
          { index: 2, embedding: [1, 0] },
        ],
      }),
      /index 2 for 2 texts/,
    ],
    [
      "text for a number",
      data([
        [1, 0],
        ["1", 0],
      ]),
      /something other than numbers/,
    ],
    [
      "null for a number",
      data([
        [1, 0],
        [null, 0],
      ]),
      /something other than numbers/,
    ],
    [
      "infinite numbers",
      '{"data":[{"index":0,"embedding":[1,0]},{"index":1,"embedding":[1e999,0]}]}',
      /something other than numbers/,
    ],
    ["no list", data([[1, 0], "AAAA"]), /no list of numbers/],
    ["too much", " ".repeat(5 * 1024 * 1024), /more than 4194304 bytes/],
  ];
  for (const [name, body, message] of BAD)
    it(`garbage is refused with what is wrong (${name})`, async () => {
      answer = (_, response) => response.end(body);
      await assert.rejects(
        embedder().embed(["a", "b"], NEVER),
        (cause) => cause instanceof EmbeddingError && message.test(cause.message),
      );
    });

  const STATUSES: [number, RegExp][] = [
    [307, /redirections are not followed/],
    [401, /check its key/],
    [404, /check the path/],
    [429, /too much to do/],
    [400, /check model and dims/],
    [503, /tried again later/],
  ];
  for (const [status, advice] of STATUSES)
    it(`a refusal is told with advice and without the key (${status})`, async () => {
      answer = (_, response) =>
        response.writeHead(status, { location: "/elsewhere" }).end(`bad key ${KEY}\n\0`);
      await assert.rejects(embedder(`&key-file=${keyFile()}`).embed(["a"], NEVER), (cause: Error) => {
        assert.ok(cause instanceof EmbeddingError);
        assert.match(cause.message, advice);
        assert.ok(!cause.message.includes(KEY) && !/\p{Cc}/u.test(cause.message));
        return true;
      });
      assert.equal(asked.length, 1);
    });

  it("one that never answers is given up after its time", async () => {
    answer = () => undefined;
    await assert.rejects(embedder("&timeout=1").embed(["a"], NEVER), /did not answer within 1 s/);
  });

  it("one that ends the connection, or is not there, cannot be reached", async () => {
    answer = (_, response) => response.destroy();
    await assert.rejects(embedder().embed(["a"], NEVER), /cannot be reached/);
    await assert.rejects(
      embedderOf("openai+http://127.0.0.1:1/v1?model=a&dims=2").embed(["a"], NEVER),
      /cannot be reached/,
    );
  });

  it("ends when it is told to, with the reason", async () => {
    const ended = new AbortController();
    answer = () => ended.abort(new Error("over"));
    await assert.rejects(embedder().embed(["a"], ended.signal), /^Error: over$/);
  });

  const SETTINGS: [string, RegExp][] = [
    ["", /none of the known ones/],
    ["openai+ftp://a/v1?model=a&dims=2", /none of the known ones/],
    ["openai+https://a/v1", /none of the known ones/],
    ["openai+https://a/v1?dims=2", /no name/],
    ["openai+https://a/v1?model=a", /NaN dimensions/],
    ["openai+https://a/v1?model=a&dims=4000", /4000 dimensions cannot be indexed/],
    ["openai+https://a/v1?model=a&dims=2e3", /dims=2e3/],
    ["openai+https://a/v1?model=a&dims=2&timeout=0", /timeout=0/],
    ["openai+https://a/v1?model=a&dims=2&colour=red", /unknown option colour/],
    ["openai+http://example.com/v1?model=a&dims=2", /in the clear/],
    ["openai+https://me:pw@a/v1?model=a&dims=2", /a name or a password/],
    ["openai+https://a/v1?model=a&dims=2&key-file=/not/there", /cannot be read/],
  ];
  for (const [setting, message] of SETTINGS)
    it(`a wrong setting is refused (${setting})`, () => {
      assert.throws(
        () => embedderOf(setting),
        (cause) => cause instanceof EmbeddingError && message.test(cause.message),
      );
    });

  it("a key that others may read, or that is none, is refused; without saying it", () => {
    for (const [path, message] of [
      [keyFile(0o644), /other users/],
      [keyFile(0o600, "a b\nc"), /holds no key/],
    ] as const)
      assert.throws(
        () => embedder(`&key-file=${path}`),
        (cause: Error) => message.test(cause.message) && !cause.message.includes(KEY),
      );
  });

  it("local is the one that needs nothing", () => assert.match(embedderOf("local").name, /^local\//));
});
