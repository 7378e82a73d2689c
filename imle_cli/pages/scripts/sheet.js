// A canvas as wide as its box, in pixels of the screen, which is drawn anew whenever its size or the theme changes. What the
// reader points at is drawn above the rest, which need not be drawn again for it.

import { hideTip, showTip } from "./tip.js";

export class Sheet {
  /**
   * @param parent element that the canvas is put into
   * @param label what it shows, for those who do not see it
   * @param heightOf height for a width, both in pixels of the page
   * @param paint called with a context and the width, draws everything
   * @param mark called with a context and the width, marks what the reader points at
   */
  constructor(parent, label, heightOf, paint, mark) {
    Object.assign(this, { heightOf, paint, mark, width: 0, height: 0, ground: document.createElement("canvas") });
    this.box = parent.appendChild(document.createElement("div"));
    this.box.className = "sheet";
    this.canvas = this.box.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    document.addEventListener("themechange", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  draw() {
    const ratio = devicePixelRatio;
    this.width = this.box.clientWidth;
    this.height = this.heightOf(this.width);
    const size = { width: Math.round(this.width * ratio), height: Math.round(this.height * ratio) };
    for (const canvas of [this.canvas, this.ground]) Object.assign(canvas, size);
    this.canvas.style.height = `${this.height}px`;
    if (!size.width || !size.height) return;
    this.paint(this.#brush(this.ground), this.width);
    this.show();
  }

  /** Shows what was drawn before, with a mark. */
  show() {
    if (!this.ground.width || !this.ground.height) return;
    const brush = this.#brush(this.canvas);
    brush.clearRect(0, 0, this.width, this.height);
    brush.drawImage(this.ground, 0, 0, this.width, this.height);
    this.mark(brush, this.width);
  }

  #brush(canvas) {
    const brush = canvas.getContext("2d");
    brush.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    brush.lineJoin = brush.lineCap = "round";
    return brush;
  }

  /**
   * Lets the reader point at entries, by mouse, finger or arrow keys.
   *
   * @param picture has `pointed`, `words` and `onPoint`
   * @param count number of entries
   * @param entryAt the entry at x and y, or null
   * @param placeOf x and y of an entry
   */
  listen(picture, count, entryAt, placeOf) {
    const moveTo = (entry, x, y) => {
      if (entry !== picture.pointed) picture.point(entry);
      picture.onPoint?.(entry);
      const { left, top } = this.canvas.getBoundingClientRect();
      if (entry === null || !picture.words) hideTip();
      else showTip(picture.words(entry), left + x, top + y);
    };
    this.canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => moveTo(entryAt(offsetX, offsetY), offsetX, offsetY));
    this.canvas.addEventListener("pointerleave", () => moveTo(null));
    this.canvas.addEventListener("blur", () => moveTo(null));
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const entry = picture.pointed === null ? 0 : (picture.pointed + step + count) % count;
      moveTo(entry, ...placeOf(entry));
    });
  }
}
