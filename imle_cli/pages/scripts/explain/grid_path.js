// The cheapest path between two tiles: GridPath of imle_core, to the tile. Ties, clamping and sums in float64 are the same.

const CEILING = 1e290;

export class GridPath {
  /**
   * @param height rows of tiles
   * @param width columns of tiles
   * @param moves 8 neighbours of a tile, or 4
   * @param start number of the first tile
   * @param goal number of the last tile
   * @param floor smallest cost, to which smaller ones are clamped
   */
  constructor({ height, width, moves, start, goal, floor }) {
    Object.assign(this, { height, width, start, goal, floor });
    this.stride = width + 2; // a frame of walls around the tiles saves all checks of bounds
    const around = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [down, right]));
    const isMove = ([down, right]) => (moves === 8 ? down || right : Math.abs(down) + Math.abs(right) === 1);
    this.steps = around.filter(isMove).map(([down, right]) => down * this.stride + right); // row by row: the rule of ties
    this.costs = new Float64Array((height + 2) * this.stride).fill(Infinity);
    this.labels = new Float64Array(this.costs.length);
  }

  /**
   * The path that maximises the sum of `theta`, one number a tile, -Infinity a wall.
   *
   * @returns its tiles in order, from start to goal; null where walls cut them off, or are in their place
   */
  solve(theta) {
    for (let tile = 0; tile < theta.length; tile++) {
      const cost = -theta[tile];
      this.costs[this.#position(tile)] = cost === Infinity ? cost : Math.min(Math.max(cost, this.floor), CEILING);
    }
    const [start, goal] = [this.#position(this.start), this.#position(this.goal)];
    if (this.costs[start] === Infinity) return null;
    this.#label(start);
    return this.labels[goal] < Infinity ? this.#walkBack(start, goal).map((position) => this.#tile(position)) : null;
  }

  /** Cost of the cheapest way from the start to every tile, `d(v) = min_u d(u) + c(v)`, by sweeps until none changes. */
  #label(start) {
    const { labels } = this;
    labels.fill(Infinity)[start] = 0;
    const [first, last] = [this.stride + 1, labels.length - this.stride - 2];
    for (let changed = true; changed; ) {
      changed = false;
      for (let position = first; position <= last; position++) changed = this.#correct(position) || changed;
      for (let position = last; position >= first; position--) changed = this.#correct(position) || changed;
    }
  }

  #correct(position) {
    const cost = this.costs[position];
    if (cost === Infinity) return false;
    let least = Infinity;
    for (const step of this.steps) least = Math.min(least, this.labels[position + step]);
    if (!(least + cost < this.labels[position])) return false;
    this.labels[position] = least + cost;
    return true;
  }

  /** Positions from start to goal: back from the goal, each time to the first predecessor with a smaller label. */
  #walkBack(start, goal) {
    const path = [goal];
    let hops = null;
    while (path[0] !== start) {
      const [position] = path;
      let before = this.steps.find((step) => this.#leadsDown(position + step, position));
      if (before === undefined) {
        hops ??= this.#plateauHops(start, goal);
        const isNearer = (step) => hops[position + step] === hops[position] - 1;
        before = this.steps.find((step) => this.labels[position + step] === this.labels[position] && isNearer(step));
      }
      path.unshift(position + before);
    }
    return path;
  }

  #leadsDown(before, position) {
    return this.labels[before] < this.labels[position] && this.labels[before] + this.costs[position] === this.labels[position];
  }

  /**
   * Steps back from every position to the nearest that is the start or has a predecessor with a smaller label.
   *
   * A cost that is lost in a label by rounding makes plateaus of equal labels; the walk leaves them by the fewest steps.
   */
  #plateauHops(start, goal) {
    const { labels, costs } = this;
    const hops = new Float64Array(labels.length).fill(Infinity);
    const queue = [];
    labels.forEach((label, position) => {
      if (!(label <= labels[goal])) return;
      if (position !== start && !this.steps.some((step) => this.#leadsDown(position + step, position))) return;
      hops[position] = 0;
      queue.push(position);
    });
    for (const position of queue) {
      for (const after of this.steps.map((step) => position + step)) {
        const isLevel = labels[after] === labels[position] && labels[position] + costs[after] === labels[after];
        if (!isLevel || hops[after] < Infinity) continue;
        hops[after] = hops[position] + 1;
        queue.push(after);
      }
    }
    return hops;
  }

  #position(tile) {
    return (Math.floor(tile / this.width) + 1) * this.stride + (tile % this.width) + 1;
  }

  #tile(position) {
    return (Math.floor(position / this.stride) - 1) * this.width + (position % this.stride) - 1;
  }
}
