// The load generator, a process of its own: gets a job over IPC, connects, loads the server or just holds the connections, answers.

import type { Answer, Job } from "./job";
import { ClosedLoop } from "./meter";
import { connectMosquitto } from "./mosquitto";
import { connectNats } from "./nats";
import { connectBadges } from "./ours";
import { cpuTimeUs } from "./server";
import type { Target, TargetSpec } from "./target";

function connectTo(spec: TargetSpec): Promise<Target> {
  if (spec.kind === "relay") return connectBadges(spec);
  return spec.kind === "nats" ? connectNats(spec) : connectMosquitto(spec);
}

async function run({ target, load, serverPid }: Job): Promise<void> {
  const { lanes, close } = await connectTo(target);
  if (load === undefined) {
    const ended = new Promise((resolve) => process.once("disconnect", resolve));
    await answer({ event: "connected" });
    await ended;
  } else {
    const marks: { server: number; client: number }[] = [];
    const measured = await new ClosedLoop(load.inFlight).run(lanes, load, () =>
      marks.push({ server: cpuTimeUs(serverPid), client: cpuTimeUs(process.pid) }),
    );
    const chunks = (measured.chunksPerS * load.measureMs) / 1000;
    const serverCpuUs = (marks[1].server - marks[0].server) / chunks;
    const clientCpuUs = (marks[1].client - marks[0].client) / chunks;
    await answer({ event: "measured", result: { ...measured, serverCpuUs, clientCpuUs } });
  }
  await close();
  process.exit();
}

function answer(message: Answer): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

function failed(cause: unknown): void {
  void answer({ event: "failed", why: cause instanceof Error ? cause.message : String(cause) }).then(() =>
    process.exit(1),
  );
}

process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
process.once("message", (job: Job) => void run(job));
