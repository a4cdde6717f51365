// Changes who can open a vault: encrypts every badge's file to the new list. The new list stands beside the old one until every
// file is done, so that an interruption shows, and a second run finishes what the first began.
import { ExitCode, ToolError } from "../errors";
import { recipientsOf } from "./age";
import {
  linesWithNames,
  type NamedRecipient,
  readRecipients,
  shown,
  withoutRecipient,
  withRecipient,
} from "./recipients";
import type { Vault } from "./vault";

/** What a change of recipients has done. */
export interface RecipientsChanged {
  /** All who can open the vault now. */
  recipients: NamedRecipient[];
  /** Number of badges whose keys were encrypted anew. */
  badges: number;
}

/**
 * Lets somebody open the vault. One who is on the list already gets what was encrypted before as well, and the name, if not empty.
 * @param identities age secret keys
 * @throws ToolError when it is no recipient, or a badge does not open with the identities; then nothing was changed
 */
export async function addRecipient(
  vault: Vault,
  identities: string[],
  added: NamedRecipient,
): Promise<RecipientsChanged> {
  return await encryptTo(vault, identities, (text) => withRecipient(text, added));
}

/**
 * Takes somebody off the list. A copy of the vault that was made before still opens.
 * @param identities age secret keys; at least one must stay on the list
 * @throws ToolError when nobody such is on it, or a badge does not open with the identities; then nothing was changed
 */
export async function removeRecipient(
  vault: Vault,
  identities: string[],
  removed: string,
): Promise<RecipientsChanged> {
  return await encryptTo(vault, identities, (text) => {
    const without = withoutRecipient(text, removed);
    if (without !== undefined) return without;
    if (vault.unfinished()?.removed.includes(removed)) return text;
    throw new ToolError(
      ExitCode.Usage,
      `'${shown(removed)}' is none of the vault's recipients; 'salestag keys list' shows them.`,
    );
  });
}

async function encryptTo(
  vault: Vault,
  identities: string[],
  edit: (text: string) => string,
): Promise<RecipientsChanged> {
  const own = await recipientsOf(identities);
  return await vault.change(async (change) => {
    const text = edit(change.recipientsText());
    const recipients = linesWithNames(text);
    if (!recipients.some(({ recipient }) => own.includes(recipient)))
      throw new ToolError(
        ExitCode.Usage,
        "this identity would not open the vault afterwards; use the identity of somebody who stays on the list, so that it is sure that somebody can.",
      );
    readRecipients("recipients.txt", text);
    const all = await vault.readAll(identities); // before anything is changed
    change.beginRecipients(text);
    for (const keys of all) await change.replace(keys);
    change.endRecipients();
    return { recipients, badges: all.length };
  });
}
