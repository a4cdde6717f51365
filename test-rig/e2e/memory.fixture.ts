// A relay that delivers to a memory over its webhook, for tests and benchmarks.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SiteMemory } from "../src/memory-process";
import { type RelayProcess, startConfiguredRelay } from "../src/relay-process";
import type { Site } from "../src/site";

/** Starts a relay that posts to the memory. */
export function startRelayTo(site: Site, memory: SiteMemory): Promise<RelayProcess> {
  const config = join(site.folder, "relay.yaml");
  writeFileSync(
    config,
    [
      "listen: [tcp://127.0.0.1:0]",
      "registry: registry.json",
      "spool:",
      "  folder: spool",
      "sinks:",
      "  - webhook:",
      `      url: ${memory.url}/ingest`,
      `      secretFiles: [${site.hookSecretFile}]`,
    ].join("\n"),
    { mode: 0o600 },
  );
  return startConfiguredRelay(config);
}
