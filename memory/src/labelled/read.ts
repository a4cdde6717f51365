// Reads labelled dialogues: plain text written by hand, with brackets around the words that carry a tag. docs/labelled-set.md has the format.
import { isTagKind, TAG_KINDS, type TagKind } from "../model/taxonomy";
import type { Transcript, Turn, Word } from "../model/transcript";

/** That a tag of this kind belongs to these words. */
export interface Label {
  kind: TagKind;
  /** Place of the turn in the transcript, from 0. */
  turn: number;
  /** Places of the first and the last word in the turn, from 0. */
  firstWord: number;
  lastWord: number;
}

/** One dialogue, and every tag that belongs to it. */
export interface LabelledDialogue {
  id: string;
  transcript: Transcript;
  /** In order of their turns; no kind twice on one turn. */
  labels: Label[];
}

/** Source of a transcript that somebody wrote. */
export const LABELLED_SOURCE = "labelled";
/** How fast everybody speaks, in words a minute. */
export const WORDS_PER_MINUTE = 160;
/** Between two turns. */
export const GAP_MS = 400;

const WORD_MS = 60_000 / WORDS_PER_MINUTE;
const HEAD = /^# ([a-z0-9]+(?:-[a-z0-9]+)*)$/;
const TURN = /^([RC]): (\S.*)$/;
const MARK = /\[([^[\]:]*): ([^[\]]*)\]/g;

/** Words that are marked, with the kinds that they carry. */
interface Marked {
  kinds: TagKind[];
  firstWord: number;
  lastWord: number;
}

/**
 * Reads a file of labelled dialogues.
 * @param path for errors
 * @throws Error that names file and line for what is not in the format, an unknown kind, and an id that comes twice
 */
export function readLabelled(text: string, path: string): LabelledDialogue[] {
  const dialogues: LabelledDialogue[] = [];
  const lineOfId = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    const at = `${path}:${index + 1}`;
    if (line.trim() === "") continue;
    const head = HEAD.exec(line);
    if (head !== null) {
      const id = head[1];
      if (lineOfId.has(id))
        throw new Error(`${at}: the id ${id} is that of line ${lineOfId.get(id)} already.`);
      lineOfId.set(id, index + 1);
      dialogues.push({ id, transcript: emptyTranscript(), labels: [] });
    } else {
      const dialogue = dialogues.at(-1);
      if (dialogue === undefined)
        throw new Error(`${at}: a turn before the first dialogue; begin it with "# id".`);
      addTurn(dialogue, line, at);
    }
  }
  const empty = dialogues.find(({ transcript }) => transcript.turns.length === 0);
  if (empty !== undefined)
    throw new Error(`${path}:${lineOfId.get(empty.id)}: the dialogue ${empty.id} has no turns.`);
  return dialogues;
}

function emptyTranscript(): Transcript {
  return { source: LABELLED_SOURCE, language: "en", durationMs: 0, turns: [] };
}

/** Appends the turn of a line, and its labels. */
function addTurn({ transcript, labels }: LabelledDialogue, line: string, at: string) {
  const match = TURN.exec(line.trimEnd());
  if (match === null)
    throw new Error(`${at}: ${JSON.stringify(line)} is none of "# id", "R: words" and "C: words".`);
  const { text, marks } = readMarks(match[2], at);
  const turn = transcript.turns.length;
  for (const { kinds, ...words } of marks)
    for (const kind of kinds) {
      if (labels.some((label) => label.turn === turn && label.kind === kind))
        throw new Error(`${at}: ${kind} is marked twice on one turn; mark its clearest words only.`);
      labels.push({ kind, turn, ...words });
    }
  const startMs = turn === 0 ? 0 : transcript.durationMs + GAP_MS;
  const spoken = timedTurn(match[1] === "R" ? "rep" : "other", text, startMs);
  transcript.turns.push(spoken);
  transcript.durationMs = spoken.endMs;
}

function timedTurn(speaker: Turn["speaker"], text: string, startMs: number): Turn {
  const words: Word[] = text.split(" ").map((word, place) => ({
    text: word,
    startMs: startMs + place * WORD_MS,
    endMs: startMs + (place + 1) * WORD_MS,
  }));
  return { speaker, startMs, endMs: startMs + words.length * WORD_MS, text, words };
}

/** Takes the brackets out of a turn. */
function readMarks(line: string, at: string): { text: string; marks: Marked[] } {
  let text = "";
  let end = 0;
  const marks: Marked[] = [];
  for (const match of line.matchAll(MARK)) {
    text += line.slice(end, match.index);
    const first = text.length;
    text += match[2];
    end = match.index + match[0].length;
    if (match[2].trim() === "") throw new Error(`${at}: ${match[0]} marks no words.`);
    const firstWord = wordAt(text, first);
    marks.push({ kinds: readKinds(match[1], at), firstWord, lastWord: wordAt(text, text.length - 1) });
  }
  text += line.slice(end);
  if (/[[\]]/.test(text))
    throw new Error(`${at}: a bracket that is not of the form "[kind: words]", or brackets that overlap.`);
  if (/\s\s|[^\S ]/.test(text)) throw new Error(`${at}: words are parted by one blank each.`);
  return { text, marks };
}

/** @returns place of the word that has the character */
function wordAt(text: string, character: number): number {
  return text.slice(0, character).split(" ").length - 1;
}

function readKinds(text: string, at: string): TagKind[] {
  return text.split("+").map((kind) => {
    if (!isTagKind(kind))
      throw new Error(`${at}: ${JSON.stringify(kind)} is no kind of tag; there are ${TAG_KINDS.join(", ")}.`);
    return kind;
  });
}
