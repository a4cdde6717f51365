// Completion for fish: a line for each command, option and argument, each with the command that it belongs to.
import { allNodes, type CommandNode, type OptionNode, type ValueNode } from "./tree";

/** @param program its name */
export function fishScript(program: string, root: CommandNode): string {
  const nodes = allNodes(root);
  const paths = nodes.flatMap(({ commands }) => commands.map(({ path }) => `'${path.join(" ")}'`));
  return `# fish completion for ${program}; made by '${program} completion fish'
function __${program}_at --description 'is this the command so far?'
  set -l words (commandline -opc)
  set -l path
  for word in $words[2..-1]
    switch "$path $word"
      case ${paths.map((path) => path.replace("'", "' ")).join(" ")}
        set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end

function __${program}_ports
  for port in /dev/ttyACM* /dev/ttyUSB* /dev/cu.usbmodem*
    echo $port
  end
  for folder in (string split -n : -- "$SALESTAG_PORTS")
    for port in $folder/*
      test -L $port; and test -c $port; and echo $port
    end
  end
end

complete -c ${program} -f
${nodes.flatMap((node) => linesOf(program, node)).join("\n")}
`;
}

function linesOf(program: string, { path, commands, options, arguments: values }: CommandNode): string[] {
  const at = path.map((word) => ` ${word}`).join("");
  const start = `complete -c ${program} -n ${quoted(`__${program}_at '${at}'`)}`;
  return [
    ...commands.map(
      ({ path: child, description }) => `${start} -a ${child.at(-1)} -d ${quoted(description)}`,
    ),
    ...options.map((option) => `${start} ${optionOf(program, option)}`),
    ...values.slice(0, 1).flatMap((value) => {
      const completes = completionOf(program, value);
      return completes === "" ? [] : [`${start} ${completes}`];
    }),
  ];
}

function optionOf(program: string, { names, description, value }: OptionNode): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const takes =
    value === undefined
      ? []
      : [value.kind === "file" ? "-r -F" : `-x ${completionOf(program, value)}`.trimEnd()];
  return [...flags, ...takes, `-d ${quoted(description)}`].join(" ");
}

function completionOf(program: string, { kind, choices }: ValueNode): string {
  const completes = {
    port: `-a '(__${program}_ports)'`,
    file: "-F",
    folder: "-a '(__fish_complete_directories (commandline -ct))'",
    choice: `-a ${quoted(choices.join(" "))}`,
    text: "",
  };
  return completes[kind];
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
