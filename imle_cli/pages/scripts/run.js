// The page of a training of weights: scrub through its records.

import { Curve } from "./curve.js";
import { readData } from "./data.js";
import { addLegendOf } from "./legend.js";
import { digits, fill } from "./numbers.js";
import { link, nameOf } from "./pictures.js";
import { Player } from "./player.js";
import { startPage } from "./theme.js";
import { TilePicture, extent } from "./tile_picture.js";
import { shortNumber } from "./tiles.js";

const data = await readData();
const { ground, words: spoken, gold, steps, decimals, solutions, samples, losses, distances } = data;
const tiles = ground.numbers.length;
const weights = addedUp(data.weights); // whole numbers: times 10^decimals
const allSteps = Array.from(losses.keys());
const range = extent(weights.filter((_, i) => ground.numbers[i % tiles] !== Infinity)).map((number) => number / 10 ** decimals);
startPage();

const [pathCard, weightsCard, controls, lossCard] = ["path", "weights", "controls", "loss"].map((id) => document.getElementById(id));
const path = new TilePicture(pathCard, ground, "cheapest path under the learned costs");
const learned = new TilePicture(weightsCard, ground, "learned costs");
const things = ground.ends ? "path" : `chosen ${spoken.things}`;
addLegendOf(pathCard, [["path", things], ["target", "one sample, with noise"], ["gold", "gold"]]);
link([path, learned], wordsOf);
const curve = new Curve(lossCard, { label: "loss and wrong tiles, step by step", across: "step", upward: "tiles" });
addLegendOf(lossCard, [["target", "loss: of the samples, on average"], ["path", `of the ${things} without noise`]]);
const player = new Player(controls, {
  label: "Step",
  count: steps.length,
  words: (record) => `${steps[record]} of ${steps.at(-1)}`,
  onStep: show,
});
letCurveSeek();
show(0);

function show(record) {
  const step = steps[record];
  path.showLayers([
    { mask: masksOf(samples, record), colour: "--target" },
    { mask: masksOf(solutions, record), colour: "--path" },
    { mask: gold, colour: "--gold", dashed: true },
  ]);
  learned.showNumbers(Float64Array.from(ground.numbers, (cost, tile) => (cost === Infinity ? cost : weight(record, tile))), range, "learned cost");
  curve.show(
    [
      { name: "loss", x: allSteps, y: losses, colour: "--target" },
      { name: "path", x: allSteps, y: distances, colour: "--path" },
    ],
    { cursor: step },
  );
  fill("step", `${step} of ${steps.at(-1)}`, step);
  fill("loss-now", `${shortNumber(losses[step])} wrong tiles of a sample, on average`, losses[step]);
  fill("distance", distances[step] === 0 ? "the gold one" : `${distances[step]} wrong tiles`, distances[step]);
}

/** A click into the curve leads to the record nearest to its step. */
function letCurveSeek() {
  let pointed = null;
  curve.onPoint = (step) => {
    pointed = step;
  };
  curve.picture.addEventListener("click", () => {
    if (pointed === null) return;
    const later = steps.findIndex((step) => step >= pointed);
    player.go(later < 0 ? steps.length - 1 : later);
  });
}

/** Weights of each record, of what it changes, tile by tile. */
function addedUp(changes) {
  const sums = new Int32Array(changes.length);
  for (let tile = 0; tile < tiles; tile++) {
    let sum = 0;
    for (let record = 0; record < steps.length; record++) {
      sum += changes[tile * steps.length + record];
      sums[record * tiles + tile] = sum;
    }
  }
  return sums;
}

function masksOf(records, record) {
  return records.subarray(record * tiles, (record + 1) * tiles);
}

function weight(record, tile) {
  return weights[record * tiles + tile] / 10 ** decimals;
}

function wordsOf(tile) {
  const record = player.at;
  const on = [["the path", solutions], ["the sample", samples]].filter(([, records]) => masksOf(records, record)[tile]);
  const names = [...on.map(([name]) => name), ...(gold[tile] ? ["the gold path"] : [])];
  const cost = ground.numbers[tile];
  const learnedCost = cost === Infinity ? "a wall" : `learned cost ${weight(record, tile).toFixed(Math.max(decimals, 0))}`;
  return [nameOf(ground, tile), learnedCost, `cost on the map ${digits(cost)}`, names.length ? `on ${names.join(", ")}` : "on no path"].join("\n");
}
