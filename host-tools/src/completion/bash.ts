// Completion for bash (3.2 and newer): one function, which finds the command in the words so far.
import { allNodes, type CommandNode, type ValueNode } from "./tree";

/** @param program its name */
export function bashScript(program: string, root: CommandNode): string {
  const nodes = allNodes(root);
  return `# bash completion for ${program}; made by '${program} completion bash'
_${program}_serial_ports() {
  local port folder IFS=:
  for port in /dev/ttyACM* /dev/ttyUSB* /dev/cu.usbmodem*; do
    [ -c "$port" ] && printf '%s\\n' "$port"
  done
  for folder in $SALESTAG_PORTS; do
    for port in "$folder"/*; do
      [ -L "$port" ] && [ -c "$port" ] && printf '%s\\n' "$port"
    done
  done
}

_${program}() {
  local IFS=$'\\n' i command="" words="" kind="" current="\${COMP_WORDS[COMP_CWORD]}" before=""
  [ "$COMP_CWORD" -gt 0 ] && before="\${COMP_WORDS[COMP_CWORD - 1]}"
  if [ "$current" = "=" ]; then current=""; elif [ "$before" = "=" ]; then before="\${COMP_WORDS[COMP_CWORD - 2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${command:+$command }\${COMP_WORDS[i]}" in
${nodes.flatMap(({ commands }) => commands.map(({ path }) => `      '${path.join(" ")}') command='${path.join(" ")}' ;;`)).join("\n")}
    esac
  done
  case "$command/$before" in
${nodes.flatMap(valueCases).join("\n")}
  esac
  if [ -z "$kind" ]; then
    case "$command" in
${nodes.map(wordCase).join("\n")}
    esac
    case "$current" in -*) kind=options ;; esac
  fi
  case "$kind" in
    options | words) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    port) COMPREPLY=($(compgen -W "$(_${program}_serial_ports)" -- "$current")) ;;
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")) ;;
    folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$current")) ;;
    *) COMPREPLY=() ;;
  esac
}
complete -F _${program} ${program}
`;
}

/** What comes behind an option that takes a value. */
function valueCases({ path, options }: CommandNode): string[] {
  return options.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    const patterns = names.map((name) => `'${path.join(" ")}/${name}'`).join(" | ");
    return [`    ${patterns}) ${assignment(value)} ;;`];
  });
}

function assignment({ kind, choices }: ValueNode): string {
  return kind === "choice" ? `kind=words words=${lines(choices)}` : `kind=${kind}`;
}

/** What comes where no value is due: a command, an option, the first argument. */
function wordCase({ path, commands, options, arguments: [argument] }: CommandNode): string {
  const children = commands.map((command) => command.path.at(-1) as string);
  const names = options.flatMap((option) => option.names);
  const words = [...children, ...(argument?.choices ?? []), ...names];
  const kind = argument === undefined || argument.kind === "choice" ? "words" : argument.kind;
  return `      '${path.join(" ")}') kind=${kind} words=${lines(words)} ;;`;
}

function lines(words: string[]): string {
  return `$'${words.join("\\n").replaceAll("'", "\\'")}'`;
}
