// Makes what follows from the API's routes: the OpenAPI document and the types of its client, in memory/dist.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTs, { astToString, type OpenAPI3 } from "openapi-typescript";
import { apiDocument } from "./src/api/describe";

const DIST = fileURLToPath(new URL("dist/", import.meta.url));

mkdirSync(DIST, { recursive: true });
const document = await apiDocument();
writeFileSync(`${DIST}openapi.json`, `${JSON.stringify(document, null, 2)}\n`);
writeFileSync(
  `${DIST}openapi.d.ts`,
  astToString(await openapiTs(document as unknown as OpenAPI3, { defaultNonNullable: false })),
);
