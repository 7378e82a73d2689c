// Random numbers from seeds: the same seed gives the same numbers, in every browser.

/** A function that gives whole numbers from 0 to 2^32 - 1: sfc32 of Chris Doty-Humphrey's PractRand, begun with two seeds. */
export function generator(seed, stream) {
  let [a, b, c, counter] = [seed, stream, 0, 1];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) next(); // until the seeds have reached every bit
  return next;
}

/** Noise `(count)`, each number one of those in `pool`, which the library drew; pools have a power of 2 of them. */
export function drawNoise(pool, count, seed, stream) {
  const next = generator(seed, stream);
  return Float64Array.from({ length: count }, () => pool[next() & (pool.length - 1)]);
}
