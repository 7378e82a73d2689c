// The page of imle sample --distinct: whole solutions one by one, and a bar for the share of each.

import { readData } from "./data.js";
import { addLegend } from "./legend.js";
import { digits, fill } from "./numbers.js";
import { addPicture, factsOf, link, loadOf, total } from "./pictures.js";
import { Player } from "./player.js";
import { startPage } from "./theme.js";

const { ground, words, title, masks, shares, texts } = await readData();
const entries = ground.numbers.length;
startPage();

const [card, controls, list] = ["picture", "controls", "shares"].map((id) => document.getElementById(id));
const heading = card.appendChild(document.createElement("h2"));
const picture = addPicture(card, ground, title);
addLegend(card, ground, words.things);
link([picture], (entry) =>
  [...factsOf(ground, words, entry), maskOf(player.at)[entry] ? "chosen" : "not chosen"].join("\n"),
);
const player = new Player(controls, {
  label: "Solution",
  count: shares.length,
  words: (at) => `${at + 1} of ${shares.length}`,
  onStep: show,
});
const buttons = Array.from(shares, addShare);
show(0);

function show(at) {
  const mask = maskOf(at);
  picture.showChosen(mask);
  heading.textContent = `Solution ${at + 1}: ${texts[at]}`;
  buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === at)));
  const chosen = mask.reduce((sum, bit) => sum + bit, 0);
  const measure = total(mask, ground.numbers);
  fill("this", `${chosen} ${words.things}, ${words.measure} ${digits(measure)}${loadOf(ground, mask)}`, measure);
}

function maskOf(at) {
  return masks.subarray(at * entries, (at + 1) * entries);
}

/** A button with a bar as long as the share, which shows the solution. */
function addShare(share, at) {
  const button = list.appendChild(document.createElement("li")).appendChild(document.createElement("button"));
  const bar = button.appendChild(document.createElement("meter"));
  Object.assign(bar, { min: 0, max: shares[0], value: share });
  bar.setAttribute("aria-hidden", "true");
  button.append(texts[at]);
  button.dataset.value = share;
  Object.assign(button, { type: "button" });
  button.addEventListener("click", () => player.go(at));
  return button;
}
