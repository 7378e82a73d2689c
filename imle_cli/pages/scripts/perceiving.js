// The page of a training on images: scrub through what the network predicted on the way.

import { Curve } from "./curve.js";
import { readData } from "./data.js";
import { ImagePicture } from "./image_picture.js";
import { addLegendOf } from "./legend.js";
import { digits, fill } from "./numbers.js";
import { link, total } from "./pictures.js";
import { Player } from "./player.js";
import { startPage } from "./theme.js";
import { TilePicture, extent } from "./tile_picture.js";

const SAME = 1e-5; // relative difference of costs that rounding makes
const SWATCHES = ["path", "target"]; // of the maps in the curve of their regrets

const { images, gold, truth, steps, costs, paths, epochs } = await readData();
const [count, height, width] = gold.shape;
const tiles = height * width;
const maps = Array.from({ length: count }, (_, map) => map);
const records = Array.from(steps.keys());
const regrets = maps.map((map) => records.map((record) => regretOf(record, map)));
const mostTimesMean = Math.max(...maps.map((map) => extent(timesMean(records.length - 1, map))[1])); // at the end
startPage();

const views = maps.map(addView);
const regretCurve = addCurve("regrets", "regret of the paths on these maps, step by step", "step");
addLegendOf(document.getElementById("regrets"), maps.map((map) => [SWATCHES[map], `map ${map + 1}`]));
showEpochs();
const player = new Player(document.getElementById("controls"), {
  label: "Steps made",
  count: records.length,
  words: (record) => `${steps[record]} of ${steps.at(-1)}`,
  onStep: show,
});
letCurveSeek();
show(0);

function show(record) {
  for (const map of maps) {
    views[map].image.showLayers([
      { mask: of(paths, record, map), colour: "--path" },
      { mask: of(gold, 0, map), colour: "--gold", dashed: true },
    ]);
    views[map].costs.showNumbers(timesMean(record, map), [0, mostTimesMean], "times their mean");
    const regret = regrets[map][record];
    const cheap = regret <= SAME ? "as cheap as the gold path" : `${(100 * regret).toFixed(1)}% too expensive`;
    fill(`regret-${map + 1}`, cheap, regret);
  }
  const series = maps.map((map) => {
    const y = regrets[map].map((regret) => 100 * Math.max(regret, 0));
    return { name: `map ${map + 1}`, x: Array.from(steps), y, colour: `--${SWATCHES[map]}` };
  });
  regretCurve.show(series, { cursor: steps[record] });
  fill("step", `${steps[record]} of ${steps.at(-1)}`, steps[record]);
}

function addView(map) {
  const parent = document.getElementById(`image-${map + 1}`);
  const image = new ImagePicture(parent, [height, width], of(images, 0, map, images.length / count), `image of map ${map + 1}`);
  addLegendOf(parent, [["path", "path under the predicted costs"], ["gold", "gold"]]);
  const ground = { kind: "map", numbers: Object.assign(of(truth, 0, map), { shape: [height, width] }), ends: null };
  const predicted = new TilePicture(document.getElementById(`costs-${map + 1}`), ground, `predicted costs of map ${map + 1}`);
  link([image, predicted], (tile) => wordsOf(map, tile));
  return { image, costs: predicted };
}

function wordsOf(map, tile) {
  const cost = of(costs, player.at, map)[tile];
  return [
    `tile ${Math.floor(tile / width)}, ${tile % width}`,
    `predicted cost ${digits(cost)}, ${digits(timesMean(player.at, map)[tile])} x the mean`,
    `true cost ${digits(of(truth, 0, map)[tile])}`,
  ].join("\n");
}

function addCurve(id, label, across) {
  return new Curve(document.getElementById(id), { label, across, upward: "per cent" });
}

/** How good all test maps were at the end of each epoch. */
function showEpochs() {
  const column = (name) => epochs.map((row) => row[name]);
  const inPercent = (name) => column(name).map((share) => 100 * share);
  const series = [
    { name: "optimal", x: column("epoch"), y: inPercent("optimal"), colour: "--accent" },
    { name: "regret", x: column("epoch"), y: inPercent("regret"), colour: "--path" },
  ];
  addCurve("epochs", "optimal paths and regret, epoch by epoch", "epoch").show(series, { least: { x: 1, y: 100 } });
  addLegendOf(document.getElementById("epochs"), [["target", "paths as cheap as the best"], ["path", "regret"]]);
}

/** A click into the curve leads to the record nearest to its step. */
function letCurveSeek() {
  let pointed = null;
  regretCurve.onPoint = (step) => {
    pointed = step;
  };
  regretCurve.picture.addEventListener("click", () => pointed !== null && player.go(steps.indexOf(pointed)));
}

/** Numbers of a map in a record; of what no record changes, in record 0. */
function of(numbers, record, map, size = tiles) {
  const start = (record * count + map) * size;
  return numbers.subarray(start, start + size);
}

/** Predicted costs by the mean of those of all maps, since costs are learned up to scale only. */
function timesMean(record, map) {
  const all = costs.subarray(record * count * tiles, (record + 1) * count * tiles);
  const mean = all.reduce((sum, cost) => sum + cost, 0) / all.length || 1;
  return of(costs, record, map).map((cost) => cost / mean);
}

/** How much more the predicted path costs than the gold one, under the true costs, as a share of it. */
function regretOf(record, map) {
  const real = of(truth, 0, map);
  return total(of(paths, record, map), real) / total(of(gold, 0, map), real) - 1;
}
