// The page of imle solve: a solution, and the numbers of what the reader points at.

import { readData } from "./data.js";
import { addLegend } from "./legend.js";
import { addPicture, factsOf, link } from "./pictures.js";
import { startPage } from "./theme.js";

const { ground, words, title, mask } = await readData();
startPage();
const card = document.getElementById("picture");
const picture = addPicture(card, ground, title);
picture.showChosen(mask);
addLegend(card, ground, words.things);
link([picture], (entry) => [...factsOf(ground, words, entry), mask[entry] ? "chosen" : "not chosen"].join("\n"));
