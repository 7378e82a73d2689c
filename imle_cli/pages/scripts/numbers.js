// Numbers as text, rounded no further than the seventh digit.

/** At most seven digits, without zeros at the end; an infinite number as a sign. */
export function digits(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "unknown" : value > 0 ? "∞" : "−∞";
  return String(Number(value.toPrecision(7))).replace("-", "−");
}

/** A probability with at most six decimals. */
export function probability(value) {
  return Number.isNaN(value) ? "unknown" : String(Number(value.toFixed(6)));
}

/** A whole number with commas. */
export function whole(value) {
  return value.toLocaleString("en");
}

/** A share in per cent, as the command prints it. */
export function percent(share) {
  return `${(100 * share).toFixed(3)}%`;
}

/** Puts a text into the element of this id, and the number that it tells of, to the last digit, into its data. */
export function fill(id, words, value) {
  const element = document.getElementById(id);
  element.textContent = words;
  element.dataset.value = value;
}
