// Completion for zsh: a function for each command, in the words of _arguments.
import { allNodes, type CommandNode, type OptionNode, type ValueNode } from "./tree";

/** @param program its name */
export function zshScript(program: string, root: CommandNode): string {
  return `#compdef ${program}
# zsh completion for ${program}; made by '${program} completion zsh'

_${program}_serial_ports() {
  local -a ports
  ports=(/dev/ttyACM*(N) /dev/ttyUSB*(N) /dev/cu.usbmodem*(N))
  local folder link
  for folder in \${(s.:.)SALESTAG_PORTS}; do
    for link in $folder/*(N@); do [[ -c $link ]] && ports+=($link); done
  done
  compadd -a ports
}

${allNodes(root)
  .map((node) => commandFunction(program, node))
  .join("\n")}
if [ "$funcstack[1]" = _${program} ]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}

function functionName(program: string, path: string[]): string {
  return ["", program, ...path.map((word) => word.replaceAll("-", "_"))].join("_");
}

function commandFunction(program: string, node: CommandNode): string {
  const name = functionName(program, node.path);
  const options = node.options.map((option) => optionSpec(program, option));
  if (node.commands.length === 0) {
    const values = node.arguments.map(
      (argument, place) => `'${place + 1}:${plain(argument.name)}:${action(program, argument)}'`,
    );
    return `${name}() {\n  _arguments ${[...options, ...values].join(" \\\n    ")}\n}\n`;
  }
  const described = node.commands.map(
    ({ path, description }) => `'${plain(path.at(-1) as string)}:${plain(description)}'`,
  );
  const cases = node.commands.map(({ path }) => `      ${path.at(-1)}) ${functionName(program, path)} ;;`);
  return `${name}() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  local -a commands
  commands=(${described.join(" ")})
  _arguments -C ${options.join(" ")} '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands ;;
    rest) case $line[1] in
${cases.join("\n")}
    esac ;;
  esac
}
`;
}

function optionSpec(program: string, { names, description, value }: OptionNode): string {
  const about = `[${plain(description)}]`;
  const behind = value === undefined ? "" : `:${plain(value.name)}:${action(program, value)}`;
  return names
    .map(
      (name) => `'*${name}${value === undefined ? "" : name.startsWith("--") ? "=" : "+"}${about}${behind}'`,
    )
    .join(" ");
}

function action(program: string, { kind, choices }: ValueNode): string {
  const actions = {
    port: `_${program}_serial_ports`,
    file: "_files",
    folder: "_files -/",
    text: " ",
    choice: `(${choices.join(" ")})`,
  };
  return actions[kind];
}

/** A text inside single quotes, in which _arguments sees no sign of its own. */
function plain(text: string): string {
  return text.replaceAll("'", "’").replace(/[[\]:\\]/g, (sign) => `\\${sign}`);
}
