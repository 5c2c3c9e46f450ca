// The part of the map that is shown: moved by pointers, wheel and keys.

import { coordinates } from "./data.js";

const ARROWS = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }; // pixels
const ZOOMS = { "+": 1.3, "=": 1.3, "-": 1 / 1.3 };
const MILLISECONDS = 450;
const OUTSIDE = [-1e4, -1e4];

export class View {
  x = 0.5;
  y = 0.5; // centre, on a map from 0 to 1
  width = 1;
  height = 1; // in pixels
  zoom = 1; // 1: all words
  pointers = new Map();

  /** A view of an element, which calls `changed()`, `hovered(x, y)` and `clicked(x, y, reach)`. */
  constructor(element, changed, hovered, clicked) {
    Object.assign(this, { element, changed, hovered, clicked });
    const on = (type, handle) => element.addEventListener(type, handle, { passive: false });
    on("pointerdown", (event) => this.#press(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#release(event));
    on("pointercancel", (event) => this.pointers.delete(event.pointerId));
    on("pointerleave", () => hovered(...OUTSIDE));
    on("wheel", (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode ? 16 : 1) * (event.ctrlKey ? 8 : 1); // lines; a pinch
      this.zoomAt(event.offsetX, event.offsetY, Math.exp(-pixels / 600));
    });
    on("keydown", (event) => {
      if (event.key in ARROWS) this.pan(...ARROWS[event.key]);
      else if (event.key in ZOOMS) this.zoomAt(this.width / 2, this.height / 2, ZOOMS[event.key]);
      else if (event.key === "0") this.moveTo(0.5, 0.5, 1);
      else return;
      event.preventDefault();
    });
  }

  /** Pixels for the width of the map. */
  get scale() {
    return 0.92 * Math.min(this.width, this.height) * this.zoom;
  }

  /** The pixel of a word. */
  toScreen(row) {
    return [
      this.width / 2 + (coordinates[2 * row] / 65535 - this.x) * this.scale,
      this.height / 2 - (coordinates[2 * row + 1] / 65535 - this.y) * this.scale,
    ];
  }

  pan(dx, dy) {
    this.#set(this.x - dx / this.scale, this.y + dy / this.scale, this.zoom);
  }

  /** Zoom so that the pixel x, y stays. */
  zoomAt(x, y, factor) {
    const zoom = Math.min(3000, Math.max(0.5, this.zoom * factor)), shift = (1 - this.zoom / zoom) / this.scale;
    this.#set(this.x + (x - this.width / 2) * shift, this.y - (y - this.height / 2) * shift, zoom);
  }

  /** Move smoothly, unless the system is set to less motion. */
  moveTo(x, y, zoom) {
    const [x0, y0, zoom0, start] = [this.x, this.y, this.zoom, performance.now()];
    const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : MILLISECONDS;
    const step = (now) => {
      const t = Math.min(1, Math.max(0, (now - start) / duration)), eased = t * t * (3 - 2 * t);
      this.#set(x0 + (x - x0) * eased, y0 + (y - y0) * eased, zoom0 * (zoom / zoom0) ** eased);
      if (t < 1) this.animation = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.animation);
    this.animation = requestAnimationFrame(step);
  }

  /** Show the first of these words and the four fifths of the others that are nearest to it on the map. */
  show(rows) {
    const places = rows.map((row) => [coordinates[2 * row] / 65535, coordinates[2 * row + 1] / 65535]), [first] = places;
    const distance = ([x, y]) => Math.max(Math.abs(x - first[0]), Math.abs(y - first[1]));
    const near = places.sort((one, other) => distance(one) - distance(other)).slice(0, 1 + Math.ceil(0.8 * (rows.length - 1)));
    const [low, high] = [Math.min, Math.max].map((extreme) => [0, 1].map((axis) => extreme(...near.map((place) => place[axis]))));
    const extent = Math.max(high[0] - low[0], high[1] - low[1]);
    this.moveTo((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, Math.max(1, Math.min(40, 0.75 / extent)));
  }

  #set(x, y, zoom) {
    this.zoom = zoom;
    [this.x, this.y] = [x, y].map((centre) => Math.min(1.1, Math.max(-0.1, centre)));
    this.changed();
  }

  #press(event) {
    cancelAnimationFrame(this.animation);
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    this.moved = this.pointers.size > 1 ? Infinity : 0;
  }

  #move(event) {
    const last = this.pointers.get(event.pointerId), now = [event.offsetX, event.offsetY];
    this.hovered(...(last ? OUTSIDE : now));
    if (!last) return;
    const other = [...this.pointers.values()].find((pointer) => pointer !== last);
    this.pointers.set(event.pointerId, now);
    this.moved += Math.hypot(now[0] - last[0], now[1] - last[1]);
    this.pan((now[0] - last[0]) / this.pointers.size, (now[1] - last[1]) / this.pointers.size);
    if (!other) return;
    const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
    this.zoomAt((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, distance(now) / distance(last));
  }

  #release(event) {
    this.pointers.delete(event.pointerId);
    if (this.moved < 6) this.clicked(event.offsetX, event.offsetY, event.pointerType === "mouse" ? 12 : 24);
  }
}
