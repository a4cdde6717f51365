// One person's data as a ZIP file: written to a folder of our own, whole, then handed out; nothing of it stays here.
import { mkdirSync, rmSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Type } from "typebox";
import { exportSubject } from "../../privacy/export/export";
import type { Subject } from "../../privacy/subject";
import type { Api, ApiContext } from "../context";
import { LIMITS } from "../limits";
import { Problem } from "../problem";
import { exactly, Id, oneOf } from "../schemas";

const SubjectBody = exactly({ kind: oneOf<Subject["kind"]>(["customer", "person"]), id: Id });

export function addExportRoutes(app: Api, context: ApiContext): void {
  const { exportFolder, database, audioOf, clock, newId } = context.parts;
  let busy = false;
  app.post(
    "/v1/exports",
    {
      schema: {
        tags: ["privacy"],
        operationId: "exportData",
        summary: "Everything about a customer or person as a ZIP file (managers); one at a time",
        body: exactly({ subject: SubjectBody }),
        response: {
          200: {
            description:
              "Conversations with audio, what is filed, the audit entries, a page to read it with.",
            content: {
              "application/zip": { schema: Type.Unsafe<Buffer>({ type: "string", format: "binary" }) },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const actor = await context.manager(request);
      if (busy) throw new Problem(429, "Another export is being made: try again when it is done.");
      busy = true;
      // Nothing moves on the connection while the file is made.
      request.raw.socket.setTimeout(0);
      try {
        const { subject } = request.body;
        const file = await made(exportFolder, newId(), (path) =>
          exportSubject({ database, audioOf }, actor, subject, path, clock.unixMs()),
        );
        reply.header("content-disposition", `attachment; filename="${subject.kind}-${subject.id}.zip"`);
        return reply.type("application/zip").send(file.createReadStream() as never);
      } finally {
        busy = false;
        request.raw.socket.setTimeout(LIMITS.idleMs);
      }
    },
  );
}

/** @returns the file, open for reading and without a name any more */
async function made(
  folder: string,
  name: string,
  write: (path: string) => Promise<unknown>,
): Promise<FileHandle> {
  // What an interruption left.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}.zip`);
  try {
    await write(path);
    return await open(path, "r");
  } finally {
    await rm(path, { force: true });
  }
}
