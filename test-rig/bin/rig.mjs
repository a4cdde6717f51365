#!/usr/bin/env node
// Starts the rig from its TypeScript source.
import { register } from "tsx/esm/api";

register();
await import("../src/cli/main.ts");
