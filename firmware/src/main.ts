// The badge program: puts the parts together and starts them. No logic of its own.
import { millis, sleep, VoiceFrontEnd } from "@devicescript/core";
import { FRAME_MS, type FrameType } from "@salestag/protocol";
import { badgeCrypto } from "./badge-crypto";
import { Bell } from "./bell";
import { HEALTH_MS } from "./config";
import { testIfAsked } from "./factory";
import { openChip } from "./flash/open-chip";
import {
  keepConfiguration,
  readAny,
  readConfigured,
  readConsent,
  readIdentity,
  readTuning,
  takeCheck,
} from "./identity";
import { Keeper } from "./keeper";
import type { Identity } from "./link";
import { loadPhrases, Phrases } from "./phrases";
import { openStorage } from "./storage";
import { Trace } from "./trace";
import { runUplink } from "./uplink";

async function start(identity: Identity, trace: Trace): Promise<void> {
  const crypto = badgeCrypto();
  const chip = await openChip();
  if (chip === undefined) {
    console.warn(
      "no flash chip answers: nothing can be recorded. Check the chip's connections and start again",
    );
    await repeat(() => trace.nochip());
    return;
  }
  const { store, log } = await openStorage(chip, crypto, identity.badgeId);
  const phrases = new Phrases(await loadPhrases(readAny, (sentence) => console.warn(sentence)));
  const bell = new Bell();
  const keeper = new Keeper({
    crypto,
    trace,
    identity,
    store,
    log,
    phrases,
    tuning: await readTuning(),
    consent: await readConsent(),
    configured: await readConfigured(),
    configure: keepConfiguration,
    nowMs: () => Math.floor(millis()),
    onStored: () => bell.ring(),
  });
  await keeper.prepare();
  keeper.recorder.checkFrames = Math.round((await takeCheck()) / FRAME_MS);
  const uplinkPorts = {
    crypto,
    identity,
    outbox: keeper.outbox,
    trace,
    bell,
    nowMs: () => Math.floor(millis()),
    onClock: (unixMs: number) => keeper.clock(unixMs),
    onLetter: (type: FrameType, body: Buffer) => keeper.letter(type, body),
    onUp: (up: boolean) => keeper.online(up),
    restMs: () => keeper.restMs(),
    allSent: () => keeper.allSent(),
  };
  const uplink = async () => await runUplink(uplinkPorts);
  uplink.start();
  const keep = async () => await keeper.run();
  keep.start();
  const storing = async () => await keeper.runStorage();
  storing.start();
  const panel = async () => await keeper.panel.run();
  panel.start();
  listen((frame) => keeper.recorder.frame(frame));
  const { proto, host, port } = identity.relay;
  trace.ready(identity.badgeId.toString("hex"), `${proto}://${host}:${port}`);
}

/** Says for ever what is wrong: whoever looks later is to know it too. */
async function repeat(say: () => void): Promise<void> {
  for (;;) {
    say();
    await sleep(HEALTH_MS);
  }
}

/**
 * Streams the front end's frames to `take`. A subscription of the runtime keeps only the newest of several reports that arrive
 * before its fiber runs, so the frames are taken where the runtime hands them to the subscription.
 */
function listen(take: (frame: Buffer) => void): void {
  const frontEnd = new VoiceFrontEnd();
  frontEnd.reading.subscribe(() => {});
  const internals = frontEnd as unknown as {
    _changeHandlers: { reading: { emit: (frame: Buffer) => void } };
  };
  internals._changeHandlers.reading = { emit: take };
}

const trace = new Trace((line) => console.log(line));
await testIfAsked(trace);
const identity = await readIdentity();
if (identity !== undefined) await start(identity, trace);
else {
  console.warn("this badge is not provisioned: run 'salestag provision'");
  await repeat(() => trace.unprovisioned());
}
