// The relay's log: one line for each event, for people or as JSON. Fields are numbers and short texts; keys, sealed bytes and
// anything else that a badge sent stay out of it.
import type { Clock } from "./clock";

export type LogLevel = "info" | "warn" | "error";
export type LogFields = Record<string, string | number | boolean | undefined>;

/** Takes events. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/**
 * @param write takes one line, line break included
 * @param json JSON lines instead of lines for people
 */
export function lineLog(clock: Clock, write: (line: string) => void, json: boolean): Log {
  const line = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    const time = new Date(clock.unixMs()).toISOString();
    write(
      json ? `${JSON.stringify({ time, level, event, ...fields })}\n` : humanLine(time, level, event, fields),
    );
  };
  return {
    info: (event, fields) => line("info", event, fields),
    warn: (event, fields) => line("warn", event, fields),
    error: (event, fields) => line("error", event, fields),
  };
}

function humanLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${humanValue(value)}`);
  return `${time} ${level.padEnd(5)} ${event}${shown.join("")}\n`;
}

/** Quotes what would not read as one word, line breaks and other control characters included. */
function humanValue(value: LogFields[string]): string {
  const text = String(value);
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text);
}
