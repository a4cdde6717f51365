// Connections: TLS, slow senders, too many at once, and the end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { generate } from "selfsigned";
import { NO_MEMORY } from "./describe";
import { LIMITS } from "./limits";
import type { ProblemAnswer } from "./problem";
import { type ApiServer, type ListenOptions, startApi } from "./server";
import { signToken } from "./tokens";

const ANY = { host: "127.0.0.1", port: 0 };

describe("memory: connections to the API", () => {
  let api: ApiServer | undefined;
  const serve = async (options: Partial<ListenOptions>) => {
    api = await startApi(NO_MEMORY, { ...ANY, ...options });
    return api;
  };
  afterEach(async () => {
    await api?.close();
    api = undefined;
  });

  const open = async (url: string): Promise<Socket> => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };
  const untilClosed = async (socket: Socket): Promise<string> => {
    let text = "";
    socket.setEncoding("utf8").on("data", (part) => {
      text += part;
    });
    if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    return text;
  };

  it("connection: over TLS, with the header that says so", async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }]);
    const { url } = await serve({ tls: { cert: Buffer.from(cert), key: Buffer.from(key) } });
    assert.match(url, /^https:/);
    const asked = request(`${url}/openapi.json`, {
      ca: cert,
      servername: "localhost",
      checkServerIdentity: () => undefined,
    });
    asked.end();
    const [response] = await once(asked, "response");
    response.resume();
    assert.equal(response.statusCode, 200);
    assert.match(response.headers["strict-transport-security"], /max-age/);
    const plain = await open(url);
    plain.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.doesNotMatch(await untilClosed(plain), /200 OK/);
  });

  const slow: [string, string][] = [
    ["headers that never end", "GET /health HTTP/1.1\r\nHost: x\r\nX-A: "],
    [
      "a body that never comes",
      "POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 10\r\n\r\nabc",
    ],
    ["nothing at all", ""],
  ];
  for (const [what, text] of slow)
    it(`connection: a slow sender is cut (${what})`, async () => {
      const limits = { ...LIMITS, headersMs: 100, requestMs: 200, idleMs: 300 };
      const socket = await open((await serve({ limits })).url);
      if (text !== "") socket.write(text);
      assert.match(await untilClosed(socket), /^$|^HTTP\/1.1 408 /);
    });

  it("connection: one over the limit is dropped, the others go on", async () => {
    const { url } = await serve({ limits: { ...LIMITS, connections: 2 } });
    const held = [await open(url), await open(url)];
    assert.equal(await untilClosed(await open(url)), "");
    held[0].write("GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.match(await untilClosed(held[0]), /^HTTP\/1.1 200 /);
    held[1].destroy();
  });

  it("connection: whoever keeps one open does not keep the memory from ending", async () => {
    const { url, close } = await serve({});
    const socket = await open(url);
    socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /");
    await close();
    await untilClosed(socket);
    api = undefined;
  });

  it("connection: where metrics have a token, loopback is not enough", async () => {
    const token = "0123456789abcdef01234567";
    api = await startApi({ ...NO_MEMORY, metricsToken: Buffer.from(token) }, ANY);
    const ask = async (authorization: string) =>
      (await fetch(`${api!.url}/metrics`, { headers: { authorization } })).status;
    assert.deepEqual([await ask(""), await ask("Bearer x"), await ask(`Bearer ${token}`)], [401, 401, 200]);
  });

  it("connection: a database that does not answer is 503, and 500 elsewhere without a word of why", async () => {
    const { url } = await serve({});
    const health = await fetch(`${url}/health`);
    assert.equal(health.status, 503);
    assert.match(((await health.json()) as ProblemAnswer).detail, /database/);
    const token = await signToken(NO_MEMORY.tokens as never, "kim", 60, Date.now());
    const me = await fetch(`${url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(me.status, 500);
    assert.doesNotMatch(((await me.json()) as ProblemAnswer).detail, /behind this API/);
  });
});
