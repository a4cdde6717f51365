// `salestag completion`: what makes a shell complete commands, options, ports and files. Made from the program itself.

import { ExitCode, ToolError } from "@salestag/protocol/team";
import { Argument, type Command } from "commander";
import { bashScript } from "../completion/bash";
import { fishScript } from "../completion/fish";
import { treeOf } from "../completion/tree";
import { zshScript } from "../completion/zsh";
import type { Output } from "./output";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

const HELP = `
The script lists ports itself: nothing is started when you press TAB. Make it again after an update.

Examples:
  salestag completion bash > ~/.local/share/bash-completion/completions/salestag
  salestag completion zsh > ~/.zfunc/_salestag      # with fpath+=~/.zfunc before compinit in ~/.zshrc
  salestag completion fish > ~/.config/fish/completions/salestag.fish`;

export function addCompletion(program: Command, output: Output): void {
  program
    .command("completion")
    .description("Print the script that makes a shell complete this program's commands.")
    .addArgument(new Argument("[shell]", "whose script").choices(Object.keys(SCRIPTS)))
    .option("--json", "print the commands and their options as JSON instead, for other shells", false)
    .addHelpText("after", HELP)
    .action((shell: keyof typeof SCRIPTS | undefined, { json }: { json: boolean }) => {
      const tree = treeOf(program);
      if (json) output.line(JSON.stringify(tree));
      else if (shell !== undefined) output.line(SCRIPTS[shell](program.name(), tree).trimEnd());
      else throw new ToolError(ExitCode.Usage, "name the shell: salestag completion bash, zsh or fish.");
    });
}
