// Public names for Node: the shared code, its primitives over node:crypto, the record of relay, spool and sinks, and the
// registry file that provisioning writes and the relay reads.
export * from "../shared";
export * from "./node-crypto";
export * from "./record";
export * from "./registry-file";
