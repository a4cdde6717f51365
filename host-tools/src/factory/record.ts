// The signed record of a factory test (docs/factory-record.md): what was measured, held to which limits, by whom, with what on the badge.
import { type KeyObject, sign, verify } from "node:crypto";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import { readImage } from "../flash/images";
import { publicBytes, publicKeyOf } from "../flash/signing";
import { keeps, type Value } from "./limits";
import { STEPS, type StepResult, type StepVerdict } from "./step";

export const RECORD_VERSION = 1;

export type RecordVerdict = "passed" | "failed" | "incomplete";

export interface FactoryRecord {
  version: typeof RECORD_VERSION;
  /** 16 hexadecimal digits. */
  hardwareId: string;
  /** Of the DeviceScript runtime; "" when it did not say. */
  runtime: string;
  program: { name: string; version: string; sha256: string };
  operator: string;
  /** UTC, such as 2026-11-21T12:00:00.000Z. */
  startedAt: string;
  endedAt: string;
  /** Passed: every step of the test was done and passed. Incomplete: none failed, and some were left out or skipped. */
  verdict: RecordVerdict;
  steps: StepResult[];
}

/** A record with who signed it. */
export interface SignedRecord {
  record: FactoryRecord;
  /** Ed25519 public key, 64 hexadecimal digits. */
  signer: string;
}

const DOMAIN = Buffer.from("salestag factory record 1\0");
const FILE_BYTES_MAX = 256 * 1024;
const VERDICTS: StepVerdict[] = ["passed", "failed", "skipped"];
const TEXT_CHARACTERS_MAX = 1000;
const VALUES_MAX = 20;
const INDENT = 2;

/** @returns what the steps come to together */
export function verdictOf(results: StepResult[]): RecordVerdict {
  if (results.some(({ verdict }) => verdict === "failed")) return "failed";
  const done = results.filter(({ verdict }) => verdict === "passed");
  return STEPS.every((step) => done.some((result) => result.step === step)) ? "passed" : "incomplete";
}

/**
 * @param key Ed25519 private key
 * @returns the file's text
 */
export function signRecord(record: FactoryRecord, key: KeyObject): string {
  const signature = sign(null, signedBytes(record), key).toString("hex");
  const signer = publicBytes(key).toString("hex");
  return `${JSON.stringify({ record, signer, signature }, undefined, INDENT)}\n`;
}

/** What is signed: the record in one spelling only, keys sorted, no white space (RFC 8785). */
export function signedBytes(record: FactoryRecord): Buffer {
  return Buffer.concat([DOMAIN, Buffer.from(canonical(record), "utf8")]);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}

/**
 * Reads a record and checks its signature, its form, and that its verdicts follow from its values.
 * @param trusted whose records are taken, Ed25519 public keys
 * @throws ToolError when it cannot be read, is damaged, or is signed by nobody trusted
 */
export function readRecord(path: string, trusted: KeyObject[]): SignedRecord {
  const text = readImage(path, "record", FILE_BYTES_MAX).toString("utf8");
  const signed = parseRecord(text);
  if (typeof signed === "string")
    throw new ToolError(ExitCode.Damaged, `'${path}' is no whole record of a factory test: ${signed}.`);
  if (!trusted.some((key) => publicBytes(key).toString("hex") === signed.signer))
    throw new ToolError(
      ExitCode.Keys,
      `'${path}' is signed by key ${signed.signer.slice(0, 16)}, which you do not trust; name the factory's public key with --trust, if this is it.`,
    );
  return signed;
}

/** @returns the record, or why it is none, in words */
export function parseRecord(text: string): SignedRecord | string {
  let file: { record?: FactoryRecord; signer?: unknown; signature?: unknown };
  try {
    file = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  const { record, signer, signature } = file ?? {};
  if (!isHex(signer, 64) || !isHex(signature, 128)) return "it has no signature";
  if (typeof record !== "object" || record === null) return "it has no record";
  if (record.version !== RECORD_VERSION)
    return `it has version ${JSON.stringify(record.version)}, this program reads version ${RECORD_VERSION}`;
  if (!verify(null, signedBytes(record), publicKeyOf(signer), Buffer.from(signature, "hex")))
    return "its signature does not fit its contents";
  if (!isRecord(record)) return "a field is missing or not in its form";
  const untrue = record.steps.find((step) => step.verdict === "passed" && !step.values.every(keeps));
  if (untrue !== undefined) return `step '${untrue.step}' passed with a value outside its limits`;
  if (verdictOf(record.steps) !== record.verdict) return "its verdict does not follow from its steps";
  return { record, signer };
}

function isHex(value: unknown, digits: number): value is string {
  return typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length <= TEXT_CHARACTERS_MAX && !/\p{Cc}/u.test(value);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function isRecord(record: FactoryRecord): boolean {
  const { hardwareId, runtime, program, operator, startedAt, endedAt, verdict, steps } = record;
  return (
    isHex(hardwareId, 16) &&
    [runtime, operator, verdict, program?.name, program?.version, program?.sha256].every(isText) &&
    [startedAt, endedAt].every((time) => isText(time) && !Number.isNaN(Date.parse(time))) &&
    Array.isArray(steps) &&
    steps.length <= STEPS.length &&
    steps.every(isStep)
  );
}

function isStep(result: StepResult): boolean {
  const { step, verdict, says, todo, values } = result ?? {};
  return (
    STEPS.includes(step) &&
    VERDICTS.includes(verdict) &&
    isText(says) &&
    (todo === undefined || isText(todo)) &&
    Array.isArray(values) &&
    values.length <= VALUES_MAX &&
    values.every(isValue)
  );
}

function isValue(value: Value): boolean {
  const { name, unit, value: number, least, most } = value ?? {};
  return (
    isText(name) &&
    isText(unit) &&
    isNumber(number) &&
    [least, most].every((limit) => limit === undefined || isNumber(limit))
  );
}
