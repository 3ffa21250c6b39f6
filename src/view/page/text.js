// Programs as text, and numbers as people read them.

export const thousands = (number) => Math.round(number).toString().replace(/\B(?=(\d{3})+$)/g, ",");

export function short(number) {
  if (number >= 1e9) return `${(number / 1e9).toFixed(2)} G`;
  if (number >= 1e6) return `${(number / 1e6).toFixed(2)} M`;
  if (number >= 1e4) return `${(number / 1e3).toFixed(1)} k`;
  return number >= 100 ? thousands(number) : number.toFixed(1);
}

export const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 2 : 1)} %`;

export function bytesOf(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** An element with properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((it) => it !== null && it !== undefined));
  return element;
}

/** The colour of a byte. */
export const colourOf = (language, theme, byte) => language[theme].kinds[language.kind_of[byte]];

/** A program's text, coloured; `loop` is underlined. Neighbours of one colour share an element. */
export function codeOf(language, theme, bytes, loop) {
  const box = make("div", { className: "code" });
  const wide = language.text[0].length > 1;
  let last = null;
  for (const [place, byte] of bytes.entries()) {
    const colour = colourOf(language, theme, byte);
    const inLoop = loop && place >= loop[0] && place < loop[1];
    const look = colour + inLoop;
    if (!last || last.look !== look) {
      const element = make("span", { className: inLoop ? "loop" : "" });
      element.style.color = colour;
      box.append(element);
      last = { look, element };
    }
    last.element.append(language.text[byte].replace(" ", "·") + (wide ? " " : ""));
  }
  return box;
}

/** A program as a small picture, as it lies in the soup. */
export function tileOf(scene, theme, bytes) {
  const [width, height] = scene.tile;
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d");
  for (const [place, byte] of bytes.entries()) {
    context.fillStyle = colourOf(scene.language, theme, byte);
    context.fillRect(place % width, Math.floor(place / width), 1, 1);
  }
  return canvas;
}
