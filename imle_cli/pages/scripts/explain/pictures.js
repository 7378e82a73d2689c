// The pictures of the page, one a stage of the estimator; what is pointed at in one is ringed in all.

import { greys, twoSided, viridis } from "../colours.js";
import { addSlider } from "../slider.js";
import { Scale, shortNumber, TileMap } from "../tiles.js";

// Colours of lines lie on white and black tiles in both themes, and are those of the pictures of the commands.
const [PATH, TARGET, GOLD] = ["#d55e00", "#0072b2", "#009e73"];
const [BOTH, GREY] = [2, [0xb4, 0xb9, 0xc2]]; // of a tile on both paths
const DIGITS = 7; // of numbers that are read off a tile

export class Pictures {
  constructor(learner) {
    Object.assign(this, { learner, shownSample: 0, maps: {}, scales: {} });
    const { height, width } = learner.task;
    const labels = {
      map: "Map to draw on",
      theta: "Costs of the learner, and the cheapest path by them",
      forward: "Costs with noise, and the cheapest path by them",
      marginals: "Marginals: how often each tile is on the path",
      dy: "Gradient of the loss",
      target: "Costs of the target with noise, and the cheapest path by them",
      difference: "Difference of the two paths",
      gradient: "Mean of the differences over all samples",
    };
    for (const [name, label] of Object.entries(labels)) {
      const parent = document.getElementById(name);
      const map = new TileMap(parent, height, width, label);
      this.maps[name] = map;
      this.scales[name] = new Scale(parent);
      map.words = (row, column) => `row ${row}, column ${column}\n${this.#words(name, row * width + column)}`;
      map.onPoint = (tile) => Object.values(this.maps).forEach((each) => each.point(tile));
    }
    this.#addStepper(document.getElementById("forward"));
  }

  /** Shows the present state of the learner. */
  show() {
    const { learner, maps } = this;
    const { costs, start, goal, goldPath, theta, path, result, settings, distance } = learner;
    this.#fitStepper(settings.samples);
    const pass = result.passes[this.shownSample];
    const ends = (colour) => ({ start, goal, colour });
    const line = (tiles, colour, dashed) => ({ tiles, colour, dashed });

    this.#showCosts("map", costs, { lines: [line(goldPath, GOLD)], ends: ends(GOLD) }, "cost of a tile");
    const own = theta.map((value) => -value);
    this.#showCosts("theta", own, { lines: [line(path, PATH, true)], ends: ends(PATH) }, "cost for the learner");
    const noisy = pass.perturbed.map((value) => -value);
    const which = "cost with noise";
    this.#showCosts("forward", noisy, { lines: [line(pass.path, PATH)], ends: ends(PATH) }, which);
    this.#show("marginals", result.marginals, viridis(0, 1), [0, 1], {}, `share of ${settings.samples} samples`);

    const most = settings.meanLoss ? 1 / settings.samples : 1;
    this.#showSigned("dy", result.dy, most, { lines: [line(goldPath, GOLD)], ends: ends(GOLD) }, "use more ← dy → use less");
    const target = pass.perturbedTarget.map((value) => -value);
    const lines = [line(pass.path, PATH, true), line(pass.targetPath, TARGET)];
    this.#showCosts("target", target, { lines, ends: ends(TARGET) }, "target cost with noise");
    this.#showDifference(pass);
    const largest = result.gradient.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
    this.#showSigned("gradient", result.gradient, largest || 1, {}, "cheaper ← gradient → more expensive");
    maps.theta.describe(`Costs of the learner; the cheapest path by them is off by ${distance} tiles`);
  }

  /** Costs in greys; where noise makes a few tiles far cheaper than all others, those beyond the lowest 2% are white, too. */
  #showCosts(name, costs, drawn, words) {
    const sorted = costs.filter(Number.isFinite).sort();
    const [least, high] = [sorted[0], sorted.at(-1)];
    const low = sorted[Math.floor(0.02 * sorted.length)];
    this.#show(name, costs, greys(low, high), [low, high], drawn, least < low ? `${words}, least ${shortNumber(least)}` : words);
  }

  /** Tiles of one path alone in its colour, those of both in grey. */
  #showDifference({ z, difference }) {
    const signed = twoSided(1);
    const values = difference.map((value, tile) => (value === 0 && z[tile] ? BOTH : value));
    this.#showSigned("difference", values, 1, {}, "cheaper ← z − z′ → more expensive", (value) => {
      return value === BOTH ? GREY : signed(value);
    });
  }

  #showSigned(name, values, limit, drawn, words, colours = twoSided(limit)) {
    const shown = values.map((value, tile) => (this.learner.costs[tile] === Infinity ? NaN : value));
    this.#show(name, shown, colours, [-limit, limit], drawn, words);
  }

  #show(name, values, colours, [low, high], drawn, words) {
    const { maps, scales } = this;
    maps[name].show(values, colours, drawn);
    scales[name].show(colours, low, high, words);
  }

  /** What a tile has in a picture, in words. */
  #words(name, tile) {
    const { costs, theta, eps, result, settings } = this.learner;
    if (costs[tile] === Infinity) return "wall";
    const pass = result.passes[this.shownSample];
    const noise = eps[this.shownSample * costs.length + tile];
    const { marginals, gradient, dy, target } = result;
    return {
      map: () => `cost ${number(costs[tile])}`,
      theta: () => `cost ${number(-theta[tile])}, θ ${number(theta[tile])}`,
      forward: () => `cost ${number(-theta[tile])} − ${number(settings.tauIn)} × noise ${number(noise)} = ${number(-pass.perturbed[tile])}`,
      marginals: () => `on ${Math.round(marginals[tile] * settings.samples)} of ${settings.samples} paths: ${number(marginals[tile])}`,
      dy: () => `dy ${number(dy[tile])}`,
      target: () =>
        `cost ${number(-theta[tile])}, of the target ${number(-target[tile])}, with noise ${number(-pass.perturbedTarget[tile])}`,
      difference: () => `z ${pass.z[tile]}, z′ ${pass.zTarget[tile]}, z − z′ ${number(pass.difference[tile])}`,
      gradient: () => `gradient ${number(gradient[tile])}`,
    }[name]();
  }

  /** A slider through the samples, below the picture of one of them. */
  #addStepper(parent) {
    const values = Array.from({ length: 100 }, (_, i) => i);
    this.stepper = addSlider(parent, {
      ...{ label: "Sample", values, start: 0, words: (value) => `${value + 1} of ${this.learner.settings.samples}` },
      onInput: (value) => {
        this.shownSample = value;
        this.show();
      },
    });
    this.stepper.input.id = "sample";
  }

  #fitStepper(samples) {
    this.shownSample = Math.min(this.shownSample, samples - 1);
    this.stepper.input.max = samples - 1;
    this.stepper.input.disabled = samples === 1;
    this.stepper.set(this.shownSample);
  }
}

function number(value) {
  return String(Number(value.toPrecision(DIGITS))).replace("-", "−");
}
