// Plays the Jacdac service `wifi` as the runtime has it on an ESP32: on the badge's own device, one network kept, WPA2-Personal or
// open. The WASM runtime has none, so the service is added to its announcement, and its commands are taken before they reach it.
//
// As on the chip: forgetting a network lasts until the next start only, and a network that was just added is not joined before
// `reconnect` when the badge is in another one.
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_COMMAND,
  JD_GET_REGISTER,
  JD_INDEX_CONTROL,
} from "@salestag/protocol/jacdac";
import type { VirtualTime } from "./virtual-time";

/** Service class of Jacdac's wifi. */
export const WIFI_CLASS = 0x18aae1fa;

/** An access point in reach of the badge. */
export interface AccessPoint {
  ssid: string;
  /** Empty: an open network. */
  password: string;
  rssiDbm: number;
  /** 1 to 13. */
  channel: number;
}

/** What the badge keeps while it is switched off. */
export interface KnownNetwork {
  ssid: string;
  password: string;
}

export interface PlayedWifiParts {
  time: VirtualTime;
  /** The badge's own hardware id, 16 hexadecimal digits. */
  deviceId: string;
  air: AccessPoint[];
  known?: KnownNetwork;
  /** The badge keeps another network now. */
  onKnown: (known: KnownNetwork) => void;
  /** Puts a frame on the bus. */
  send: (frame: Buffer) => void;
}

const COMMAND_ADD = 0x81;
const COMMAND_RECONNECT = 0x82;
const COMMAND_FORGET = 0x83;
const COMMAND_FORGET_ALL = 0x84;
const COMMAND_SCAN = 0x86;
const COMMAND_LIST_KNOWN = 0x87;
const COMMAND_RESULTS = 0x80;
const REGISTER_RSSI = 0x101;
const REGISTER_ENABLED = 0x01;
const REGISTER_IP = 0x181;
const REGISTER_MAC = 0x182;
const REGISTER_SSID = 0x183;
const EVENT_GOT_IP = 0x01;
const EVENT_LOST_IP = 0x02;
const EVENT_SCAN_COMPLETE = 0x80;
const EVENT_CONNECTION_FAILED = 0x82;
const EVENT = 0x8000;
const EVENT_SENT_TIMES = 3;
const INDEX_PIPE = 0x3e;
const PIPE_CLOSE = 0x20;
const PIPE_ARGUMENT_BYTES = 12;
const FLAG_ACK_REQUESTED = 0x02;
const RSSI_NONE = -128;
const JOIN_MS = 700;
/** After a failure. */
const REJOIN_MS = 3000;
const SCAN_MS = 500;
const SSID_FIELD_BYTES = 33;

export class PlayedWifi {
  /** The access point that the badge is in. */
  joined: AccessPoint | undefined;

  private known: KnownNetwork | undefined;
  private serviceIndex = 0;
  private eventCounter = 0;
  /** Grows with every attempt: an earlier one that is still under way comes to nothing. */
  private attempt = 0;
  private off = false;

  constructor(private readonly parts: PlayedWifiParts) {
    this.known = parts.known;
    this.join();
  }

  /** Takes the radio away. */
  powerOff(): void {
    this.off = true;
    this.joined = undefined;
  }

  /** @returns a frame of the badge, with this service added where it announces itself */
  adopt(bytes: Buffer): Buffer {
    const frame = decodeFrame(bytes);
    const packet = frame?.packets[0];
    if (frame === undefined || frame.flags & JD_FLAG_COMMAND || frame.deviceId !== this.parts.deviceId)
      return bytes;
    if (packet?.serviceIndex !== JD_INDEX_CONTROL || packet.command !== 0) return bytes;
    const data = Buffer.concat([packet.data, Buffer.alloc(4)]);
    data.writeUInt32LE(WIFI_CLASS, packet.data.length);
    this.serviceIndex = packet.data.length / 4;
    return encodeFrame({ ...frame, packets: [{ ...packet, data }, ...frame.packets.slice(1)] });
  }

  /** Takes a frame for the badge. @returns true when it was for this service */
  receive(bytes: Buffer): boolean {
    const frame = decodeFrame(bytes);
    if (this.off || this.serviceIndex === 0) return false;
    if (frame === undefined || frame.deviceId !== this.parts.deviceId || !(frame.flags & JD_FLAG_COMMAND))
      return false;
    const mine = frame.packets.filter(({ serviceIndex }) => serviceIndex === this.serviceIndex);
    for (const { command, data } of mine) this.command(command, data);
    return mine.length > 0;
  }

  private command(command: number, data: Buffer): void {
    if (command === COMMAND_ADD) this.add(data);
    else if (command === COMMAND_RECONNECT) this.reconnect();
    else if (command === COMMAND_FORGET || command === COMMAND_FORGET_ALL) this.known = undefined;
    else if (command === COMMAND_SCAN) this.scan();
    else if (command === COMMAND_RESULTS) this.stream(data, this.parts.air.map(scanResult));
    else if (command === COMMAND_LIST_KNOWN)
      this.stream(data, this.known === undefined ? [] : [knownEntry(this.known)]);
    else this.register(command);
  }

  private register(command: number): void {
    const { joined } = this;
    const values: Record<number, Buffer> = {
      [REGISTER_RSSI]: Buffer.from([(joined?.rssiDbm ?? RSSI_NONE) & 0xff]),
      [REGISTER_ENABLED]: Buffer.from([1]),
      [REGISTER_IP]: joined === undefined ? Buffer.alloc(0) : Buffer.from([10, 0, 0, 23]),
      [REGISTER_MAC]: Buffer.from(this.parts.deviceId.slice(0, 12), "hex"),
      [REGISTER_SSID]: Buffer.from(joined?.ssid ?? "", "utf8"),
    };
    const value = (command & 0xf000) === JD_GET_REGISTER ? values[command & 0xfff] : undefined;
    if (value !== undefined) this.report(command, value);
  }

  /** The argument is two texts, each with a zero behind it. */
  private add(data: Buffer): void {
    const [ssid, password, rest] = data.toString("utf8").split("\0");
    if (rest !== "") return; // the chip takes no other form
    this.known = { ssid, password };
    this.parts.onKnown(this.known);
    if (this.joined === undefined) this.join();
  }

  private reconnect(): void {
    if (this.joined !== undefined) this.event(EVENT_LOST_IP);
    this.joined = undefined;
    this.join();
  }

  private join(inMs = JOIN_MS): void {
    const attempt = ++this.attempt;
    const { time, air } = this.parts;
    time.at(time.nowMs() + inMs, () => {
      if (this.off || attempt !== this.attempt || this.known === undefined) return;
      const { ssid, password } = this.known;
      this.joined = air.find((one) => one.ssid === ssid && one.password === password);
      if (this.joined !== undefined) this.event(EVENT_GOT_IP);
      else {
        this.event(EVENT_CONNECTION_FAILED, Buffer.from(ssid, "utf8"));
        this.join(REJOIN_MS);
      }
    });
  }

  private scan(): void {
    const { time, air } = this.parts;
    const counts = Buffer.alloc(4);
    counts.writeUInt16LE(air.length, 0);
    counts.writeUInt16LE(air.filter(({ ssid }) => ssid === this.known?.ssid).length, 2);
    time.at(time.nowMs() + SCAN_MS, () => this.event(EVENT_SCAN_COMPLETE, counts));
  }

  /** Streams entries through the pipe that the argument names: device id, port, a reserved word. */
  private stream(pipe: Buffer, entries: Buffer[]): void {
    if (pipe.length !== PIPE_ARGUMENT_BYTES) return;
    const deviceId = pipe.toString("hex", 0, 8);
    const port = pipe.readUInt16LE(8);
    for (const [counter, data] of [...entries, Buffer.alloc(0)].entries()) {
      const close = counter === entries.length ? PIPE_CLOSE : 0;
      const command = (port << 7) | close | (counter & 0x1f);
      const packets = [{ serviceIndex: INDEX_PIPE, command, data }];
      this.send(encodeFrame({ flags: JD_FLAG_COMMAND | FLAG_ACK_REQUESTED, deviceId, packets }));
    }
  }

  private event(code: number, data: Buffer = Buffer.alloc(0)): void {
    this.eventCounter = (this.eventCounter + 1) & 0x7f;
    for (let sent = 0; sent < EVENT_SENT_TIMES; sent++)
      this.report(EVENT | (this.eventCounter << 8) | code, data);
  }

  private report(command: number, data: Buffer): void {
    const { deviceId } = this.parts;
    const packets = [{ serviceIndex: this.serviceIndex, command, data }];
    this.send(encodeFrame({ flags: 0, deviceId, packets }));
  }

  private send(frame: Buffer): void {
    if (!this.off && this.serviceIndex > 0) this.parts.send(frame);
  }
}

/** Flags (bit 0: it has a password), a reserved word, level, channel, address, name in 33 bytes. */
function scanResult({ ssid, password, rssiDbm, channel }: AccessPoint): Buffer {
  const entry = Buffer.alloc(16 + SSID_FIELD_BYTES);
  entry.writeUInt32LE(password === "" ? 0 : 1, 0);
  entry.writeInt8(rssiDbm, 8);
  entry[9] = channel;
  entry.write(ssid, 16, SSID_FIELD_BYTES - 1, "utf8");
  return entry;
}

/** Priority, flags, name. */
function knownEntry({ ssid }: KnownNetwork): Buffer {
  return Buffer.concat([Buffer.alloc(4), Buffer.from(ssid, "utf8")]);
}
