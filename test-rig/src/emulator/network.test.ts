import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { generate } from "selfsigned";
import { type Connection, type ConversationTracker, RealNetwork } from "./network";
import { VirtualTime } from "./virtual-time";

const LATENCY_MS = 40;
/** Longer than any test: only the tests of patience lose it. */
const PATIENT_MS = 600_000;
const HOST = "127.0.0.1";

/** A protocol of the simplest kind: every write is owed one byte. */
class ByteForWrite implements ConversationTracker {
  private readonly askedMs: number[] = [];

  sent(_bytes: Buffer, atMs: number): void {
    this.askedMs.push(atMs);
  }

  received(bytes: Buffer): number | undefined {
    return this.askedMs.splice(0, bytes.length).at(-1);
  }

  oldestMs(): number | undefined {
    return this.askedMs[0];
  }
}

/** A server under the test's control, and a badge's side that notes what it is told. */
class Scene {
  readonly time = new VirtualTime(() => performance.now());
  /** What the connection told, as `time what`. */
  readonly told: string[] = [];
  readonly network: RealNetwork;
  /** Called in virtual time for everything that the connection tells. */
  onTold: (what: string) => void = () => {};

  constructor(
    readonly server: Server,
    options: { patienceMs?: number; ca?: string } = {},
  ) {
    this.network = new RealNetwork({
      time: this.time,
      latencyMs: LATENCY_MS,
      patienceMs: PATIENT_MS,
      tracker: () => new ByteForWrite(),
      ...options,
    });
  }

  static async listen(server: Server, options?: { patienceMs?: number; ca?: string }): Promise<Scene> {
    server.listen(0, HOST);
    await once(server, "listening");
    return new Scene(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  open({ host = HOST, port = this.port, tls = false } = {}): Connection {
    const tell = (what: string) => {
      this.told.push(`${this.time.nowMs()} ${what}`);
      this.onTold(what);
    };
    return this.network.open(host, port, tls, {
      open: () => tell("open"),
      data: (bytes) => tell(`data ${bytes.toString("latin1")}`),
      close: () => tell("close"),
      error: (message) => tell(`error ${message}`),
    });
  }

  /** Runs until the connection tells this. */
  async until(what: string): Promise<void> {
    const told = () => this.told.some((line) => line.endsWith(` ${what}`));
    while (!(await this.time.run(this.time.nowMs() + 1, told))) await nextTurn();
  }

  /** Notes every ms of virtual time that passes, up to `untilMs`. */
  countMs(untilMs: number): number[] {
    const passed: number[] = [];
    for (let ms = this.time.nowMs(); ms <= untilMs; ms++) this.time.at(ms, () => passed.push(ms));
    return passed;
  }
}

/** A server whose one client the test gets. */
async function listenTcp(options?: {
  patienceMs?: number;
}): Promise<{ scene: Scene; client: Promise<Socket> }> {
  const server = createServer();
  const client = once(server, "connection").then(([socket]) => socket as Socket);
  return { scene: await Scene.listen(server, options), client };
}

describe("network: connections", () => {
  let scene: Scene;
  afterEach(() => scene.server.close());

  it("data both ways over TCP, in order, and counted", async () => {
    const { scene: tcp, client } = await listenTcp();
    scene = tcp;
    const connection = scene.open();
    await scene.until("open");
    const server = await client;
    connection.write(Buffer.from("ask"));
    const [asked] = await once(server, "data");
    server.write("a");
    await scene.until("data a");
    assert.equal(String(asked), "ask");
    assert.deepEqual(scene.told, ["40 open", "80 data a"]);
    const { sentBytes, receivedBytes, connections } = scene.network;
    assert.deepEqual(
      { sentBytes, receivedBytes, connections },
      { sentBytes: 3, receivedBytes: 1, connections: 1 },
    );
    connection.abort();
  });

  describe("TLS", () => {
    let pem: { private: string; cert: string };
    before(async () => {
      pem = await generate([{ name: "commonName", value: "localhost" }], {
        keyType: "ec",
        extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
      });
    });
    let asked: unknown;
    const listenTls = (ca?: string) => {
      const server = createTlsServer({ key: pem.private, cert: pem.cert }, (socket) => {
        asked = socket.servername;
        socket.on("error", () => socket.destroy());
        socket.on("data", (bytes) => socket.write(bytes.subarray(0, 1)));
      });
      return Scene.listen(server, { ca });
    };

    it("data both ways with a certificate that is trusted, asked for by name", async () => {
      scene = await listenTls(pem.cert);
      const connection = scene.open({ host: "localhost", tls: true });
      await scene.until("open");
      connection.write(Buffer.from("xyz"));
      await scene.until("data x");
      assert.deepEqual(scene.told, ["40 open", "80 data x"]);
      assert.equal(asked, "localhost");
      connection.abort();
    });

    it("a certificate that nobody vouches for is refused", async () => {
      scene = await listenTls();
      scene.open({ host: "localhost", tls: true });
      await scene.time.run(1000);
      assert.equal(scene.told.length, 1);
      assert.match(scene.told[0], /^40 error .*self-signed/);
    });

    it("a certificate of another name is refused", async () => {
      scene = await listenTls(pem.cert);
      scene.open({ tls: true });
      await scene.time.run(1000);
      assert.equal(scene.told.length, 1);
      assert.match(scene.told[0], /^40 error .*(altnames|IP)/);
    });
  });

  it("a port where nobody listens is refused, one latency after the attempt", async () => {
    const { scene: tcp } = await listenTcp();
    scene = tcp;
    const { port } = scene;
    scene.server.close();
    await once(scene.server, "close");
    scene.open({ port });
    await scene.time.run(1000);
    assert.deepEqual(scene.told, [`40 error connect ECONNREFUSED ${HOST}:${port}`]);
  });

  it("a close by the server while it owes an answer comes one latency after the question", async () => {
    const { scene: tcp, client } = await listenTcp();
    scene = tcp;
    const connection = scene.open();
    await scene.until("open");
    await scene.time.run(100);
    const server = await client;
    connection.write(Buffer.from("ask"));
    server.once("data", () => server.end());
    await scene.time.run(1000);
    assert.deepEqual(scene.told, ["40 open", "140 close"]);
    connection.write(Buffer.from("too late"));
    assert.equal(scene.network.sentBytes, 3);
  });

  it("what the server said before it closed comes before the close", async () => {
    const { scene: tcp, client } = await listenTcp();
    scene = tcp;
    const connection = scene.open();
    await scene.until("open");
    const server = await client;
    connection.write(Buffer.from("ask"));
    server.once("data", () => server.end("z"));
    await scene.until("close");
    assert.deepEqual(scene.told.slice(0, 2), ["40 open", "80 data z"]);
    assert.match(scene.told[2], /^\d+ close$/);
    assert.equal(scene.told.length, 3);
  });

  it("after abort nothing is told, not even what had arrived, nothing is held, and the server sees the end", async () => {
    const { scene: tcp, client } = await listenTcp();
    scene = tcp;
    const connection = scene.open();
    await scene.until("open");
    const server = await client;
    connection.write(Buffer.from("ask"));
    await once(server, "data");
    const ended = once(server, "close");
    server.on("error", () => undefined); // a reset is an end too
    server.write("a");
    while (scene.network.receivedBytes === 0) await nextTurn();
    connection.abort();
    await ended;
    await scene.time.run(1000);
    assert.equal(scene.time.nowMs(), 1000);
    assert.deepEqual(scene.told, ["40 open"]);
  });
});

describe("network: the hold on virtual time", () => {
  let scene: Scene;
  let server: Socket;
  let connection: Connection;

  const connect = async (options?: { patienceMs?: number }) => {
    const { scene: tcp, client } = await listenTcp(options);
    scene = tcp;
    connection = scene.open();
    await scene.until("open");
    server = await client;
  };
  afterEach(() => {
    connection.abort();
    scene.server.close();
  });

  it("an answer comes exactly one latency after the question, and time stands still until it does", async () => {
    await connect();
    await scene.time.run(1000);
    connection.write(Buffer.from("?"));
    await once(server, "data");
    const passed = scene.countMs(1100);
    const run = scene.time.run(1100);
    while (passed.at(-1) !== 1000 + LATENCY_MS) await nextTurn();
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    assert.equal(passed.at(-1), 1000 + LATENCY_MS);
    assert.equal(scene.time.nowMs(), 1000 + LATENCY_MS);
    server.write("!");
    await run;
    assert.deepEqual(scene.told, ["40 open", "1040 data !"]);
    assert.equal(passed.at(-1), 1100);
  });

  for (const early of [true, false])
    it(`has the same place among what is due at its time (answer ${early ? "before" : "after"} the rest of it)`, async () => {
      await connect();
      const order: string[] = [];
      scene.onTold = (what) => order.push(what);
      connection.write(Buffer.from("?"));
      const answer = async () => {
        server.write("!");
        while (scene.network.receivedBytes === 0) await nextTurn();
      };
      if (early) await answer();
      scene.time.at(70, () => scene.time.at(80, () => order.push("scheduled late")));
      scene.time.at(80, () => order.push("scheduled early"));
      const run = scene.time.run(100);
      if (!early) {
        while (order.length < 2) await nextTurn();
        await answer();
      }
      await run;
      assert.deepEqual(order, ["scheduled early", "scheduled late", "data !"]);
      assert.deepEqual(scene.told, ["40 open", "80 data !"]);
    });

  it("each of several questions has its answer one latency later, though all answers come late in real time", async () => {
    await connect();
    for (const ms of [100, 110, 125]) scene.time.at(ms, () => connection.write(Buffer.from("?")));
    let heard = 0;
    server.on("data", (bytes) => {
      heard += bytes.length;
    });
    let answers = 0;
    const answer = () => server.write(String(++answers));
    scene.onTold = () => {
      if (answers < 3) answer();
    };
    const run = scene.time.run(1000);
    while (heard < 3) await nextTurn();
    answer();
    await run;
    assert.deepEqual(scene.told, ["40 open", "140 data 1", "150 data 2", "165 data 3"]);
  });

  it("a question that is answered holds nothing: time passes freely until the next one", async () => {
    await connect();
    server.on("data", () => server.write("!"));
    for (const ms of [100, 5000]) scene.time.at(ms, () => connection.write(Buffer.from("?")));
    await scene.time.run(10_000);
    assert.deepEqual(scene.told, ["40 open", "140 data !", "5040 data !"]);
  });

  it("patience ends the hold of a server that never answers, once for all questions", async () => {
    await connect({ patienceMs: 20 });
    server.resume();
    const startMs = performance.now();
    for (const ms of [100, 200, 300]) scene.time.at(ms, () => connection.write(Buffer.from("?")));
    await scene.time.run(10_000);
    assert.deepEqual(scene.told, ["40 open"]);
    assert.ok(performance.now() - startMs >= 19);
    server.write("!");
    while (scene.network.receivedBytes === 0) await nextTurn();
    await scene.time.run(10_000);
    assert.deepEqual(scene.told, ["40 open", "10000 data !"]);
  });

  it("patience ends the hold of a connection that is never made (TLS to a server that says nothing)", async () => {
    const { scene: tcp } = await listenTcp({ patienceMs: 20 });
    scene = tcp;
    connection = scene.open({ tls: true });
    await scene.time.run(10_000);
    assert.equal(scene.time.nowMs(), 10_000);
    assert.deepEqual(scene.told, []);
  });
});
