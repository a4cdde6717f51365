// Public names of the Jacdac codec and client.
export * from "./client";
export * from "./frame";
export * from "./pipe";
export * from "./program";
export * from "./settings";
export * from "./usb-framing";
