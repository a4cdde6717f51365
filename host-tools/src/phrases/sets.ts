// The ready sets of phrases that come with the tools: host-tools/data/phrase-sets/NAME.json, { "title", "phrases": [[text, category]] }.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ExitCode, ToolError } from "@salestag/protocol/team";
import type { Category } from "./phrase-list";

const FOLDER = fileURLToPath(new URL("../../data/phrase-sets/", import.meta.url));

export interface PhraseSet {
  name: string;
  title: string;
  phrases: [text: string, category: Category][];
}

/** @returns names of all sets */
export function setNames(): string[] {
  return readdirSync(FOLDER)
    .map((file) => file.replace(/\.json$/, ""))
    .sort();
}

/** @throws ToolError when there is no set of that name */
export function readSet(name: string): PhraseSet {
  if (!setNames().includes(name))
    throw new ToolError(ExitCode.Usage, `there is no set '${name}'; there are ${setNames().join(", ")}.`);
  return { name, ...JSON.parse(readFileSync(`${FOLDER}${name}.json`, "utf8")) };
}
