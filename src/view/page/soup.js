// The soup as far as this page has it: its bytes, or a sample of them, and where they lie.

/** Texels in a row of the texture that the bytes are kept as. */
export const TEXTURE_WIDTH = 4096;

export class Soup {
  constructor() {
    this.scene = null;
    this.bytes = new Uint8Array(0);
    this.sampling = 0;
    this.epoch = 0;
    this.id = 0;
    this.generation = 0;
    this.plane = { plane: "none", values: new Uint8Array(0), version: 0 };
    /** Counts up with each change of the bytes. */
    this.version = 0;
  }

  begin(scene) {
    const same = this.scene?.num === scene.num && this.scene?.language.name === scene.language.name;
    this.scene = scene;
    if (!same) {
      this.bytes = new Uint8Array(0);
      this.sampling = 0;
      this.plane = { plane: "none", values: new Uint8Array(0), version: this.plane.version + 1 };
      this.version++;
    }
  }

  get width() { return this.scene ? this.scene.columns * this.scene.tile[0] : 0; }
  get height() { return this.scene ? this.scene.rows * this.scene.tile[1] : 0; }

  /** Bytes of a program that are here, one in `sampling` squared of them. */
  get shownLen() {
    const [width, height] = this.scene.tile;
    return Math.ceil(width / this.sampling) * Math.ceil(height / this.sampling);
  }

  frame(frame) {
    if (!this.scene || frame.num !== this.scene.num) return;
    if (frame.kind === 2) {
      if (frame.base !== this.id || this.sampling !== 1) return;
      this.change(frame);
    } else {
      const rows = Math.ceil(frame.payload.length / TEXTURE_WIDTH);
      if (this.bytes.length !== rows * TEXTURE_WIDTH) this.bytes = new Uint8Array(rows * TEXTURE_WIDTH);
      this.bytes.set(frame.payload);
      this.sampling = frame.sampling;
    }
    this.id = frame.id;
    this.epoch = frame.epoch;
    this.generation = frame.generation;
    this.version++;
  }

  change({ num, programLen, payload }) {
    let from = Math.ceil(num / 8);
    for (let i = 0; i < num; i++) {
      const bits = payload[i >> 3];
      if (bits === 0) { i |= 7; continue; }
      if ((bits >> (i & 7)) & 1) {
        this.bytes.set(payload.subarray(from, from + programLen), i * programLen);
        from += programLen;
      }
    }
  }

  setPlane(plane) {
    if (!this.scene || plane.num !== this.scene.num) return;
    this.plane = { plane: plane.plane, values: plane.values, version: this.plane.version + 1 };
  }

  /** The program at a place in bytes of the picture, and which of its bytes is there. */
  at(x, y) {
    const { columns, rows, tile: [width, height], num } = this.scene;
    const [column, row] = [Math.floor(x / width), Math.floor(y / height)];
    if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
    const index = row * columns + column;
    if (index >= num) return null;
    const place = (Math.floor(y) - row * height) * width + Math.floor(x) - column * width;
    return { index, place };
  }

  /** The left and upper edge of a program. */
  placeOf(index) {
    const { columns, tile: [width, height] } = this.scene;
    return [(index % columns) * width, Math.floor(index / columns) * height];
  }

  /** The bytes of a program, where all of them are here. */
  program(index) {
    if (this.sampling !== 1) return null;
    const len = this.scene.language.program_len;
    return this.bytes.subarray(index * len, (index + 1) * len);
  }
}
