// The one setting that says who makes tags and insights: `local`, or a chat endpoint with its options.
import { chatStructurer } from "../chat";
import type { Structurer } from "../model/structure";
import { SettingOptions } from "../setting-options";
import { localStructurer } from "../tagger";

const FORMS = "local, or openai+https://HOST/v1?model=NAME&key-file=FILE";
const TIMEOUT_S_DEFAULT = 120;
const TIMEOUT_S_MAX = 3600;

/**
 * @param setting `local`, or `openai+URL?model=NAME` with `key-file=FILE`, `timeout=` s, `plain=yes` to send over http to elsewhere
 * @throws ToolError that says what is wrong, without the key
 */
export function structurerOf(setting: string): Structurer {
  if (setting === "local") return localStructurer();
  const parts = /^openai\+(https?:\/\/[^?#]+)(?:\?([^#]*))?$/.exec(setting);
  const asked = new SettingOptions("the structurer", new URLSearchParams(parts?.[2]));
  if (parts === null) throw asked.wrong(`setting is none of the known ones; write ${FORMS}`);
  const url = asked.address(parts[1]).href;
  const model = asked.text("model", 200);
  if (model === undefined) throw asked.wrong("setting has no model: add ?model=NAME");
  const timeoutMs = asked.whole("timeout", 1, TIMEOUT_S_MAX, TIMEOUT_S_DEFAULT) * 1000;
  const apiKey = asked.key();
  asked.end();
  return chatStructurer({ url, model, apiKey, timeoutMs });
}
