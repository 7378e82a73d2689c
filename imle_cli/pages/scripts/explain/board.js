// The map that the reader draws on: tools, strokes of mouse and finger, keys.

const TOOLS = [
  ["cheap", "Cheap"],
  ["medium", "Medium"],
  ["expensive", "Expensive"],
  ["wall", "Wall"],
  ["start", "Start"],
  ["goal", "Goal"],
];

export class Board {
  /**
   * @param picture the TileMap that is drawn on
   * @param tools element for the buttons of the tools
   * @param onDraw called with the name of the tool and the tiles that it touched
   */
  constructor(picture, tools, onDraw) {
    Object.assign(this, { picture, onDraw, last: null });
    this.buttons = TOOLS.map(([name, label], i) => this.#addTool(tools, name, label, i + 1));
    this.choose("wall");
    picture.box.classList.add("drawn-on");
    picture.canvas.setAttribute("role", "application");
    this.#listenToPointer(picture.canvas);
    picture.canvas.addEventListener("keydown", (event) => this.#press(event));
  }

  choose(name) {
    this.tool = name;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  }

  #addTool(parent, name, label, key) {
    const button = parent.appendChild(document.createElement("button"));
    Object.assign(button, { type: "button", textContent: label, title: `${label} (${key})` });
    button.dataset.tool = name;
    button.addEventListener("click", () => this.choose(name));
    return button;
  }

  #listenToPointer(canvas) {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.last = null;
      this.#stroke(this.picture.tileAt(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this.#stroke(this.picture.tileAt(event));
    });
  }

  #stroke(tile) {
    if (tile === null || tile === this.last) return;
    this.onDraw(this.tool, straightLine(this.last ?? tile, tile, this.picture.width));
    this.last = tile;
  }

  #press(event) {
    const number = Number(event.key);
    if (number >= 1 && number <= TOOLS.length) this.choose(TOOLS[number - 1][0]);
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (this.picture.pointed !== null) this.onDraw(this.tool, [this.picture.pointed]);
  }
}

/** Tiles on the straight line from one to the next that a stroke touched, so that a fast one leaves no gaps. */
function straightLine(from, to, width) {
  const down = Math.floor(to / width) - Math.floor(from / width);
  const right = (to % width) - (from % width);
  const count = Math.max(Math.abs(down), Math.abs(right), 1);
  return Array.from({ length: count + 1 }, (_, i) => {
    const share = i / count;
    return (Math.floor(from / width) + Math.round(share * down)) * width + (from % width) + Math.round(share * right);
  });
}
