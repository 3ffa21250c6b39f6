// The WebSocket: docs/view.md describes its messages.

const HEADER = 32;

/** Calls `on[type](…)` for each message, and keeps trying where the server is gone. */
export class Link {
  constructor(on) {
    this.on = on;
    this.wait = 300;
    this.open();
  }

  open() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.wait = 300; this.on.open(); };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.text(data) : this.binary(data));
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.on.closed();
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(this.wait * 1.6, 3000);
    };
  }

  get isOpen() { return this.socket.readyState === WebSocket.OPEN; }

  send(command) {
    if (this.isOpen) this.socket.send(JSON.stringify(command));
  }

  text(data) {
    const message = JSON.parse(data);
    this.on[message.type]?.(message);
  }

  binary(data) {
    const view = new DataView(data);
    const number = (at) => view.getUint32(at, true);
    switch (view.getUint8(0)) {
      case 1: case 2: case 3:
        this.on.frame({
          kind: view.getUint8(0), sampling: view.getUint8(1), programLen: view.getUint16(2, true),
          num: number(4), epoch: number(8) + number(12) * 2 ** 32, id: number(16), base: number(20),
          generation: number(24), changed: number(28), payload: new Uint8Array(data, HEADER),
        });
        break;
      case 4:
        this.on.plane({
          plane: ["none", "class", "age"][view.getUint8(1)], num: number(4),
          epoch: number(8) + number(12) * 2 ** 32, values: new Uint8Array(data, 16),
        });
        break;
      case 5:
        this.on.rows({
          isNew: view.getUint8(1) === 1, columns: view.getUint16(2, true), count: number(4),
          values: new Float64Array(data, 16),
        });
        break;
    }
  }
}

/** An answer of the JSON API; an error says what was wrong. */
export async function ask(path) {
  const answer = await fetch(path);
  const value = await answer.json().catch(() => ({ error: answer.statusText }));
  if (!answer.ok) throw new Error(value.error);
  return value;
}
