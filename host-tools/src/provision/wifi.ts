// A badge's Wi-Fi, over USB: what is in the air, writing the one network that the runtime keeps, and joining it.
import type { JacdacClient, JdService } from "@salestag/protocol/jacdac";
import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";

/** Service class of Jacdac's wifi; the runtime of an ESP32 has it, that of a computer does not. */
export const JD_CLASS_WIFI = 0x18aae1fa;

/** The network that a badge is to join. */
export interface WifiNetwork {
  /** 1 to 32 bytes of UTF-8. */
  ssid: string;
  /** 8 to 63 characters; empty for an open network. */
  password: string;
}

/** An access point that a badge hears. */
export interface HeardNetwork {
  ssid: string;
  hasPassword: boolean;
  rssiDbm: number;
  channel: number;
}

const COMMAND_RESULTS = 0x80;
const COMMAND_ADD = 0x81;
const COMMAND_RECONNECT = 0x82;
const COMMAND_SCAN = 0x86;
const REGISTER_RSSI = 0x101;
const REGISTER_IP = 0x181;
const REGISTER_SSID = 0x183;
const EVENT = 0x8000;
const EVENT_CODE_MASK = 0x80ff;
const EVENT_SCAN_COMPLETE = 0x80;
const EVENT_CONNECTION_FAILED = 0x82;
/** So many failures in a row are no accident. */
const FAILURES_MAX = 2;
const ANSWER_MS = 5000;
const SCAN_MS = 15_000;
const POLL_MS = 150;
const JOIN_MS = 20_000;
const SSID_BYTES_MAX = 32;
const PASSWORD_MIN = 8;
const PASSWORD_MAX = 63;
const RESULT_NAME_AT = 16;

/**
 * @throws ToolError when no badge could ever join it
 */
export function checkNetwork({ ssid, password }: WifiNetwork): void {
  const ssidBytes = Buffer.byteLength(ssid, "utf8");
  if (ssidBytes < 1 || ssidBytes > SSID_BYTES_MAX || ssid.includes("\0"))
    throw new ToolError(
      ExitCode.Usage,
      `the Wi-Fi name ${JSON.stringify(ssid)} has ${ssidBytes} bytes; a name has 1 to ${SSID_BYTES_MAX}.`,
    );
  if (password === "") return;
  if (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX || !/^[\x20-\x7e]+$/.test(password))
    throw new ToolError(
      ExitCode.Usage,
      `the password of the Wi-Fi '${ssid}' has ${password.length} characters; WPA2 takes ${PASSWORD_MIN} to ${PASSWORD_MAX} plain ones (ASCII). A network with a login for each person (WPA2-Enterprise, eduroam) cannot be joined by a badge: give it another network.`,
    );
}

/** @returns a badge's Wi-Fi; undefined for one without, such as an emulated badge that has its network from its computer */
export function wifiOf(client: JacdacClient, deviceId: string): JdService | undefined {
  return client.servicesOf(JD_CLASS_WIFI).find((service) => service.deviceId === deviceId);
}

/** @returns the networks that the badge hears, strongest first. Rejects when it does not answer. */
export async function scanNetworks(client: JacdacClient, wifi: JdService): Promise<HeardNetwork[]> {
  const done = client.await("end of the Wi-Fi scan", SCAN_MS, (deviceId, index, command) =>
    deviceId === wifi.deviceId &&
    index === wifi.serviceIndex &&
    (command & EVENT_CODE_MASK) === (EVENT | EVENT_SCAN_COMPLETE)
      ? true
      : undefined,
  );
  client.command(wifi, COMMAND_SCAN, Buffer.alloc(0));
  await done;
  const entries = await client.collect(wifi, COMMAND_RESULTS, ANSWER_MS);
  const heard = entries.filter((entry) => entry.length > RESULT_NAME_AT).map(readResult);
  return heard.sort((a, b) => b.rssiDbm - a.rssiDbm);
}

function readResult(entry: Buffer): HeardNetwork {
  const name = entry.subarray(RESULT_NAME_AT);
  const end = name.indexOf(0);
  return {
    ssid: name.toString("utf8", 0, end < 0 ? name.length : end),
    hasPassword: (entry.readUInt32LE(0) & 1) !== 0,
    rssiDbm: entry.readInt8(8),
    channel: entry[9],
  };
}

/**
 * Writes the network into the badge, in the place of the one that it had, and waits until it has an address in it.
 * @returns the signal in dBm
 * @throws ToolError that says why it does not join
 */
export async function joinNetwork(
  client: JacdacClient,
  wifi: JdService,
  network: WifiNetwork,
  signal?: AbortSignal,
): Promise<number> {
  checkNetwork(network);
  const heard = await scanNetworks(client, wifi).catch((cause) => {
    throw new ToolError(ExitCode.Badge, `the badge does not scan for Wi-Fi: ${messageOf(cause)}.`, { cause });
  });
  const found = heard.find(({ ssid }) => ssid === network.ssid);
  if (found !== undefined && found.hasPassword !== (network.password !== ""))
    throw new ToolError(
      ExitCode.Usage,
      found.hasPassword
        ? `the Wi-Fi '${network.ssid}' needs a password and none was given.`
        : `the Wi-Fi '${network.ssid}' is open: leave the password out, and make sure that this is the right network.`,
    );
  client.command(wifi, COMMAND_ADD, Buffer.from(`${network.ssid}\0${network.password}\0`, "utf8"));
  client.command(wifi, COMMAND_RECONNECT, Buffer.alloc(0));
  if (await joined(client, wifi, network.ssid, signal)) return await signalDbm(client, wifi);
  throw new ToolError(ExitCode.Badge, whyNot(network, found, heard));
}

async function joined(
  client: JacdacClient,
  wifi: JdService,
  ssid: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const failures = countFailures(client, wifi);
  const polls = Math.ceil(JOIN_MS / POLL_MS);
  for (let poll = 0; poll < polls && failures.count < FAILURES_MAX; poll++) {
    await client.pause(POLL_MS);
    signal?.throwIfAborted();
    const name = await client.readRegister(wifi, REGISTER_SSID, ANSWER_MS);
    const address = await client.readRegister(wifi, REGISTER_IP, ANSWER_MS);
    if (name.toString("utf8") === ssid && address.some((byte) => byte !== 0)) return true;
  }
  return false;
}

/** Counts the badge's failures to join, for as long as a badge may try. */
function countFailures(client: JacdacClient, wifi: JdService): { count: number } {
  const failures = { count: 0 };
  let last = -1;
  client
    .await("failures to join", JOIN_MS, (deviceId, index, command) => {
      const mine = deviceId === wifi.deviceId && index === wifi.serviceIndex;
      const failed = (command & EVENT_CODE_MASK) === (EVENT | EVENT_CONNECTION_FAILED);
      if (!mine || !failed || command === last) return undefined; // each event is sent three times
      last = command;
      failures.count++;
      return failures.count === FAILURES_MAX ? true : undefined;
    })
    .catch(() => undefined); // it joined, or the line is gone, which the next request tells
  return failures;
}

/** @returns how strong the badge hears its network, dBm */
export async function signalDbm(client: JacdacClient, wifi: JdService): Promise<number> {
  return (await client.readRegister(wifi, REGISTER_RSSI, ANSWER_MS)).readInt8(0);
}

function whyNot(network: WifiNetwork, found: HeardNetwork | undefined, heard: HeardNetwork[]): string {
  const { ssid } = network;
  if (found !== undefined && found.rssiDbm < -80)
    return `the badge does not get into the Wi-Fi '${ssid}': its signal is weak here (${found.rssiDbm} dBm); go nearer to the access point.`;
  if (found !== undefined)
    return `the badge does not get into the Wi-Fi '${ssid}' (${found.rssiDbm} dBm): the password is wrong, or it is a network with a login for each person (WPA2-Enterprise), which a badge cannot join.`;
  const names = heard.slice(0, 4).map((one) => `'${one.ssid}'`);
  const hears = names.length === 0 ? "it hears no network at all" : `it hears ${names.join(", ")}`;
  return `the badge does not find the Wi-Fi '${ssid}'; ${hears}. Check the spelling, and that it is on 2.4 GHz: a badge has no 5 GHz, and finds a hidden network only until it is switched off.`;
}
