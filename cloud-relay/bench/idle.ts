// What an idle badge's connection costs in memory: the relay's RSS after garbage collection, before and with thousands of them.
import { holdConnections } from "./job";
import { collectGarbage, startRelay } from "./ours";
import { residentBytes } from "./server";
import { inFolder, say } from "./workplace";

/** Memory for connections of one kind. */
export interface IdleResult {
  tls: boolean;
  connections: number;
  bytesPerConnection: number;
  residentBytes: number;
}

/** Connections that come and go first, so that code and buffers that are made once do not count. */
const FIRST_CONNECTIONS = 100;

/** @param connections at most what the system lets a process open */
export async function measureIdle(parent: string, tls: boolean, connections: number): Promise<IdleResult> {
  const result = await inFolder(parent, (folder) => measureIn(folder, tls, connections));
  const kb = (result.bytesPerConnection / 1024).toFixed(1);
  say(`${connections} idle ${tls ? "TLS" : "TCP"} connections: ${kb} KB each`);
  return result;
}

async function measureIn(folder: string, tls: boolean, connections: number): Promise<IdleResult> {
  const { server, address, ca, registry } = await startRelay(folder, { tls, badges: connections });
  const hold = (count: number) =>
    holdConnections({
      serverPid: server.pid,
      target: { kind: "relay", address, ca, registry, connections: count },
    });
  try {
    const endFirst = await hold(FIRST_CONNECTIONS);
    await endFirst();
    await collectGarbage(server);
    const beforeBytes = residentBytes(server.pid);
    const end = await hold(connections);
    await collectGarbage(server);
    const withBytes = residentBytes(server.pid);
    await end();
    const bytesPerConnection = (withBytes - beforeBytes) / connections;
    return { tls, connections, bytesPerConnection, residentBytes: withBytes };
  } finally {
    await server.stop("SIGKILL");
  }
}
