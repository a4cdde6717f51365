// The rig's own error: something the user can do something about. Its message is one sentence that says what.

export class RigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "RigError";
  }
}
