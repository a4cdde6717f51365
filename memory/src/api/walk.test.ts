// Every route: it is in the document, which an independent validator accepts, and lets nobody in who should stay out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { badgeOf, idOf, NUMBERS } from "../testing/teams";
import { PURPOSE, useApi } from "./api.fixture";
import { apiDocument } from "./describe";
import { buildApi } from "./server";

interface Operation {
  method: string;
  path: string;
  operationId: string;
  summary: string;
  security: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, unknown>;
}
interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  enum?: unknown[];
  anyOf?: Schema[];
  format?: string;
  pattern?: string;
  minimum?: number;
}

/** Routes that need no token. */
const OPEN = ["health", "metrics", "ingest"];

/** @returns all operations of the document */
async function operations(): Promise<Operation[]> {
  const { paths } = (await apiDocument()) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );
}

/** @returns the address of something of team a */
function addressIn(path: string): string {
  const id = path.includes("badges")
    ? badgeOf("a")
    : path.includes("conversations")
      ? idOf("a", NUMBERS.conversation)
      : path.includes("people")
        ? idOf("a", NUMBERS.rep)
        : path.includes("holds")
          ? idOf("a", NUMBERS.hold)
          : idOf(
              "a",
              path.includes("sites")
                ? NUMBERS.site
                : path.includes("territories")
                  ? NUMBERS.territory
                  : NUMBERS.customer,
            );
  return path.replace("{id}", id);
}

/** @returns a body that the schema takes; its ids are of team a */
function bodyFor(schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.anyOf !== undefined) return bodyFor(schema.anyOf[0]);
  if (schema.type === "object")
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, property]) => [name, bodyFor(property)]),
    );
  if (schema.type === "array") return [];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum ?? 1;
  if (schema.type === "boolean") return true;
  if (schema.format === "uuid") return idOf("a", NUMBERS.customer);
  if (schema.format === "date-time") return "2026-01-01T00:00:00Z";
  return "text";
}

function requestOf({ method, requestBody }: Operation): RequestInit {
  const schema = requestBody?.content["application/json"]?.schema;
  if (schema === undefined) return { method };
  return { method, body: JSON.stringify(bodyFor(schema)), headers: { "content-type": "application/json" } };
}

/** @returns an answer without the ids that the request itself named */
function withoutAsked(text: string, operation: Operation): string {
  const asked = `${addressIn(operation.path)} ${requestOf(operation).body ?? ""}`;
  return (asked.match(/[0-9a-f-]{36}/g) ?? []).reduce((left, id) => left.replaceAll(id, ""), text);
}

describe("memory: every route", () => {
  const served = useApi();

  async function ask(operation: Operation, headers: Record<string, string>): Promise<Response> {
    const init = requestOf(operation);
    const all = { ...(init.headers as Record<string, string>), ...headers };
    return fetch(`${served().url}${addressIn(operation.path)}`, { ...init, headers: all });
  }

  const problemIn = async (response: Response): Promise<string> => {
    assert.equal(response.headers.get("content-type")?.split(";")[0], "application/problem+json");
    const { detail, status } = (await response.json()) as { detail: string; status: number };
    assert.equal(status, response.status);
    assert.match(detail, /^[A-Z'].*\.$/s);
    return detail;
  };

  it("routes: the document is valid OpenAPI 3.1, and is served", async () => {
    const document = (await (await fetch(`${served().url}/openapi.json`)).json()) as { openapi: string };
    assert.equal(document.openapi, "3.1.0");
    const { valid, errors } = await new Validator().validate(document);
    assert.ok(valid, JSON.stringify(errors));
    assert.deepEqual(document, JSON.parse(JSON.stringify(await apiDocument())));
  });

  it("routes: each is in the document, with a name of its own, an answer and problems", async () => {
    const all = await operations();
    assert.ok(all.length >= 35, String(all.length));
    assert.equal(new Set(all.map(({ operationId }) => operationId)).size, all.length);
    for (const { operationId, responses } of all) {
      assert.ok(operationId, "no operationId");
      const statuses = Object.keys(responses);
      assert.ok(statuses.includes("4XX") && statuses.includes("5XX") && statuses.length > 2, operationId);
    }
    const shown = new Set(all.map(({ method, path }) => `${method} ${path}`));
    for (const route of await routesOf()) assert.ok(shown.has(route), `${route} is not in the document`);
  });

  it("routes: docs/memory-api.md has each, with its purpose and its summary", async () => {
    const page = readFileSync(new URL("../../../docs/memory-api.md", import.meta.url), "utf8");
    for (const { method, path, summary, parameters } of await operations()) {
      const purpose = parameters?.some(({ name }) => name === "salestag-purpose") ? "yes" : "";
      assert.ok(page.includes(`| \`${method} ${path}\` | ${purpose} | ${summary} |`), `${method} ${path}`);
    }
  });

  /** What the server itself says that it has. */
  async function routesOf(): Promise<string[]> {
    const found: string[] = [];
    await buildApi((await import("./describe")).NO_MEMORY, {}, ({ method, url }) =>
      found.push(`${method} ${url.replace(/:(\w+)/g, "{$1}")}`),
    );
    assert.ok(found.length > 35);
    return found.filter((route) => route !== "GET /openapi.json");
  }

  it("routes: none lets anybody in without a token that counts", async () => {
    const token = await served().token("a-manager");
    const forged = `${token.slice(0, -4)}AAAA`;
    const wrong = ["", "Bearer", "Bearer x", "Basic YTpi", `Bearer ${forged}`, `bearer ${token} x`];
    for (const operation of await operations()) {
      if (OPEN.includes(operation.operationId)) {
        assert.deepEqual(operation.security, []);
        continue;
      }
      assert.deepEqual(operation.security, [{ token: [] }]);
      for (const authorization of wrong) {
        const response = await ask(operation, { authorization, ...PURPOSE });
        assert.equal(response.status, 401, `${operation.operationId} with '${authorization.slice(0, 20)}'`);
        assert.equal(response.headers.get("www-authenticate"), "Bearer");
        await problemIn(response);
      }
    }
  });

  it("routes: all that show content want one of the purposes", async () => {
    const authorization = `Bearer ${await served().token("a-manager")}`;
    const contents = (await operations()).filter(({ parameters }) =>
      parameters?.some(({ name }) => name === "salestag-purpose"),
    );
    const shows = /^\/v1\/(conversations|live|search|answers)|before|timeline|similar|audio|filing/;
    for (const { path, method } of await operations())
      if (shows.test(path))
        assert.ok(
          contents.some((one) => one.path === path && one.method === method),
          `${method} ${path}`,
        );
    for (const operation of contents)
      for (const purpose of ["", "curiosity", "QUALITY", "quality, legal"]) {
        const response = await ask(operation, { authorization, "salestag-purpose": purpose });
        assert.equal(response.status, 400, operation.operationId);
        assert.match(await problemIn(response), /headers/);
      }
  });

  it("routes: somebody of another team sees and changes nothing", async () => {
    const authorization = `Bearer ${await served().token("b-manager")}`;
    const before = await everything();
    for (const operation of await operations()) {
      if (OPEN.includes(operation.operationId) || operation.operationId === "live") continue;
      const response = await ask(operation, { authorization, ...PURPOSE });
      const text = withoutAsked(await response.text(), operation);
      assert.ok(response.status < 500, `${operation.operationId}: ${response.status} ${text}`);
      if (operation.path.includes("{id}"))
        assert.ok(
          [404, 422, 409].includes(response.status),
          `${operation.operationId}: ${response.status} ${text}`,
        );
      assert.doesNotMatch(text, /aaaaaaaa-0000/, operation.operationId);
      assert.doesNotMatch(text, /of a"/, operation.operationId);
    }
    assert.deepEqual(await everything(), before);
  });

  /** @returns all rows of team a */
  function everything(): Promise<object[]> {
    const tables = [
      "person",
      "badge",
      "customer",
      "site",
      "territory",
      "conversation",
      "filing",
      "retention",
      "hold",
      "audit",
    ];
    const rows = tables.map(
      (table) => `select '${table}' as of, to_jsonb(t) as row from salestag.${table} t where team_id = $1`,
    );
    return served().database.system((session) =>
      session.query(`${rows.join(" union all ")} order by 1, 2`, [idOf("a", NUMBERS.team)]),
    );
  }

  it("routes: every answer carries what browsers must know", async () => {
    for (const path of ["/health", "/v1/me", "/nowhere", "/openapi.json", "/%", "/v1/conversations/x"]) {
      const { headers } = await fetch(`${served().url}${path}`, {
        headers: { origin: "https://evil.example" },
      });
      assert.equal(headers.get("cache-control"), "no-store", path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/, path);
      assert.equal(headers.get("access-control-allow-origin"), null, path);
    }
  });
});
