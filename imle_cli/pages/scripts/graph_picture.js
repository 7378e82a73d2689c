// Pictures of graphs: nodes where their coordinates are, edges as lines, chosen ones thick; marginals as colour and width.

import { css, viridis } from "./colours.js";
import { Sheet } from "./sheet.js";
import { themeColour } from "./theme.js";
import { Scale } from "./tiles.js";

const MARGIN = 26; // pixels around the nodes
const [NAMED_NODES, DOTTED_NODES] = [60, 1500]; // most nodes with names, with dots
const REACH = 14; // pixels from an edge at which the pointer is on it

export class GraphPicture {
  constructor(parent, ground, label) {
    Object.assign(this, { ground, mask: null, shares: null, pointed: null, words: null, onPoint: null });
    this.frame = frameOf(ground.positions);
    const heightOf = (width) => this.#heightFor(width);
    this.sheet = new Sheet(parent, label, heightOf, (brush) => this.#paint(brush), (brush) => this.#mark(brush));
    this.scale = new Scale(parent);
    const count = ground.numbers.length;
    this.sheet.listen(this, count, (x, y) => this.#edgeAt(x, y), (edge) => middle(this.#line(edge)));
  }

  point(edge) {
    this.pointed = edge;
    this.sheet.show();
  }

  showChosen(mask) {
    Object.assign(this, { mask, shares: null });
    this.scale.box.hidden = true;
    this.sheet.draw();
  }

  showShares(shares) {
    Object.assign(this, { mask: null, shares });
    this.sheet.box.classList.add("plate");
    this.scale.show(viridis(0, 1), 0, 1, "share of the samples");
    this.sheet.draw();
  }

  #heightFor(width) {
    const { right, left, top, bottom } = this.frame;
    const shape = Math.min(Math.max((top - bottom) / (right - left), 0.4), 1.4);
    return Math.round((width - 2 * MARGIN) * shape + 2 * MARGIN);
  }

  /** Coordinates of the graph, whose y points up, in pixels. */
  #place(x, y) {
    const { right, left, top, bottom } = this.frame;
    const { width, height } = this.sheet;
    const across = ((x - left) / (right - left)) * (width - 2 * MARGIN);
    const down = ((top - y) / (top - bottom)) * (height - 2 * MARGIN);
    return [MARGIN + across, MARGIN + down];
  }

  #line(edge) {
    const [x1, y1, x2, y2] = this.ground.segments.subarray(4 * edge, 4 * edge + 4);
    return [...this.#place(x1, y1), ...this.#place(x2, y2)];
  }

  #edgeAt(x, y) {
    let [nearest, least] = [null, REACH];
    for (let edge = 0; edge < this.ground.numbers.length; edge++) {
      const away = distance(x, y, this.#line(edge));
      if (away < least) [nearest, least] = [edge, away];
    }
    return nearest;
  }

  #paint(brush) {
    this.colours = this.shares
      ? { plain: "rgb(255 255 255 / 26%)", chosen: (share) => css(viridis(0, 1)(share)), ink: "#e8e6e1" }
      : { plain: themeColour("--edge"), chosen: () => this.colours.path, ink: themeColour("--ink") };
    Object.assign(this.colours, { path: themeColour("--path"), focus: themeColour("--focus") });
    const edges = Array.from(this.ground.numbers.keys());
    edges.sort((a, b) => this.#share(a) - this.#share(b)); // likely ones on top
    for (const edge of edges) this.#drawEdge(brush, edge);
    this.#drawNodes(brush);
  }

  #mark(brush) {
    if (this.pointed === null) return;
    drawLine(brush, this.#line(this.pointed), 5.5 * Math.sqrt(this.#share(this.pointed)) + 6, this.colours.focus);
    this.#drawEdge(brush, this.pointed);
    this.#drawNodes(brush);
  }

  /** Marginal of an edge; of a solution 0 or 1. */
  #share(edge) {
    return (this.shares ?? this.mask)?.[edge] ?? 0;
  }

  #drawEdge(brush, edge) {
    const { plain, chosen } = this.colours;
    const [share, line] = [this.#share(edge), this.#line(edge)];
    const width = 5.5 * Math.sqrt(share);
    if (this.shares || !share) drawLine(brush, line, 1.2, plain);
    if (share) drawLine(brush, line, width, chosen(share));
    if (this.ground.directed) drawArrow(brush, line, width, share ? chosen(share) : plain);
  }

  #drawNodes(brush) {
    const { names, positions, marked } = this.ground;
    const { ink, path } = this.colours;
    const hasNames = names.length <= NAMED_NODES;
    if (names.length > DOTTED_NODES && !marked.length) return;
    brush.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    names.forEach((name, node) => {
      const [x, y] = this.#place(positions[2 * node], positions[2 * node + 1]);
      const end = marked.indexOf(node);
      if (end >= 0) return drawEnd(brush, x, y, end, hasNames ? name : "", { ink, path });
      if (names.length > DOTTED_NODES) return null;
      brush.fillStyle = ink;
      brush.beginPath();
      brush.arc(x, y, hasNames ? 2.5 : 1.5, 0, 2 * Math.PI);
      brush.fill();
      return hasNames && brush.fillText(name, x + 5, y - 5);
    });
  }
}

function frameOf(positions) {
  const xs = positions.filter((_, i) => i % 2 === 0);
  const ys = positions.filter((_, i) => i % 2 === 1);
  const [left, bottom] = [xs, ys].map((values) => values.reduce((a, b) => Math.min(a, b)));
  const [right, top] = [xs, ys].map((values) => values.reduce((a, b) => Math.max(a, b)));
  const room = 1e-9 * Math.max(1, Math.abs(left), Math.abs(bottom)); // so that no side is 0
  return { left, bottom, right: Math.max(right, left + room), top: Math.max(top, bottom + room) };
}

function middle([x1, y1, x2, y2]) {
  return [(x1 + x2) / 2, (y1 + y2) / 2];
}

/** Distance from a point to a line between two points. */
function distance(x, y, [x1, y1, x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.min(Math.max(((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

function drawLine(brush, [x1, y1, x2, y2], width, colour) {
  brush.lineWidth = width;
  brush.strokeStyle = colour;
  brush.beginPath();
  brush.moveTo(x1, y1);
  brush.lineTo(x2, y2);
  brush.stroke();
}

/** A head at two thirds of an edge, where no node covers it. */
function drawArrow(brush, [x1, y1, x2, y2], width, colour) {
  const size = 4 + width;
  brush.save();
  brush.translate(x1 + (2 / 3) * (x2 - x1), y1 + (2 / 3) * (y2 - y1));
  brush.rotate(Math.atan2(y2 - y1, x2 - x1));
  brush.fillStyle = colour;
  brush.beginPath();
  brush.moveTo(size, 0);
  brush.lineTo(-size / 2, size / 2);
  brush.lineTo(-size / 2, -size / 2);
  brush.fill();
  brush.restore();
}

/** A circle at the start, a square at the goal, with a name. */
function drawEnd(brush, x, y, end, name, { ink, path }) {
  brush.lineWidth = 2;
  brush.strokeStyle = path;
  brush.fillStyle = end === 0 ? "white" : path;
  brush.beginPath();
  if (end === 0) brush.arc(x, y, 6, 0, 2 * Math.PI);
  else brush.rect(x - 5.5, y - 5.5, 11, 11);
  brush.fill();
  brush.stroke();
  brush.fillStyle = ink;
  brush.fillText(name, x + 10, y - 6);
}
