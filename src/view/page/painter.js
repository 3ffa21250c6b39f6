// Draws the soup: by WebGL2 where there is some, else on a plain canvas.

import { TEXTURE_WIDTH } from "./soup.js";

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(gl_VertexID == 1 ? 3. : -1., gl_VertexID == 2 ? 3. : -1., 0., 1.); }`;

const FRAGMENT = `#version 300 es
precision highp float; precision highp int; precision highp usampler2D; precision highp sampler2D;
uniform usampler2D bytes, plane; uniform sampler2D palette, tones;
uniform vec2 origin; uniform float scale, high; uniform vec3 back;
uniform ivec2 grid, tile; uniform int sampling, num, mode, many, width; uniform float line;
out vec4 colour;
uint mixed(uint n) { n = (n ^ n >> 15) * 2246822519u; n = (n ^ n >> 13) * 3266489917u; return n ^ n >> 16; }
vec3 at(vec2 place) {
  if (place.x < 0. || place.y < 0.) return back;
  ivec2 byte = ivec2(place);
  ivec2 cell = byte / tile;
  int program = cell.y * grid.x + cell.x;
  if (cell.x >= grid.x || program >= num) return back;
  vec4 kind = vec4(1.);
  if (sampling > 0) {
    ivec2 small = (tile + sampling - 1) / sampling, in_ = (byte - cell * tile) / sampling;
    int i = (program * small.y + in_.y) * small.x + in_.x;
    uint value = texelFetch(bytes, ivec2(i % width, i / width), 0).r;
    kind = texelFetch(palette, ivec2(int(value), 0), 0);
    if (mode == 0) return kind.rgb;
  }
  if (mode == 0) return back;
  int tone = int(texelFetch(plane, ivec2(program % width, program / width), 0).r);
  if (mode == 1 && tone == 255) tone = 248 + int(mixed(uint(program)) % 3u);
  vec3 rgb = texelFetch(tones, ivec2(tone, 0), 0).rgb;
  return sampling > 0 ? mix(back, rgb, kind.a) : rgb;
}
void main() {
  vec2 pixel = vec2(gl_FragCoord.x, high - gl_FragCoord.y);
  vec3 sum = vec3(0.);
  float n = float(many);
  for (int y = 0; y < many; y++) for (int x = 0; x < many; x++)
    sum += at(origin + (pixel + (vec2(float(x), float(y)) + .5) / n - .5) / scale);
  sum /= n * n;
  if (line > 0.) {
    vec2 in_ = mod(origin + pixel / scale, vec2(tile)) * scale;
    if (min(in_.x, in_.y) < 1.) sum = mix(sum, back, line);
  }
  colour = vec4(sum, 1.);
}`;

/** Colours as [red, green, blue]. */
export function rgb(text) {
  const number = parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

const AGES = {
  dark: [[255, 247, 214], [250, 202, 90], [232, 126, 58], [168, 60, 84], [92, 40, 96], [44, 32, 66], [24, 22, 34]],
  light: [[92, 20, 70], [160, 40, 80], [222, 100, 60], [240, 170, 90], [246, 214, 160], [238, 232, 222], [236, 237, 241]],
};

/** The colour of an age plane's value. */
export function ageColour(theme, value) {
  const ramp = AGES[theme];
  const at = Math.min(1, value / 176) * (ramp.length - 1);
  const low = Math.min(ramp.length - 2, Math.floor(at));
  return ramp[low].map((part, i) => Math.round(part + (ramp[low + 1][i] - part) * (at - low)));
}

/** The colour of a kind: that of pictures, no-ops fainter, so that what does something stands out. */
export function tint(scene, theme, kind) {
  const { kinds, [theme]: colours } = scene.language;
  const colour = rgb(colours.kinds[kind]);
  if (kinds[kind].role !== "Noop") return colour;
  const back = rgb(getBack(theme));
  return colour.map((part, i) => Math.round(back[i] + (part - back[i]) * 0.45));
}

/** A number that is as good as drawn, as the shader has it. */
function mixed(n) {
  n = Math.imul(n ^ (n >>> 15), 2246822519);
  n = Math.imul(n ^ (n >>> 13), 3266489917);
  return (n ^ (n >>> 16)) >>> 0;
}

/** The colours of bytes and of classes or ages, each as 256 times red, green, blue and strength. */
function tables(scene, theme, mode) {
  const { kind_of: kindOf, kinds, [theme]: colours } = scene.language;
  const palette = new Uint8Array(1024);
  const tones = new Uint8Array(1024);
  for (let byte = 0; byte < 256; byte++) {
    const kind = kindOf[byte];
    const quiet = ["Noop", "Null", "Number", "NumberHigh"].includes(kinds[kind].role);
    palette.set([...tint(scene, theme, kind), quiet ? 178 : 255], byte * 4);
    let tone = mode === "age" ? ageColour(theme, byte) : [128, 128, 128];
    if (mode === "class" && byte < colours.classes.length) tone = rgb(colours.classes[byte]);
    if (mode === "class" && byte >= 248 && byte < 251) tone = rgb(colours.greys[byte - 248]);
    tones.set([...tone, 255], byte * 4);
  }
  return { palette, tones };
}

/** Where the picture lies: bytes of the soup at the left and upper edge, and pixels for each. */
export class Camera {
  constructor() { this.x = 0; this.y = 0; this.scale = 1; }
  zoom(factor, x, y, least, most) {
    const scale = Math.min(most, Math.max(least, this.scale * factor));
    this.x += x / this.scale - x / scale;
    this.y += y / this.scale - y / scale;
    this.scale = scale;
  }
}

export class Painter {
  constructor(canvas, plain) {
    this.canvas = canvas;
    const options = { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" };
    this.gl = plain ? null : canvas.getContext("webgl2", options);
    this.quality = 3;
    this.drawn = {};
    if (this.gl) this.prepare();
    else this.flat = canvas.getContext("2d", { alpha: false });
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => { this.drawn = {}; this.prepare(); });
  }

  prepare() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.bindVertexArray(gl.createVertexArray());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.uniforms = {};
    for (const name of ["bytes", "plane", "palette", "tones", "origin", "scale", "high", "back", "grid", "tile", "sampling", "num", "mode", "many", "width", "line"])
      this.uniforms[name] = gl.getUniformLocation(program, name);
    this.textures = ["bytes", "plane", "palette", "tones"].map((name, unit) => {
      const texture = gl.createTexture();
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
      gl.uniform1i(this.uniforms[name], unit);
      return { texture, height: 0 };
    });
    this.limit = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  }

  /** Put numbers into the texture of this unit. */
  upload(unit, values, width, isColour) {
    const gl = this.gl;
    const height = Math.max(1, Math.ceil(values.length / (isColour ? 4 : 1) / width));
    const [inside, format] = isColour ? [gl.RGBA8, gl.RGBA] : [gl.R8UI, gl.RED_INTEGER];
    gl.activeTexture(gl.TEXTURE0 + unit);
    if (this.textures[unit].height !== height) {
      gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, height, 0, format, gl.UNSIGNED_BYTE, null);
      this.textures[unit].height = height;
    }
    if (values.length < width * height * (isColour ? 4 : 1)) {
      const whole = new Uint8Array(width * height);
      whole.set(values);
      values = whole;
    }
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, format, gl.UNSIGNED_BYTE, values);
  }

  /** Draw the soup as the camera has it. */
  draw(soup, camera, mode, theme) {
    const { width, height } = this.canvas;
    if (!soup.scene || width === 0) return;
    const flat = mode !== "kind" && soup.plane.plane !== mode;
    const shown = flat ? "kind" : mode;
    if (this.gl) this.drawFast(soup, camera, shown, theme, width, height);
    else this.drawPlain(soup, camera, shown, theme, width, height);
  }

  drawFast(soup, camera, mode, theme, width, height) {
    const gl = this.gl;
    if (gl.isContextLost()) return;
    const { drawn, uniforms } = this;
    const look = `${soup.scene.language.name} ${theme} ${mode}`;
    if (drawn.look !== look) {
      const { palette, tones } = tables(soup.scene, theme, mode);
      this.upload(2, palette, 256, true);
      this.upload(3, tones, 256, true);
      drawn.look = look;
    }
    const needsBytes = soup.sampling > 0 && (mode === "kind" || camera.scale >= 0.5);
    if (needsBytes && drawn.version !== soup.version) {
      this.upload(0, soup.bytes, TEXTURE_WIDTH, false);
      drawn.version = soup.version;
    }
    if (mode !== "kind" && drawn.plane !== soup.plane.version) {
      this.upload(1, soup.plane.values, TEXTURE_WIDTH, false);
      drawn.plane = soup.plane.version;
    }
    const back = rgb(getBack(theme)).map((part) => part / 255);
    gl.viewport(0, 0, width, height);
    gl.uniform2f(uniforms.origin, camera.x, camera.y);
    gl.uniform1f(uniforms.scale, camera.scale);
    gl.uniform1f(uniforms.high, height);
    gl.uniform3fv(uniforms.back, back);
    gl.uniform2i(uniforms.grid, soup.scene.columns, soup.scene.rows);
    gl.uniform2i(uniforms.tile, ...soup.scene.tile);
    gl.uniform1i(uniforms.sampling, needsBytes ? soup.sampling : 0);
    gl.uniform1i(uniforms.num, soup.scene.num);
    gl.uniform1i(uniforms.mode, { kind: 0, class: 1, age: 2 }[mode]);
    gl.uniform1i(uniforms.width, TEXTURE_WIDTH);
    const perPixel = 1 / camera.scale / (needsBytes ? soup.sampling : soup.scene.tile[0]);
    gl.uniform1i(uniforms.many, Math.max(1, Math.min(this.quality, Math.ceil(perPixel - 0.01))));
    gl.uniform1f(uniforms.line, camera.scale < 2 ? 0 : Math.min(0.75, (camera.scale - 2) / 4));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  drawPlain(soup, camera, mode, theme, width, height) {
    const { palette, tones } = tables(soup.scene, theme, mode);
    const back = rgb(getBack(theme));
    const { columns, rows, num, tile: [tileWidth, tileHeight] } = soup.scene;
    const sampling = soup.sampling || 1;
    const smallWidth = Math.ceil(tileWidth / sampling);
    const len = soup.sampling ? soup.shownLen : 0;
    const image = this.image?.width === width && this.image.height === height ? this.image : this.flat.createImageData(width, height);
    this.image = image;
    const out = image.data;
    for (let y = 0, at = 0; y < height; y++) {
      const byteY = Math.floor(camera.y + (y + 0.5) / camera.scale);
      const row = Math.floor(byteY / tileHeight);
      const inY = Math.floor((byteY - row * tileHeight) / sampling) * smallWidth;
      for (let x = 0; x < width; x++, at += 4) {
        const byteX = Math.floor(camera.x + (x + 0.5) / camera.scale);
        const column = Math.floor(byteX / tileWidth);
        const program = row * columns + column;
        let [red, green, blue] = back;
        if (column >= 0 && row >= 0 && column < columns && row < rows && program < num) {
          const value = len ? soup.bytes[program * len + inY + Math.floor((byteX - column * tileWidth) / sampling)] * 4 : 0;
          if (mode === "kind") [red, green, blue] = [palette[value], palette[value + 1], palette[value + 2]];
          else {
            let tone = soup.plane.values[program];
            if (mode === "class" && tone === 255) tone = 248 + (mixed(program) % 3);
            const share = len ? palette[value + 3] / 255 : 1;
            red += (tones[tone * 4] - red) * share;
            green += (tones[tone * 4 + 1] - green) * share;
            blue += (tones[tone * 4 + 2] - blue) * share;
          }
        }
        out[at] = red; out[at + 1] = green; out[at + 2] = blue; out[at + 3] = 255;
      }
    }
    this.flat.putImageData(image, 0, 0);
  }

  /** The colour of each pixel, from the upper left corner, as it was just drawn. */
  pixels() {
    const { width, height } = this.canvas;
    if (!this.gl) return this.flat.getImageData(0, 0, width, height).data;
    const found = new Uint8Array(width * height * 4);
    this.gl.readPixels(0, 0, width, height, this.gl.RGBA, this.gl.UNSIGNED_BYTE, found);
    const turned = new Uint8Array(found.length);
    for (let y = 0; y < height; y++) turned.set(found.subarray(y * width * 4, (y + 1) * width * 4), (height - 1 - y) * width * 4);
    return turned;
  }

  /** How long drawing takes, in milliseconds; waits for it. */
  measure(draw) {
    const before = performance.now();
    draw();
    if (this.gl) this.gl.readPixels(0, 0, 1, 1, this.gl.RGBA, this.gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - before;
  }
}

export function getBack(theme) { return theme === "dark" ? "#0d0e12" : "#f4f4f6"; }
