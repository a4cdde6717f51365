// A service elsewhere that one setting names, KIND+https://HOST/PATH?name=value: its address, its key out of a private file, its options, each read once.
import { readPrivate } from "@salestag/protocol/service";
import { ExitCode, ToolError } from "@salestag/protocol/team";

const KEY = /^[\x21-\x7e]{1,4096}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The options behind the `?`. What is wrong is a ToolError that begins with whose setting it is. */
export class SettingOptions {
  readonly #unread: Map<string, string>;

  /** @param who whose setting it is, such as `the transcriber` */
  constructor(
    private readonly who: string,
    options: URLSearchParams,
  ) {
    this.#unread = new Map(options);
    if (this.#unread.size !== [...options].length) throw this.wrong("setting has an option twice");
  }

  /** @returns undefined where it is not there */
  text(name: string, charactersMax: number): string | undefined {
    const value = this.#unread.get(name);
    this.#unread.delete(name);
    if (value === undefined) return undefined;
    if (value === "" || value.length > charactersMax)
      throw this.wrong(`${name} must have 1 to ${charactersMax} characters, not ${value.length}`);
    return value;
  }

  whole(name: string, min: number, max: number, otherwise: number): number {
    const text = this.text(name, 20);
    if (text === undefined) return otherwise;
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw this.wrong(`${name} is ${JSON.stringify(text)}; write a whole number from ${min} to ${max}`);
    return value;
  }

  /** @returns the first where it is not there */
  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const text = this.text(name, 100);
    const value = text === undefined ? values[0] : values.find((candidate) => candidate === text);
    if (value === undefined)
      throw this.wrong(`${name} is ${JSON.stringify(text)}; write ${values.join(" or ")}`);
    return value;
  }

  /** @returns the address, which conversations may travel to: https, loopback, or `plain=yes` */
  address(text: string): URL {
    if (!URL.canParse(text)) throw this.wrong("address is no URL: write https://HOST:PORT/PATH");
    const url = new URL(text);
    if (url.username !== "" || url.password !== "")
      throw this.wrong(
        "address has a name or a password in it: put the key into a file, and name it with key-file",
      );
    const plain = this.oneOf("plain", ["no", "yes"]) === "yes";
    if (url.protocol === "http:" && !plain && !LOOPBACK.test(url.hostname))
      throw new ToolError(
        ExitCode.Usage,
        `conversations would travel to ${url.host} in the clear: use https, or add plain=yes where the network is trusted`,
      );
    return url;
  }

  /** @returns what the private file holds that `key-file` names; undefined where it names none */
  key(): string | undefined {
    const file = this.text("key-file", 4096);
    if (file === undefined) return undefined;
    const key = readPrivate(file);
    if (typeof key === "string") throw this.wrong(`key-file ${file} ${key}`);
    if (!KEY.test(key.toString("utf8")))
      throw this.wrong(`key-file ${file} holds no key: write one line of printable characters into it`);
    return key.toString("utf8");
  }

  /** @throws ToolError for an option that nobody asked for */
  end(): void {
    const [name] = this.#unread.keys();
    if (name !== undefined)
      throw this.wrong(`setting has the option ${JSON.stringify(name)}, which is not known here`);
  }

  /** @param what goes on behind "the transcriber's" */
  wrong(what: string): ToolError {
    return new ToolError(ExitCode.Usage, `${this.who}'s ${what}`);
  }
}
