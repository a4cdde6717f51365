// A badge fresh from the factory at a pseudo-terminal, on a bench with a technician who does what he is told.
import { join } from "node:path";
import { knownProgram } from "../../host-tools/src/doctor/known-program";
import type { Person } from "../../host-tools/src/factory/person";
import { type FactoryOptions, type FactoryOutcome, runFactoryTest } from "../../host-tools/src/factory/run";
import { STEPS } from "../../host-tools/src/factory/step";
import { BadgePort } from "../../host-tools/src/usb/badge-port";
import { type BadgeState, newBadgeState } from "../src/badge-state";
import type { AccessPoint } from "../src/emulator/wifi";
import { type Faults, Workbench } from "../src/emulator/workbench";
import { PluggedBadge } from "./plugged-badge";
import { scratch } from "./support";

export interface FreshOptions {
  faults?: Faults;
  air?: AccessPoint[];
  state?: BadgeState;
  program?: Buffer;
}

const WAIT_MS = 2000;
const OFFICE: AccessPoint = { ssid: "Works", password: "correct horse", rssiDbm: -48, channel: 6 };
let made = 0;

export function nextId(): string {
  return (0x0506070800000000n + BigInt(++made)).toString(16).padStart(16, "0");
}

export class FreshBadge {
  private constructor(
    readonly workbench: Workbench,
    readonly plugged: PluggedBadge,
  ) {}

  static async plugIn({
    faults = {},
    air = [OFFICE],
    state,
    program,
  }: FreshOptions = {}): Promise<FreshBadge> {
    const workbench = new Workbench(faults);
    const deviceId = state?.deviceId ?? nextId();
    const frames = { recordedFrames: 0, frame: (seq: number) => workbench.frame(seq) };
    const more = { air, frames, program, state: state ?? newBadgeState(deviceId) };
    const plugged = await PluggedBadge.plugIn({ deviceId, link: join(scratch(), "port"), ...more });
    workbench.furnish(plugged.bench);
    return new FreshBadge(workbench, plugged);
  }

  /** A technician with eyes, ears and fingers. @param before called with what he is told, before he does it */
  technician(before: (what: string) => void = () => undefined): Person {
    const { workbench } = this;
    return {
      asks: true,
      tell: (what) => {
        before(what);
        if (what.startsWith("Press")) workbench.press();
        else if (what.startsWith("Say")) workbench.voice = true;
        else if (what.startsWith("Switch the microphone")) workbench.switchedOff = what.includes("off");
      },
      choose: async (question) => {
        before(question);
        if (question.includes("colour")) return workbench.colour;
        return question.includes("vibrate") ? String(workbench.feel()) : "yes";
      },
      number: () => Promise.reject(new Error("he has no bench supply")),
    };
  }

  /** Tests it, over its port. */
  async test(options: Partial<FactoryOptions> = {}): Promise<FactoryOutcome> {
    const port = await BadgePort.open(this.plugged.port);
    try {
      return await runFactoryTest({
        port,
        person: this.technician(),
        steps: STEPS,
        known: knownProgram(undefined, undefined),
        erase: false,
        waitMs: WAIT_MS,
        random: (below) => below - 1,
        signal: new AbortController().signal,
        ...options,
      });
    } finally {
      await port.close();
    }
  }
}
