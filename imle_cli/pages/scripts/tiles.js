// A picture of tiles: one colour a tile, crisp at any size, with paths as lines, and a pointer that mouse and arrow keys move.

import { css } from "./colours.js";
import { hideTip, showTip } from "./tip.js";

const LARGEST = 480; // pixels of the page along the longer side of a picture

export class TileMap {
  /**
   * @param parent element that the picture is put into
   * @param height rows of tiles
   * @param width columns of tiles
   * @param label what the picture shows, for those who do not see it
   */
  constructor(parent, height, width, label) {
    Object.assign(this, { height, width, lines: [], ends: null, pointed: null, words: null, onPoint: null });
    this.box = parent.appendChild(document.createElement("div"));
    this.box.className = "tiles";
    this.canvas = this.box.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.ground = document.createElement("canvas");
    Object.assign(this.ground, { width, height });
    this.describe(label);
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  /** Says what the picture shows, for those who do not see it. */
  describe(label) {
    this.canvas.setAttribute("aria-label", label);
  }

  /**
   * Shows numbers as colours of tiles, row by row, and lines above them.
   *
   * @param values one number a tile
   * @param colours from a number, and that of its tile, to a colour, as colours.js has them
   * @param lines paths `{ tiles, colour, dashed }`, their tiles' numbers in order; the first is drawn first
   * @param ends `{ start, goal, colour }` tiles to be marked
   */
  show(values, colours, { lines = [], ends = null } = {}) {
    const pixels = new ImageData(this.width, this.height);
    for (let tile = 0; tile < values.length; tile++) {
      pixels.data.set([...colours(values[tile], tile), 255], 4 * tile);
    }
    this.ground.getContext("2d").putImageData(pixels, 0, 0);
    Object.assign(this, { lines, ends });
    this.draw();
  }

  /** Rings a tile, or none if null. */
  point(tile) {
    if (tile === this.pointed) return;
    this.pointed = tile;
    this.draw();
  }

  draw() {
    const ratio = devicePixelRatio;
    const room = Math.min(this.box.clientWidth, (LARGEST * this.width) / Math.max(this.width, this.height));
    this.side = Math.max(1, Math.floor((room * ratio) / this.width)); // whole pixels of the screen, so that tiles are crisp
    this.canvas.width = this.side * this.width;
    this.canvas.height = this.side * this.height;
    this.canvas.style.width = `${Math.min(room, this.canvas.width / ratio)}px`;
    const brush = this.canvas.getContext("2d");
    brush.imageSmoothingEnabled = false;
    brush.drawImage(this.ground, 0, 0, this.canvas.width, this.canvas.height);
    brush.lineJoin = brush.lineCap = "round";
    for (const line of this.lines) this.#drawLine(brush, line, ratio);
    if (this.ends) this.#drawEnds(brush, ratio);
    if (this.pointed !== null) this.#drawPointer(brush, ratio);
  }

  #drawLine(brush, { tiles, colour, dashed = false }, ratio) {
    const width = Math.min(Math.max(0.24 * this.side, 2 * ratio), 5 * ratio);
    const course = new Path2D();
    for (const tile of tiles) course.lineTo(...this.#centre(tile));
    brush.setLineDash([]);
    brush.strokeStyle = "white";
    brush.lineWidth = width + 2 * ratio;
    brush.stroke(course);
    if (dashed) brush.setLineDash([2 * width, 1.7 * width]);
    brush.strokeStyle = colour;
    brush.lineWidth = width;
    brush.stroke(course);
    brush.setLineDash([]);
  }

  /** A circle at the start and a square at the goal. */
  #drawEnds(brush, ratio) {
    const { start, goal, colour } = this.ends;
    const size = Math.min(Math.max(0.3 * this.side, 3 * ratio), 7 * ratio);
    brush.lineWidth = 2 * ratio;
    brush.strokeStyle = colour;
    brush.fillStyle = "white";
    const [x, y] = this.#centre(start);
    brush.beginPath();
    brush.arc(x, y, size, 0, 2 * Math.PI);
    brush.fill();
    brush.stroke();
    const [right, below] = this.#centre(goal);
    brush.fillStyle = colour;
    brush.strokeStyle = "white";
    brush.beginPath();
    brush.rect(right - size, below - size, 2 * size, 2 * size);
    brush.stroke();
    brush.fill();
  }

  #drawPointer(brush, ratio) {
    const x = (this.pointed % this.width) * this.side;
    const y = Math.floor(this.pointed / this.width) * this.side;
    for (const [colour, inset] of [["black", 0], ["white", 1.5 * ratio]]) {
      brush.strokeStyle = colour;
      brush.lineWidth = 1.5 * ratio;
      brush.strokeRect(x + inset, y + inset, this.side - 2 * inset, this.side - 2 * inset);
    }
  }

  #centre(tile) {
    return [((tile % this.width) + 0.5) * this.side, (Math.floor(tile / this.width) + 0.5) * this.side];
  }

  /** The tile below a mouse or finger; null outside. */
  tileAt(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / width) * this.width);
    const row = Math.floor(((event.clientY - top) / height) * this.height);
    const isInside = row >= 0 && row < this.height && column >= 0 && column < this.width;
    return isInside ? row * this.width + column : null;
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.moveTo(this.tileAt(event), event.clientX, event.clientY));
    canvas.addEventListener("pointerleave", () => this.moveTo(null));
    canvas.addEventListener("blur", () => this.moveTo(null));
    canvas.addEventListener("keydown", (event) => {
      const tile = nextTile(event.key, this.pointed, this.height, this.width);
      if (tile === null) return;
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      const x = box.left + (((tile % this.width) + 0.5) / this.width) * box.width;
      const y = box.top + ((Math.floor(tile / this.width) + 0.5) / this.height) * box.height;
      this.moveTo(tile, x, y);
    });
  }

  /** Points at a tile, tells whoever wants to know, and shows its words. */
  moveTo(tile, x, y) {
    this.point(tile);
    this.onPoint?.(tile);
    if (tile === null || !this.words) hideTip();
    else showTip(this.words(Math.floor(tile / this.width), tile % this.width), x, y);
  }
}

/** The tile that an arrow key leads to; null for another key. Without a tile to begin with, any arrow leads to the first. */
export function nextTile(key, tile, height, width) {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
  if (!step) return null;
  if (tile === null) return 0;
  const row = Math.min(Math.max(Math.floor(tile / width) + step[0], 0), height - 1);
  return row * width + Math.min(Math.max((tile % width) + step[1], 0), width - 1);
}

/** Tiles of a path in order, from start to goal, of a mask that is a cheapest path, which never touches itself. */
export function tilesInOrder(mask, start, goal, width, moves = 8) {
  const left = new Set();
  mask.forEach((value, tile) => value && left.add(tile));
  const path = [start];
  left.delete(start);
  while (path.at(-1) !== goal) {
    const tile = path.at(-1);
    const next = [...left].find((candidate) => areNeighbours(tile, candidate, width, moves));
    if (next === undefined) break;
    path.push(next);
    left.delete(next);
  }
  return path;
}

function areNeighbours(a, b, width, moves) {
  const down = Math.abs(Math.floor(a / width) - Math.floor(b / width));
  const right = Math.abs((a % width) - (b % width));
  return moves === 8 ? Math.max(down, right) === 1 : down + right === 1;
}

/** A scale of colours below a picture: the lowest and highest number, and words for what they are. */
export class Scale {
  constructor(parent) {
    this.box = parent.appendChild(document.createElement("div"));
    this.box.className = "scale";
    this.low = this.box.appendChild(document.createElement("span"));
    this.bar = this.box.appendChild(document.createElement("canvas"));
    this.high = this.box.appendChild(document.createElement("span"));
    this.words = this.box.appendChild(document.createElement("span"));
    this.bar.setAttribute("aria-hidden", "true");
    Object.assign(this.bar, { width: 256, height: 1 });
  }

  show(colours, low, high, words, digits = shortNumber) {
    this.low.textContent = digits(low);
    this.high.textContent = digits(high);
    this.words.textContent = words;
    const brush = this.bar.getContext("2d");
    for (let i = 0; i < 256; i++) {
      brush.fillStyle = css(colours(low + (i / 255) * (high - low)));
      brush.fillRect(i, 0, 1, 1);
    }
  }
}

/** A number in three digits, without zeros at the end; what rounding leaves of 0 is 0. */
export function shortNumber(value) {
  const rounded = Math.abs(value) < 1e-12 ? 0 : Number(value.toPrecision(3));
  return String(rounded).replace("-", "−");
}
