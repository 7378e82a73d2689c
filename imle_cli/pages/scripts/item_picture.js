// Pictures of items: a bar a row, of scores or of marginals.

import { css, viridis } from "./colours.js";
import { digits } from "./numbers.js";
import { Sheet } from "./sheet.js";
import { themeColour } from "./theme.js";
import { extent } from "./tile_picture.js";
import { Scale, shortNumber } from "./tiles.js";

const [ROW, LEAST_ROW, TALLEST] = [24, 13, 560]; // pixels; rows lower than the least have no names
const NAMES = 0.32; // share of the width
const NUMBERS = 44; // pixels

export class ItemPicture {
  constructor(parent, ground, label) {
    Object.assign(this, { ground, mask: null, shares: null, pointed: null, words: null, onPoint: null });
    const count = ground.names.length;
    this.row = Math.min(ROW, Math.max(TALLEST / count, 1));
    const [low, high] = extent(ground.numbers);
    Object.assign(this, { low: Math.min(low, 0), high: Math.max(high, 0) });
    const height = Math.ceil(this.row * count);
    this.sheet = new Sheet(parent, label, () => height, (...sheet) => this.#paint(...sheet), (...sheet) => this.#mark(...sheet));
    this.scale = new Scale(parent);
    const itemAt = (_, y) => Math.min(Math.max(Math.floor(y / this.row), 0), count - 1);
    this.sheet.listen(this, count, itemAt, (item) => [this.sheet.width / 2, (item + 0.5) * this.row]);
  }

  point(item) {
    this.pointed = item;
    this.sheet.show();
  }

  showChosen(mask) {
    Object.assign(this, { mask, shares: null });
    this.scale.box.hidden = true;
    this.sheet.draw();
  }

  showShares(shares) {
    Object.assign(this, { mask: null, shares });
    this.scale.show(viridis(0, 1), 0, 1, "share of the samples");
    this.sheet.draw();
  }

  #paint(brush, width) {
    const names = ["path", "edge", "ink", "raised", "focus"];
    this.colours = Object.fromEntries(names.map((name) => [name, themeColour(`--${name}`)]));
    const hasNames = this.row >= LEAST_ROW;
    const [left, right] = hasNames ? [Math.min(NAMES * width, 140), width - NUMBERS] : [0, width];
    this.ground.names.forEach((_, item) => this.#drawBar(brush, item, left, right));
    if (hasNames) this.#drawWords(brush, left, right);
  }

  #mark(brush, width) {
    if (this.pointed === null) return;
    brush.strokeStyle = this.colours.focus;
    brush.lineWidth = 1.5;
    brush.strokeRect(0.75, this.pointed * this.row + 0.75, width - 1.5, Math.max(this.row - 1.5, 1));
  }

  #drawBar(brush, item, left, right) {
    const { path, edge, raised } = this.colours;
    const [low, high] = this.shares ? [0, 1] : [this.low, this.high];
    const value = this.shares ? this.shares[item] : Math.min(Math.max(this.ground.numbers[item], low), high);
    const x = (number) => left + ((number - low) / (high - low || 1)) * (right - left);
    const [from, to] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))];
    const gap = Math.min(0.14 * this.row, 3);
    const [top, thick] = [item * this.row + gap, this.row - 2 * gap];
    brush.fillStyle = raised;
    if (this.shares) brush.fillRect(left, top, right - left, thick);
    const plain = this.mask?.[item] ? path : edge;
    brush.fillStyle = this.shares ? css(viridis(0, 1)(value)) : plain;
    brush.fillRect(from, top, Math.max(to - from, 1), thick);
  }

  #drawWords(brush, left, right) {
    brush.font = `${Math.min(13, this.row - 3)}px ${getComputedStyle(document.body).fontFamily}`;
    brush.textBaseline = "middle";
    const { names, weights } = this.ground;
    names.forEach((name, item) => {
      const label = weights ? `${name} (${digits(weights[item])})` : name;
      const middle = (item + 0.5) * this.row;
      const number = (this.shares ?? this.ground.numbers)[item];
      brush.fillStyle = this.mask?.[item] ? this.colours.path : this.colours.ink;
      brush.fillText(fitting(brush, label, left - 8), 0, middle);
      brush.fillText(Number.isFinite(number) ? shortNumber(number) : digits(number), right + 6, middle);
    });
  }
}

/** As many letters of a name as fit into so many pixels. */
function fitting(brush, name, room) {
  if (brush.measureText(name).width <= room) return name;
  let kept = name.length - 1;
  while (kept > 1 && brush.measureText(`${name.slice(0, kept)}…`).width > room) kept--;
  return `${name.slice(0, kept)}…`;
}
