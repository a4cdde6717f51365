// Public names for Node: the shared code, its primitives over node:crypto, the record of relay, spool and sinks, the registry
// file that provisioning writes and the relay reads, and the badge's trace lines.
export * from "../shared";
export * from "./node-crypto";
export * from "./record";
export * from "./registry-file";
export * from "./trace";
