// The chip's memory, as far as a host loads code into it and starts it.
import { type Block, CommandFault } from "./command";

const BLOCK_BYTES_MAX = 0x1800;

interface Segment {
  address: number;
  lengthBytes: number;
  blocks: number;
  blockBytes: number;
  taken: number;
  sequence: number;
}

export class Memory {
  private readonly loaded: Segment[] = [];
  private loading: Segment | undefined;

  begin([lengthBytes, blocks, blockBytes, address]: number[]): void {
    if (blockBytes > BLOCK_BYTES_MAX || blocks !== Math.ceil(lengthBytes / blockBytes))
      throw new CommandFault("failed", `${blocks} blocks of ${blockBytes} bytes for ${lengthBytes} bytes`);
    this.loading = { address, lengthBytes, blocks, blockBytes, taken: 0, sequence: 0 };
  }

  take({ sequence, bytes }: Block): void {
    const { loading } = this;
    if (loading === undefined) throw new CommandFault("notBegun", "nothing was begun");
    if (sequence !== loading.sequence)
      throw new CommandFault("failed", `block ${sequence}, ${loading.sequence} is next`);
    if (bytes.length > loading.blockBytes || loading.taken + bytes.length > loading.lengthBytes)
      throw new CommandFault("tooMuch", `a block of ${bytes.length} bytes too many`);
    loading.taken += bytes.length;
    loading.sequence++;
    if (loading.taken === loading.lengthBytes) this.loaded.push(loading);
  }

  /** @returns true when code is started. @throws CommandFault when there is none where it should start */
  end([stay, entry]: number[]): boolean {
    if (stay !== 0) return false;
    const inside = ({ address, lengthBytes }: Segment) => entry >= address && entry < address + lengthBytes;
    if (!this.loaded.some(inside)) throw new CommandFault("failed", `no code at 0x${entry.toString(16)}`);
    return true;
  }
}
