// The page of imle sample and imle marginals: samples one by one, and marginals, at a temperature that the reader chooses.

import { readData } from "./data.js";
import { addLegend } from "./legend.js";
import { digits, fill, percent, probability, whole } from "./numbers.js";
import { addPicture, factsOf, link, loadOf, total } from "./pictures.js";
import { Player } from "./player.js";
import { addSlider } from "./slider.js";
import { startPage } from "./theme.js";

const DEVIATIONS = 1.96; // a normal variable is within so many of its mean with probability 95%

const data = await readData();
const { ground, words, temperatures, count } = data;
const entries = ground.numbers.length;
const kept = data.kept.shape[1];
startPage();

const [sampleCard, marginalsCard, controls] = ["sample", "marginals", "controls"].map((id) => document.getElementById(id));
const sampleHeading = addHeading(sampleCard);
const sample = addPicture(sampleCard, ground, "one sample");
addLegend(sampleCard, ground, words.things);
addHeading(marginalsCard).textContent = count === 1 ? "One sample" : `Marginals of ${whole(count)} samples`;
const marginals = addPicture(marginalsCard, ground, "marginals");
link([sample, marginals], wordsOf);

const heat = addSlider(controls, {
  label: "Temperature of the noise",
  values: temperatures,
  start: data.asked,
  words: (temperature) => `${digits(temperature)}${temperature === data.asked ? ", as asked" : ""}`,
  onInput: show,
});
const player = new Player(controls, {
  label: "Sample",
  count: kept,
  words: (at) => `${at + 1} of ${kept === count ? "" : "the first "}${kept}`,
  onStep: showSample,
});
show();

function show() {
  const rung = temperatures.indexOf(heat.value);
  const shares = Float64Array.from({ length: entries }, (_, entry) => marginal(entry));
  marginals.showShares(shares);
  const [extent, measure] = [total(shares, shares.map(() => 1)), total(shares, ground.numbers)];
  const largest = largestError();
  fill("distinct", `${whole(count)}, ${whole(data.distinct[rung])} distinct`, data.distinct[rung]);
  fill("error", largest === 0 ? "0: all samples are the same" : probability(largest), largest);
  fill("extent", `${digits(extent)} ${words.things}`, extent);
  fill("measure", digits(measure), measure);
  if (document.getElementById("clamped")) fill("clamped", percent(data.clamped[rung]), data.clamped[rung]);
  showSample(player.at);
}

function showSample(at) {
  const mask = maskOf(at);
  sample.showChosen(mask);
  sampleHeading.textContent = `Sample ${at + 1}`;
  const chosen = mask.reduce((sum, bit) => sum + bit, 0);
  const measure = total(mask, ground.numbers);
  fill("this", `${chosen} ${words.things}, ${words.measure} ${digits(measure)}${loadOf(ground, mask)}`, measure);
}

function maskOf(at) {
  const start = (temperatures.indexOf(heat.value) * kept + at) * entries;
  return data.kept.subarray(start, start + entries);
}

function chosenCount(entry) {
  return data.counts[temperatures.indexOf(heat.value) * entries + entry];
}

function marginal(entry) {
  return chosenCount(entry) / count;
}

/** Standard error of a marginal, as imle_core.marginals has it: where all samples agree, half of Wilson's interval. */
function standardError(entry) {
  const [chosen, share] = [chosenCount(entry), marginal(entry)];
  if (count === 1) return NaN;
  if (!data.noisy || heat.value === 0) return 0;
  if (chosen > 0 && chosen < count) return Math.sqrt((share * (1 - share)) / (count - 1));
  return data.never[entry] && chosen === 0 ? 0 : DEVIATIONS / (count + DEVIATIONS ** 2);
}

function largestError() {
  let largest = 0;
  for (let entry = 0; entry < entries; entry++) largest = Math.max(largest, standardError(entry));
  return largest;
}

function wordsOf(entry) {
  return [
    ...factsOf(ground, words, entry),
    `marginal ${probability(marginal(entry))} ± ${probability(standardError(entry))}`,
    maskOf(player.at)[entry] ? `in sample ${player.at + 1}` : `not in sample ${player.at + 1}`,
  ].join("\n");
}

function addHeading(card) {
  return card.appendChild(document.createElement("h2"));
}
