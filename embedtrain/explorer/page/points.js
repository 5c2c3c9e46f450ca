// The points, drawn with WebGL 2.

import { coordinates, words } from "./data.js";

const VERTEX = `#version 300 es
in vec2 position;
in vec4 colour;
uniform vec2 centre, scale;
uniform float size;
out vec4 tint;
void main() {
  gl_Position = vec4((position - centre) * scale, 0, 1);
  gl_PointSize = size;
  tint = colour;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 tint;
out vec4 pixel;
void main() {
  if (length(gl_PointCoord - 0.5) > 0.5) discard;
  pixel = vec4(tint.rgb * tint.a, tint.a);
}`;

export class Points {
  buffers = {};

  /** Points on a canvas; nothing is drawn where the browser has no WebGL 2, and `gl` is null. */
  constructor(canvas) {
    const gl = (this.gl = canvas.getContext("webgl2", { antialias: false }));
    if (!gl) return;
    this.program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.#fill("position", coordinates, 2, gl.UNSIGNED_SHORT);
  }

  /** Set the colours: red, green, blue and opacity of each word. */
  set colours(bytes) {
    if (this.gl) this.#fill("colour", bytes, 4, this.gl.UNSIGNED_BYTE);
  }

  draw(view) {
    const { gl, program } = this;
    if (!gl) return;
    const uniform = (name) => gl.getUniformLocation(program, name);
    const crowded = Math.min(1, 40 / Math.sqrt(words.length));
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniform("centre"), view.x, view.y);
    gl.uniform2f(uniform("scale"), (2 * view.scale) / view.width, (2 * view.scale) / view.height);
    gl.uniform1f(uniform("size"), devicePixelRatio * Math.min(9, (2 + 5 * crowded) * view.zoom ** 0.3));
    gl.drawArrays(gl.POINTS, 0, words.length);
  }

  #fill(name, values, size, type) {
    const { gl, program } = this, location = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, (this.buffers[name] ??= gl.createBuffer()));
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.vertexAttribPointer(location, size, type, true, 0, 0);
    gl.enableVertexAttribArray(location);
  }
}
