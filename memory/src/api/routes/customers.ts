// Customers, their sites, and territories: what conversations are filed under.
import { type Static, type TSchema, Type } from "typebox";
import type { Session } from "../../store/database";
import type { Api, ApiContext } from "../context";
import { notFound, Problem } from "../problem";
import { ById, exactly, Id, IdOrNull, Name } from "../schemas";

const Territory = { name: Name };
const Customer = {
  name: Name,
  territoryId: IdOrNull,
  note: Type.String({ maxLength: 10_000, default: "" }),
};
const Site = {
  address: Type.String({ minLength: 1, maxLength: 500 }),
  customerId: IdOrNull,
  territoryId: IdOrNull,
};

/** A table whose rows people add and change by themselves. */
interface Table<Body extends Record<string, TSchema>> {
  /** In the address, and in the answer of the list. */
  plural: string;
  /** Of operations: `addCustomer`. */
  Singular: string;
  about: string;
  body: Body;
  managersOnly: boolean;
  /** Column of each property. */
  columns: Record<keyof Body & string, string>;
  /** By which the list is in order. */
  order: string;
}

/** Most rows of one list. */
const PAGE_MAX = 500;

const TERRITORIES: Table<typeof Territory> = {
  plural: "territories",
  Singular: "Territory",
  about: "territory",
  body: Territory,
  managersOnly: true,
  columns: { name: "name" },
  order: "name",
};
const CUSTOMERS: Table<typeof Customer> = {
  plural: "customers",
  Singular: "Customer",
  about: "customer",
  body: Customer,
  managersOnly: false,
  columns: { name: "name", territoryId: "territory_id", note: "note" },
  order: "name",
};
const SITES: Table<typeof Site> = {
  plural: "sites",
  Singular: "Site",
  about: "site",
  body: Site,
  managersOnly: false,
  columns: { address: "address", customerId: "customer_id", territoryId: "territory_id" },
  order: "address",
};

export function addCustomerRoutes(app: Api, context: ApiContext): void {
  addTable(app, context, TERRITORIES);
  addTable(app, context, CUSTOMERS);
  addTable(app, context, SITES);
}

const ListQuery = exactly({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Begins with it." })),
  after: Type.Optional(Type.String({ maxLength: 600, description: "`next` of the page before." })),
  limit: Type.Integer({ minimum: 1, maximum: PAGE_MAX, default: 100 }),
});

function addTable(app: Api, context: ApiContext, table: AnyTable): void {
  addReading(app, context, table);
  addChanging(app, context, table);
}

function addReading(app: Api, context: ApiContext, table: AnyTable): void {
  const { plural, Singular, about, body } = table;
  const tags = ["team"];
  const answer: TSchema = exactly({ id: Id, ...body });
  app.get(
    `/v1/${plural}`,
    {
      schema: {
        tags,
        operationId: `list${Singular.replace(/y$/, "ie")}s`,
        summary: `The team's ${plural} in order`,
        querystring: ListQuery,
        response: {
          200: exactly({ [plural]: Type.Array(answer), next: Type.Optional(Type.String()) }) as TSchema,
        },
      },
    },
    (request) => context.asPerson(request, (session) => list(session, table, request.query)),
  );
  app.get(
    `/v1/${plural}/:id`,
    {
      schema: {
        tags,
        operationId: `get${Singular}`,
        summary: `One ${about}`,
        params: ById,
        response: { 200: answer },
      },
    },
    (request) => context.asPerson(request, (session) => get(session, table, request.params.id)),
  );
}

function addChanging(app: Api, context: ApiContext, table: AnyTable): void {
  const { plural, Singular, about, body, managersOnly } = table;
  const tags = ["team"];
  const answer: TSchema = exactly({ id: Id, ...body });
  const who = managersOnly ? " (managers)" : "";
  const may = (managersOnly ? context.asManager : context.asPerson).bind(context);
  app.post(
    `/v1/${plural}`,
    {
      schema: {
        tags,
        operationId: `add${Singular}`,
        summary: `Adds a ${about}${who}`,
        body: exactly(body) as TSchema,
        response: { 201: answer },
      },
    },
    async (request, reply) => {
      const row = await may(request, (session) =>
        put(session, table, context.parts.newId(), request.body as Record<string, unknown>, true),
      );
      return reply.code(201).send(row);
    },
  );
  app.put(
    `/v1/${plural}/:id`,
    {
      schema: {
        tags,
        operationId: `change${Singular}`,
        summary: `Changes a ${about}${who}`,
        params: ById,
        body: exactly(body) as TSchema,
        response: { 200: answer },
      },
    },
    (request) =>
      may(request, (session) =>
        put(session, table, request.params.id, request.body as Record<string, unknown>, false),
      ),
  );
}

type AnyTable = Table<Record<string, TSchema>>;

function tableName({ about }: AnyTable): string {
  return `salestag.${about}`;
}

function shownColumns({ columns }: AnyTable): string {
  return ["id", ...Object.entries(columns).map(([name, column]) => `${column} as "${name}"`)].join(", ");
}

async function list(session: Session, table: AnyTable, query: Static<typeof ListQuery>) {
  const { order, plural } = table;
  const [afterId, afterName] = place(query.after);
  const rows = await session.query<Record<string, unknown>>(
    `select ${shownColumns(table)}, ${order} as "_order" from ${tableName(table)}
     where ($1::text is null or starts_with(lower(${order}), lower($1)))
       and ($2::text is null or (${order}, id) > ($2, $3::uuid))
     order by ${order}, id limit $4`,
    [query.name ?? null, afterName, afterId, query.limit + 1],
  );
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1) : undefined;
  const next = last && `${last.id}${last._order}`;
  return { [plural]: shown.map(({ _order, ...row }) => row), ...(next !== undefined && { next }) };
}

/** Where the page before ended: the id, then the name. */
function place(after: string | undefined): [string | null, string | null] {
  if (after === undefined) return [null, null];
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.test(after))
    throw new Problem(400, "'after' is no place in this list: give the 'next' of the page before.");
  return [after.slice(0, 36), after.slice(36)];
}

async function get(session: Session, table: AnyTable, id: string): Promise<Record<string, unknown>> {
  const [row] = await session.query(`select ${shownColumns(table)} from ${tableName(table)} where id = $1`, [
    id,
  ]);
  if (row === undefined) throw notFound(table.about);
  return row;
}

async function put(
  session: Session,
  table: AnyTable,
  id: string,
  body: Record<string, unknown>,
  add: boolean,
) {
  await mustSee(session, "territory", body.territoryId);
  await mustSee(session, "customer", body.customerId);
  const names = Object.keys(table.columns);
  const columns = names.map((name) => table.columns[name]);
  const values = [id, ...names.map((name) => body[name] ?? null)];
  const places = columns.map((_, index) => `$${index + 2}`);
  const text = add
    ? `insert into ${tableName(table)} (id, team_id, ${columns.join(", ")}) values ($1, salestag.my_team(), ${places.join(", ")})`
    : `update ${tableName(table)} set ${columns.map((column, index) => `${column} = ${places[index]}`).join(", ")} where id = $1`;
  const [row] = await session.query(`${text} returning ${shownColumns(table)}`, values);
  if (row === undefined) throw notFound(table.about);
  return row;
}

/** What another team has is not there, also not as something to refer to. @throws Problem 422 */
export async function mustSee(
  session: Session,
  table: "territory" | "customer" | "site",
  id: unknown,
): Promise<void> {
  if (id === null || id === undefined) return;
  const rows = await session.query(`select 1 from salestag.${table} where id = $1`, [id]);
  if (rows.length === 0)
    throw new Problem(422, `There is no ${table} with the id ${id}, or you may not see it.`);
}
