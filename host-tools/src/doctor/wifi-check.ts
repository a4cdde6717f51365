// The doctor's look at a badge's Wi-Fi, where its runtime has one: Jacdac's service "WIFI" (registers after its specification).
import type { JacdacClient, JdService } from "@salestag/protocol/jacdac";
import { wifiOf } from "../provision/wifi";
import { type Finding, failed, ok, skipped, warning } from "./finding";

const REGISTER_ENABLED = 0x01;
const REGISTER_SIGNAL = 0x101;
const REGISTER_IP_ADDRESS = 0x181;
const REGISTER_SSID = 0x183;
const ANSWER_MS = 1500;
const NAME_CHARACTERS_MAX = 32;
/** From this signal on, dBm, it is called so. */
const SIGNALS: [number, string][] = [
  [-55, "very good"],
  [-67, "good"],
  [-75, "weak"],
  [Number.NEGATIVE_INFINITY, "hardly usable"],
];
const WEAK_DBM = -75;
const CHECK = "Wi-Fi";

/** @param deviceId of the badge; undefined when its runtime does not answer */
export async function checkWifi(client: JacdacClient, deviceId: string | undefined): Promise<Finding> {
  if (deviceId === undefined) return skipped(CHECK, "the runtime does not answer", "mend that first");
  const service = wifiOf(client, deviceId);
  if (service === undefined)
    return skipped(
      CHECK,
      "this badge's runtime offers none",
      "if it should, put the badge's own runtime on it with 'salestag flash'",
    );
  const [enabled, signal, address, ssid] = await Promise.all(
    [REGISTER_ENABLED, REGISTER_SIGNAL, REGISTER_IP_ADDRESS, REGISTER_SSID].map((register) =>
      ask(client, service, register),
    ),
  );
  if (enabled === undefined)
    return failed(CHECK, "it does not answer", "unplug the badge and plug it in again");
  if (enabled[0] === 0) return failed(CHECK, "it is switched off", "unplug the badge and plug it in again");
  return judge(ssid?.toString("utf8") ?? "", signal, address);
}

function judge(name: string, signal: Buffer | undefined, address: Buffer | undefined): Finding {
  const shown = name.replace(/[^\x20-\x7e]/g, "?").slice(0, NAME_CHARACTERS_MAX);
  const ip = ipText(address);
  if (shown === "")
    return failed(
      CHECK,
      "it has joined no network",
      "provision it again with --wifi; it knows 2.4 GHz, and networks with one password or none",
    );
  if (ip === undefined)
    return failed(
      CHECK,
      `"${shown}" gives it no address`,
      "check the password, and that the network takes new devices",
    );
  const dbm = signal !== undefined && signal.length > 0 ? signal.readInt8(0) : undefined;
  if (dbm === undefined) return ok(CHECK, `"${shown}", address ${ip}`);
  const words = SIGNALS.find(([from]) => dbm >= from)?.[1];
  const says = `"${shown}", address ${ip}, signal ${words} (${dbm} dBm)`;
  return dbm >= WEAK_DBM
    ? ok(CHECK, says)
    : warning(CHECK, says, "bring the badge nearer to the access point");
}

function ask(client: JacdacClient, service: JdService, register: number): Promise<Buffer | undefined> {
  return client.readRegister(service, register, ANSWER_MS).catch(() => undefined); // told as "does not answer"
}

/** @returns undefined for none */
function ipText(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined || bytes.every((byte) => byte === 0)) return undefined;
  if (bytes.length === 4) return [...bytes].join(".");
  if (bytes.length !== 16) return undefined;
  const mapped = bytes.subarray(0, 12).equals(Buffer.from("00000000000000000000ffff", "hex"));
  if (mapped) return [...bytes.subarray(12)].join(".");
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16)).join(":");
}
