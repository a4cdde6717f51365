/** @jsxRuntime automatic @jsxImportSource react */
// The monitor's screen, drawn from what is known and how large the terminal is. No state of its own.
import { Box, Text } from "ink";
import type { ReactNode } from "react";
import type { PhraseText } from "./changes";
import { LogView, logLines } from "./log-view";
import { type MonitorState, TALK_WINDOW_MS } from "./model";
import { talkShares } from "./traced";
import {
  bar,
  conversationWords,
  kilobytes,
  lightWords,
  linkWords,
  meterShare,
  percent,
  span,
  timeOfDay,
} from "./words";

export interface ViewProps {
  state: MonitorState;
  nowMs: number;
  /** Of the terminal. */
  columns: number;
  rows: number;
  port: string;
  phraseText: PhraseText;
  paused: boolean;
  logOnly: boolean;
}

/** From this width on the log stands beside the rest. */
const WIDE_COLUMNS = 118;
const LEFT_COLUMNS = 76;
const METER_COLUMNS = 30;
const BAR_COLUMNS = 14;
/** A badge that has its keys says how it is every 2 s. */
const SILENT_MS = 8000;
const METER_MS = 500;
const CLIPPED_SHOWN_MS = 2000;
const LOUD_DB = -9;

export function View(props: ViewProps): ReactNode {
  const { rows, columns, logOnly, state } = props;
  const bodyRows = rows - 2; // without header and footer
  const parts = Object.entries(ROWS).map(([name, Part]) => <Part key={name} {...props} />);
  const wide = columns >= WIDE_COLUMNS;
  const beside = wide && !logOnly;
  const logRows = logOnly || wide ? bodyRows : bodyRows - parts.length;
  const log = (
    <LogView
      lines={logLines(state, logRows, logOnly)}
      rows={logRows}
      columns={beside ? columns - LEFT_COLUMNS - 2 : columns}
    />
  );
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header {...props} />
      <Box height={bodyRows} flexDirection={wide ? "row" : "column"} overflow="hidden">
        {logOnly ? null : (
          <Box
            flexDirection="column"
            flexShrink={0}
            overflow="hidden"
            height={Math.min(parts.length, bodyRows)}
            width={wide ? LEFT_COLUMNS : columns}
            marginRight={wide ? 2 : 0}
          >
            {parts}
          </Box>
        )}
        {log}
      </Box>
      <Footer {...props} />
    </Box>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <Text wrap="truncate-end">
      <Text dimColor>{name.padEnd(9)}</Text>
      {children}
    </Text>
  );
}

function Header({ state, port, nowMs }: ViewProps): ReactNode {
  const { badge, deviceId, program, programHash, provisioned } = state.who;
  const { plugged, sinceMs, why } = state.cable;
  if (!plugged)
    return (
      <Text wrap="truncate-end" color="yellow" inverse>
        {` unplugged for ${span(nowMs - sinceMs)} (${why}); waiting for it at ${port} `}
      </Text>
    );
  const name =
    provisioned === false ? "a badge without keys" : (badge ?? "a badge that has said nothing yet");
  const version = programHash === undefined ? "" : `   ${program} (${programHash})`;
  return (
    <Text wrap="truncate-end">
      <Text bold>{name}</Text>
      <Text dimColor>{`   ${deviceId === undefined ? port : `hardware ${deviceId}`}${version}`}</Text>
    </Text>
  );
}

function Footer({ paused, logOnly, state }: ViewProps): ReactNode {
  const counts = `${state.problems.length === 0 ? "no" : state.problems.length} warnings and errors`;
  return (
    <Text wrap="truncate-end">
      <Text
        dimColor
      >{`q quit   p ${paused ? "go on" : "pause"}   l ${logOnly ? "all" : "log alone"}   ${counts}`}</Text>
      {paused ? (
        <Text color="yellow" bold>
          {"   PAUSED"}
        </Text>
      ) : null}
    </Text>
  );
}

function Light({ state }: ViewProps): ReactNode {
  const { shows } = state;
  if (shows === undefined)
    return (
      <Row name="light">
        <Text dimColor>told when it changes</Text>
      </Row>
    );
  const { color, means } = lightWords(shows);
  return (
    <Row name="light">
      <Text color={color}>● </Text>
      <Text bold>{shows}</Text>
      {means === "" ? "" : `: ${means}`}
    </Row>
  );
}

function Level({ state, nowMs }: ViewProps): ReactNode {
  const { meter } = state;
  if (meter === undefined || nowMs - meter.atMs > METER_MS)
    return (
      <Row name="level">
        <Text dimColor>no sound comes from the front end</Text>
      </Row>
    );
  const { full, empty } = bar(meterShare(meter.levelDb), METER_COLUMNS);
  const clipped = meter.clippedMs !== undefined && nowMs - meter.clippedMs < CLIPPED_SHOWN_MS;
  const peakAt = Math.min(
    METER_COLUMNS - 1,
    Math.max(0, Math.round(meterShare(meter.peakDb) * METER_COLUMNS) - 1),
  );
  const rest =
    peakAt >= full.length
      ? `${empty.slice(0, peakAt - full.length)}│${empty.slice(peakAt - full.length + 1)}`
      : empty;
  return (
    <Row name="level">
      <Text color={meter.levelDb > LOUD_DB ? "red" : "green"}>{full}</Text>
      <Text dimColor>{rest}</Text>
      {` ${meter.levelDb.toFixed(0).padStart(4)} dB  peak ${meter.peakDb.toFixed(0).padStart(4)} dB `}
      {clipped ? (
        <Text color="red" bold>
          {" "}
          CLIPPED
        </Text>
      ) : null}
      {meter.muted ? (
        <Text color="red" bold>
          {" "}
          MUTED
        </Text>
      ) : null}
    </Row>
  );
}

function Speech({ state, nowMs }: ViewProps): ReactNode {
  const { meter, speaking } = state;
  const likely = meter !== undefined && nowMs - meter.atMs <= METER_MS ? meter.speech : undefined;
  return (
    <Row name="speech">
      {speaking ? (
        <Text color="green" bold>
          {"speaking"}
        </Text>
      ) : (
        <Text dimColor>{"quiet   "}</Text>
      )}
      {likely === undefined ? "" : `  ${percent(likely).padStart(4)} by the network`}
    </Row>
  );
}

function Conversation({ state, nowMs }: ViewProps): ReactNode {
  const text = conversationWords(state, nowMs);
  return <Row name="talk">{state.conversation === undefined ? <Text dimColor>{text}</Text> : text}</Row>;
}

function Shares({ state, nowMs }: ViewProps): ReactNode {
  const { nearMs, farMs } = talkShares(state.turns, nowMs);
  const sumMs = nearMs + farMs;
  const minutes = TALK_WINDOW_MS / 60_000;
  if (sumMs === 0)
    return (
      <Row name="near/far">
        <Text dimColor>{`no turns in the last ${minutes} min`}</Text>
      </Row>
    );
  const { full, empty } = bar(nearMs / sumMs, METER_COLUMNS);
  return (
    <Row name="near/far">
      <Text color="cyan">{full}</Text>
      <Text color="magenta">{empty}</Text>
      {` near ${percent(nearMs / sumMs)}, far ${percent(farMs / sumMs)} in ${minutes} min`}
    </Row>
  );
}

function Phrases({ state, phraseText }: ViewProps): ReactNode {
  const heard = [...state.phrases].reverse().slice(0, 4);
  const words = heard.map(
    ({ atMs, number }) => `${timeOfDay(atMs)} ${phraseText(number) ?? `number ${number}`}`,
  );
  return <Row name="phrases">{heard.length === 0 ? <Text dimColor>none yet</Text> : words.join("   ")}</Row>;
}

function Outbox({ state, nowMs }: ViewProps): ReactNode {
  const { waiting, sealed, stored, acked, refused, lostMs } = state.outbox;
  const { health } = state;
  const room = health === undefined ? "" : `${health.usedKb} of ${health.sizeKb} KB, `;
  const ago = acked === undefined ? "" : `, acknowledged ${span(nowMs - acked.atMs)} ago`;
  return (
    <Row name="outbox">
      {`${room}${waiting ?? "?"} waiting; sealed ${sealed}, stored ${stored}${ago}`}
      {refused > 0 ? <Text color="red">{`  ${refused} REFUSED`}</Text> : null}
      {lostMs > 0 ? <Text color="red">{`  ${(lostMs / 1000).toFixed(1)} s LOST`}</Text> : null}
    </Row>
  );
}

function Relay({ state, nowMs }: ViewProps): ReactNode {
  const { link, health, who } = state;
  const up = link?.up ?? health?.online;
  const words =
    link === undefined && health !== undefined
      ? health.online
        ? "reached"
        : "not reached"
      : linkWords(link, nowMs);
  return (
    <Row name="relay">
      <Text color={up === undefined ? undefined : up ? "green" : "yellow"}>{words}</Text>
      {who.relay === undefined ? null : <Text dimColor>{`  ${who.relay}`}</Text>}
    </Row>
  );
}

function Heap({ state }: ViewProps): ReactNode {
  const { vitals } = state;
  if (vitals === undefined || vitals === "untold")
    return (
      <Row name="runtime">
        <Text dimColor>{vitals === undefined ? "not yet told" : "not told by this badge"}</Text>
      </Row>
    );
  const { heapBytes, heapUsedBytes, heapFreeBlockBytes, loadPerMille } = vitals;
  const heap = bar(heapUsedBytes / heapBytes, BAR_COLUMNS);
  const load = bar(loadPerMille / 1000, BAR_COLUMNS / 2);
  const block = heapFreeBlockBytes === undefined ? "" : `, block ${kilobytes(heapFreeBlockBytes)}`;
  return (
    <Row name="runtime">
      <Text dimColor>heap </Text>
      <Text color={heapUsedBytes / heapBytes > 0.9 ? "red" : "green"}>{heap.full}</Text>
      <Text dimColor>{heap.empty}</Text>
      {` ${kilobytes(heapUsedBytes)}/${kilobytes(heapBytes)} KB${block}  `}
      <Text dimColor>load </Text>
      <Text color={loadPerMille > 700 ? "red" : "green"}>{load.full}</Text>
      <Text dimColor>{load.empty}</Text>
      {` ${percent(loadPerMille / 1000)}`}
    </Row>
  );
}

function Health({ state, nowMs }: ViewProps): ReactNode {
  const { health } = state;
  if (health === undefined)
    return (
      <Row name="health">
        <Text dimColor>not yet told</Text>
      </Row>
    );
  const silentMs = nowMs - health.atMs;
  const { upS, batteryPercent, storageFailed, lostFrames, lateMs } = health;
  return (
    <Row name="health">
      {`up ${span(upS * 1000)}  battery ${batteryPercent < 0 ? "not told" : `${batteryPercent}%`}  storage `}
      {storageFailed ? (
        <Text color="red" bold>
          FAILED
        </Text>
      ) : (
        "ok"
      )}
      {`  lost frames ${lostFrames}  late ${lateMs} ms`}
      {silentMs > SILENT_MS ? <Text color="yellow" bold>{`  SILENT for ${span(silentMs)}`}</Text> : null}
    </Row>
  );
}

const ROWS = { Light, Level, Speech, Conversation, Shares, Phrases, Outbox, Relay, Heap, Health };
