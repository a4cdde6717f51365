// What the programs that run for months share: log, clock, configuration files with lines, one holder of a folder.
export * from "./clock";
export * from "./config-files";
export * from "./errors";
export * from "./folder-lock";
export * from "./log";
export * from "./nats-server";
export * from "./private-file";
export * from "./yaml-reader";
