import assert from "node:assert/strict";
import type { TagKind } from "../model/taxonomy";
import { score, type TurnTag } from "./score";

/** @param tags such as `competitor@2` */
function tags(...tags: `${TagKind}@${number}`[]): TurnTag[] {
  return tags.map((tag) => {
    const [kind, turn] = tag.split("@");
    return { kind: kind as TagKind, turn: Number(turn) };
  });
}

describe("scores of tags", () => {
  it("scores of tags: right, wrong and missed (over two dialogues)", () => {
    const { kinds } = score([
      { labels: tags("competitor@1", "competitor@3"), predicted: tags("competitor@1", "competitor@2") },
      { labels: tags("competitor@2"), predicted: tags("competitor@2") },
    ]);
    assert.deepEqual(kinds.get("competitor"), {
      right: 2,
      wrong: 1,
      missed: 1,
      precision: 2 / 3,
      recall: 2 / 3,
      f1: 2 / 3,
    });
  });

  it("scores of tags: a turn of one dialogue is not that of another", () => {
    const { micro } = score([
      { labels: tags("competitor@1"), predicted: [] },
      { labels: [], predicted: tags("competitor@1") },
    ]);
    assert.deepEqual([micro.right, micro.wrong, micro.missed], [0, 1, 1]);
  });

  it("scores of tags: the right turn with another kind is wrong, and the label missed", () => {
    const { kinds } = score([{ labels: tags("objection.need@0"), predicted: tags("objection.timing@0") }]);
    assert.equal(kinds.get("objection.need")?.missed, 1);
    assert.equal(kinds.get("objection.timing")?.wrong, 1);
  });

  it("scores of tags: a label counts once, more predictions on its turn are neither right nor wrong", () => {
    const { micro } = score([
      { labels: tags("competitor@1"), predicted: tags("competitor@1", "competitor@1", "competitor@1") },
    ]);
    assert.deepEqual([micro.right, micro.wrong, micro.missed, micro.f1], [1, 0, 0, 1]);
  });

  it("scores of tags: without a label each prediction is wrong", () => {
    const { micro } = score([{ labels: [], predicted: tags("competitor@1", "competitor@1") }]);
    assert.equal(micro.wrong, 2);
  });

  it("scores of tags: micro over counts, macro over the kinds that occur", () => {
    const { micro, macro } = score([
      {
        labels: tags("competitor@0", "competitor@1", "competitor@2", "mood.turn-up@4"),
        predicted: tags("competitor@0", "competitor@1", "competitor@2", "mood.turn-up@5"),
      },
    ]);
    assert.equal(micro.precision, 3 / 4);
    assert.equal(micro.recall, 3 / 4);
    assert.deepEqual(macro, { precision: 0.5, recall: 0.5, f1: 0.5 });
  });

  it("scores of tags: nothing labelled and nothing predicted is 0, not NaN", () => {
    const { micro, macro } = score([{ labels: [], predicted: [] }]);
    assert.equal(micro.f1, 0);
    assert.deepEqual(macro, { precision: 0, recall: 0, f1: 0 });
  });
});
