// Starts the embedded database's thread from its TypeScript source.
import { register } from "tsx/esm/api";

register();
await import("./embedded-worker.ts");
