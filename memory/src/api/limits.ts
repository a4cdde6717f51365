// How much requests may take.

/** Most bytes, sockets and time that requests may take. */
export interface Limits {
  bodyBytes: number;
  headerBytes: number;
  connections: number;
  /** Until all headers are here, and until the whole request is. */
  headersMs: number;
  requestMs: number;
  /** Of a connection on which nothing moves. */
  idleMs: number;
}

export const LIMITS: Limits = {
  bodyBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  connections: 1_000,
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 60_000,
};
