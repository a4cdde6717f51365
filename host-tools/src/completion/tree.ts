// The commands of a commander program as data: what shell completions are made of, so that they say what the program says.
import type { Argument, Command, Option } from "commander";

/** What completes a value: a badge's port, a file, a folder, one of a few words, or nothing that anybody could know. */
export type ValueKind = "port" | "file" | "folder" | "choice" | "text";

export interface ValueNode {
  /** As the help names it. */
  name: string;
  kind: ValueKind;
  choices: string[];
}

export interface OptionNode {
  /** With their dashes, such as `--badge`. */
  names: string[];
  description: string;
  /** Undefined for one that takes none. */
  value?: ValueNode;
}

export interface CommandNode {
  /** Words behind the program's name; none for the program itself. */
  path: string[];
  description: string;
  commands: CommandNode[];
  options: OptionNode[];
  arguments: (ValueNode & { description: string })[];
}

/** Names of values in the help, by what they are. */
const KINDS: Record<string, ValueKind> = { port: "port", file: "file", dir: "folder", folder: "folder" };

/** @returns a command and all below it, in the order of the help */
export function treeOf(command: Command, path: string[] = []): CommandNode {
  return {
    path,
    description: command.description(),
    commands: command.commands.map((child) => treeOf(child, [...path, child.name()])),
    options: [...command.options.map(optionOf), { names: ["--help"], description: "Show its help." }],
    arguments: command.registeredArguments.map(argumentOf),
  };
}

/** @returns a node and all below it */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.commands.flatMap(allNodes)];
}

function optionOf(option: Option): OptionNode {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  const node = { names, description: option.description };
  return value === undefined ? node : { ...node, value: valueNode(value, option.argChoices) };
}

function argumentOf(argument: Argument): ValueNode & { description: string } {
  return { ...valueNode(argument.name(), argument.argChoices), description: argument.description };
}

function valueNode(text: string, choices: string[] | undefined): ValueNode {
  const name = text.replace(/\.\.\.$/, "");
  const kind = choices !== undefined ? "choice" : (KINDS[name] ?? "text");
  return { name, kind, choices: choices ?? [] };
}
