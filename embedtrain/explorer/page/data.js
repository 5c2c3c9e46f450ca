// The data of the page: words, coordinates, neighbours, groups and vectors.

const content = (id) => document.getElementById(id)?.textContent;
const decode = (id) => content(id) && Uint8Array.from(atob(content(id)), (c) => c.charCodeAt(0));

export const { words, counts, ...facts } = JSON.parse(content("facts"));
export const coordinates = new Uint16Array(decode("coordinates").buffer); // x and y of each word
export const groups = { clusters: decode("clusters"), labels: decode("labels") }; // a group of each word
export const vectors = decode("vectors") && new Int8Array(decode("vectors").buffer); // perhaps none
const lengths = vectors && words.map((_, row) => Math.sqrt(dot(vectors, row, row)) || 1);
const rows = new (words.length > 1 << 16 ? Uint32Array : Uint16Array)(decode("rows").buffer);
const cosines = decode("cosines");
const [least, most] = new Float32Array(decode("range").buffer);
const rowOf = new Map(words.map((word, row) => [word, row]));
const fold = (text) => text.normalize("NFC").toLowerCase();
const folded = words.map(fold);

/** A word with direction marks and characters without width as codes, as the command line shows them. */
export const shown = (word) =>
  word.replace(/[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

/** The row of a word, or of the most frequent one that differs in case only; -1 if there is none. */
export const find = (text) => rowOf.get(text) ?? folded.indexOf(fold(text));

/** Words that begin with a text, then those that contain it, the most frequent first. */
export function complete(text, n) {
  const start = fold(text), beginning = words.filter((_, row) => folded[row].startsWith(start));
  const others = words.filter((_, row) => !folded[row].startsWith(start) && folded[row].includes(start));
  return beginning.concat(others).slice(0, n);
}

/** Rows of the words that share most pairs of letters with an unknown one. */
export function spelledAlike(text, n) {
  const pairs = (word) => Array.from(word + " ", (letter, at) => (word[at - 1] ?? " ") + letter);
  const wanted = new Set(pairs(fold(text)));
  const scores = folded.map((word) => pairs(word).filter((pair) => wanted.has(pair)).length / (word.length + wanted.size));
  return highest(scores, n).filter((row) => scores[row] > 0.25);
}

/** The nearest words in all dimensions as [row, cosine]. */
export function neighboursOf(row) {
  return Array.from({ length: facts.neighbors }, (_, rank) => {
    const at = row * facts.neighbors + rank;
    return [rows[at], least + (cosines[at] / 255) * (most - least)];
  });
}

/** The answers to "a is to b as c is to which word" as [row, cosine]: the words nearest to b - a + c. */
export function analogy(a, b, c, n) {
  const unit = (row, i) => vectors[row * facts.dim + i] / lengths[row];
  const query = Array.from({ length: facts.dim }, (_, i) => unit(b, i) - unit(a, i) + unit(c, i));
  const length = Math.hypot(...query) || 1;
  const scores = words.map((_, row) => ([a, b, c].includes(row) ? -2 : dot(query, 0, row) / lengths[row] / length));
  return highest(scores, n).filter((row) => scores[row] >= -1).map((row) => [row, scores[row]]);
}

const highest = (scores, n) => [...scores.keys()].sort((one, other) => scores[other] - scores[one]).slice(0, n);

function dot(query, from, row) {
  let sum = 0;
  for (let i = 0; i < facts.dim; i++) sum += query[from * facts.dim + i] * vectors[row * facts.dim + i];
  return sum;
}
