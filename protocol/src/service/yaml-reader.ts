// Reads values out of a YAML document and says of each mistake where it is: file, line, what is wrong, with what value, what it must be. Mistakes are
// collected, so that one look mends them all.
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from "yaml";

/** Longest configuration file, in characters. */
const TEXT_MAX = 1024 * 1024;

/** One document, and what is wrong with it. */
export class YamlReader {
  /** A sentence each, with the line. */
  readonly mistakes: string[] = [];

  private readonly lines = new LineCounter();
  private readonly document: Document;

  /** @param path for the sentences */
  constructor(
    private readonly path: string,
    text: string,
  ) {
    if (text.length > TEXT_MAX) throw new RangeError(`${path} has more than ${TEXT_MAX} characters`);
    this.document = parseDocument(text, { lineCounter: this.lines, uniqueKeys: true });
    for (const { message, pos } of this.document.errors)
      this.mistakes.push(`${path}, line ${this.lines.linePos(pos[0]).line}: ${message.split("\n")[0]}`);
  }

  /** @returns the whole document as a section; an empty one where it is none */
  root(): Section {
    const { contents } = this.document;
    if (isMap(contents)) return new Section(this, contents, "");
    if (this.mistakes.length === 0)
      this.say(contents ?? undefined, "the file must be a list of names and values");
    return new Section(this, undefined, "");
  }

  /** Notes a mistake at a node's line. */
  say(node: Node | undefined, what: string): void {
    const line = node?.range ? this.lines.linePos(node.range[0]).line : 1;
    this.mistakes.push(`${this.path}, line ${line}: ${what}`);
  }
}

/** Names and values at one place of the document. Every name has to be asked for: what is left at `end` is unknown. */
export class Section {
  private readonly asked = new Set<string>();

  constructor(
    private readonly reader: YamlReader,
    private readonly map: YAMLMap | undefined,
    private readonly place: string,
  ) {}

  /** @returns a text; undefined where it is missing or wrong */
  text(name: string, needed: boolean): string | undefined {
    const node = this.node(name, needed);
    if (node === undefined) return undefined;
    if (isScalar(node) && typeof node.value === "string" && node.value !== "") return node.value;
    this.wrong(node, name, "must be a text");
    return undefined;
  }

  /** @returns a whole number within the range; undefined where it is missing or wrong */
  whole(name: string, min: number, max: number): number | undefined {
    const node = this.node(name, false);
    if (node === undefined) return undefined;
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max)
      return value;
    this.wrong(node, name, `must be a whole number from ${min} to ${max}`);
    return undefined;
  }

  /** @returns true or false; undefined where it is missing or wrong */
  flag(name: string): boolean | undefined {
    const node = this.node(name, false);
    if (node === undefined) return undefined;
    if (isScalar(node) && typeof node.value === "boolean") return node.value;
    this.wrong(node, name, "must be true or false");
    return undefined;
  }

  /** @returns one of the texts; undefined where it is missing or wrong */
  oneOf<T extends string>(name: string, texts: readonly T[]): T | undefined {
    const node = this.node(name, false);
    if (node === undefined) return undefined;
    const found = texts.find((text) => isScalar(node) && node.value === text);
    if (found === undefined) this.wrong(node, name, `must be ${texts.join(" or ")}`);
    return found;
  }

  /** @returns the texts of a list; none where it is missing */
  texts(name: string): { text: string; complain: (what: string) => void }[] {
    return this.items(name).flatMap((node, place) => {
      const complain = (what: string) => this.wrong(node, `${name}[${place}]`, what);
      if (isScalar(node) && typeof node.value === "string" && node.value !== "")
        return [{ text: node.value, complain }];
      complain("must be a text");
      return [];
    });
  }

  /** @returns the sections of a list; none where it is missing */
  sections(name: string): Section[] {
    return this.items(name).flatMap((node, place) => {
      if (isMap(node)) return [new Section(this.reader, node, `${this.place}${name}[${place}].`)];
      this.wrong(node, `${name}[${place}]`, "must be names and values");
      return [];
    });
  }

  /** @returns a section below this one; undefined where it is missing or wrong */
  section(name: string): Section | undefined {
    const node = this.node(name, false);
    if (node === undefined) return undefined;
    if (isMap(node)) return new Section(this.reader, node, `${this.place}${name}.`);
    this.wrong(node, name, "must be names and values");
    return undefined;
  }

  /** @returns the names that are here */
  names(): string[] {
    return (this.map?.items ?? []).map(({ key }) => (isScalar(key) ? String(key.value) : ""));
  }

  /** Notes a mistake of this section. */
  complain(what: string): void {
    this.reader.say(this.map, this.place === "" ? what : `${this.place.slice(0, -1)} ${what}`);
  }

  /** Names what nobody asked for. */
  end(): void {
    for (const { key } of this.map?.items ?? []) {
      const name = isScalar(key) ? String(key.value) : "?";
      if (!this.asked.has(name))
        this.reader.say(
          key as Node,
          `${this.place}${name} is not known; known are ${[...this.asked].sort().join(", ")}`,
        );
    }
  }

  private node(name: string, needed: boolean): Node | undefined {
    this.asked.add(name);
    const node = this.map?.get(name, true) as Node | undefined;
    const empty = node === undefined || (isScalar(node) && node.value === null);
    if (!empty) return node;
    if (needed || node !== undefined) this.reader.say(node ?? this.map, `${this.place}${name} is missing`);
    return undefined;
  }

  private items(name: string): Node[] {
    const node = this.node(name, false);
    if (node === undefined) return [];
    if (isSeq(node)) return node.items as Node[];
    this.wrong(node, name, "must be a list");
    return [];
  }

  private wrong(node: Node, name: string, what: string): void {
    const shown = isScalar(node) ? `, got ${JSON.stringify(node.value)}` : "";
    this.reader.say(node, `${this.place}${name} ${what}${shown}`);
  }
}
