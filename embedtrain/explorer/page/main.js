// The page: what is selected, listed, coloured and drawn.

import { coloursBy, legendOf } from "./colours.js";
import { analogy, complete, counts, facts, find, groups, neighboursOf, shown, spelledAlike, vectors, words } from "./data.js";
import { drawOverlay } from "./overlay.js";
import { Points } from "./points.js";
import { View } from "./view.js";

const element = (id) => document.getElementById(id);
const formatted = (number) => number.toLocaleString("en");
const countOf = (row) => (counts ? `${formatted(counts[row])} times` : `rank ${formatted(row + 1)}`);
const root = document.documentElement;
const layers = [element("points"), element("overlay")];
const view = new View(layers[1], redraw, hover, (x, y, reach) => go(nearest(x, y, reach)));
let points = new Points(layers[0]);
let selection = []; // rows of the selected word and of its neighbours
let frame = 0;

/** A new element with properties and children; texts never become markup. */
function make(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function wordButton(row, value = "") {
  const figure = make("span", { className: "value", textContent: value });
  return make("button", { type: "button", onclick: () => go(row) }, make("bdi", { textContent: shown(words[row]) }), figure);
}

function list(id, scored) {
  element(id).replaceChildren(...scored.map(([row, score]) => make("li", {}, wordButton(row, score.toFixed(2)))));
}

/** Select a word through the address, so that it can be linked, and the browser's Back returns. */
function go(row) {
  if (row < 0) return;
  const hash = "#" + encodeURIComponent(words[row]);
  if (location.hash === hash) select(row);
  else location.hash = hash;
}

/** The row of a word; if it is unknown, -1 and a message. */
function lookUp(text) {
  const row = find(text), alike = row < 0 ? spelledAlike(text, 5) : [];
  const message = `“${shown(text)}” is not among the ${formatted(words.length)} words${alike.length ? "; similar: " : ""}`;
  element("message").replaceChildren(row < 0 ? message : "", ...alike.map((other) => wordButton(other)));
  return row;
}

function followAddress() {
  let word = location.hash.slice(1);
  try {
    word = decodeURIComponent(word);
  } catch { /* it is not encoded */ }
  select(word ? lookUp(word) : -1);
}

function select(row) {
  const neighbours = row < 0 ? [] : neighboursOf(row);
  element("selection").hidden = row < 0;
  list("neighbours", neighbours);
  selection = row < 0 ? [] : [row, ...neighbours.map(([other]) => other)];
  if (row < 0) return redraw();
  element("query").value = words[row];
  element("selected").textContent = shown(words[row]);
  element("count").textContent = countOf(row);
  view.show(selection);
}

/** The row of the point nearest to a pixel, within some pixels; -1 if there is none. */
function nearest(x, y, reach) {
  let best = -1, least = reach ** 2;
  for (let row = 0; row < words.length; row++) {
    const [left, top] = view.toScreen(row), distance = (left - x) ** 2 + (top - y) ** 2;
    if (distance < least) [best, least] = [row, distance];
  }
  return best;
}

function hover(x, y) {
  const row = nearest(x, y, 12), tip = element("hover");
  tip.hidden = row < 0;
  if (row < 0) return;
  tip.textContent = `${shown(words[row])} · ${countOf(row)}`;
  tip.style.transform = `translate(${Math.max(0, Math.min(x + 12, view.width - tip.offsetWidth))}px, ${Math.max(0, y - 34)}px)`;
}

/** Colour the words by what is chosen; all groups but one may be faint. */
function recolour(group = null) {
  const kind = element("colour").value;
  points.colours = coloursBy(kind, group);
  element("legend").replaceChildren(...legendOf(kind).map(([colour, name], number) => {
    const swatch = make("span", { className: "swatch" });
    swatch.style.background = colour;
    const choose = () => {
      recolour(group === number ? null : number);
      element("legend").children[number].firstChild.focus(); // the list is new
    };
    const properties = { type: "button", ariaPressed: String(group === null || group === number), onclick: choose };
    return make("li", {}, make("button", properties, swatch, make("bdi", { textContent: shown(name) })));
  }));
  redraw();
}

function draw() {
  frame = 0;
  points.draw(view);
  drawOverlay(layers[1].getContext("2d"), view, selection);
}

function redraw() {
  frame ||= requestAnimationFrame(draw);
}

function resize() {
  [view.width, view.height] = [layers[0].clientWidth, layers[0].clientHeight];
  for (const layer of layers) {
    [layer.width, layer.height] = [view.width * devicePixelRatio, view.height * devicePixelRatio];
  }
  draw();
}

function saveImage() {
  const image = make("canvas", { width: layers[0].width, height: layers[0].height }), context = image.getContext("2d");
  draw(); // a picture of WebGL lasts until the browser has shown it
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, image.width, image.height);
  for (const layer of layers) context.drawImage(layer, 0, 0);
  image.toBlob((blob) => make("a", { href: URL.createObjectURL(blob), download: "words.png" }).click());
}

document.addEventListener("input", ({ target, inputType }) => {
  if (target.tagName !== "INPUT") return;
  if (target.id === "query" && inputType === "insertReplacementText") go(find(target.value)); // a suggestion
  element("suggestions").replaceChildren(...complete(target.value, 10).map((value) => make("option", { value })));
});
element("search").onsubmit = (event) => {
  event.preventDefault();
  go(lookUp(element("query").value.trim()));
};
element("analogy").hidden = !vectors;
element("analogy").onsubmit = (event) => {
  event.preventDefault();
  const given = ["a", "b", "c"].map((id) => element(id).value.trim());
  list("answers", given.every((word) => lookUp(word) >= 0) ? analogy(...given.map(find), 5) : []);
};
if (!groups.labels) element("colour").remove(0);
element("colour").onchange = () => recolour();
element("home").onclick = () => view.moveTo(0.5, 0.5, 1);
element("export").onclick = saveImage;
element("theme").onclick = () => {
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  recolour();
};
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || !["/", "Escape"].includes(event.key)) return;
  event.preventDefault();
  if (event.key === "/") element("query").select();
  else location.hash = "";
});
element("about").textContent = `${formatted(words.length)} ${words.length === 1 ? "word" : "words"}, projection: ${facts.projection}. Distances on the map mislead, ` +
  `as ${facts.dim} dimensions do not fit on a plane; the lists do not: they are nearest by cosine in all dimensions.`;
element("webgl").hidden = points.gl !== null;
layers[0].addEventListener("webglcontextlost", (event) => event.preventDefault());
layers[0].addEventListener("webglcontextrestored", () => {
  points = new Points(layers[0]);
  recolour();
});
addEventListener("hashchange", followAddress);
root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
recolour();
new ResizeObserver(resize).observe(layers[0]);
resize();
followAddress();
globalThis.explorer = { analogy, find, nearest, view }; // for scripts
