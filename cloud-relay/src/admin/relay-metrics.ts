// The relay's numbers for `GET /metrics`, gathered from its parts. Looks only: nothing changes by being asked.
import type { Metric, Tally } from "./metrics";

/** What the numbers are taken from. */
export interface MetricParts {
  badgesConnected: number;
  connectionsTotal: number;
  /** By error code. */
  refusals: Tally;
  /** By the bound that was met. */
  turnedAway: Tally;
  spool: {
    readonly bytes: number;
    readonly hasRoom: boolean;
    readonly stored: { chunks: number; bytes: number };
  };
  sinks: readonly SinkParts[];
}

interface SinkParts {
  readonly name: string;
  readonly bytesBehind: number;
  readonly failuresTotal: number;
  readonly deadLetters: { readonly count: number };
}

/** @returns all numbers at this moment */
export function relayMetrics(parts: MetricParts): Metric[] {
  return [...connectionMetrics(parts), ...spoolMetrics(parts), ...sinkMetrics(parts)];
}

function connectionMetrics(parts: MetricParts): Metric[] {
  const { badgesConnected, connectionsTotal, refusals, turnedAway } = parts;
  return [
    one(
      "badges_connected",
      "gauge",
      "Badges that have proved themselves and are connected.",
      badgesConnected,
    ),
    one("connections_total", "counter", "Connections that were accepted.", connectionsTotal),
    {
      name: "salestag_relay_refusals_total",
      type: "counter",
      help: "Connections that were ended with an error, by its code.",
      samples: refusals.samples("code"),
    },
    {
      name: "salestag_relay_connections_turned_away_total",
      type: "counter",
      help: "Connections that were not let in, by the bound that they met.",
      samples: turnedAway.samples("bound"),
    },
  ];
}

function spoolMetrics({ spool: { stored, bytes, hasRoom } }: MetricParts): Metric[] {
  const roomHelp = "1 while the spool takes chunks, 0 while badges are told to hold.";
  return [
    one("chunks_stored_total", "counter", "Chunks that were made durable.", stored.chunks),
    one("stored_bytes_total", "counter", "Bytes of records that were made durable.", stored.bytes),
    one("spool_bytes", "gauge", "Bytes that the spool's segments take.", bytes),
    one("spool_has_room", "gauge", roomHelp, hasRoom ? 1 : 0),
  ];
}

function sinkMetrics({ sinks }: MetricParts): Metric[] {
  const samples = (value: (sink: SinkParts) => number) =>
    sinks.map((sink) => ({ labels: { sink: sink.name }, value: value(sink) }));
  return [
    {
      name: "salestag_relay_sink_behind_bytes",
      type: "gauge",
      help: "Bytes of records that a sink has not had.",
      samples: samples(({ bytesBehind }) => bytesBehind),
    },
    {
      name: "salestag_relay_sink_failures_total",
      type: "counter",
      help: "Deliveries to a sink that failed.",
      samples: samples(({ failuresTotal }) => failuresTotal),
    },
    {
      name: "salestag_relay_sink_dead_letters",
      type: "gauge",
      help: "Chunks that a sink would not take and that were put aside.",
      samples: samples(({ deadLetters }) => deadLetters.count),
    },
  ];
}

function one(name: string, type: Metric["type"], help: string, value: number): Metric {
  return { name: `salestag_relay_${name}`, type, help, samples: [{ value }] };
}
