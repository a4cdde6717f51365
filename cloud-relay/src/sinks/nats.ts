// Sink that publishes chunks to a NATS JetStream stream: subject `<subject>.<badge>`, the record as MessagePack, badge/epoch/index as message id, by which
// JetStream drops repetitions within its window. A badge's chunks go one after the other, those of different badges beside each other.
import type { NatsServer } from "@salestag/protocol/service";
import { type NatsStream, natsProblem, openStream, type StreamSettings } from "../nats/connection";
import type { SpoolEntry } from "../spool/reader";
import { byBadge, nameOf, type Sink } from "./sink";

const ACK_MS_MAX = 10_000;

/**
 * @param ackMsMax longest wait for JetStream's word that it has a chunk
 * @returns a sink whose name has no user and no secret in it
 */
export function natsSink(place: NatsServer, settings: StreamSettings, ackMsMax = ACK_MS_MAX): Sink {
  let opened: Promise<NatsStream> | undefined;
  const open = async (): Promise<NatsStream> => {
    opened ??= openStream(place, settings);
    try {
      return await opened;
    } catch (cause) {
      opened = undefined;
      throw new Error(natsProblem(cause));
    }
  };
  return {
    name: `nats:${place.servers.join(",")}/${settings.stream}`,
    async deliver(entries, signal) {
      const { client } = await open();
      const publish = async (list: SpoolEntry[]) => {
        for (const entry of list) {
          signal.throwIfAborted();
          await client.publish(`${settings.subject}.${entry.record.badge}`, entry.encoded, {
            msgID: nameOf(entry),
            timeout: ackMsMax,
            expect: { streamName: settings.stream },
          });
        }
      };
      await allOf(byBadge(entries).map(publish));
    },
    async close() {
      const stream = await opened?.catch(() => undefined);
      await stream?.connection.close();
    },
  };
}

/** Waits for all, so that nothing is under way when the first failure is told. */
async function allOf(running: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(running))
    if (result.status === "rejected") throw new Error(natsProblem(result.reason));
}
