// What lies above the points: labels without overlap, lines to neighbours, rings.

import { shown, words } from "./data.js";

const EXAMINED = 1500; // words in view that may be labelled, the most frequent ones
const AREA = 8000; // square pixels for a label
const [HEIGHT, GAP] = [16, 8]; // of a label, and to its point
const widths = new Map(); // of labels, as measuring is slow

/** Draw, with rows of the selected word and its neighbours, perhaps none. */
export function drawOverlay(context, view, selection) {
  const style = getComputedStyle(context.canvas);
  const [paper, ink, accent] = ["paper", "ink", "accent"].map((name) => style.getPropertyValue(`--${name}`));
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  context.clearRect(0, 0, view.width, view.height);
  Object.assign(context, { font: "13px system-ui, sans-serif", textBaseline: "middle", lineJoin: "round" });
  drawLines(context, selection.map((row) => view.toScreen(row)), accent);
  const boxes = [], most = (view.width * view.height) / AREA;
  for (const row of selection) drawLabel(context, row, view, boxes, accent, paper);
  for (let row = 0, examined = 0; row < words.length && examined < EXAMINED && boxes.length < most; row++) {
    examined += drawLabel(context, row, view, boxes, ink, paper);
  }
}

/** Draw lines from the first place to the others, and rings around all. */
function drawLines(context, places, colour) {
  Object.assign(context, { strokeStyle: colour, lineWidth: 1 });
  context.beginPath();
  for (const [x, y] of places) {
    context.moveTo(...places[0]);
    context.lineTo(x, y);
    context.moveTo(x + 5, y);
    context.arc(x, y, 5, 0, 2 * Math.PI);
  }
  context.stroke();
}

/** Label a word unless others are in the way; return whether it is in view. */
function drawLabel(context, row, view, boxes, ink, paper) {
  const [x, y] = view.toScreen(row);
  if (x < 0 || y < 0 || x > view.width || y > view.height) return false;
  const text = shown(words[row]).replace(/^(.{40}).+/u, "$1…");
  if (!widths.has(row)) widths.set(row, context.measureText(text).width);
  const width = widths.get(row), left = x + GAP + width > view.width ? x - GAP - width : x + GAP;
  const isFree = (box) => left > box.left + box.width || box.left > left + width || Math.abs(box.y - y) > HEIGHT;
  if (!boxes.every(isFree)) return true;
  boxes.push({ left, width, y });
  Object.assign(context, { strokeStyle: paper, lineWidth: 3, fillStyle: ink });
  context.strokeText(text, left, y);
  context.fillText(text, left, y);
  return true;
}
