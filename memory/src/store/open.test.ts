// Opening the memory's database.
import assert from "node:assert/strict";
import { useFolder } from "@salestag/protocol/testing";
import { openDatabase } from "./open";

describe("store: open", () => {
  const folder = useFolder();
  it("embedded: makes, uses, opens again", async () => {
    const first = await openDatabase({ folder: folder() });
    await first.system((session) =>
      session.query("insert into salestag.team values ($1, $2, $3)", [
        "00000000-0000-4000-8000-000000000001",
        "A",
        new Date(5),
      ]),
    );
    await first.close();
    const again = await openDatabase({ folder: folder() });
    const rows = await again.system((session) =>
      session.query(
        "select name, created_at, 5::bigint as big, array[1,2]::bigint[] as bigs, '[1,2]'::vector as v from salestag.team",
      ),
    );
    assert.deepEqual(rows, [{ name: "A", created_at: new Date(5), big: 5, bigs: [1, 2], v: "[1,2]" }]);
    assert.deepEqual(
      await again.as({ sub: "x" }, (session) => session.query("select * from salestag.team")),
      [],
    );
    await again.close();
  });
});
