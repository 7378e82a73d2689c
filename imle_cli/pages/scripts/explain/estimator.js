// I-MLE, the whole of it: forward solve, upstream gradient, target, backward solve, difference. Letters are the paper's.
//
//   forward    z_s = MAP(theta + tau_in * eps_s)
//   backward   g = mean_s [ z_s - MAP(theta - lambda * dy + tau_target * eps_s) ]

/**
 * Everything that happens in a forward and a backward pass.
 *
 * @param map from theta to the tiles of the best path
 * @param theta parameters, one a tile; -Infinity is a wall
 * @param gold the gold path as a mask, one number a tile
 * @param eps noise, `(S, T)` in a row
 * @param settings `{ samples, tauIn, tauTarget, lambda, meanLoss }`
 */
export function estimate(map, theta, gold, eps, settings) {
  const { samples, tauIn, tauTarget, lambda, meanLoss } = settings;
  const dy = hammingGradient(gold, meanLoss ? samples : 1);
  const target = theta.map((value, tile) => value - lambda * dy[tile]);
  const passes = Array.from({ length: samples }, (_, sample) => {
    const noise = eps.subarray(sample * theta.length, (sample + 1) * theta.length);
    const [perturbed, perturbedTarget] = [plus(theta, tauIn, noise), plus(target, tauTarget, noise)];
    const [path, targetPath] = [map(perturbed), map(perturbedTarget)];
    const [z, zTarget] = [mask(path, theta.length), mask(targetPath, theta.length)];
    return { perturbed, perturbedTarget, path, targetPath, z, zTarget, difference: z.map((on, i) => on - zTarget[i]) };
  });
  return {
    ...{ dy, target, passes },
    marginals: mean(passes.map(({ z }) => z)),
    gradient: mean(passes.map(({ difference }) => difference)),
    loss: passes.reduce((sum, { z }) => sum + hamming(z, gold), 0) / samples,
  };
}

/** A step of gradient descent: `theta - eta * g`. */
export function descend(theta, gradient, eta) {
  return theta.map((value, tile) => value - eta * gradient[tile]);
}

/** Number of tiles in which two masks differ. */
export function hamming(z, gold) {
  return z.reduce((sum, on, tile) => sum + Math.abs(on - gold[tile]), 0);
}

/** A path as a mask: 1 on its tiles, 0 elsewhere. */
export function mask(path, count) {
  const on = new Float64Array(count);
  for (const tile of path) on[tile] = 1;
  return on;
}

/** Gradient of a sample's Hamming loss, linear in z and thus `1 - 2 y` for any z; divided where the loss is a mean. */
function hammingGradient(gold, divisor) {
  return gold.map((on) => (1 - 2 * on) / divisor);
}

function plus(theta, tau, noise) {
  return tau === 0 ? theta : theta.map((value, tile) => value + tau * noise[tile]);
}

function mean(rows) {
  return rows[0].map((_, tile) => rows.reduce((sum, row) => sum + row[tile], 0) / rows.length);
}
