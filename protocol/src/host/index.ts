// Public names for Node: the shared code, its primitives over node:crypto, and the record of relay, spool and sinks.
export * from "../shared";
export * from "./node-crypto";
export * from "./record";
