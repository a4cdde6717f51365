// mosquitto with persistence: the broker, and devices that publish with QoS 1 to a durable subscriber that is away.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort } from "@salestag/protocol/testing";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { Send } from "./meter";
import { Server } from "./server";
import { CHUNK_BYTES, fail, type Target, type TargetSpec } from "./target";

/** Subscribed with QoS 1 and away, so the broker has to keep every message, as a relay without a sink does. */
const TOPICS = "chunks/#";

/**
 * Starts a broker with its files in a folder.
 * @param autosaveS seconds between two writes of everything to disk; undefined for the broker's default of 30 minutes
 */
export async function startMosquitto(program: string, folder: string, autosaveS: number | undefined) {
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  const lines = [
    `user ${userInfo().username}`,
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence true",
    `persistence_location ${folder}/`,
    "max_queued_messages 0",
    "log_dest stderr",
    ...(autosaveS === undefined ? [] : [`autosave_interval ${autosaveS}`]),
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const [server] = await Server.start(program, ["-c", config], /mosquitto version \S+ running/);
  return { server, port };
}

/** Leaves a durable subscription behind and connects the devices: one lane for each. */
export async function connectMosquitto(spec: TargetSpec & { kind: "mosquitto" }): Promise<Target> {
  const { port, connections } = spec;
  const subscriber = await connectOne(port, "subscriber", { clean: false });
  await subscriber.subscribeAsync(TOPICS, { qos: 1 });
  await subscriber.endAsync();
  const devices: MqttClient[] = [];
  for (let i = 0; i < connections; i++) devices.push(await connectOne(port, `device${i}`));
  const payload = randomBytes(CHUNK_BYTES);
  return {
    lanes: devices.map((device, i) => laneOf(device, `chunks/${i}`, payload)),
    close: async () => {
      await Promise.all(devices.map((device) => device.endAsync()));
    },
  };
}

function laneOf(device: MqttClient, topic: string, payload: Buffer): Send {
  return (acked) => {
    device.publish(topic, payload, { qos: 1 }, (error) => {
      if (error) fail(`mosquitto did not take a message: ${error.message}`);
      acked();
    });
  };
}

function connectOne(port: number, clientId: string, more: IClientOptions = {}): Promise<MqttClient> {
  return connectAsync(`mqtt://127.0.0.1:${port}`, { clientId, reconnectPeriod: 0, ...more });
}
