// The command line `salestag`: finds the command, runs it, turns its error into a sentence and an exit code.

import { ExitCode, messageOf, ToolError } from "@salestag/protocol/team";
import { Command } from "commander";
import { addAudit } from "./commands/audit";
import { addBundle } from "./commands/bundle";
import { addCompletion } from "./commands/completion";
import { addConfigure } from "./commands/configure";
import { addConsent } from "./commands/consent";
import { addDeploy } from "./commands/deploy";
import { addDoctor } from "./commands/doctor";
import { addFactoryTest } from "./commands/factory-test";
import { addFlash } from "./commands/flash";
import { addKeysAddRecipient } from "./commands/keys-add-recipient";
import { addKeysExport } from "./commands/keys-export";
import { addKeysImport } from "./commands/keys-import";
import { addKeysInit } from "./commands/keys-init";
import { addKeysList } from "./commands/keys-list";
import { addKeysRemoveRecipient } from "./commands/keys-remove-recipient";
import { addKeysShred } from "./commands/keys-shred";
import { addMonitor } from "./commands/monitor";
import { addNudge } from "./commands/nudge";
import { addOpen } from "./commands/open";
import { processOutput } from "./commands/output";
import { addPhrases } from "./commands/phrases";
import { addPorts } from "./commands/ports";
import { addProvision } from "./commands/provision";
import { addProvisionBox } from "./commands/provision-box";
import { addTune } from "./commands/tune";

const output = processOutput();
const program = new Command("salestag")
  .description("Keys, badges and recordings of a SalesTag team.")
  .showSuggestionAfterError(false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage))
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 a mistake in the program, 2 an argument or file cannot be used, 3 keys do not fit,\n4 recordings are damaged or incomplete, 5 a badge does not answer or fails, 130 interrupted.",
  );
program.commandsGroup("Badges that are plugged in:");
addPorts(program, output);
addDoctor(program, output);
addFactoryTest(program, output);
addMonitor(program, output);
addFlash(program, output);
addDeploy(program, output);
addProvision(program, output);
addProvisionBox(program, output);
addPhrases(program, output);
addConsent(program, output);
addTune(program, output);
program.commandsGroup("Badges out in the field, through the relay:");
addConfigure(program, output);
addNudge(program, output);
program.commandsGroup("The team's keys and recordings:");
const keys = program.command("keys").description("The team's identity and its vault.");
addKeysInit(keys, output);
addKeysList(keys, output);
addKeysAddRecipient(keys, output);
addKeysRemoveRecipient(keys, output);
addKeysShred(keys, output);
addKeysExport(keys, output);
addKeysImport(keys, output);
addOpen(program, output);
addAudit(program, output);
program.commandsGroup("Other:");
addBundle(program, output);
addCompletion(program, output);

program.parseAsync().catch((cause: unknown) => {
  process.stderr.write(`salestag: ${sentenceOf(cause)}\n`);
  if (cause instanceof ToolError) process.exitCode = cause.exitCode;
  else process.exitCode = isSystemError(cause) ? ExitCode.Usage : ExitCode.Internal;
});

function sentenceOf(cause: unknown): string {
  if (!isSystemError(cause)) return messageOf(cause);
  return `the system refuses a file or folder (${messageOf(cause)}); check its path and permissions.`;
}

/** Errors of node:fs: a full disk, a folder that may not be written. */
function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && "syscall" in cause;
}
