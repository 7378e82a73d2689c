// Colours of numbers: functions from a number to [red, green, blue], each from 0 to 255. All maps share these conventions:
// costs are white where cheap and black where expensive, marginals go through viridis from dark to bright.

export const WALL = [0x56, 0xb4, 0xe9];

const WHITE = [255, 255, 255];
const BLACK = [0x26, 0x26, 0x26];
const LESS = [0x00, 0x72, 0xb2];
const LEVEL = [0xf4, 0xf2, 0xee];
const MORE = [0xd5, 0x5e, 0x00];

// Every fifth of matplotlib's 256 colours; what lies between two of them is at most 1 in 255 off.
const VIRIDIS = triples(
  "44015445085b470f62471669481d6f482374472a7946307d453681433c844142863e48883c4d8a3a538b37588c355d8c32628d30" +
  "678d2e6c8e2c718e2a768e287a8e267f8e24848d23898d218d8c1f928c1e978a1e9b891ea08720a58523a98228ae7f2eb27c35b7" +
  "783dbb7445bf6f4fc36959c76464cb5d70ce567cd24f88d54795d73fa2da37afdc2ebdde26cae01ed7e219e4e318f1e51cfde724",
);

/** White at `low`, black at `high`; an infinite cost is a wall. */
export function greys(low, high) {
  return (cost) => (Number.isFinite(cost) ? between([WHITE, BLACK], share(cost, low, high)) : WALL);
}

/** Viridis from `low` to `high`. */
export function viridis(low, high) {
  return (value) => (Number.isFinite(value) ? between(VIRIDIS, share(value, low, high)) : WALL);
}

/** Blue below 0, vermilion above it, pale at 0; full at `limit` on both sides. */
export function twoSided(limit) {
  return (value) => (Number.isFinite(value) ? between([LESS, LEVEL, MORE], share(value, -limit, limit)) : WALL);
}

export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

function share(value, low, high) {
  return high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0;
}

function between(stops, share) {
  const at = share * (stops.length - 1);
  const first = Math.min(Math.floor(at), stops.length - 2);
  return stops[first].map((value, i) => Math.round(value + (at - first) * (stops[first + 1][i] - value)));
}

function triples(digits) {
  return digits.match(/.{6}/g).map((colour) => colour.match(/../g).map((pair) => parseInt(pair, 16)));
}
