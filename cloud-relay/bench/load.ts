// The load generator, a process of its own: gets a job over IPC, connects, loads the server or just holds the connections, answers.

import type { Answer, Job } from "./job";
import { ClosedLoop } from "./meter";
import { connectMosquitto } from "./mosquitto";
import { connectNats } from "./nats";
import { connectBadges } from "./ours";
import { cpuTimeUs, machineCpuUs } from "./server";
import type { Target, TargetSpec } from "./target";

function connectTo(spec: TargetSpec): Promise<Target> {
  if (spec.kind === "relay") return connectBadges(spec);
  return spec.kind === "nats" ? connectNats(spec) : connectMosquitto(spec);
}

/** CPU time until a moment, in µs. */
interface Mark {
  server: number;
  client: number;
  machine: { busyUs: number; allUs: number };
}

function markOf(serverPid: number): Mark {
  return { server: cpuTimeUs(serverPid), client: cpuTimeUs(process.pid), machine: machineCpuUs() };
}

function usageBetween(from: Mark, to: Mark, chunks: number) {
  const [serverUs, clientUs] = [to.server - from.server, to.client - from.client];
  const othersUs = to.machine.busyUs - from.machine.busyUs - serverUs - clientUs;
  return {
    serverCpuUs: serverUs / chunks,
    clientCpuUs: clientUs / chunks,
    othersShare: Math.max(0, othersUs) / (to.machine.allUs - from.machine.allUs),
  };
}

async function run({ target, load, serverPid }: Job): Promise<void> {
  const { lanes, close } = await connectTo(target);
  if (load === undefined) return await answer({ event: "connected" }); // held until the parent disconnects
  const marks: Mark[] = [];
  const measured = await new ClosedLoop(load.inFlight).run(lanes, load, () => marks.push(markOf(serverPid)));
  await close();
  const chunks = (measured.chunksPerS * load.measureMs) / 1000;
  await answer({ event: "measured", result: { ...measured, ...usageBetween(marks[0], marks[1], chunks) } });
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

process.once("disconnect", () => process.exit());
process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
process.once("message", (job: Job) => void run(job));
