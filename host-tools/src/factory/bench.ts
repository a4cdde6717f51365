// What the factory test's steps work with: the badge on its port, who stands beside it, and what earlier steps found out.
import {
  type JacdacClient,
  JD_INDEX_CONTROL,
  type JdService,
  JdTimeoutError,
} from "@salestag/protocol/jacdac";
import type { KnownProgram } from "../doctor/badge-checks";
import type { WifiNetwork } from "../provision/wifi";
import type { BadgePort } from "../usb/badge-port";
import type { Observation } from "../usb/observe";
import type { Person } from "./person";

export interface FactoryBench {
  port: BadgePort;
  client: JacdacClient;
  /** The badge's own services. */
  manager: JdService;
  settingsService: JdService;
  person: Person;
  /** Ends what is asked of the person: Ctrl-C, or the badge is gone. */
  signal: AbortSignal;
  /** The person is waited for so long. */
  waitMs: number;
  /** @returns 0 to `below` - 1 */
  random: (below: number) => number;
  /** Program that the badge is to have. */
  known: KnownProgram | undefined;
  /** What the badge showed before anything was stopped. */
  seen: Observation;
  /** Network to join. */
  network?: WifiNetwork;
  /** What the bench supply shows, mA. */
  currentMa?: number;
  /** The flash test may erase a sector that is not blank. */
  erase: boolean;
  heard: Heard;
}

/** What the step `microphone` found out for those after it. */
export interface Heard {
  /** Level of the room, dBFS; undefined: the microphone cannot be used to judge others. */
  floorDbfs?: number;
  /** How far the badge's own tone stands out of it, dB. */
  ownToneDb?: number;
  /** The microphone was switched off throughout. */
  mutedThroughout: boolean;
}

const FIND_MS = 3000;
const PATIENCE = { timeoutMs: 6000, resendMs: 200 };
/** Jacdac's control service: do nothing. */
const COMMAND_NOOP = 0x80;
/** Jacdac's report of a service to a command that it does not know; its first word is the command. */
const REPORT_NOT_IMPLEMENTED = 0x03;

/** @returns a service that something on the badge's bus announces; undefined for none */
export async function serviceOf(client: JacdacClient, serviceClass: number): Promise<JdService | undefined> {
  try {
    return await client.find(serviceClass, FIND_MS);
  } catch (cause) {
    if (cause instanceof JdTimeoutError) return undefined;
    throw cause;
  }
}

/**
 * Sends a command that may be taken twice.
 * @returns why the service does not take it; undefined when it does
 */
export async function refusalOf(
  client: JacdacClient,
  service: JdService,
  command: number,
  data: Buffer,
): Promise<string | undefined> {
  let refused = false;
  client
    .await("refusal", PATIENCE.timeoutMs, (deviceId, index, reported, body) => {
      const mine = deviceId === service.deviceId && index === service.serviceIndex;
      if (!mine || reported !== REPORT_NOT_IMPLEMENTED || body.length < 2) return undefined;
      refused ||= body.readUInt16LE(0) === command;
      return refused || undefined;
    })
    .catch(() => undefined); // nobody refused, or the line is gone, which the next request tells
  try {
    await client.acknowledged(service, command, data, PATIENCE);
    // A refusal is on its way before the device acknowledges what comes next.
    const control = { deviceId: service.deviceId, serviceIndex: JD_INDEX_CONTROL };
    await client.acknowledged(control, COMMAND_NOOP, Buffer.alloc(0), PATIENCE);
  } catch (cause) {
    if (cause instanceof JdTimeoutError) return "it does not answer";
    throw cause;
  }
  return refused ? "it does not know the command" : undefined;
}
