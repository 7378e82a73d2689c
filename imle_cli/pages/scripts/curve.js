// Curves with axes, as SVG: lines over steps, ticks at round numbers, and a reading at the pointer.

import { hideTip, showTip } from "./tip.js";
import { shortNumber } from "./tiles.js";

const SVG = "http://www.w3.org/2000/svg";
const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [220, 48, 12, 12, 40]; // pixels

export class Curve {
  /**
   * @param parent element that the curve is put into
   * @param label what it shows, for those who do not see it
   * @param across name of the horizontal axis
   * @param upward name of the vertical axis
   */
  constructor(parent, { label, across, upward }) {
    Object.assign(this, { across, upward, series: [], width: 480, cursor: null, least: { x: 1, y: 1 }, onPoint: null });
    this.picture = parent.appendChild(element("svg", { class: "curve", role: "img", height: HEIGHT, "aria-label": label }));
    this.picture.addEventListener("pointermove", (event) => this.#read(event));
    this.picture.addEventListener("pointerleave", hideTip);
    new ResizeObserver(() => this.#draw()).observe(this.picture);
  }

  /**
   * Shows lines.
   *
   * @param series `{ name, x, y, colour }`, numbers alike in x and y; x rises; the colour is one of page.css
   * @param cursor where on the horizontal axis the reader is; null for nowhere
   * @param least `{ x, y }` ends that the axes have at least
   */
  show(series, { cursor = null, least = { x: 1, y: 1 } } = {}) {
    Object.assign(this, { series, cursor, least });
    this.#draw();
  }

  #draw() {
    const { series, cursor, least } = this;
    this.width = this.picture.clientWidth || this.width;
    this.right = series.reduce((most, { x }) => Math.max(most, x.at(-1) ?? 0), least.x);
    this.highest = series.reduce((most, { y }) => y.reduce((high, value) => Math.max(high, value), most), least.y);
    this.picture.replaceChildren(...this.#axes(), ...series.flatMap((line) => this.#line(line)));
    if (cursor !== null) this.picture.append(...this.#cursor(cursor));
  }

  #x(value) {
    return LEFT + (value / this.right) * (this.width - LEFT - RIGHT);
  }

  #y(value) {
    return HEIGHT - BOTTOM - (value / this.highest) * (HEIGHT - TOP - BOTTOM);
  }

  #axes() {
    const parts = [];
    for (const value of ticks(this.highest)) {
      const y = this.#y(value);
      parts.push(element("line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y, class: "grid" }));
      parts.push(words(shortNumber(value), LEFT - 6, y + 4, "end"));
    }
    for (const value of ticks(this.right)) parts.push(words(shortNumber(value), this.#x(value), HEIGHT - BOTTOM + 16, "middle"));
    parts.push(words(this.across, (LEFT + this.width - RIGHT) / 2, HEIGHT - 6, "middle"));
    const name = words(this.upward, 0, 0, "middle");
    name.setAttribute("transform", `translate(12 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`);
    return [...parts, name];
  }

  #line({ x, y, colour = "--accent" }) {
    const course = x.map((value, i) => `${this.#x(value).toFixed(2)},${this.#y(y[i]).toFixed(2)}`).join(" ");
    const line = element("polyline", { points: course, class: "line" });
    line.style.setProperty("--series", `var(${colour})`);
    if (x.length !== 1) return [line];
    return [this.#mark(x[0], y[0], colour)];
  }

  #mark(x, y, colour = "--accent") {
    const mark = element("circle", { cx: this.#x(x), cy: this.#y(y), r: 4, class: "mark" });
    mark.style.setProperty("--series", `var(${colour})`);
    return mark;
  }

  #cursor(at) {
    const x = this.#x(at);
    const line = element("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: "cursor" });
    return [line, ...this.series.filter(({ x }) => x.length).map((line) => this.#mark(at, valueAt(line, at), line.colour))];
  }

  /** Says what the lines have at the pointer. */
  #read(event) {
    const { left } = this.picture.getBoundingClientRect();
    const x = (event.clientX - left - LEFT) / (this.width - LEFT - RIGHT);
    if (x < 0 || x > 1 || !this.series.some((line) => line.x.length)) return hideTip();
    const at = this.series[0].x[nearestIndex(this.series[0].x, x * this.right)];
    const read = this.series.map((line) => `${line.name} ${shortNumber(valueAt(line, at))}`);
    this.onPoint?.(at);
    return showTip([`${this.across} ${at}`, ...read].join("\n"), event.clientX, event.clientY);
  }
}

function valueAt({ x, y }, at) {
  return y[nearestIndex(x, at)];
}

function nearestIndex(x, at) {
  let best = 0;
  for (let i = 1; i < x.length; i++) if (Math.abs(x[i] - at) < Math.abs(x[best] - at)) best = i;
  return best;
}

/** Round numbers from 0 to `most`, about five. */
export function ticks(most) {
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

function words(text, x, y, anchor) {
  const made = element("text", { x, y, "text-anchor": anchor });
  made.textContent = text;
  return made;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
