// Pictures of a solution and of marginals, whatever they are drawn upon: a map, pairs, a graph, or items.
//
// Each kind is a class with these members:
//   showChosen(mask)     the ground, and on it the entries that are chosen
//   showShares(shares)   marginals, from 0 to 1
//   point(entry)         rings an entry, or none if null
//   words, onPoint       set by the page: the words for an entry; what is called when the reader points at one, or at none

import { ItemPicture } from "./item_picture.js";
import { GraphPicture } from "./graph_picture.js";
import { digits } from "./numbers.js";
import { TilePicture } from "./tile_picture.js";

const KINDS = { map: TilePicture, pairs: TilePicture, graph: GraphPicture, items: ItemPicture };

/** Puts a picture of a ground into an element; the label says what it shows to those who do not see it. */
export function addPicture(parent, ground, label) {
  return new KINDS[ground.kind](parent, ground, label);
}

/** Lets the reader point at the same entry in all pictures at once, and says the same words of it. */
export function link(pictures, words) {
  for (const picture of pictures) {
    picture.words = words;
    picture.onPoint = (entry) => {
      for (const linked of pictures) if (linked !== picture) linked.point(entry);
    };
  }
}

/** The name of an entry: of a tile its row and column, of an edge its two nodes. */
export function nameOf({ kind, numbers, names, ends, rows, columns }, entry) {
  const [row, column] = [Math.floor(entry / numbers.shape[1]), entry % numbers.shape[1]];
  if (kind === "map") return `tile ${row}, ${column}`;
  if (kind === "pairs") return `${rows[row]} – ${columns[column]}`;
  if (kind === "graph") return `${names[ends[2 * entry]]} – ${names[ends[2 * entry + 1]]}`;
  return names[entry];
}

/** Lines about an entry: its name, its number, and what it weighs where it weighs anything. */
export function factsOf(ground, words, entry) {
  const facts = [nameOf(ground, entry), `${words.number} ${digits(ground.numbers[entry])}`];
  return ground.weights ? [...facts, `weight ${digits(ground.weights[entry])}`] : facts;
}

/** The weight of chosen items beside what they may weigh, to follow other words; empty where there is no limit. */
export function loadOf({ capacity, weights }, mask) {
  return capacity == null ? "" : `, weight ${digits(total(mask, weights))} of ${capacity}`;
}

/** Sum of the numbers of chosen entries, each times its share; others do not count, even if infinite. */
export function total(shares, numbers) {
  return shares.reduce((sum, share, i) => (share ? sum + share * numbers[i] : sum), 0);
}
