// Words beside the pointer, which are also said to those who listen to the page.

const tip = document.body.appendChild(document.createElement("div"));
tip.className = "tip";
tip.setAttribute("role", "status");
tip.hidden = true;

const GAP = 14; // pixels between the pointer and the words

/** Shows words near a point of the window, on the side where there is room. */
export function showTip(words, x, y) {
  tip.textContent = words;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = x + GAP + width < innerWidth ? x + GAP : Math.max(0, x - GAP - width);
  const top = y + GAP + height < innerHeight ? y + GAP : Math.max(0, y - GAP - height);
  tip.style.transform = `translate(${left}px, ${top}px)`;
}

export function hideTip() {
  tip.hidden = true;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
});
