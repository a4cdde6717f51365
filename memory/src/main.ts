// The command line of `salestag-memory`.
import { randomUUID } from "node:crypto";
import { messageOf, systemClock } from "@salestag/protocol/service";
import { Command } from "commander";
import { askRunning } from "./commands/control";
import { OPERATIONS, type OperationArguments } from "./commands/operations";
import { rebuild } from "./commands/rebuild";
import { serve } from "./commands/serve";
import { tokenFor } from "./commands/token";
import { readConfig } from "./config/config";
import { ExitCode, exitCodeOf } from "./errors";
import { teamIdOf } from "./pipeline/team";
import { openDatabase } from "./store/open";

const EXAMPLES = `
Examples:
  salestag-memory --config /etc/salestag/memory.yaml
  salestag-memory --config memory.yaml person add "Kim Lee" --role rep --subject kim@example.com
  salestag-memory --config memory.yaml badge wear 0123456789abcdef "Kim Lee" --since 2025-06-01T08:00:00Z
  salestag-memory --config memory.yaml token kim@example.com --hours 12
  salestag-memory --config memory.yaml status
  salestag-memory --config memory.yaml rebuild

Exit codes: 0 done, 1 a mistake in the program, 2 an argument, the configuration or a file that it names cannot be used, 3 the vault or
the identity does not fit, 4 the database or the data folder cannot be used as it is, 5 an address cannot be listened on.`;

const program = new Command("salestag-memory")
  .description(
    "The team's memory: opens what the relay delivers, and makes transcripts, tags, insights and search of it.",
  )
  .requiredOption("--config <file>", "YAML file that says everything (docs/memory.md)")
  .addHelpText("after", EXAMPLES)
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage))
  .action(() => run(() => serve(configFile())));

program
  .command("status")
  .description("how the memory is: conversations, what waits, what is wrong; as JSON")
  .action(() => run(() => operate("status", {})));

program
  .command("rebuild")
  .description("make the database anew from sealed chunks, vault and what was told; the memory must not run")
  .action(() =>
    run(async () => print(await rebuild(configFile(), (line) => process.stderr.write(`${line}\n`)))),
  );

const person = program.command("person").description("people of the team");
person
  .command("add <name>")
  .description("add somebody")
  .requiredOption("--role <role>", "rep or manager")
  .option("--subject <sub>", "`sub` of their tokens; left out: they never sign in")
  .action((name: string, flags: OperationArguments) => run(() => operate("person add", { name, ...flags })));
person
  .command("list")
  .description("list everybody")
  .action(() => run(() => operate("person list", {})));

program
  .command("token <subject>")
  .description("sign a token with the team's own secret; the subject is a person's, see 'person list'")
  .option("--hours <n>", "for how long it counts", "12")
  .action((subject: string, { hours }: { hours: string }) =>
    run(async () => {
      const { settings } = readConfig(configFile(), process.env, () => systemClock.unixMs());
      process.stdout.write(`${await tokenFor(settings.tokens, subject, hours, systemClock.unixMs())}\n`);
    }),
  );

const badge = program.command("badge").description("badges and who wears them");
badge
  .command("wear <badge> <person>")
  .description("say who wears a badge: a name, an id, or 'nobody'")
  .option("--since <time>", "from when on, ISO 8601; left out: now")
  .option("--label <label>", "what a badge is called that is new here")
  .action((id: string, who: string, flags: OperationArguments) =>
    run(() => operate("badge wear", { badge: id, person: who, ...flags })),
  );
badge
  .command("list")
  .description("list badges and who wears them")
  .action(() => run(() => operate("badge list", {})));

function configFile(): string {
  return program.opts<{ config: string }>().config;
}

/** Lets the memory that runs do it, or does it here where none runs. */
async function operate(name: string, given: OperationArguments): Promise<void> {
  const { settings } = readConfig(configFile(), process.env, () => systemClock.unixMs());
  const answer = await askRunning(settings.data, name, given);
  if (answer !== undefined) return print(answer);
  if (name === "status") return print({ running: false });
  const database = await openDatabase(settings.postgres ?? { folder: settings.data });
  try {
    const nowUnixMs = () => systemClock.unixMs();
    const teamId = await database.system((session) => teamIdOf(session, settings.team, nowUnixMs()));
    print(await OPERATIONS[name]({ database, teamId, nowUnixMs, newId: randomUUID }, given));
  } finally {
    await database.close();
  }
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function run(work: () => Promise<void>): void {
  work().catch((cause) => {
    process.stderr.write(`salestag-memory: ${messageOf(cause)}\n`);
    process.exit(exitCodeOf(cause));
  });
}

program.parse();
