// Ports that come and go: for setting up a whole box of badges, one after the other.
import { setTimeout as sleep } from "node:timers/promises";
import { listPorts, type PortInfo, type PortPlaces, placesHere } from "./port-list";

export interface PortChange {
  change: "plugged" | "unplugged";
  port: PortInfo;
}

/** Reading /sys takes less than a ms; other systems' lists are slow. */
const POLL_LINUX_MS = 250;
const POLL_OTHERS_MS = 1000;

/**
 * Tells of each port that is plugged in or unplugged; those that are there already come first. One that is unplugged and plugged in again
 * between two looks is told as both. A port that has just come may still refuse to be opened for some ms, until the system has set
 * its permissions.
 * @param signal ends it
 */
export async function* watchPorts(signal: AbortSignal, places?: PortPlaces): AsyncGenerator<PortChange> {
  const at = places ?? placesHere();
  const pollMs = at.platform === "linux" ? POLL_LINUX_MS : POLL_OTHERS_MS;
  let known: PortInfo[] = [];
  while (!signal.aborted) {
    const now = await listPorts(at);
    for (const port of without(known, now)) yield { change: "unplugged", port };
    for (const port of without(now, known)) yield { change: "plugged", port };
    known = now;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined); // the signal ends the loop too
  }
}

function without(ports: PortInfo[], others: PortInfo[]): PortInfo[] {
  const same = (a: PortInfo) => others.some((b) => a.path === b.path && a.identity === b.identity);
  return ports.filter((port) => !same(port));
}
