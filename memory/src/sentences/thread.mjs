// Starts the sentence encoder's thread from its TypeScript source.
import { register } from "tsx/esm/api";

register();
await import("./thread.ts");
