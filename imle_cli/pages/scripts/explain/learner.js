// The state of the page: a map, its gold path, and a learner that sees the gold path alone and has costs of its own.

import { descend, estimate, hamming, mask } from "./estimator.js";
import { GridPath } from "./grid_path.js";
import { drawNoise, generator } from "./random.js";

const FLAT = 1; // the learner's cost of every tile at first

export class Learner {
  /**
   * @param task `{ height, width, moves, floor, start, goal, costs, pool }`: a map, one cost a tile, Infinity a wall; noise
   * @param settings of estimator.js, and `{ seed, eta, beginning }`
   */
  constructor(task, settings) {
    Object.assign(this, { task, settings, costs: Float64Array.from(task.costs) });
    this.setMap(this.costs, task.start, task.goal);
  }

  /**
   * Takes another map, and begins to learn anew.
   *
   * @returns false, and leaves all as it is, where walls cut start and goal off from each other
   */
  setMap(costs, start, goal) {
    const solver = new GridPath({ ...this.task, start, goal });
    const goldPath = solver.solve(costs.map((cost) => -cost));
    if (!goldPath) return false;
    Object.assign(this, { costs, start, goal, solver, goldPath, gold: mask(goldPath, costs.length) });
    this.restart();
    return true;
  }

  /** Forgets what was learned. */
  restart() {
    const next = generator(this.settings.seed, 2 ** 31);
    const first = {
      flat: () => FLAT,
      random: () => FLAT * (0.5 + next() / 2 ** 32),
      map: (cost) => cost,
    }[this.settings.beginning];
    this.theta = this.costs.map((cost) => (cost === Infinity ? -Infinity : -first(cost)));
    this.step = 0;
    this.history = [];
    this.solve();
  }

  /** Makes the forward and backward pass of the present step anew, as after a change of settings. */
  solve() {
    const { samples, seed } = this.settings;
    const map = (theta) => this.solver.solve(theta);
    this.eps = drawNoise(this.task.pool, samples * this.theta.length, seed, this.step);
    this.result = estimate(map, this.theta, this.gold, this.eps, this.settings);
    this.path = map(this.theta);
    this.distance = hamming(mask(this.path, this.theta.length), this.gold);
    this.history[this.step] = { loss: this.result.loss, distance: this.distance };
  }

  /** Moves theta against the gradient, with fresh noise for the next pass. */
  learn() {
    this.theta = descend(this.theta, this.result.gradient, this.settings.eta);
    this.step += 1;
    this.solve();
  }
}
