// The page of imle solve: a solution, and the numbers of what the reader points at.

import { readData } from "./data.js";
import { digits } from "./numbers.js";
import { addLegend } from "./legend.js";
import { addPicture, link, nameOf } from "./pictures.js";
import { startPage } from "./theme.js";

const { ground, words, title, mask } = await readData();
startPage();
const card = document.getElementById("picture");
const picture = addPicture(card, ground, title);
picture.showChosen(mask);
addLegend(card, ground, words.things);
link([picture], (entry) => {
  const lines = [nameOf(ground, entry), `${words.number} ${digits(ground.numbers[entry])}`];
  if (ground.weights) lines.push(`weight ${digits(ground.weights[entry])}`);
  return [...lines, mask[entry] ? "chosen" : "not chosen"].join("\n");
});
