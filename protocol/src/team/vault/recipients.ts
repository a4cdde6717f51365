// The list of those who can open a vault: the text of recipients.txt, read and changed. A comment right above a recipient is its
// name and goes with it; everything else in the file stays as it is.
import { LABEL_CHARACTERS_MAX } from "../../host";
import { ExitCode, ToolError } from "../errors";
import { isRecipient } from "./age";

/** Bytes of a list at most: some thousand recipients. */
export const RECIPIENTS_BYTES_MAX = 1 << 20;

/** One who can open the vault. */
export interface NamedRecipient {
  /** `age1...` */
  recipient: string;
  /** Empty when the file says none. */
  name: string;
}

/** @returns what stands in a list where recipients should, unchecked: enough to tell of it */
export function linesWithNames(text: string): NamedRecipient[] {
  const lines = linesOf(text);
  return lines.flatMap((line, at) =>
    line === "" || line.startsWith("#") ? [] : [{ recipient: line, name: nameAbove(lines, at) }],
  );
}

/** @returns the recipients in a list. @throws ToolError when there is none, or a line that is neither one nor a comment */
export function readRecipients(path: string, text: string): NamedRecipient[] {
  const recipients = linesWithNames(text);
  for (const { recipient } of recipients)
    if (!isRecipient(recipient))
      throw new ToolError(
        ExitCode.Usage,
        `'${path}' has the line '${shown(recipient)}', which is no age recipient; correct or remove it.`,
      );
  if (recipients.length === 0) throw noRecipient(path);
  return recipients;
}

/** For a list that is empty. */
export function noRecipient(path: string): ToolError {
  return new ToolError(
    ExitCode.Usage,
    `'${path}' names no recipient: nobody could open what is put into the vault.`,
  );
}

/** @returns the list of these recipients, as text */
export function formatRecipients(recipients: NamedRecipient[]): string {
  return recipients.map(linesFor).join("");
}

/** @returns the list with one more; one that it has already gets the name, unless that is empty */
export function withRecipient(text: string, added: NamedRecipient): string {
  checkRecipient(added.recipient);
  checkName(added.name);
  const lines = linesOf(text);
  const at = lines.indexOf(added.recipient);
  if (at >= 0 && added.name === "") return text;
  if (at < 0) return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${linesFor(added)}`;
  return replaced(lines, at, linesFor(added).trimEnd().split("\n"));
}

/** @returns the list without a recipient and its name, or undefined when it is not on it */
export function withoutRecipient(text: string, recipient: string): string | undefined {
  const lines = linesOf(text);
  const at = lines.indexOf(recipient);
  if (at < 0) return undefined;
  return withoutRecipient(replaced(lines, at, []), recipient) ?? replaced(lines, at, []);
}

/** @throws ToolError unless it is an age X25519 recipient */
export function checkRecipient(text: string): void {
  if (!isRecipient(text))
    throw new ToolError(
      ExitCode.Usage,
      `'${shown(text)}' is no age recipient; it is the line that starts with age1 which 'age-keygen' or 'salestag keys init' shows.`,
    );
}

function checkName(name: string): void {
  if (name.length > LABEL_CHARACTERS_MAX || /\p{Cc}/u.test(name))
    throw new ToolError(
      ExitCode.Usage,
      `the name has ${name.length} characters or a line break; write at most ${LABEL_CHARACTERS_MAX} on one line.`,
    );
}

function linesFor({ recipient, name }: NamedRecipient): string {
  return name === "" ? `${recipient}\n` : `# ${name}\n${recipient}\n`;
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trim());
}

function nameAbove(lines: string[], at: number): string {
  return lines[at - 1]?.startsWith("#") ? lines[at - 1].slice(1).trim() : "";
}

/** @returns the lines as text, others in the place of a recipient and its name */
function replaced(lines: string[], at: number, by: string[]): string {
  const from = lines[at - 1]?.startsWith("#") ? at - 1 : at;
  return [...lines.slice(0, from), ...by, ...lines.slice(at + 1)].join("\n");
}

/** @returns a line for a sentence: no secret key that somebody put there by mistake, no line break, not too long */
export function shown(line: string): string {
  if (/AGE-SECRET-KEY-/i.test(line)) return "AGE-SECRET-KEY-...";
  const printable = line.replace(/\p{Cc}/gu, "?");
  return printable.length > 100 ? `${printable.slice(0, 100)}...` : printable;
}
