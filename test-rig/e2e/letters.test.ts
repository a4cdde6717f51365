// Letters from the team, through a relay that only passes them on: a nudge is shown once, a configuration used, both remembered over a power cut and not
// believed when somebody else made them.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import {
  decodeHello,
  encodeChallenge,
  encodeWelcome,
  FRAME_PAYLOAD_BYTES_MAX,
  FrameSplitter,
  FrameType,
  inboxKeyOf,
  type Nudge,
  plainFrame,
  proofOf,
  Session,
  Side,
  sealConfiguration,
  sealNudge,
} from "@salestag/protocol";
import { nodeCrypto } from "@salestag/protocol/host";
import {
  BadgeSettings,
  JD_CLASS_DEVICESCRIPT_MANAGER,
  JD_CLASS_SETTINGS,
  setProgramRunning,
} from "@salestag/protocol/jacdac";
import { type BadgeState, newBadgeState } from "../src/badge-state";
import { BENCH_DEFAULTS, Bench } from "../src/bench";

const crypto = nodeCrypto();
const BADGE_ID = randomBytes(8);
const AUTH_KEY = randomBytes(32);
const CHAIN_KEY = randomBytes(32);

/** A relay that proves itself, welcomes, and then sends what it is given. */
class PassingRelay {
  letters: [type: FrameType, body: Buffer][] = [];
  private server: Server | undefined;

  async listen(): Promise<number> {
    const server = createServer((socket) => this.serve(socket));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as { port: number }).port;
  }

  close(): void {
    this.server?.close();
  }

  private serve(socket: Socket): void {
    const splitter = new FrameSplitter(FRAME_PAYLOAD_BYTES_MAX);
    let session: Session | undefined;
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) =>
      splitter.push(bytes, (payload) => {
        if (payload[0] === FrameType.Hello) {
          const { version, badgeId, nonce } = decodeHello(payload.subarray(1));
          const introduction = { version, badgeId, badgeNonce: nonce, relayNonce: randomBytes(16) };
          const proof = proofOf(crypto, AUTH_KEY, Side.Relay, introduction);
          socket.write(
            plainFrame(FrameType.Challenge, encodeChallenge({ nonce: introduction.relayNonce, proof })),
          );
          session = new Session(crypto, Side.Relay, AUTH_KEY, introduction);
        } else if (payload[0] === FrameType.Proof && session !== undefined) {
          const welcome = { unixMs: 1780000000000, nextEpoch: 0, nextIndex: 0, window: 0, configVersion: 0 };
          const proven = session;
          const frames = this.letters.map(([type, body]) => proven.frame.bind(proven, type, body));
          const first = proven.frame(FrameType.Welcome, encodeWelcome(welcome));
          // In one piece: virtual time does not wait for what the relay says unasked.
          socket.write(Buffer.concat([first, ...frames.map((frame) => frame())]));
        }
      }),
    );
  }
}

describe("end to end: letters", () => {
  const inboxKey = inboxKeyOf(crypto, CHAIN_KEY);
  const nudge = (id: number, more: Partial<Nudge> = {}) =>
    sealNudge(crypto, inboxKey, BADGE_ID, {
      id,
      expiresUnixMs: 0,
      pattern: 2,
      text: "Ask about the roof",
      ...more,
    });
  let relay: PassingRelay;
  let state: BadgeState;

  before(async () => {
    relay = new PassingRelay();
    const port = await relay.listen();
    state = newBadgeState("0102030405060708");
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state });
    await bench.time.run(1000);
    const { client } = bench;
    await bench.drive(
      (async () => {
        const manager = await client.find(JD_CLASS_DEVICESCRIPT_MANAGER, 5000);
        const [service] = client.servicesOf(JD_CLASS_SETTINGS);
        await setProgramRunning(client, manager, false);
        const settings = new BadgeSettings(client, service);
        for (const [key, value] of Object.entries({
          authKey: AUTH_KEY.toString("hex"),
          chain: { n: 0, k: CHAIN_KEY.toString("hex") },
          relay: `tcp://127.0.0.1:${port}`,
          badge: BADGE_ID.toString("hex"),
        }))
          await settings.write(key, Buffer.from(JSON.stringify(value)));
      })(),
    );
    state = bench.state();
    bench.badge.powerOff();
  });
  after(() => relay.close());

  const configuration = (version: number, tuning: string, consent: string, key = inboxKey) =>
    sealConfiguration(crypto, key, BADGE_ID, { version, tuning, consent });

  /** Switches the badge on until it is connected and has had time to look. @returns the bench, its badge switched off */
  async function handed(letters: [FrameType, Buffer][]): Promise<Bench> {
    relay.letters = letters;
    const bench = await Bench.open({ ...BENCH_DEFAULTS, state });
    assert.ok(await bench.until(() => bench.traced("up").length > 0, 30_000));
    await bench.until(() => false, 5000);
    state = bench.state();
    bench.badge.powerOff();
    return bench;
  }

  /** @returns numbers of the nudges that the badge showed */
  async function shown(nudges: Buffer[]): Promise<number[]> {
    const bench = await handed(nudges.map((body) => [FrameType.Nudge, body]));
    return bench.traced("nudge").map(({ cause, id }) => {
      assert.equal(cause, 3);
      return id;
    });
  }

  /** @returns versions of the configurations that the badge looked at, whether it uses each, and what it shows last */
  async function configured(configurations: Buffer[]) {
    const bench = await handed(configurations.map((body) => [FrameType.Config, body]));
    const versions = bench.traced("configured").map(({ version, used }) => [version, used]);
    return { versions, shows: bench.traced("shows").at(-1)?.pattern };
  }

  it("a nudge is shown once, also after a power cut; a later one is shown", async () => {
    assert.deepEqual(await shown([nudge(1)]), [1]);
    assert.deepEqual(await shown([nudge(1), nudge(2)]), [2]);
  });

  it("a nudge is not shown when it came too late, when somebody else made it, for another badge, or when it is none", async () => {
    const forged = sealNudge(crypto, randomBytes(32), BADGE_ID, {
      id: 9,
      expiresUnixMs: 0,
      pattern: 1,
      text: "",
    });
    const other = sealNudge(crypto, inboxKey, randomBytes(8), {
      id: 9,
      expiresUnixMs: 0,
      pattern: 1,
      text: "",
    });
    const late = nudge(5, { expiresUnixMs: 1780000000000 - 1 });
    assert.deepEqual(await shown([forged, other, Buffer.from([0x80]), late, nudge(6)]), [6]);
  });

  it("a configuration is used at once, and still after a power cut; an earlier one and the same again are not", async () => {
    const off = configuration(2, "", '{"policy":"off"}');
    assert.deepEqual(await configured([off]), { versions: [[2, 1]], shows: "off" });
    assert.deepEqual(await configured([off]), { versions: [], shows: "off" });
    const announce = (version: number) =>
      configuration(version, '{"talkShareMax":60}', '{"policy":"announce"}');
    assert.deepEqual(await configured([announce(1)]), { versions: [], shows: "off" });
    assert.deepEqual(await configured([announce(3)]), { versions: [[3, 1]], shows: "ready" });
  });

  it("a configuration that cannot be used, or that somebody else made, changes nothing", async () => {
    const forged = configuration(9, "", '{"policy":"off"}', randomBytes(32));
    const nudgeAsOne = nudge(9);
    assert.deepEqual((await configured([forged])).versions, []);
    assert.deepEqual((await configured([nudgeAsOne])).versions, []);
    for (const [at, [tuning, consent]] of [
      ["{", ""],
      ['{"talkShareMax":101}', '{"policy":"off"}'],
      ["", '{"policy":"sometimes"}'],
      ['{"volume":11}', ""],
    ].entries()) {
      const found = await configured([configuration(10 + at, tuning, consent)]);
      assert.deepEqual(found, { versions: [[10 + at, 0]], shows: "ready" });
    }
  });

  it("the chain's first key is nowhere in the flash any more", () => {
    for (const bytes of [CHAIN_KEY, Buffer.from(CHAIN_KEY.toString("hex"))]) {
      assert.equal(state.chip.contains(bytes), false);
      assert.equal(state.flash.includes(bytes), false);
    }
  });
});
