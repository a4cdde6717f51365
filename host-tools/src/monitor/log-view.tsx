/** @jsxRuntime automatic @jsxImportSource react */
// The log on the monitor's screen: warnings and errors first, so that no chatter pushes them out, then the rest.
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { LogLine, MonitorState } from "./model";
import { timeOfDay } from "./words";

/** A line of the log, or a heading between. */
export type LogRow = LogLine | { heading: string };

const COLORS = { error: "red", warning: "yellow", log: undefined, event: "cyan" } as const;
/** Share of the room that warnings and errors may take from the rest. */
const PROBLEMS_SHARE = 0.6;

/** In less room there are no headings. */
const HEADED_ROWS_MIN = 4;

/** @returns the newest lines that fit into so many rows. @param inOrder one list in the order of time, as the log alone is shown */
export function logLines({ problems, chatter }: MonitorState, rows: number, inOrder: boolean): LogRow[] {
  if (rows < HEADED_ROWS_MIN) return newest(problems.length > 0 ? problems : chatter, rows);
  if (inOrder) return [...problems, ...chatter].sort((a, b) => a.atMs - b.atMs).slice(-rows);
  if (problems.length === 0) return [{ heading: "log" }, ...newest(chatter, rows - 1)];
  const room = rows - 2;
  const spare = Math.max(0, room - chatter.length);
  const shown = newest(problems, Math.max(spare, Math.floor(room * PROBLEMS_SHARE)));
  const rest = newest(chatter, room - shown.length);
  return [{ heading: "warnings and errors" }, ...shown, { heading: "log" }, ...rest];
}

function newest<T>(list: T[], count: number): T[] {
  return count <= 0 ? [] : list.slice(-count);
}

export function LogView({
  lines,
  rows,
  columns,
}: {
  lines: LogRow[];
  rows: number;
  columns: number;
}): ReactNode {
  return (
    <Box flexDirection="column" height={Math.max(0, rows)} width={columns} flexShrink={0} overflow="hidden">
      {lines.map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is what its place makes it
        <LogText key={at} line={line} columns={columns} />
      ))}
    </Box>
  );
}

function LogText({ line, columns }: { line: LogRow; columns: number }): ReactNode {
  if ("heading" in line)
    return (
      <Text
        dimColor
      >{`── ${line.heading} ${"─".repeat(Math.max(0, columns - line.heading.length - 4))}`}</Text>
    );
  return (
    <Text wrap="truncate-end" color={COLORS[line.severity]}>
      <Text dimColor>{`${timeOfDay(line.atMs)} `}</Text>
      {line.text}
    </Text>
  );
}
