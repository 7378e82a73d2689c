// The meaning of the colours and marks in a picture.

/** Puts the legend of a solution into an element: for a path its ends, and walls where there are any. */
export function addLegend(parent, { kind, numbers, ends, marked, weights }, things) {
  const isPath = kind === "map" && ends;
  const entries = [["path", isPath ? "path" : `chosen ${things}${weights ? " (weight)" : ""}`]];
  if (isPath || marked?.length) entries.push(["start", "start"], ["goal", "goal"]);
  if (kind === "map" && numbers.includes(Infinity)) entries.push(["wall", "wall"]);
  if (kind === "items") entries.push(["rest", "others"]);
  addLegendOf(parent, entries);
}

/** Puts a legend of pairs into an element: the name of a swatch in reports.css, and words. */
export function addLegendOf(parent, entries) {
  const list = parent.appendChild(document.createElement("ul"));
  list.className = "legend";
  for (const [swatch, words] of entries) {
    Object.assign(list.appendChild(document.createElement("li")), { className: `swatch-${swatch}`, textContent: words });
  }
}
