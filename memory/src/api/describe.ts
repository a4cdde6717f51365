// The OpenAPI document without a memory behind it.
import { systemClock } from "@salestag/protocol/service";
import { localEmbedder } from "../embed";
import { Live } from "../live";
import type { Database } from "../store/database";
import type { ApiParts } from "./parts";
import { buildApi } from "./server";
import { AUDIENCE_DEFAULT, ISSUER_DEFAULT, SECRET_BYTES_MIN } from "./tokens";

const nothing = () => Promise.reject(new Error("there is no memory behind this API"));
const DATABASE: Database = {
  durable: false,
  system: nothing,
  as: nothing,
  alone: nothing,
  maintain: nothing,
  close: async () => {},
};
const quiet = () => {};

/** Parts of which none does anything: for looking at routes. */
export const NO_MEMORY: ApiParts = {
  database: DATABASE,
  teamId: "",
  live: new Live(),
  clock: systemClock,
  log: { info: quiet, warn: quiet, error: quiet },
  newId: () => "00000000-0000-4000-8000-000000000000",
  tokens: { secret: Buffer.alloc(SECRET_BYTES_MIN), issuer: ISSUER_DEFAULT, audience: AUDIENCE_DEFAULT },
  audioOf: nothing,
  embedder: localEmbedder(),
  exportFolder: "",
  eraser: { begin: nothing, finish: nothing },
  problems: () => [],
  ingest: nothing,
};

/** @returns the OpenAPI 3.1 document of all routes */
export async function apiDocument(): Promise<object> {
  const app = await buildApi(NO_MEMORY);
  try {
    return app.swagger();
  } finally {
    await app.close();
  }
}
