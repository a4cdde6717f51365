// The badge program: puts the parts together and starts them. No logic of its own.
import { millis, setInterval, VoiceFrontEnd } from "@devicescript/core";
import { badgeCrypto } from "./badge-crypto";
import { Epochs } from "./epochs";
import { readAny, readIdentity, readTuning } from "./identity";
import type { Identity } from "./link";
import { Outbox } from "./outbox";
import { loadPhrases, Phrases } from "./phrases";
import { Recorder } from "./recorder";
import type { Epoch } from "./sealer";
import { Trace } from "./trace";
import { runUplink } from "./uplink";

const RECORDER_TICK_MS = 1000;

async function start(identity: Identity): Promise<void> {
  const crypto = badgeCrypto();
  const trace = new Trace((line) => console.log(line));
  const outbox = new Outbox();
  const epochs = new Epochs(crypto);
  await epochs.prepare();
  const nowMs = () => Math.floor(millis());
  const prepareEpoch = async () => await epochs.prepare();
  const takeEpoch = (): Epoch | undefined => {
    const epoch = epochs.take();
    if (epoch !== undefined) prepareEpoch.start();
    return epoch;
  };
  const badgeId = identity.badgeId;
  const phrases = new Phrases(await loadPhrases(readAny, (sentence) => console.warn(sentence)));
  const ports = { crypto, badgeId, outbox, trace, phrases, nowMs, takeEpoch };
  const recorder = new Recorder(ports, await readTuning());
  const onClock = (unixMs: number) => recorder.setClock(unixMs);
  const uplinkPorts = { crypto, identity, outbox, trace, nowMs, onClock };
  const uplink = async () => await runUplink(uplinkPorts);
  uplink.start();
  listen((frame) => recorder.frame(frame));
  setInterval(() => recorder.tick(), RECORDER_TICK_MS);
  const { proto, host, port } = identity.relay;
  trace.ready(badgeId.toString("hex"), `${proto}://${host}:${port}`);
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

const identity = await readIdentity();
if (identity !== undefined) await start(identity);
else console.warn("this badge is not provisioned: run 'salestag provision'");
