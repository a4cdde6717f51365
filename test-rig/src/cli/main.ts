// The command line `rig`.
import { Command } from "commander";
import { addBadge } from "./badge";
import { addDemo } from "./demo";
import { addReplay } from "./replay";
import { addSimulate } from "./simulate";

const program = new Command("rig")
  .description("The SalesTag test rig: emulated badges in virtual time.")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .addHelpText(
    "after",
    "\nExit codes: 0 all arrived, 1 something failed and is named, 2 an argument cannot be used.",
  );
addReplay(program);
addDemo(program);
addBadge(program);
addSimulate(program);

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0); // who reads has enough
});

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`rig: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
