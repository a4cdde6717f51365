// The S3 sink against a server of its protocol, and its signatures against those that another package makes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@salestag/protocol/service";
import { sign } from "aws4";
import { AwsClient } from "aws4fetch";
import S3rver from "s3rver";
import { entryOf } from "../testing/entries";
import { objectKey, type S3Place, s3Sink } from "./s3";

const A = "0102030405060708";
const B = "1112131415161718";
const NEVER = new AbortController().signal;

describe("sink: S3", () => {
  let folder: string;
  let server: S3rver;
  let place: S3Place;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "salestag-s3-"));
    server = new S3rver({
      address: "127.0.0.1",
      port: 0,
      silent: true,
      directory: folder,
      configureBuckets: [{ name: "chunks", configs: [] }],
    });
    const { port } = (await server.run()) as AddressInfo;
    place = {
      endpoint: `http://127.0.0.1:${port}`,
      region: "eu-central-1",
      bucket: "chunks",
      prefix: "team a/",
      accessKeyId: "S3RVER",
      secretAccessKey: "S3RVER",
    };
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function get(path: string): Promise<Response> {
    const { accessKeyId, secretAccessKey, endpoint, region } = place;
    return new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3" }).fetch(
      `${endpoint}/chunks${path}`,
    );
  }

  async function keys(): Promise<string[]> {
    const listing = await (await get("?list-type=2")).text();
    return [...listing.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
  }

  it("one object a chunk, its key ends in the digest of its content, a second delivery changes nothing", async () => {
    const entries = [entryOf(A, 1, 0), entryOf(A, 1, 1), entryOf(B, 20, 0, 60_000)];
    for (let round = 0; round < 2; round++) await s3Sink(place, systemClock).deliver(entries, NEVER);
    assert.deepEqual(await keys(), entries.map((entry) => objectKey(place.prefix, entry)).sort());
    for (const entry of entries) {
      const key = objectKey(place.prefix, entry);
      const body = Buffer.from(await (await get(`/${encodeURI(key)}`)).arrayBuffer());
      assert.deepEqual(body, entry.encoded);
      const digest = createHash("sha256").update(body).digest("hex");
      assert.ok(key.endsWith(`-${digest}.chunk`), key);
    }
  });

  it("hundreds of chunks of many badges", async () => {
    const badges = Array.from({ length: 40 }, (_, at) => `00000000000000${(16 + at).toString(16)}`);
    const entries = badges.flatMap((badge) => [0, 1, 2, 3, 4].map((index) => entryOf(badge, 1, index)));
    await s3Sink(place, systemClock).deliver(entries, NEVER);
    assert.equal((await keys()).length, 200);
  });

  it("a wrong secret, a missing bucket and nobody there are told; the secret is not", async () => {
    const secretAccessKey = "a-secret-that-is-wrong";
    const failing: [Partial<S3Place>, RegExp][] = [
      [{ accessKeyId: "nobody", secretAccessKey }, /answered 403.*InvalidAccessKeyId/],
      [{ bucket: "elsewhere" }, /answered 404.*NoSuchBucket/],
      [{ endpoint: "http://127.0.0.1:1" }, /ECONNREFUSED|bad port/],
    ];
    for (const [change, message] of failing) {
      const sink = s3Sink({ ...place, ...change }, systemClock);
      await assert.rejects(sink.deliver([entryOf(A, 1, 0)], NEVER), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!(error.message + sink.name).includes(secretAccessKey));
        return true;
      });
    }
  });

  it("a request is signed as the other package signs it: Signature Version 4, the content's digest included", async () => {
    let seen: { headers: IncomingHttpHeaders; path: string } | undefined;
    const listening = createServer((request, response) => {
      seen = { headers: request.headers, path: request.url ?? "" };
      request.resume().on("end", () => response.end());
    });
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
    const entry = entryOf(A, 1, 0);
    await s3Sink({ ...place, endpoint, ...keys }, systemClock).deliver([entry], NEVER);
    const { headers, path } = seen as unknown as { headers: IncomingHttpHeaders; path: string };
    const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "")?.[1].split(";") ?? [];
    assert.ok(signed.includes("x-amz-content-sha256") && signed.includes("x-amz-date"), `${signed}`);
    const again = sign(
      {
        service: "s3",
        region: place.region,
        method: "PUT",
        path,
        headers: Object.fromEntries(signed.map((name) => [name, headers[name] as string])),
      },
      keys,
    );
    assert.equal(
      headers.authorization?.replaceAll(" ", ""),
      String(again.headers?.Authorization).replaceAll(" ", ""),
    );
    listening.close();
  });

  it("a server that accepts and says nothing is given up when the relay ends", async () => {
    const ended = new AbortController();
    const silent = createServer(() => ended.abort());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const sink = s3Sink({ ...place, endpoint }, systemClock);
    await assert.rejects(sink.deliver([entryOf(A, 1, 0)], ended.signal), { name: "AbortError" });
    silent.closeAllConnections();
    silent.close();
  });
});
