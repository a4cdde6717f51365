// What strangers and broken programs send, on real sockets: each is answered or cut, and the next request is served.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { idOf, NUMBERS } from "../testing/teams";
import { PURPOSE, useApi } from "./api.fixture";
import { LIMITS } from "./limits";

const ID = idOf("a", NUMBERS.conversation);

describe("memory: hostile requests", () => {
  const served = useApi();
  let authorization = "";
  beforeEach(async () => {
    authorization = `Bearer ${await served().token("a-rep")}`;
  });
  afterEach(async () => {
    assert.equal((await fetch(`${served().url}/health`)).status, 200);
    assert.deepEqual(served().logged, []);
  });

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${served().url}${path}`, { headers: { authorization, ...PURPOSE, ...headers } });
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, type = "application/json") =>
    fetch(`${served().url}${path}`, {
      method: "POST",
      body,
      headers: { authorization, ...PURPOSE, "content-type": type },
    });

  /** Sends bytes as they are. @returns all that comes back until the end */
  function raw(...parts: string[]): Promise<string> {
    const { hostname, port } = new URL(served().url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      let text = "";
      socket.setEncoding("utf8");
      socket.on("data", (part) => {
        text += part;
      });
      socket.on("error", (cause: NodeJS.ErrnoException) =>
        cause.code === "ECONNRESET" ? resolve(text) : reject(cause),
      );
      socket.on("close", () => resolve(text));
      for (const part of parts) socket.write(part);
    });
  }

  const paths = [
    "/v1/conversations/..%2f..%2fetc%2fpasswd",
    "/v1/conversations/../../../etc/passwd",
    "/v1/conversations/%00",
    "/v1/conversations/%ff",
    "/v1/conversations/%",
    `/v1/conversations/${"a".repeat(200)}`,
    `/v1/conversations/${ID}%20or%201=1`,
    `/v1/conversations/${ID}';drop table salestag.person;--`,
    `/v1/conversations/${ID.toUpperCase()}`,
    `/v1/conversations/${ID}%0d%0aX-Injected:%20yes/audio`,
    "/v1/conversations?limit=0",
    "/v1/conversations?limit=101",
    "/v1/conversations?limit=1&limit=2",
    "/v1/conversations?limit=NaN",
    "/v1/conversations?from=yesterday",
    "/v1/conversations?from=0000-01-01T00:00:00Z",
    "/v1/conversations?tag=nothing",
    `/v1/conversations?${"tag=competitor&".repeat(26)}`,
    "/v1/conversations?after=' or 1=1",
    "/v1/conversations?__proto__=1",
    "/v1/conversations?unknown=1",
    "/v1/conversations?constructor.prototype=1",
    "/v1/customers?after=x",
    "//v1/me",
    "/v1/me/",
    "/V1/ME",
  ];
  for (const path of paths)
    it(`hostile: an address is refused (${path.slice(0, 60)})`, async () => {
      const response = await get(path);
      assert.ok([400, 404, 414].includes(response.status), `${response.status} ${await response.text()}`);
      assert.equal(response.headers.get("x-injected"), null);
      assert.equal(response.headers.get("content-type")?.split(";")[0], "application/problem+json");
    });

  const bodies: [string, string | Uint8Array<ArrayBuffer>, number, string?][] = [
    ["no JSON", "{", 400],
    ["empty", "", 400],
    ["null", "null", 400],
    ["a list", "[]", 400],
    ["deep", "[".repeat(30_000), 400],
    ["deep and closed", `${'{"name":'.repeat(6_000)}1${"}".repeat(6_000)}`, 400],
    ["long", JSON.stringify({ name: "x".repeat(LIMITS.bodyBytes) }), 413],
    ["poisoned prototype", '{"name":"x","territoryId":null,"__proto__":{"role":"manager"}}', 400],
    ["poisoned constructor", '{"name":"x","territoryId":null,"constructor":{"prototype":{"a":1}}}', 400],
    ["a property too many", '{"name":"x","territoryId":null,"teamId":"b"}', 400],
    ["a number for a name", '{"name":1,"territoryId":null}', 400],
    ["an object for an id", '{"name":"x","territoryId":{"$ne":null}}', 400],
    ["an empty name", '{"name":"","territoryId":null}', 400],
    ["NUL in a name", '{"name":"a\\u0000b","territoryId":null}', 422],
    ["a form", "name=x", 415, "application/x-www-form-urlencoded"],
    ["XML", "<x/>", 415, "text/xml"],
    ["bytes that are no UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe]), 400],
  ];
  for (const [what, body, status, type] of bodies)
    it(`hostile: a body is refused (${what})`, async () => {
      const response = await post("/v1/customers", body, type);
      assert.equal(response.status, status, await response.clone().text());
      assert.match(((await response.json()) as { detail: string }).detail, /\.$/);
    });

  it("hostile: SQL in a name is a name", async () => {
    const name = "'); drop table salestag.person; --";
    const response = await post("/v1/customers", JSON.stringify({ name, territoryId: null }));
    assert.equal(response.status, 201);
    assert.equal(((await response.json()) as { name: string }).name, name);
  });

  it("hostile: what a problem tells does not hold what came", async () => {
    const text = await (await get("/v1/conversations?from=<script>alert(1)</script>")).text();
    assert.doesNotMatch(text, /script/);
  });

  it("hostile: huge headers are refused", async () => {
    const answer = await raw(
      `GET /v1/me HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(LIMITS.headerBytes)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1.1 431 /);
    assert.match(answer, /problem\+json/);
  });

  const requests: [string, string][] = [
    ["no HTTP", "hello\r\n\r\n"],
    ["TLS to a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["two lengths", "POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    [
      "length and chunks",
      "POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a bad chunk", "POST /ingest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ["a header with a line break in it", "GET /v1/me HTTP/1.1\r\nHost: x\r\nA: b\n\r\r\nc\r\n\r\n"],
  ];
  for (const [what, text] of requests)
    it(`hostile: what cannot be read is answered 400 and cut (${what})`, async () => {
      assert.match(await raw(text), /^HTTP\/1.1 400 /);
    });

  it("hostile: a method that is not there is told so", async () => {
    for (const method of ["DELETE", "OPTIONS", "PATCH", "TRACE"]) {
      const answer = await raw(`${method} /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1.1 (404|405|400) /, method);
      assert.doesNotMatch(answer, /access-control/i);
    }
  });

  it("hostile: a body over the limit is refused before it is read (announced and chunked)", async () => {
    const head =
      "POST /v1/customers HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json";
    const signed = `${head}\r\nAuthorization: ${authorization}`;
    const announced = await raw(`${signed}\r\nContent-Length: 1000000000\r\n\r\n`);
    assert.match(announced, /^HTTP\/1.1 413 /);
    const chunk = `${(65_537).toString(16)}\r\n${" ".repeat(65_537)}\r\n`;
    assert.match(
      await raw(`${signed}\r\nTransfer-Encoding: chunked\r\n\r\n`, chunk, "0\r\n\r\n"),
      /^HTTP\/1.1 413 /,
    );
  });
});
