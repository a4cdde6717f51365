// A relay in this process with a door for its operator, for a site of the rig: what a technician's tool talks to.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Relay, startRelay } from "@salestag/cloud-relay";
import type { Site } from "./site";

/** See the top of the file. */
export interface RelayWithDoor {
  relay: Relay;
  /** Address of its door. */
  doorUrl: string;
  /** The door's token, and a file of mode 600 that holds it. */
  token: string;
  tokenFile: string;
}

/** Starts it on loopback, with the site's registry and spool. */
export async function startRelayWithDoor(site: Site): Promise<RelayWithDoor> {
  const token = randomBytes(24).toString("base64");
  const tokenFile = join(site.folder, "admin.token");
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const quiet = () => undefined;
  const relay = await startRelay({
    listen: [{ host: "127.0.0.1", port: 0, tls: false }],
    registry: site.registry,
    spool: site.spool,
    sinks: [],
    admin: { host: "127.0.0.1", port: 0, token: Buffer.from(token) },
    log: { info: quiet, warn: quiet, error: quiet },
    onFatal: quiet,
  });
  return { relay, doorUrl: relay.adminUrl as string, token, tokenFile };
}
