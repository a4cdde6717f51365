// Virtual time: a clock that only moves from one due action to the next, in an order that depends on nothing but the actions
// themselves. A gate can hold it while something real (a socket) still owes an answer that belongs before a certain time.

/** Something real that may hold virtual time. */
export interface Gate {
  /** Virtual ms that must not be passed yet; undefined: no hold. */
  holdMs(): number | undefined;
  /** Resolves when the hold may have changed. */
  changed(): Promise<void>;
}

interface DueAction {
  atMs: number;
  order: number;
  action: () => void;
}

/** Added to the order of an action that lets all others of its time go first. */
const LAST = 2 ** 52;
/** At most this long between two looks at Node's event loop, in ms of real time. */
const YIELD_MS = 10;

export class VirtualTime {
  private time = 0;
  private order = 0;
  private heap: DueAction[] = [];
  private readonly gates = new Set<Gate>();

  /** @param realMs real time, used only to let Node's event loop run now and then */
  constructor(private readonly realMs: () => number) {}

  /** Virtual ms since the start. */
  nowMs(): number {
    return this.time;
  }

  /** Runs `action` at `atMs`, or now if that has passed; actions of one time run in the order in which they came. */
  at(atMs: number, action: () => void): void {
    this.push({ atMs: Math.max(atMs, this.time), order: this.order++, action });
  }

  /**
   * Runs `action` at `atMs` after all that `at` has for this time, whenever that came: what arrives from the real world gets the
   * same place however long it took.
   */
  atEndOf(atMs: number, action: () => void): void {
    this.push({ atMs: Math.max(atMs, this.time), order: LAST + this.order++, action });
  }

  addGate(gate: Gate): void {
    this.gates.add(gate);
  }

  /** Lets time stand still until the promise is settled; what is due at this very time waits too. Its rejection ends the run. */
  hold(promise: Promise<void>): void {
    const beforeMs = this.time - 1;
    let settled = false;
    const gate: Gate = {
      holdMs: () => (settled ? undefined : beforeMs),
      changed: () => promise,
    };
    this.addGate(gate);
    const settle = () => {
      settled = true;
      this.removeGate(gate);
    };
    promise.then(settle, settle);
  }

  removeGate(gate: Gate): void {
    this.gates.delete(gate);
  }

  /**
   * Moves time on until `done()` is true or nothing is due up to `untilMs`.
   * @returns true when `done()` was true
   */
  async run(untilMs: number, done: () => boolean = () => false): Promise<boolean> {
    let yieldedAtMs = this.realMs();
    while (!done()) {
      const nextMs = Math.min(this.heap.length > 0 ? this.heap[0].atMs : Number.POSITIVE_INFINITY, untilMs);
      const holding = [...this.gates].filter((gate) => (gate.holdMs() ?? Number.POSITIVE_INFINITY) < nextMs);
      if (holding.length > 0) {
        await Promise.race(holding.map((gate) => gate.changed()));
        continue;
      }
      this.time = Math.max(this.time, nextMs);
      if (this.heap.length === 0 || this.heap[0].atMs > untilMs) return false;
      this.pop().action();
      if (this.realMs() - yieldedAtMs > YIELD_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        yieldedAtMs = this.realMs();
      }
    }
    return true;
  }

  private push(due: DueAction): void {
    const heap = this.heap;
    let place = heap.length;
    heap.push(due);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(due, heap[parent])) break;
      heap[place] = heap[parent];
      place = parent;
    }
    heap[place] = due;
  }

  private pop(): DueAction {
    const heap = this.heap;
    const first = heap[0];
    const last = heap.pop() as DueAction;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[place] = heap[child];
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function before(a: DueAction, b: DueAction): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
