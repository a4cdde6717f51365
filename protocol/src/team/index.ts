// The team's side of the contracts: the vault with its keys, and opening what the relay delivered.
export * from "./errors";
export * from "./files";
export * from "./open/boot-clock";
export * from "./open/chunk-files";
export * from "./open/conversation";
export * from "./open/epochs";
export * from "./open/ogg-opus";
export * from "./vault/age";
export * from "./vault/badge-keys";
export * from "./vault/change-recipients";
export * from "./vault/exchange";
export * from "./vault/identity";
export * from "./vault/merge";
export * from "./vault/recipients";
export * from "./vault/shred";
export * from "./vault/vault";
