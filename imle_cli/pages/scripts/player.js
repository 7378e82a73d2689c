// A player: a slider over records in order, with buttons and keys to step and to play.

import { addSlider } from "./slider.js";

const LONGEST = 15; // seconds that playing everything takes at most
const SLOWEST = 5; // records a second

export class Player {
  /**
   * @param parent element that the player is put into
   * @param label what a record is
   * @param count number of records
   * @param words the number of a record as text
   * @param onStep called with the number of the record to be shown
   */
  constructor(parent, { label, count, words, onStep }) {
    Object.assign(this, { count, onStep, at: 0, began: null });
    const values = Array.from({ length: count }, (_, i) => i);
    this.slider = addSlider(parent, { label, values, start: 0, words, onInput: (at) => this.#take(at) });
    const row = parent.appendChild(document.createElement("div"));
    row.className = "row";
    this.back = addButton(row, "◀", "Back one step", () => this.step(-1));
    this.play = addButton(row, "▶ Play", "", () => this.toggle());
    this.play.classList.add("main");
    this.ahead = addButton(row, "▶", "On one step", () => this.step(1));
    const keys = row.appendChild(document.createElement("span"));
    keys.className = "soft small keys";
    keys.innerHTML = "<kbd>Space</kbd> plays, <kbd>←</kbd> <kbd>→</kbd> step";
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Shows a record; playing stops. */
  go(at) {
    this.stop();
    this.#show(Math.min(Math.max(at, 0), this.count - 1));
  }

  step(by) {
    this.go((this.at + by + this.count) % this.count);
  }

  toggle() {
    if (this.began !== null) return this.stop();
    const start = this.at === this.count - 1 ? 0 : this.at;
    const rate = Math.max(SLOWEST, this.count / LONGEST) / 1000;
    this.began = performance.now();
    this.play.textContent = "❚❚ Pause";
    const advance = (now) => {
      if (this.began === null) return;
      const at = Math.min(start + Math.floor(Math.max(now - this.began, 0) * rate), this.count - 1);
      if (at !== this.at) this.#show(at);
      if (at === this.count - 1) this.stop();
      else requestAnimationFrame(advance);
    };
    return requestAnimationFrame(advance);
  }

  stop() {
    this.began = null;
    this.play.textContent = "▶ Play";
  }

  #show(at) {
    this.slider.set(at);
    this.at = at;
    this.onStep(at);
  }

  #take(at) {
    this.stop();
    this.at = at;
    this.onStep(at);
  }

  /** Keys of the page, where they do not belong to what has the focus: a slider, a button, a picture. */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, canvas, textarea")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) this.step(step);
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.count - 1);
    else if (event.key === " " && !event.target.matches("button, a, summary")) this.toggle();
    else return;
    event.preventDefault();
  }
}

function addButton(parent, words, label, onClick) {
  const button = parent.appendChild(document.createElement("button"));
  Object.assign(button, { type: "button", textContent: words });
  if (label) button.setAttribute("aria-label", label);
  button.addEventListener("click", onClick);
  return button;
}
