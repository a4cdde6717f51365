// The one error of the shared formats: what arrived cannot be what the other side meant to send.

/** Thrown by every decoder in this folder. The message is one sentence naming the field, what was expected and what came. */
export class FormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FormatError";
  }
}
