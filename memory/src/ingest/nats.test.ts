// The JetStream source on a real NATS server: what it takes it has made durable first, and an outage of the server or of the disk loses nothing.
import { strict as assert } from "node:assert";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type ChunkRecord, encodeRecord } from "@salestag/protocol/host";
import { lineLog, systemClock } from "@salestag/protocol/service";
import { NatsServer, requireProgram, useFolder } from "@salestag/protocol/testing";
import { Problems } from "../pipeline/problems";
import { talk } from "../testing/team";
import { Archive } from "./archive";
import { Intake } from "./intake";
import { NatsSource } from "./nats";

const RECORDS = talk({ phrases: ["too expensive"] });
const PLACE = { badge: RECORDS[0].badge, epoch: 0 };

describe("ingest: NATS", () => {
  const folder = useFolder();
  let server: NatsServer | undefined;
  let source: NatsSource | undefined;

  before(function () {
    requireProgram(this as unknown as Mocha.Context, "nats-server");
  });
  afterEach(async () => {
    await source?.close();
    await server?.end();
  });

  async function publish(url: string, payloads: Buffer[]): Promise<void> {
    const connection = await connect({ servers: url });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: "CHUNKS", subjects: ["salestag.chunks.*"] }).catch(() => undefined);
    for (const payload of payloads) await jetstream(connection).publish("salestag.chunks.x", payload);
    await connection.close();
  }

  /** @returns how many messages the consumer has not acknowledged, and how many are left to deliver */
  async function left(url: string): Promise<[number, number]> {
    const connection = await connect({ servers: url });
    const manager = await jetstreamManager(connection);
    const { num_ack_pending, num_pending } = await manager.consumers.info("CHUNKS", "memory");
    await connection.close();
    return [num_ack_pending, num_pending];
  }

  function startSource(url: string, fail: () => boolean = () => false) {
    const archive = Archive.open(join(folder(), "chunks"));
    const arrivals = new EventEmitter();
    const intake = new Intake({ archive, onArrival: (record) => arrivals.emit("arrival", record) });
    const take = async (records: ChunkRecord[]) => {
      if (fail()) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      await intake.take(records);
    };
    const lines: string[] = [];
    const log = lineLog(systemClock, (line) => lines.push(line), true);
    const problems = new Problems(log, () => 0);
    const place = { servers: [url], stream: "CHUNKS", consumer: "memory" };
    source = new NatsSource({ place, intake: { take }, problems, clock: systemClock });
    source.start();
    const until = async (count: number) => {
      while (archive.count(PLACE) < count) await once(arrivals, "arrival");
    };
    return { archive, problems, until };
  }

  it("take: chunks are in the archive and acknowledged; what is no chunk is told and not sent again", async () => {
    server = await NatsServer.start();
    await publish(server.url, [Buffer.from("no chunk"), ...RECORDS.map(encodeRecord)]);
    const { archive, problems, until } = startSource(server.url);
    await until(RECORDS.length);
    assert.deepEqual(archive.read(PLACE).records, RECORDS);
    await source?.close();
    assert.deepEqual(await left(server.url), [0, 0]);
    assert.match(problems.list()[0].what, /MessagePack|map/);
  });

  it("outage: the server goes and comes back, and what was published then is taken", async () => {
    server = await NatsServer.start();
    await publish(server.url, RECORDS.slice(0, 3).map(encodeRecord));
    const { until } = startSource(server.url);
    await until(3);
    await server.kill();
    await server.up();
    await publish(server.url, RECORDS.slice(3).map(encodeRecord));
    await until(RECORDS.length);
  });

  it("disk: a chunk that could not be kept comes again", async () => {
    server = await NatsServer.start();
    await publish(server.url, RECORDS.map(encodeRecord));
    let refusals = 2;
    const { until } = startSource(server.url, () => refusals-- > 0);
    await until(RECORDS.length);
  });
});
