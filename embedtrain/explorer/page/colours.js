// Colours of the points, for any colour vision: Petroff, "Accessible color sequences", 2021, and viridis.

import { facts, groups, words } from "./data.js";

const PALETTE = ["3f90da", "ffa90e", "bd1f01", "94a4a2", "832db6", "a96b59", "e76300", "b9ac70", "717581", "92dadd"];
const VIRIDIS = ["3e4a89", "31688e", "26828e", "1f9e89", "35b779", "6ece58"];
const NO_GROUP = 255;
const [OPAQUE, FAINT] = [200, 50];

/** From the most frequent words to the least: from the strongest contrast to the weakest. */
const ramp = () => (document.documentElement.dataset.theme === "dark" ? [...VIRIDIS].reverse() : VIRIDIS);
const parse = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Red, green, blue and opacity of all words by "frequency", "clusters" or "labels"; only the `chosen` group is not faint. */
export function coloursBy(kind, chosen) {
  const bytes = new Uint8Array(4 * words.length);
  const colours = (groups[kind] ? PALETTE : ramp()).map(parse);
  for (let row = 0; row < words.length; row++) {
    const group = groups[kind]?.[row] ?? Math.floor(Math.sqrt(row / words.length) * colours.length);
    const isFaint = group === NO_GROUP || (chosen !== null && group !== chosen);
    bytes.set([...(colours[group] ?? [128, 128, 128]), isFaint ? FAINT : OPAQUE], 4 * row);
  }
  return bytes;
}

/** The legend as [colour, name]. */
export function legendOf(kind) {
  const colours = facts[kind] ? PALETTE : ramp();
  const start = (step) => Math.ceil((step / colours.length) ** 2 * words.length);
  const names = facts[kind] ?? colours.map((_, step) => `rank ${start(step) + 1} to ${start(step + 1)}`);
  return names.map((name, group) => ["#" + colours[group], name]);
}
