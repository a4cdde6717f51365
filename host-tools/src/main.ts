// The command line `salestag`: finds the command, runs it, turns its error into a sentence and an exit code.
import { Command } from "commander";
import { addKeysInit } from "./commands/keys-init";
import { addOpen } from "./commands/open";
import { processOutput } from "./commands/output";
import { addProvision } from "./commands/provision";
import { ExitCode, messageOf, ToolError } from "./errors";

const output = processOutput();
const program = new Command("salestag")
  .description("Keys, badges and recordings of a SalesTag team.")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage))
  .addHelpText(
    "after",
    "\nExit codes: 0 done, 1 a mistake in the program, 2 an argument or file cannot be used, 3 keys do not fit,\n4 recordings are damaged or incomplete, 5 the badge does not answer.",
  );
const keys = program.command("keys").description("The team's keys.");
addKeysInit(keys, output);
addProvision(program, output);
addOpen(program, output);

program.parseAsync().catch((cause: unknown) => {
  process.stderr.write(`salestag: ${messageOf(cause)}\n`);
  process.exitCode = cause instanceof ToolError ? cause.exitCode : ExitCode.Internal;
});
