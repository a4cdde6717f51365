// Gives the load generator a job and waits for its answer.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Measured, Span } from "./meter";
import type { TargetSpec } from "./target";

/** What the load generator is to do. */
export interface Job {
  target: TargetSpec;
  /** Whose CPU time counts. */
  serverPid: number;
  /** Left out: the connections are held until the job is ended. */
  load?: Span & { /** Chunks in flight on each connection. */ inFlight: number };
}

/** What one load measured. */
export interface LoadResult extends Measured {
  /** CPU time for each chunk, in µs. */
  serverCpuUs: number;
  clientCpuUs: number;
  /** Share of all cores that neither server nor load generator used, but somebody did: 0 to 1. */
  othersShare: number;
}

/** What the load generator says. */
export type Answer =
  | { event: "connected" }
  | { event: "measured"; result: LoadResult }
  | { event: "failed"; why: string };

const LOAD = fileURLToPath(new URL("load.ts", import.meta.url));

/** Loads a server for the time that the job says. @throws Error when anything fails on the way */
export async function runLoad(job: Job & { load: object }): Promise<LoadResult> {
  const child = start(job);
  const gone = once(child, "exit");
  const answer = await answerOf(child);
  await gone;
  if (answer.event !== "measured") throw new Error(`the load generator answered ${answer.event}`);
  return answer.result;
}

/** Connects and holds the connections. @returns a function that ends them @throws Error when one cannot be made */
export async function holdConnections(job: Omit<Job, "load">): Promise<() => Promise<void>> {
  const child = start(job);
  const gone = once(child, "exit");
  await answerOf(child);
  return async () => {
    child.disconnect();
    await gone;
  };
}

function start(job: Job): ChildProcess {
  const child = fork(LOAD, { execArgv: ["--import", "tsx"], stdio: "inherit" });
  child.send(job);
  return child;
}

async function answerOf(child: ChildProcess): Promise<Answer> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the load generator ended with ${code} before it answered`);
  });
  ended.catch(() => undefined); // it ends after the answer
  const [answer] = (await Promise.race([once(child, "message"), ended])) as [Answer];
  if (answer.event === "failed") throw new Error(`the load generator failed: ${answer.why}`);
  return answer;
}
