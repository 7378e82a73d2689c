// The page of `imle explain`: I-MLE on a map, every quantity of a step, live.
//
// For tests, and for the console of the curious, `imle.state()` gives every number that the page shows, `imle.pool()` the
// noise that it draws from, and `imle.solve({ height, width, moves, start, goal, floor }, theta)` the path by its solver.

import { Curve } from "../curve.js";
import { readData } from "../data.js";
import { addSlider } from "../slider.js";
import { startPage } from "../theme.js";
import { shortNumber } from "../tiles.js";
import { Board } from "./board.js";
import { GridPath } from "./grid_path.js";
import { Learner } from "./learner.js";
import { Pictures } from "./pictures.js";

const PAUSE = matchMedia("(prefers-reduced-motion: reduce)").matches ? 600 : 90; // milliseconds between two steps at play

const byId = (id) => document.getElementById(id);
const task = await readData();
const learner = new Learner(task, task.settings);
startPage();
const pictures = new Pictures(learner);
const curve = new Curve(byId("curve"), { label: "Loss over steps", across: "step", upward: "tiles that differ" });
const atFirst = { ...task.settings };
const sliders = {};
let playing = null;

addSettings();
addDrawing();
addLearning();
addExperiments();
show();

window.imle = {
  state: () => ({
    ...{ settings: learner.settings, step: learner.step, start: learner.start, goal: learner.goal },
    ...{ costs: [...learner.costs], gold: [...learner.gold], theta: [...learner.theta], eps: [...learner.eps] },
    ...{ loss: learner.result.loss, distance: learner.distance, history: learner.history },
    ...{ dy: [...learner.result.dy], target: [...learner.result.target] },
    ...{ marginals: [...learner.result.marginals], gradient: [...learner.result.gradient] },
    ...{ z: learner.result.passes.map(({ z }) => [...z]), zTarget: learner.result.passes.map(({ zTarget }) => [...zTarget]) },
  }),
  pool: () => [...task.pool],
  solve: (settings, theta) => new GridPath(settings).solve(theta),
};

function show() {
  pictures.show();
  const { step, history, result, distance } = learner;
  byId("step").textContent = step;
  byId("loss").textContent = shortNumber(result.loss);
  byId("distance").textContent = `${distance} tiles`;
  const x = history.map((_, at) => at);
  const lines = [
    { name: "loss", x, y: history.map(({ loss }) => loss), colour: "--accent" },
    { name: "path without noise", x, y: history.map((past) => past.distance), colour: "--path" },
  ];
  curve.show(lines, { cursor: step, least: { x: 10, y: 1 } });
  const isZero = result.gradient.every((value) => value === 0);
  say("gradient-says", isZero && result.loss > 0 ? "The gradient is zero, though the loss is not: λ moved no path." : "");
}

function addSettings() {
  const { settings } = learner;
  const temperatures = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10];
  const lambdas = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 10, 20, 50];
  const add = (name, label, values, help, onInput = () => learner.solve()) => {
    const slider = addSlider(byId("sliders"), {
      ...{ label, values: withValue(values, settings[name]), start: settings[name], words: shortNumber, help },
      onInput: (value) => {
        settings[name] = value;
        onInput();
        show();
      },
    });
    slider.input.id = name;
    sliders[name] = slider;
  };
  add("tauIn", "Input temperature", temperatures, "noise of the forward pass");
  add("tauTarget", "Target temperature", temperatures, "noise of the backward pass");
  add("lambda", "Lambda λ", lambdas, "how far the target moves");
  add("samples", "Samples", [1, 2, 3, 5, 10, 20, 50, 100], "paths drawn in a step");
  add("eta", "Learning rate η", [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], "how far a step moves the costs");
  add("seed", "Seed", Array.from({ length: 21 }, (_, i) => i), "another seed, other noise", () => learner.restart());

  byId("beginning").addEventListener("change", (event) => {
    settings.beginning = event.target.value;
    learner.restart();
    show();
  });
  byId("mean-loss").addEventListener("change", (event) => {
    settings.meanLoss = event.target.checked;
    learner.solve();
    show();
  });
  if (innerWidth < 700) byId("settings").open = false; // which would hide what it changes
}

/** Buttons that begin anew with the settings at first, but for those that they name. */
function addExperiments() {
  for (const button of document.querySelectorAll("[data-try]")) {
    button.addEventListener("click", () => {
      stop();
      Object.assign(learner.settings, atFirst, JSON.parse(button.dataset.try));
      for (const [name, slider] of Object.entries(sliders)) slider.set(learner.settings[name]);
      byId("beginning").value = learner.settings.beginning;
      byId("mean-loss").checked = learner.settings.meanLoss;
      learner.restart();
      show();
    });
  }
}

function addDrawing() {
  const passable = task.costs.filter(Number.isFinite);
  const [low, high] = [Math.min(...passable), Math.max(...passable)];
  const most = high > low ? high : 100 * low; // a map of equal costs, too, is drawn on with three
  const brushes = { cheap: low, medium: (low + most) / 2, expensive: most, wall: Infinity };
  new Board(pictures.maps.map, document.querySelector(".tools"), (tool, tiles) => {
    const costs = learner.costs.slice();
    let { start, goal } = learner;
    for (const tile of tiles) {
      if (tool in brushes && !(tool === "wall" && (tile === start || tile === goal))) costs[tile] = brushes[tool];
    }
    if (tool === "start") start = tiles.at(-1);
    if (tool === "goal") goal = tiles.at(-1);
    change(costs, start, goal);
  });
  byId("original").addEventListener("click", () => change(Float64Array.from(task.costs), task.start, task.goal));
  byId("empty").addEventListener("click", () => change(learner.costs.map(() => low), learner.start, learner.goal));
}

function change(costs, start, goal) {
  const isDone = start !== goal && learner.setMap(costs, start, goal);
  say("map-says", isDone ? "" : "There must be a way from the start to another tile, the goal.");
  if (isDone) show();
}

function addLearning() {
  byId("one").addEventListener("click", () => learn(1));
  byId("ten").addEventListener("click", () => learn(10));
  byId("restart").addEventListener("click", () => {
    stop();
    learner.restart();
    show();
  });
  byId("play").addEventListener("click", () => (playing ? stop() : play()));
}

function learn(steps) {
  for (let i = 0; i < steps; i++) learner.learn();
  show();
}

function play() {
  playing = setInterval(() => learn(1), PAUSE);
  byId("play").textContent = "Pause";
  byId("play").setAttribute("aria-pressed", "true");
}

function stop() {
  clearInterval(playing);
  playing = null;
  byId("play").textContent = "Play";
  byId("play").setAttribute("aria-pressed", "false");
}

function say(id, words) {
  byId(id).textContent = words;
  byId(id).hidden = !words;
}

function withValue(values, value) {
  return [...new Set([...values, value])].sort((a, b) => a - b);
}
