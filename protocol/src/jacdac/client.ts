// A Jacdac client: knows the devices on a bus from their announcements, sends commands, reads and writes registers. It has no
// timers and no transport of its own: frames go in and out through functions, and time comes in through `tick`, so the same
// code runs over USB in real time and on the rig's bus in virtual time.
import {
  decodeFrame,
  encodeFrame,
  JD_FLAG_ACK_REQUESTED,
  JD_FLAG_COMMAND,
  JD_FLAG_IDENTIFIER_IS_CLASS,
  JD_GET_REGISTER,
  JD_INDEX_ACK,
  JD_INDEX_CONTROL,
  JD_SET_REGISTER,
  type JdFrame,
} from "./frame";
import { JD_INDEX_PIPE, JD_PIPE_PORT_MAX, PipeCollector } from "./pipe";

/** A service on a device. */
export interface JdService {
  /** 16 hexadecimal digits. */
  deviceId: string;
  serviceIndex: number;
  serviceClass: number;
}

/** Thrown when a device does not answer in time. */
export class JdTimeoutError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "JdTimeoutError";
  }
}

/** How long a request waits. */
export interface JdPatience {
  timeoutMs: number;
  /** Sends the command again each time so many ms pass without an answer: only for one that may be taken twice. */
  resendMs?: number;
}

interface Waiting {
  what: string;
  deadlineMs: number;
  /** Sends it again. */
  again?: () => void;
  /** Time of the next `again`, and ms between two. */
  againMs: number;
  everyMs: number;
  /** @returns true when this is what was waited for */
  take: (deviceId: string, serviceIndex: number, command: number, data: Buffer) => boolean;
  fail: (error: Error) => void;
}

const ANNOUNCE_MS = 500;
const FORGET_MS = 3000;
/** An answer takes a few ms; on a slow line, tens. */
const RESEND_MS = 200;
/** How often a stream is looked after. */
const PIPE_TICK_MS = 50;

export class JacdacClient {
  private services: JdService[] = [];
  private readonly seenMs = new Map<string, number>();
  private waiting: Waiting[] = [];
  private nowMs = 0;
  private announcedMs = Number.NEGATIVE_INFINITY;
  private ended: Error | undefined;
  private pauses: { untilMs: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  private lastPort = 0;

  /**
   * @param deviceId the client's own id on the bus, 16 hexadecimal digits
   * @param send puts an encoded frame on the bus
   */
  constructor(
    private readonly deviceId: string,
    private readonly send: (frame: Buffer) => void,
  ) {}

  /** Tells the time; call it at least every 100 ms. Announces the client and ends what waited too long. */
  tick(nowMs: number): void {
    this.nowMs = nowMs;
    if (nowMs - this.announcedMs >= ANNOUNCE_MS) {
      this.announcedMs = nowMs;
      const packet = { serviceIndex: JD_INDEX_CONTROL, command: 0, data: Buffer.from([1, 0, 0, 0]) };
      this.send(encodeFrame({ flags: 0, deviceId: this.deviceId, packets: [packet] }));
    }
    for (const [deviceId, seenMs] of this.seenMs)
      if (nowMs - seenMs > FORGET_MS) {
        this.seenMs.delete(deviceId);
        this.services = this.services.filter((service) => service.deviceId !== deviceId);
      }
    const late = this.waiting.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    this.waiting = this.waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const { what, fail } of late) fail(new JdTimeoutError(`no answer in time: ${what}`));
    const over = this.pauses.filter(({ untilMs }) => untilMs <= nowMs);
    this.pauses = this.pauses.filter(({ untilMs }) => untilMs > nowMs);
    for (const { resolve } of over) resolve();
    for (const one of this.waiting)
      if (one.again !== undefined && one.againMs <= nowMs) {
        one.againMs = nowMs + one.everyMs;
        one.again();
      }
  }

  /** The line is gone: what waits fails with this error, and so does all that is asked from now on. */
  end(error: Error): void {
    this.ended = error;
    this.interrupt(error);
  }

  /** What waits now fails with this error. */
  interrupt(error: Error): void {
    const { waiting, pauses } = this;
    this.waiting = [];
    this.pauses = [];
    for (const { fail } of waiting) fail(error);
    for (const { reject } of pauses) reject(error);
  }

  /** Takes a frame from the bus; a damaged one is dropped. */
  receive(bytes: Buffer): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined) return;
    if (frame.flags & JD_FLAG_COMMAND) {
      this.commanded(frame, bytes.readUInt16LE(0));
      return;
    }
    if (frame.deviceId === this.deviceId) return;
    for (const { serviceIndex, command, data } of frame.packets) {
      if (serviceIndex === JD_INDEX_CONTROL && command === 0) this.announced(frame.deviceId, data);
      this.offer(frame.deviceId, serviceIndex, command, data);
    }
  }

  /** Of all commands only packets of a stream that was asked for mean anything to this client. */
  private commanded(frame: JdFrame, crc: number): void {
    if (frame.deviceId !== this.deviceId || frame.flags & JD_FLAG_IDENTIFIER_IS_CLASS) return;
    if (frame.flags & JD_FLAG_ACK_REQUESTED) {
      const packet = { serviceIndex: JD_INDEX_ACK, command: crc, data: Buffer.alloc(0) };
      this.send(encodeFrame({ flags: 0, deviceId: this.deviceId, packets: [packet] }));
    }
    for (const { serviceIndex, command, data } of frame.packets)
      if (serviceIndex === JD_INDEX_PIPE) this.offer(this.deviceId, serviceIndex, command, data);
  }

  private offer(deviceId: string, serviceIndex: number, command: number, data: Buffer): void {
    const taken = this.waiting.find(({ take }) => take(deviceId, serviceIndex, command, data));
    if (taken !== undefined) this.waiting = this.waiting.filter((other) => other !== taken);
  }

  /** @returns every service that is announced now, of all devices */
  allServices(): JdService[] {
    return [...this.services];
  }

  /** @returns every service of this class that is announced now */
  servicesOf(serviceClass: number): JdService[] {
    return this.services.filter((service) => service.serviceClass === serviceClass);
  }

  /** Waits until a device announces a service of this class. Rejects with a JdTimeoutError. */
  find(serviceClass: number, timeoutMs: number): Promise<JdService> {
    const known = this.servicesOf(serviceClass)[0];
    if (known !== undefined) return Promise.resolve(known);
    const name = `service class 0x${serviceClass.toString(16)}`;
    return this.wait(
      { what: `no device announces ${name}`, timeoutMs },
      (deviceId, serviceIndex, command) => {
        if (serviceIndex !== JD_INDEX_CONTROL || command !== 0) return undefined;
        return this.servicesOf(serviceClass).find((service) => service.deviceId === deviceId);
      },
    );
  }

  /** Sends a command that has no answer. */
  command(service: JdService, command: number, data: Buffer): void {
    const { deviceId, serviceIndex } = service;
    this.send(encodeFrame({ flags: JD_FLAG_COMMAND, deviceId, packets: [{ serviceIndex, command, data }] }));
  }

  /** Sends a command and waits for the report of the same number for which `accept` is true. Rejects with a JdTimeoutError. */
  async request(
    service: JdService,
    command: number,
    data: Buffer,
    patience: JdPatience,
    accept: (data: Buffer) => boolean = () => true,
  ): Promise<Buffer> {
    const what = `device ${service.deviceId}, command 0x${command.toString(16)}`;
    const send = () => this.command(service, command, data);
    const answer = this.wait({ what, ...patience, again: send }, (deviceId, serviceIndex, reported, body) => {
      const mine =
        deviceId === service.deviceId && serviceIndex === service.serviceIndex && reported === command;
      return mine && accept(body) ? Buffer.from(body) : undefined;
    });
    send();
    return await answer;
  }

  /** Reads a register, asking again on a line that loses frames. Rejects with a JdTimeoutError. @param register its number, 0 to 0xfff */
  readRegister(service: JdService, register: number, timeoutMs: number): Promise<Buffer> {
    const patience = { timeoutMs, resendMs: RESEND_MS };
    return this.request(service, JD_GET_REGISTER | register, Buffer.alloc(0), patience);
  }

  /**
   * Sends a packet that the device's runtime acknowledges, again until it does. Rejects with a JdTimeoutError.
   * @returns how often it was sent
   */
  async acknowledged(
    target: Omit<JdService, "serviceClass">,
    command: number,
    data: Buffer,
    patience: JdPatience,
  ): Promise<number> {
    const { deviceId, serviceIndex } = target;
    const flags = JD_FLAG_COMMAND | JD_FLAG_ACK_REQUESTED;
    const frame = encodeFrame({ flags, deviceId, packets: [{ serviceIndex, command, data }] });
    const crc = frame.readUInt16LE(0);
    let sent = 0;
    const again = () => {
      sent++;
      this.send(frame);
    };
    const what = `device ${deviceId}, acknowledgement of command 0x${command.toString(16)}`;
    const acknowledgement = this.wait({ what, ...patience, again }, (from, index, reported) =>
      from === deviceId && index === JD_INDEX_ACK && reported === crc ? true : undefined,
    );
    again();
    await acknowledgement;
    return sent;
  }

  /**
   * Sends a command that makes the device stream a list to us, again on a line that loses frames: only for one that may be taken twice.
   * Rejects with a JdTimeoutError, or a RangeError when the list does not end.
   * @returns the data of each packet of the stream
   */
  async collect(service: JdService, command: number, timeoutMs: number): Promise<Buffer[]> {
    const what = `device ${service.deviceId}, stream of command 0x${command.toString(16)}`;
    const nextPort = () => {
      this.lastPort = (this.lastPort % JD_PIPE_PORT_MAX) + 1;
      return this.lastPort;
    };
    const ask = (argument: Buffer) => this.command(service, command, argument);
    const collector = new PipeCollector(this.deviceId, ask, nextPort);
    const again = () => collector.tick(this.nowMs);
    const patience = { what, timeoutMs, resendMs: PIPE_TICK_MS, again };
    const stream = this.wait(patience, (deviceId, serviceIndex, reported, data) =>
      deviceId === this.deviceId && serviceIndex === JD_INDEX_PIPE
        ? collector.take(reported, data, this.nowMs)
        : undefined,
    );
    collector.open(this.nowMs);
    const collected = await stream;
    if (collected instanceof Error) throw collected;
    return collected;
  }

  /** Waits for an event or report that nobody asked for. Rejects with a JdTimeoutError. @param take undefined: not this one */
  await<T>(
    what: string,
    timeoutMs: number,
    take: (deviceId: string, serviceIndex: number, command: number, data: Buffer) => T | undefined,
  ): Promise<T> {
    return this.wait({ what, timeoutMs }, take);
  }

  /** Lets time pass, as `tick` tells it. Rejects when the line is gone meanwhile. */
  pause(durationMs: number): Promise<void> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.pauses.push({ untilMs: this.nowMs + durationMs, resolve, reject });
    });
  }

  /** Writes a register; read it to know that it was taken. */
  writeRegister(service: JdService, register: number, value: Buffer): void {
    this.command(service, JD_SET_REGISTER | register, value);
  }

  private announced(deviceId: string, data: Buffer): void {
    this.seenMs.set(deviceId, this.nowMs);
    this.services = this.services.filter((service) => service.deviceId !== deviceId);
    // The first word is the announcing device's counter and flags; the others are its services from index 1 on.
    for (let at = 4; at + 4 <= data.length; at += 4)
      this.services.push({ deviceId, serviceIndex: at / 4, serviceClass: data.readUInt32LE(at) });
  }

  private wait<T>(
    { what, timeoutMs, resendMs, again }: JdPatience & { what: string; again?: () => void },
    match: (deviceId: string, serviceIndex: number, command: number, data: Buffer) => T | undefined,
  ): Promise<T> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      const take = (deviceId: string, serviceIndex: number, command: number, data: Buffer): boolean => {
        const value = match(deviceId, serviceIndex, command, data);
        if (value !== undefined) resolve(value);
        return value !== undefined;
      };
      const everyMs = resendMs ?? Number.POSITIVE_INFINITY;
      this.waiting.push({
        what,
        deadlineMs: this.nowMs + timeoutMs,
        again,
        againMs: this.nowMs + everyMs,
        everyMs,
        take,
        fail: reject,
      });
    });
  }
}
