// The operator's way into a memory that runs: a socket in its data folder, which only the folder's owner can reach. One request does one operation.
import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { join } from "node:path";
import { messageOf, systemCodeOf } from "@salestag/protocol/service";
import { ExitCode, exitCodeOf, MemoryError } from "../errors";
import type { OperationArguments } from "./operations";

/** Does an operation. @throws what goes wrong */
export type Operate = (name: string, given: OperationArguments) => Promise<object>;

const BODY_BYTES_MAX = 64 * 1024;
const ANSWER_BYTES_MAX = 64 << 20;
/** Of a path on Linux, sun_path of unix(7) with the zero at its end. */
const PATH_BYTES_MAX = 107;

function socketIn(data: string): string {
  return join(data, "control.sock");
}

/**
 * Takes operations until closed.
 * @returns ends it; undefined where the folder's path is too long for a socket
 */
export async function serveControl(
  data: string,
  operate: Operate,
): Promise<(() => Promise<void>) | undefined> {
  const path = socketIn(data);
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return undefined;
  rmSync(path, { force: true }); // left by one that was killed; the folder's lock says that nobody uses it
  const server = createServer((message, answer) => {
    answerTo(message, operate).then(({ status, body }) => {
      answer.writeHead(status, { "content-type": "application/json" });
      answer.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return () => closed(server);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answerTo(
  message: IncomingMessage,
  operate: Operate,
): Promise<{ status: number; body: object }> {
  try {
    const { name, given } = JSON.parse(await textOf(message, BODY_BYTES_MAX)) as {
      name: string;
      given: OperationArguments;
    };
    return { status: 200, body: { result: await operate(name, given) } };
  } catch (cause) {
    return { status: 400, body: { error: messageOf(cause), exitCode: exitCodeOf(cause) } };
  }
}

/** @returns what the running memory answers; undefined where none runs. @throws MemoryError as the operation does */
export async function askRunning(
  data: string,
  name: string,
  given: OperationArguments,
): Promise<object | undefined> {
  const text = await new Promise<string | undefined>((resolve, reject) => {
    const asked = request({ socketPath: socketIn(data), method: "POST", path: "/" }, (answer) => {
      textOf(answer, ANSWER_BYTES_MAX).then(resolve, reject);
    });
    asked.on("error", (cause) => {
      const code = systemCodeOf(cause);
      if (code === "ENOENT" || code === "ECONNREFUSED") resolve(undefined);
      else reject(cause);
    });
    asked.end(JSON.stringify({ name, given }));
  });
  if (text === undefined) return undefined;
  const { result, error, exitCode } = JSON.parse(text) as {
    result?: object;
    error?: string;
    exitCode?: ExitCode;
  };
  if (result !== undefined) return result;
  throw new MemoryError(exitCode ?? ExitCode.Internal, error ?? "the memory gave no answer");
}

async function textOf(message: IncomingMessage, bytesMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bytesMax) throw new Error(`more than ${bytesMax} bytes came`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
