// Products of large matrices with narrow ones, by the WASM code that the sentence encoder's package brings: ten times as fast as loops here.
import * as core from "@energetic-ai/core";

interface Tensor {
  dataSync(): Float32Array;
  dispose(): void;
}

/** What of TensorFlow.js is used; the package names types of a package that it does not bring. */
const { ready, tensor2d, matMul } = core as unknown as {
  ready(): Promise<void>;
  tensor2d(values: Float32Array, shape: [number, number]): Tensor;
  matMul(one: Tensor, other: Tensor): Tensor;
};

/** To be awaited before anything else here. */
export const matricesReady: Promise<void> = ready();

/** Rows of numbers, to be multiplied many times. */
export class Matrix {
  readonly #whole: Tensor;
  readonly #turned: Tensor;
  readonly #rows: number;
  readonly #columns: number;

  /** @param rows at least one, of the same length each, and by what each number is multiplied */
  constructor(rows: readonly Float32Array[], scale: number) {
    this.#rows = rows.length;
    this.#columns = rows[0].length;
    const whole = new Float32Array(this.#rows * this.#columns);
    const turned = new Float32Array(this.#rows * this.#columns);
    for (const [row, values] of rows.entries())
      for (let column = 0; column < this.#columns; column++) {
        whole[row * this.#columns + column] = scale * values[column];
        turned[column * this.#rows + row] = scale * values[column];
      }
    this.#whole = tensor2d(whole, [this.#rows, this.#columns]);
    this.#turned = tensor2d(turned, [this.#columns, this.#rows]);
  }

  /** @param other as many rows as this has columns, one after the other */
  times(other: Float32Array): Float32Array {
    return product(this.#whole, other, this.#columns);
  }

  /** The same with rows and columns changed over. @param other as many rows as this has */
  turnedTimes(other: Float32Array): Float32Array {
    return product(this.#turned, other, this.#rows);
  }

  /** Gives the memory back; it cannot be used any more. */
  dispose(): void {
    this.#whole.dispose();
    this.#turned.dispose();
  }
}

function product(matrix: Tensor, values: Float32Array, rows: number): Float32Array {
  const other = tensor2d(values, [rows, values.length / rows]);
  const made = matMul(matrix, other);
  const numbers = made.dataSync();
  other.dispose();
  made.dispose();
  return numbers;
}
