// The record of docs/factory-record.md's test vector.
import { createPrivateKey, type KeyObject } from "node:crypto";
import type { Value } from "./limits";
import { type FactoryRecord, verdictOf } from "./record";
import { STEPS, type StepResult } from "./step";

/** The limits of the day when the vector was made: they need not be today's. */
const CURRENT: Value = { name: "currentDraw", value: 62.5, unit: "mA", least: 10, most: 150 };
const FLOOR: Value = { name: "noiseFloor", value: -70.5, unit: "dBFS", least: -100, most: -45 };

/** RFC 8032, section 7.1, test 1. */
const SECRET = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
/** What comes before the 32 bytes of an Ed25519 private key in DER (RFC 8410). */
const PKCS8_PREFIX = "302e020100300506032b657004220420";

export function vectorKey(): KeyObject {
  return createPrivateKey({ key: Buffer.from(PKCS8_PREFIX + SECRET, "hex"), format: "der", type: "pkcs8" });
}

/** @param change what is otherwise in one of its steps */
export function vectorRecord(
  change: Partial<StepResult> & { step: StepResult["step"] } = { step: "start" },
): FactoryRecord {
  const values = { current: [CURRENT], microphone: [FLOOR] };
  const steps = STEPS.map((step): StepResult => {
    const result: StepResult = { step, verdict: "passed", says: `step ${step}`, values: [] };
    const own = step === "current" || step === "microphone" ? { ...result, values: values[step] } : result;
    return step === change.step ? { ...own, ...change } : own;
  });
  return {
    version: 1,
    hardwareId: "6c9452a2ffffffff",
    runtime: "2.16.4",
    program: { name: "firmware", version: "v1.4.0", sha256: "ab".repeat(32) },
    operator: "Zoë",
    startedAt: "2026-11-21T12:00:00.000Z",
    endedAt: "2026-11-21T12:01:30.000Z",
    verdict: verdictOf(steps),
    steps,
  };
}
