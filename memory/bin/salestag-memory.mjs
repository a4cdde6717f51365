#!/usr/bin/env node
// Starts the memory from its TypeScript source.
import { register } from "tsx/esm/api";

register();
await import("../src/main.ts");
