// L-BFGS: finds where a smooth function is smallest, from its values and gradients. Deterministic.

/** @returns the value at a point; writes the gradient there */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

const MEMORY = 8;
const STEP_HALVINGS_MAX = 20;
/** Share of the decrease that a straight line would give, below which a step is too long. */
const SUFFICIENT = 1e-4;
const GRADIENT_SMALL = 1e-3;

interface Past {
  step: Float64Array;
  change: Float64Array;
  /** 1 / (step * change). */
  rho: number;
}

/**
 * @param point where it begins; where it ends is written there
 * @param rounds at most
 */
export function minimize(objective: Objective, point: Float64Array, rounds: number): void {
  const size = point.length;
  let gradient = new Float64Array(size);
  let value = objective(point, gradient);
  const past: Past[] = [];
  for (let round = 0; round < rounds && norm(gradient) > GRADIENT_SMALL; round++) {
    const direction = directionOf(gradient, past);
    const slope = dot(gradient, direction);
    let length = past.length === 0 ? 1 / norm(gradient) : 1;
    const next = new Float64Array(size);
    const nextGradient = new Float64Array(size);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let halving = 0; halving < STEP_HALVINGS_MAX; halving++, length /= 2) {
      for (let at = 0; at < size; at++) next[at] = point[at] + length * direction[at];
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + SUFFICIENT * length * slope) break;
    }
    if (nextValue >= value) return;
    remember(past, minus(next, point), minus(nextGradient, gradient));
    point.set(next);
    gradient = nextGradient;
    value = nextValue;
  }
}

function remember(past: Past[], step: Float64Array, change: Float64Array): void {
  const product = dot(step, change);
  if (product <= 1e-10) return;
  past.push({ step, change, rho: 1 / product });
  if (past.length > MEMORY) past.shift();
}

/** Nocedal and Wright, Numerical Optimization, algorithm 7.4. */
function directionOf(gradient: Float64Array, past: readonly Past[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const alphas = past.map(() => 0);
  for (let at = past.length - 1; at >= 0; at--) {
    alphas[at] = past[at].rho * dot(past[at].step, direction);
    add(direction, past[at].change, -alphas[at]);
  }
  const last = past.at(-1);
  if (last !== undefined) {
    const factor = 1 / (last.rho * dot(last.change, last.change));
    for (let at = 0; at < direction.length; at++) direction[at] *= factor;
  }
  for (const [at, { step, change, rho }] of past.entries())
    add(direction, step, alphas[at] - rho * dot(change, direction));
  return direction;
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += one[at] * other[at];
  return sum;
}

function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

function add(to: Float64Array, vector: Float64Array, factor: number): void {
  for (let at = 0; at < to.length; at++) to[at] += factor * vector[at];
}

function minus(one: Float64Array, other: Float64Array): Float64Array {
  return one.map((value, at) => value - other[at]);
}
