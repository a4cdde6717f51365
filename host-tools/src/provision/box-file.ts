// The list of a whole box of badges: CSV, a badge a line, from which each one's plan is made. What a line leaves empty is as the flags say.
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ConsentPolicy } from "@salestag/protocol";
import { clauseOf, ExitCode, readSecretFile, ToolError } from "@salestag/protocol/team";
import { parse } from "csv-parse/sync";
import { readPhrasesForBadge } from "../phrases/phrase-list";
import { type BadgePlan, checkPlan } from "./badge";

/** A line of the list. */
export interface BoxRow {
  /** From 1, the heading not counted. */
  row: number;
  /** Hardware id of the badge that is meant; undefined: the next one that comes. */
  hardware?: string;
  plan: BadgePlan;
}

const COLUMNS = [
  "label",
  "hardware",
  "wifi_ssid",
  "wifi_password",
  "relay",
  "policy",
  "within_s",
  "yes",
  "no",
  "phrases",
  "talk_share_max",
  "monologue_s",
] as const;
type Line = Partial<Record<(typeof COLUMNS)[number], string>>;

const BYTES_MAX = 1 << 20;
const ROWS_MAX = 10_000;
/** Columns of other tools' lists that stand for a login for each person. */
const ENTERPRISE = /^wifi_(user|identity|username|eap|certificate)/;

/**
 * @param defaults what a line does not say
 * @throws ToolError that names the line
 */
export function readBoxFile(path: string, defaults: BadgePlan): BoxRow[] {
  const lines = linesOf(path);
  const rows = lines.map((line, at) => rowOf(path, line, at + 1, defaults));
  const seen = new Map<string, number>();
  for (const { row, hardware } of rows) {
    if (hardware === undefined) continue;
    const other = seen.get(hardware);
    if (other !== undefined) throw wrong(path, row, `has the hardware id of line ${other} (${hardware})`);
    seen.set(hardware, row);
  }
  return rows;
}

function linesOf(path: string): Line[] {
  if (!existsSync(path))
    throw new ToolError(ExitCode.Usage, `there is no file '${path}'; name the list of badges, a CSV.`);
  const text = readFileSync(path, "utf8");
  if (text.length > BYTES_MAX)
    throw new ToolError(ExitCode.Usage, `'${path}' has ${text.length} bytes; at most ${BYTES_MAX} are read.`);
  let lines: Line[];
  try {
    lines = parse(text, { columns: checkColumns, skip_empty_lines: true, trim: true, bom: true });
  } catch (cause) {
    throw new ToolError(ExitCode.Usage, `'${path}' is no list of badges: ${clauseOf(cause)}.`);
  }
  if (lines.length === 0 || lines.length > ROWS_MAX)
    throw new ToolError(ExitCode.Usage, `'${path}' has ${lines.length} lines; write 1 to ${ROWS_MAX}.`);
  if (lines.some(({ wifi_password }) => wifi_password)) readSecretFile(path, BYTES_MAX); // refuses one that others may read
  return lines;
}

function checkColumns(names: string[]): string[] {
  for (const name of names) {
    if (ENTERPRISE.test(name))
      throw new Error(
        `the column '${name}' is a login for each person (WPA2-Enterprise), which the badge's runtime cannot use: it keeps one network with one password`,
      );
    if (!(COLUMNS as readonly string[]).includes(name))
      throw new Error(`there is no column '${name}'; there are ${COLUMNS.join(", ")}`);
  }
  if (!names.includes("label")) throw new Error("it needs the column 'label' in its first line");
  return names;
}

function rowOf(path: string, line: Line, row: number, defaults: BadgePlan): BoxRow {
  try {
    const plan = planOf(line, defaults, dirname(path));
    checkPlan(plan);
    return { row, hardware: hardwareOf(line.hardware), plan };
  } catch (cause) {
    throw wrong(path, row, `cannot be used: ${clauseOf(cause)}`);
  }
}

function wrong(path: string, row: number, what: string): ToolError {
  return new ToolError(ExitCode.Usage, `line ${row} of '${path}' ${what}.`);
}

function hardwareOf(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const id = text.toLowerCase();
  if (!/^[0-9a-f]{16}$/.test(id)) throw new Error(`the hardware id '${text}' has not 16 hexadecimal digits`);
  return id;
}

function planOf(line: Line, defaults: BadgePlan, folder: string): BadgePlan {
  const plan: BadgePlan = { ...defaults, label: line.label ?? "" };
  if (plan.label === "") throw new Error("it has no label");
  if (line.relay) plan.relayUrl = line.relay;
  if (line.wifi_ssid) plan.wifi = { ssid: line.wifi_ssid, password: line.wifi_password ?? "" };
  else if (line.wifi_password) throw new Error("it has a Wi-Fi password and no wifi_ssid");
  if (line.phrases) plan.phrases = readPhrasesForBadge(resolve(folder, line.phrases));
  if (line.policy) plan.consent = consentOf(line, line.policy);
  else if (line.yes || line.no || line.within_s)
    throw new Error("yes, no and within_s belong to policy verbal");
  const tuning = { ...defaults.tuning };
  if (line.talk_share_max) tuning.talkShareMax = Number(line.talk_share_max);
  if (line.monologue_s) tuning.monologueMsMax = Number(line.monologue_s) * 1000;
  if (Object.keys(tuning).length > 0) plan.tuning = tuning;
  return plan;
}

function consentOf(line: Line, policy: string): Partial<ConsentPolicy> {
  const phrases = (text = "") =>
    text
      .split(";")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  if (policy !== "verbal") return { policy: policy as ConsentPolicy["policy"] };
  const withinMs = Number(line.within_s || 60) * 1000;
  return { policy, withinMs, yes: phrases(line.yes), no: phrases(line.no) };
}
