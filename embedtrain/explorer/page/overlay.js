// What lies above the points: labels without overlap, lines to neighbours, rings.

import { shown, words } from "./data.js";

const EXAMINED = 1500; // words in view that may be labelled, the most frequent ones
const AREA = 8000; // square pixels for a label
const [HEIGHT, GAP] = [16, 8]; // of a label, and to its point

export class Overlay {
  constructor(canvas) {
    this.context = canvas.getContext("2d");
    this.widths = new Map();
  }

  /** Draw, with rows of the selected word and its neighbours, perhaps none. */
  draw(view, ratio, selection, style) {
    const { context } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.width, view.height);
    Object.assign(context, { font: "13px system-ui, sans-serif", textBaseline: "middle", lineJoin: "round" });
    this.#join(view, selection, style);
    const boxes = [], most = (view.width * view.height) / AREA;
    for (const row of selection) this.#label(row, view, boxes, style.accent, style.paper);
    for (let row = 0, examined = 0; row < words.length && examined < EXAMINED && boxes.length < most; row++) {
      examined += this.#label(row, view, boxes, style.ink, style.paper);
    }
  }

  #join(view, selection, style) {
    const { context } = this, places = selection.map((row) => view.toScreen(row));
    Object.assign(context, { strokeStyle: style.accent, lineWidth: 1 });
    context.beginPath();
    for (const place of places) {
      context.moveTo(...places[0]);
      context.lineTo(...place);
      context.moveTo(place[0] + 5, place[1]);
      context.arc(...place, 5, 0, 2 * Math.PI);
    }
    context.stroke();
  }

  /** Label a word unless others are in the way; return whether it is in view. */
  #label(row, view, boxes, ink, paper) {
    const { context } = this, [x, y] = view.toScreen(row);
    if (x < 0 || y < 0 || x > view.width || y > view.height) return false;
    const text = shown(words[row]);
    if (!this.widths.has(row)) this.widths.set(row, context.measureText(text).width);
    const width = this.widths.get(row), left = x + GAP + width > view.width ? x - GAP - width : x + GAP;
    const isFree = (box) => left > box.left + box.width || box.left > left + width || Math.abs(box.y - y) > HEIGHT;
    if (!boxes.every(isFree)) return true;
    boxes.push({ left, width, y });
    Object.assign(context, { strokeStyle: paper, lineWidth: 3, fillStyle: ink });
    context.strokeText(text, left, y);
    context.fillText(text, left, y);
    return true;
  }
}
