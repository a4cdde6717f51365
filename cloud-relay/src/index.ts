// Public names of the relay as a library: the test rig runs it in its own process.
export { type Clock, type Log, lineLog, systemClock } from "@salestag/protocol/service";
export type { BadgeSocket } from "./connection";
export { type Disk, type DiskFile, nodeDisk, placeFile } from "./disk";
export { ExitCode, RelayError } from "./errors";
export { type ListenAddress, parseListenAddress } from "./listen-address";
export type { Listener } from "./listeners";
export { type Relay, type RelayOptions, startRelay } from "./relay";
export { chunkPath, folderSink } from "./sinks/folder";
export type { Sink } from "./sinks/sink";
