// Public names of the code that badge and host share.
export * from "./account";
export * from "./audio";
export * from "./bytes";
export * from "./cbor";
export * from "./chunk";
export * from "./crypto";
export * from "./errors";
export * from "./events";
export * from "./keys";
export * from "./layout";
export * from "./nudge";
export * from "./phones";
export * from "./phrase-decoder";
export * from "./phrases";
export * from "./session";
export * from "./tuning";
export * from "./wire";
