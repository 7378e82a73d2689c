// Pictures of maps, and of tables of pairs: one tile an entry, with paths as lines.

import { greys, viridis } from "./colours.js";
import { themeColour } from "./theme.js";
import { Scale, TileMap, shortNumber, tilesInOrder } from "./tiles.js";

const [NAMED_ROWS, NUMBERED_ROWS] = [20, 8]; // most rows and columns of a table with names beside it, with numbers in it

export class TilePicture {
  constructor(parent, ground, label) {
    const [height, width] = ground.numbers.shape;
    Object.assign(this, { ground, width, words: null, onPoint: null, redraw: () => {} });
    this.map = new TileMap(ground.kind === "pairs" ? named(parent, ground) : parent, height, width, label);
    this.map.words = (row, column) => this.words?.(row * width + column);
    this.map.onPoint = (entry) => this.onPoint?.(entry);
    this.cells = ground.kind === "pairs" && Math.max(height, width) <= NUMBERED_ROWS ? addCells(this.map, ground) : [];
    this.scale = new Scale(parent);
    this.range = extent(ground.numbers);
    document.addEventListener("themechange", () => this.redraw());
  }

  point(entry) {
    this.map.point(entry);
  }

  showChosen(mask) {
    this.showLayers([{ mask, colour: "--path" }]);
    this.#number(this.ground.numbers, (entry) => (mask[entry] ? rgb("--path") : greys(...this.range)(this.ground.numbers[entry])));
  }

  /**
   * Shows the ground with solutions on it.
   *
   * @param layers from the lowest to the topmost, each with a mask, a colour of page.css, and whether a line is dashed
   */
  showLayers(layers) {
    const { numbers, ends, kind } = this.ground;
    const colours = greys(...this.range);
    this.redraw = () => {
      if (ends) return this.map.show(numbers, colours, this.#lines(layers));
      const marks = layers.map(({ mask, colour }) => ({ mask, colour: rgb(colour) })).reverse();
      return this.map.show(numbers, (number, tile) => marks.find(({ mask }) => mask[tile])?.colour ?? colours(number));
    };
    this.redraw();
    this.scale.show(colours, ...this.range, kind === "map" ? "cost" : "score");
  }

  /** Shows numbers in place of those of the ground, from white at the lowest of a range to black at the highest. */
  showNumbers(numbers, range, name) {
    this.redraw = () => this.map.show(numbers, greys(...range));
    this.redraw();
    this.scale.show(greys(...range), ...range, name);
  }

  showShares(shares) {
    const [numbers, colours] = [this.ground.numbers, viridis(0, 1)];
    const isWall = (tile) => this.ground.kind === "map" && numbers[tile] === Infinity;
    const shown = Float64Array.from(shares, (share, tile) => (isWall(tile) ? Infinity : share));
    this.redraw = () => this.map.show(shown, colours);
    this.redraw();
    this.#number(shares, (entry) => colours(shares[entry]));
    this.scale.show(colours, 0, 1, "share of the samples");
  }

  /** Writes a number into each cell, light on dark or dark on light. */
  #number(values, colourOf) {
    this.cells.forEach((cell, entry) => {
      const [red, green, blue] = colourOf(entry);
      cell.textContent = Number.isFinite(values[entry]) ? shortNumber(values[entry]) : "–";
      cell.classList.toggle("on-dark", 0.3 * red + 0.6 * green + 0.1 * blue < 140);
    });
  }

  #lines(layers) {
    const [start, goal] = this.ground.ends;
    const lines = layers.map(({ mask, colour, dashed }) => {
      const tiles = tilesInOrder(mask, start, goal, this.width, this.ground.moves);
      return { tiles, colour: themeColour(colour), dashed };
    });
    return { lines, ends: { start, goal, colour: themeColour("--path") } };
  }
}

/** Smallest and largest finite number. */
export function extent(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) {
    if (Number.isFinite(number)) [low, high] = [Math.min(low, number), Math.max(high, number)];
  }
  return low <= high ? [low, high] : [0, 1];
}

/** A colour of page.css as red, green and blue. */
function rgb(name) {
  return themeColour(name).match(/[\d.]+/g).slice(0, 3).map(Number);
}

/** An element for a table between the names of its rows and columns, where these are few. */
function named(parent, { rows, columns }) {
  if (rows.length > NAMED_ROWS || columns.length > NAMED_ROWS) return parent;
  const box = parent.appendChild(document.createElement("div"));
  box.className = "named";
  for (const [side, names] of [["above", columns], ["left", rows]]) {
    const list = box.appendChild(document.createElement("div"));
    list.className = side;
    for (const name of names) list.appendChild(document.createElement("span")).textContent = name;
  }
  return box;
}

/** Elements for the numbers of cells, above a picture of them. */
function addCells({ box }, { numbers }) {
  const grid = box.appendChild(document.createElement("div"));
  grid.className = "cells";
  grid.style.gridTemplate = `repeat(${numbers.shape[0]}, 1fr) / repeat(${numbers.shape[1]}, 1fr)`;
  return Array.from(numbers, () => grid.appendChild(document.createElement("span")));
}
